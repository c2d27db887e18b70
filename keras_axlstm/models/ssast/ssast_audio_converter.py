import keras

from keras_axlstm.models.log_mel_audio_converter import LogMelAudioConverter
from keras_axlstm.models.ssast.ssast_encoder import SSASTEncoder


@keras.saving.register_keras_serializable(package="keras_axlstm")
class SSASTAudioConverter(LogMelAudioConverter):
    """Waveforms to the log-mel spectrograms that `SSASTEncoder` reads.

    `keras_hub.layers.AudioConverter.from_preset` gives it for a preset of `SSASTEncoder`.
    Arguments, shapes and errors: `LogMelAudioConverter`.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.models import SSASTAudioConverter

    SSASTAudioConverter()(np.zeros((2, 32000), "float32"))  # (2, 201, 80)
    ```
    """

    backbone_cls = SSASTEncoder
