"""From the published archives of HEAR 2021 at 48 kHz to task folders at 16 kHz."""

from keras_axlstm.evaluation.tasks.prepare.prepare_tasks import PreparedTasks as PreparedTasks
from keras_axlstm.evaluation.tasks.prepare.prepare_tasks import prepare_tasks as prepare_tasks
