import keras

from keras_axlstm.models.audio_classifier import AudioClassifier
from keras_axlstm.models.axlstm.axlstm_audio_classifier_preprocessor import (
    AxLSTMAudioClassifierPreprocessor,
)
from keras_axlstm.models.axlstm.axlstm_encoder import AxLSTMEncoder


@keras.saving.register_keras_serializable(package="keras_axlstm")
class AxLSTMAudioClassifier(AudioClassifier):
    """`AudioClassifier` with an `AxLSTMEncoder`; see there.

    Example:

    ```python
    from keras_axlstm.models import AxLSTMAudioClassifier, AxLSTMEncoder

    AxLSTMAudioClassifier(AxLSTMEncoder(num_layers=2), num_classes=3)
    ```
    """

    backbone_cls = AxLSTMEncoder
    preprocessor_cls = AxLSTMAudioClassifierPreprocessor
