"""Measuring audio representations on tasks in the format of HEAR 2021."""

from keras_axlstm.evaluation.models import open_model as open_model
from keras_axlstm.evaluation.run import evaluate as evaluate
from keras_axlstm.evaluation.tasks import read_task as read_task
from keras_axlstm.evaluation.tasks import read_tasks as read_tasks
