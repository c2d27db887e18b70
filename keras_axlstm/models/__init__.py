"""Models: one folder an architecture, and what is built on the encoders."""

from keras_axlstm.models.audio_classifier import AudioClassifier as AudioClassifier
from keras_axlstm.models.audio_classifier_preprocessor import (
    AudioClassifierPreprocessor as AudioClassifierPreprocessor,
)
from keras_axlstm.models.audio_embedder import AudioEmbedder as AudioEmbedder
from keras_axlstm.models.axlstm import AxLSTMAudioClassifier as AxLSTMAudioClassifier
from keras_axlstm.models.axlstm import (
    AxLSTMAudioClassifierPreprocessor as AxLSTMAudioClassifierPreprocessor,
)
from keras_axlstm.models.axlstm import AxLSTMAudioConverter as AxLSTMAudioConverter
from keras_axlstm.models.axlstm import AxLSTMEncoder as AxLSTMEncoder
from keras_axlstm.models.installed_presets import register_installed_presets
from keras_axlstm.models.masked_spectrogram_model import (
    MaskedSpectrogramModel as MaskedSpectrogramModel,
)
from keras_axlstm.models.spectrogram_encoder import SpectrogramEncoder as SpectrogramEncoder
from keras_axlstm.models.ssast import SSASTAudioClassifier as SSASTAudioClassifier
from keras_axlstm.models.ssast import (
    SSASTAudioClassifierPreprocessor as SSASTAudioClassifierPreprocessor,
)
from keras_axlstm.models.ssast import SSASTAudioConverter as SSASTAudioConverter
from keras_axlstm.models.ssast import SSASTEncoder as SSASTEncoder

# They load by name like the built-in ones, through keras-hub's classes too.
register_installed_presets()
