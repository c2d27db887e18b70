"""The authors' PyTorch checkpoints as Keras models, read without PyTorch."""

from keras_axlstm.conversion.errors import CheckpointError as CheckpointError
from keras_axlstm.conversion.official import from_official_state_dict as from_official_state_dict
from keras_axlstm.conversion.official import load_official_checkpoint as load_official_checkpoint
from keras_axlstm.conversion.torch_checkpoint import read_torch_checkpoint as read_torch_checkpoint
