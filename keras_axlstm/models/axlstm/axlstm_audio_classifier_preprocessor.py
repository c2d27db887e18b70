import keras

from keras_axlstm.models.audio_classifier_preprocessor import AudioClassifierPreprocessor
from keras_axlstm.models.axlstm.axlstm_audio_converter import AxLSTMAudioConverter
from keras_axlstm.models.axlstm.axlstm_encoder import AxLSTMEncoder


@keras.saving.register_keras_serializable(package="keras_axlstm")
class AxLSTMAudioClassifierPreprocessor(AudioClassifierPreprocessor):
    """Clips to what a classifier with an `AxLSTMEncoder` reads.

    Arguments, shapes and errors: `AudioClassifierPreprocessor`.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.models import AxLSTMAudioClassifierPreprocessor, AxLSTMAudioConverter

    preprocessor = AxLSTMAudioClassifierPreprocessor(AxLSTMAudioConverter())
    inputs = preprocessor([np.zeros(32000), np.zeros(16000)])
    inputs["spectrogram"].shape, inputs["mask"].shape  # (2, 300, 80), (2, 300)
    ```
    """

    backbone_cls = AxLSTMEncoder
    audio_converter_cls = AxLSTMAudioConverter
