import keras

from keras_axlstm.models.audio_classifier import AudioClassifier
from keras_axlstm.models.ssast.ssast_audio_classifier_preprocessor import (
    SSASTAudioClassifierPreprocessor,
)
from keras_axlstm.models.ssast.ssast_encoder import SSASTEncoder


@keras.saving.register_keras_serializable(package="keras_axlstm")
class SSASTAudioClassifier(AudioClassifier):
    """`AudioClassifier` with an `SSASTEncoder`; see there.

    Example:

    ```python
    from keras_axlstm.models import SSASTAudioClassifier, SSASTEncoder

    SSASTAudioClassifier(SSASTEncoder(num_layers=2), num_classes=3)
    ```
    """

    backbone_cls = SSASTEncoder
    preprocessor_cls = SSASTAudioClassifierPreprocessor
