"""What the fixed `pos_embed` of a state dict tells about the model."""

import numpy as np
from keras import ops

from keras_axlstm.conversion.errors import CheckpointError
from keras_axlstm.layers.sine_cosine_position import SineCosinePosition

# Wide enough for values stored in bfloat16; two grids differ by far more.
_TOLERANCE = 1e-2


def has_class_token(pos_embed: np.ndarray | None) -> bool:
    """Whether row zero is the (zero) position of a class token; True if there is no telling."""
    return pos_embed is None or pos_embed.ndim != 3 or not pos_embed[:, :1].any()


def check_position(
    pos_embed: np.ndarray,
    spectrogram_shape: tuple[int, int],
    patch_size: tuple[int, int],
    use_class_token: bool,
) -> None:
    """Raise unless `pos_embed` `(1, tokens, D)` is the position of `spectrogram_shape`."""
    position = pos_embed[0, int(use_class_token) :]
    count, hidden_dim = position.shape
    grids = [bands for bands in range(1, count + 1) if count % bands == 0 and hidden_dim % 4 == 0]
    fitting = [
        (count // bands * patch_size[0], bands * patch_size[1])
        for bands in grids
        if np.abs(position - _expected(bands, position)).max() < _TOLERANCE
    ]
    if not fitting:
        raise CheckpointError(
            "Expected the fixed 2-D sine-cosine position as `pos_embed`; the values received for "
            f"{count} patches of {hidden_dim} channels are others. Such a model is not supported."
        )
    if tuple(spectrogram_shape) not in fitting:
        raise CheckpointError(
            f"The `pos_embed` of these weights was made for spectrogram_shape={fitting[0]} in "
            f"patches of {patch_size}. Received: spectrogram_shape={spectrogram_shape}"
        )


def _expected(bands: int, position: np.ndarray) -> np.ndarray:
    return ops.convert_to_numpy(
        SineCosinePosition(bands, dtype="float32").position(ops.convert_to_tensor(position[None]))
    )
