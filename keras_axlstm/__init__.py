"""Audio xLSTM (AxLSTM) for Keras 3: general audio representations on JAX, TensorFlow, PyTorch."""

from keras_axlstm import audio as audio
from keras_axlstm import conversion as conversion
from keras_axlstm import data as data
from keras_axlstm import export as export
from keras_axlstm import layers as layers
from keras_axlstm import models as models
from keras_axlstm import ops as ops
from keras_axlstm import training as training
from keras_axlstm.layers import LogMelSpectrogram as LogMelSpectrogram
from keras_axlstm.models import AudioClassifier as AudioClassifier
from keras_axlstm.models import AudioEmbedder as AudioEmbedder
from keras_axlstm.models import AxLSTMAudioConverter as AxLSTMAudioConverter
from keras_axlstm.models import AxLSTMEncoder as AxLSTMEncoder
from keras_axlstm.models import MaskedSpectrogramModel as MaskedSpectrogramModel
from keras_axlstm.models import SpectrogramEncoder as SpectrogramEncoder
from keras_axlstm.models import SSASTAudioConverter as SSASTAudioConverter
from keras_axlstm.models import SSASTEncoder as SSASTEncoder

__version__ = "0.1.0"
