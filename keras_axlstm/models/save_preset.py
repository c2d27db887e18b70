"""Writing a preset folder that `AudioEmbedder.from_preset` reads."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_axlstm.models import MaskedSpectrogramModel


def save_preset(
    model: "MaskedSpectrogramModel",
    folder: Path,
    normalization: str,
    dynamic_range: float | None = None,
) -> None:
    """Save the encoder, the reconstruction head and the front end.

    Args:
        model: a pretrained model.
        folder: where to; made if missing.
        normalization: of the log-mel spectrogram, what the embedder will do by default.
        dynamic_range: of the log-mel spectrogram in decibels, as well.
    """
    from keras_axlstm.models import AxLSTMAudioConverter, AxLSTMEncoder, SSASTAudioConverter

    model.save_to_preset(folder)
    is_axlstm = isinstance(model.encoder, AxLSTMEncoder)
    converter_class = AxLSTMAudioConverter if is_axlstm else SSASTAudioConverter
    converter = converter_class(
        num_mel_bins=model.encoder.spectrogram_shape[1],
        normalization=normalization,
        dynamic_range=dynamic_range,
    )
    converter.save_to_preset(str(folder))
