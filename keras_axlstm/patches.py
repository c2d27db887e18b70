"""Spectrograms as sequences of patches."""

import keras
from keras import ops


def patchify(spectrogram: keras.KerasTensor, patch_size: tuple[int, int]) -> keras.KerasTensor:
    """Cut a spectrogram into flattened patches: the targets of reconstruction.

    Args:
        spectrogram: `(batch, time, frequency)`.
        patch_size: `(time, frequency)` steps of a patch; both must divide the spectrogram.

    Returns:
        `(batch, patches, patch_time * patch_frequency)`. Patches are time-major: all frequencies
        of one time step, then the next. So are the values inside a patch.

    Raises:
        ValueError: wrong rank, or a patch size that does not divide.

    Example:

    ```python
    import numpy as np
    from keras_axlstm import ops

    ops.patchify(np.zeros((2, 200, 80), "float32"), (4, 16))  # (2, 250, 64)
    ```
    """
    spectrogram = ops.convert_to_tensor(spectrogram)
    if len(spectrogram.shape) != 3:
        raise ValueError(
            "`spectrogram` must have shape (batch, time, frequency). "
            f"Received: shape {tuple(spectrogram.shape)}"
        )
    patch_time, patch_frequency = patch_size
    for name, size, patch in zip(
        ("time", "frequency"), spectrogram.shape[1:], patch_size, strict=True
    ):
        if size is not None and size % patch:
            raise ValueError(
                f"The {name} size of `spectrogram` must be a multiple of {patch} for "
                f"patch_size={tuple(patch_size)}: crop or pad it. Received: {size}"
            )
    bands = spectrogram.shape[2] // patch_frequency
    batch, time, _ = ops.shape(spectrogram)
    steps = time // patch_time
    patches = ops.reshape(spectrogram, (batch, steps, patch_time, bands, patch_frequency))
    patches = ops.transpose(patches, (0, 1, 3, 2, 4))
    return ops.reshape(patches, (batch, steps * bands, patch_time * patch_frequency))
