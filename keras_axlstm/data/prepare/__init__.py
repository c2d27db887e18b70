"""From any source of clips to shards of log-mel spectrograms."""

from keras_axlstm.data.prepare.prepare import Prepared as Prepared
from keras_axlstm.data.prepare.prepare import prepare as prepare
