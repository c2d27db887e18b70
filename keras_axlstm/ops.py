"""Public ops."""

from keras_axlstm.patches import patchify as patchify
from keras_axlstm.recurrence.api import mlstm as mlstm
