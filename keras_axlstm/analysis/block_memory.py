from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_axlstm.models.axlstm import AxLSTMEncoder
from keras_axlstm.recurrence.gates import log_gate


class BlockMemory(NamedTuple):
    """What the heads of a block keep, one column a time step of the patch grid.

    Attributes:
        forget_gate: `(num_heads, time_steps)`, 0 forgets, 1 keeps; mean over the step's tokens.
        memory_steps: `(num_heads, time_steps)`, how far back the memory reaches: the mean age of
            what it holds, by weight, in time steps of the grid.
    """

    forget_gate: np.ndarray
    memory_steps: np.ndarray


def block_memory(encoder: AxLSTMEncoder, spectrogram: np.ndarray, block: int = 0) -> BlockMemory:
    """Forget gates and effective memory of one block on one clip.

    At token t the memory is the sum over tokens j <= t of `v_j k_j^T` with weight
    `w_tj = i_j f_(j+1) ... f_t`. Its mean age is `sum_j w_tj (t - j) / sum_j w_tj`.

    Args:
        encoder: an `AxLSTMEncoder`.
        spectrogram: `(time, frequency)` log-mel, normalised as the encoder expects it.
        block: index of the block. One that reads from the end (flip) has its age counted from
            there.

    Returns:
        A `BlockMemory`, for `keras_axlstm.plots.plot_block_memory`.

    Raises:
        ValueError: another encoder, no such block, or a spectrogram of another shape.

    Example:

    ```python
    import numpy as np
    import keras_axlstm
    from keras_axlstm.analysis import block_memory

    encoder = keras_axlstm.AxLSTMEncoder.from_preset("axlstm_tiny", load_weights=False)
    memory = block_memory(encoder, np.zeros((200, 80), "float32"), block=5)
    memory.forget_gate.shape  # (4, 50)
    ```
    """
    if not isinstance(encoder, AxLSTMEncoder):
        raise ValueError(
            f"`encoder` must be an AxLSTMEncoder, whose blocks have gates. Received: {encoder!r}"
        )
    if not -encoder.num_layers <= block < encoder.num_layers:
        raise ValueError(f"`block` must be from 0 to {encoder.num_layers - 1}. Received: {block!r}")
    if np.ndim(spectrogram) != 2:
        raise ValueError(
            "`spectrogram` must be that of one clip, (time, frequency). Received: shape "
            f"{np.shape(spectrogram)}"
        )
    layer = encoder.blocks[block]
    name = "embedding" if layer is encoder.blocks[0] else encoder.blocks[block - 1].name
    tokens = encoder.tap_model([name])(ops.convert_to_tensor(spectrogram[None], "float32"))[name]
    input_gate, forget_gate = layer.gates(tokens)
    log_i = _to_numpy(log_gate(input_gate, layer.input_gate))
    log_f = _to_numpy(log_gate(forget_gate, layer.forget_gate))
    age = mean_age(log_i, log_f)
    bands = encoder.grid_size[1]

    def by_time_step(x: np.ndarray) -> np.ndarray:
        x = x[::-1] if layer.reverse else x
        x = x[1:] if encoder.use_class_token else x
        return x.reshape(-1, bands, x.shape[1]).mean(axis=1).T

    return BlockMemory(by_time_step(np.exp(log_f)), by_time_step(age) / bands)


def mean_age(log_i: np.ndarray, log_f: np.ndarray) -> np.ndarray:
    """Mean age, by weight, of what a memory holds after each step, in steps.

    Args:
        log_i: logarithms of the input gates, `(time, heads)`.
        log_f: logarithms of the forget gates, `(time, heads)`.

    Returns:
        `(time, heads)` float64.
    """
    # weight, the sum of the weights, is scaled by exp(-m), so that gates of any size fit.
    weight, age, m = np.zeros(log_i.shape[1]), np.zeros(log_i.shape[1]), log_i[0]
    ages = []
    for i, f in zip(log_i, log_f, strict=True):
        m_next = np.maximum(f + m, i)
        kept = weight * np.exp(f + m - m_next)
        weight = kept + np.exp(i - m_next)
        age = (age + 1.0) * kept / weight
        m = m_next
        ages.append(age)
    return np.stack(ages)


def _to_numpy(gates: Any) -> np.ndarray:
    return ops.convert_to_numpy(gates)[0].astype("float64")
