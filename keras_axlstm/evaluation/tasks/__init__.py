"""Task folders in the format of HEAR 2021."""

from keras_axlstm.evaluation.tasks.clip import Clip as Clip
from keras_axlstm.evaluation.tasks.event import Event as Event
from keras_axlstm.evaluation.tasks.read_task import read_task as read_task
from keras_axlstm.evaluation.tasks.read_tasks import read_tasks as read_tasks
from keras_axlstm.evaluation.tasks.task import Task as Task
from keras_axlstm.evaluation.tasks.task_error import TaskError as TaskError
