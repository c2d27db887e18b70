"""Models: one folder an architecture, and what is built on the encoders."""

from keras_axlstm.models.audio_embedder import AudioEmbedder as AudioEmbedder
from keras_axlstm.models.axlstm import AxLSTMAudioConverter as AxLSTMAudioConverter
from keras_axlstm.models.axlstm import AxLSTMEncoder as AxLSTMEncoder
from keras_axlstm.models.masked_spectrogram_model import (
    MaskedSpectrogramModel as MaskedSpectrogramModel,
)
from keras_axlstm.models.spectrogram_encoder import SpectrogramEncoder as SpectrogramEncoder
from keras_axlstm.models.ssast import SSASTAudioConverter as SSASTAudioConverter
from keras_axlstm.models.ssast import SSASTEncoder as SSASTEncoder
