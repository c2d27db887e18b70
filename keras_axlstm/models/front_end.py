import keras_hub

from keras_axlstm.models.log_mel_audio_converter import LogMelAudioConverter


def front_end_of(preset: str) -> LogMelAudioConverter | None:
    """The audio converter stored with a preset, None if it has none."""
    try:
        converter: LogMelAudioConverter = keras_hub.layers.AudioConverter.from_preset(preset)
    except FileNotFoundError:
        return None
    return converter
