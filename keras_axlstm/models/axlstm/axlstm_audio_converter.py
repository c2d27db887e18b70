import keras

from keras_axlstm.models.axlstm.axlstm_encoder import AxLSTMEncoder
from keras_axlstm.models.log_mel_audio_converter import LogMelAudioConverter


@keras.saving.register_keras_serializable(package="keras_axlstm")
class AxLSTMAudioConverter(LogMelAudioConverter):
    """Waveforms to the log-mel spectrograms that `AxLSTMEncoder` reads.

    `keras_hub.layers.AudioConverter.from_preset` gives it for a preset of `AxLSTMEncoder`.
    Arguments, shapes and errors: `LogMelAudioConverter`.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.models import AxLSTMAudioConverter

    AxLSTMAudioConverter()(np.zeros((2, 32000), "float32"))  # (2, 201, 80)
    ```
    """

    backbone_cls = AxLSTMEncoder
