"""AxLSTM: encoder, presets, audio converter and classifier."""

from keras_axlstm.models.axlstm.axlstm_audio_classifier import (
    AxLSTMAudioClassifier as AxLSTMAudioClassifier,
)
from keras_axlstm.models.axlstm.axlstm_audio_classifier_preprocessor import (
    AxLSTMAudioClassifierPreprocessor as AxLSTMAudioClassifierPreprocessor,
)
from keras_axlstm.models.axlstm.axlstm_audio_converter import (
    AxLSTMAudioConverter as AxLSTMAudioConverter,
)
from keras_axlstm.models.axlstm.axlstm_encoder import AxLSTMEncoder as AxLSTMEncoder
from keras_axlstm.models.axlstm.axlstm_presets import AXLSTM_PRESETS
from keras_axlstm.models.presets import register

register(AXLSTM_PRESETS, AxLSTMEncoder)
