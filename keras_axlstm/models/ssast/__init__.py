"""SSAST, the transformer baseline: encoder, presets, audio converter and classifier."""

from keras_axlstm.models.presets import register
from keras_axlstm.models.ssast.ssast_audio_classifier import (
    SSASTAudioClassifier as SSASTAudioClassifier,
)
from keras_axlstm.models.ssast.ssast_audio_classifier_preprocessor import (
    SSASTAudioClassifierPreprocessor as SSASTAudioClassifierPreprocessor,
)
from keras_axlstm.models.ssast.ssast_audio_converter import (
    SSASTAudioConverter as SSASTAudioConverter,
)
from keras_axlstm.models.ssast.ssast_encoder import SSASTEncoder as SSASTEncoder
from keras_axlstm.models.ssast.ssast_presets import SSAST_PRESETS

register(SSAST_PRESETS, SSASTEncoder)
