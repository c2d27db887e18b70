import keras

from keras_axlstm.models.audio_classifier_preprocessor import AudioClassifierPreprocessor
from keras_axlstm.models.ssast.ssast_audio_converter import SSASTAudioConverter
from keras_axlstm.models.ssast.ssast_encoder import SSASTEncoder


@keras.saving.register_keras_serializable(package="keras_axlstm")
class SSASTAudioClassifierPreprocessor(AudioClassifierPreprocessor):
    """Clips to what a classifier with an `SSASTEncoder` reads.

    Arguments, shapes and errors: `AudioClassifierPreprocessor`.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.models import SSASTAudioClassifierPreprocessor, SSASTAudioConverter

    preprocessor = SSASTAudioClassifierPreprocessor(SSASTAudioConverter())
    inputs = preprocessor([np.zeros(32000), np.zeros(16000)])
    inputs["spectrogram"].shape, inputs["mask"].shape  # (2, 300, 80), (2, 300)
    ```
    """

    backbone_cls = SSASTEncoder
    audio_converter_cls = SSASTAudioConverter
