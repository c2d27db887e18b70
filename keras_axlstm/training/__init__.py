"""The pretraining recipe of the paper."""

from keras_axlstm.training.pretraining_optimizer import (
    pretraining_optimizer as pretraining_optimizer,
)
