"""The recurrence of `keras_axlstm.ops.mlstm` on a sequence that comes in parts."""

import numpy as np

from keras_axlstm.recurrence.gates import EPSILON, LOWEST


class MatrixMemory:
    """State (C, n, m) of an mLSTM layer for one sequence, and its update by some steps at once.

    The chunkwise form of `recurrence/README.md`, each call being one chunk. Gates are summed in
    float64, where a sum over a chunk needs no care; all else is float32.

    Args:
        heads: int.
        head_dim: int. Channels of a head.
    """

    def __init__(self, heads: int, head_dim: int):
        # C as (key x value), and n as one more column: a value that is always 1.
        self._memory = np.zeros((heads, head_dim, head_dim + 1), "float32")
        self._m = np.full(heads, -np.inf)

    def clear(self) -> None:
        """Forget everything."""
        self._memory[:] = 0
        self._m[:] = -np.inf

    def push(
        self,
        query: np.ndarray,  # (S, NH * DH)
        key: np.ndarray,  # (S, NH * DH)
        value: np.ndarray,  # (S, NH * DH)
        log_i: np.ndarray,  # (S, NH) float64
        log_f: np.ndarray,  # (S, NH) float64
    ) -> np.ndarray:
        """h `(S, NH * DH)` of the next S >= 1 steps."""
        heads, head_dim, _ = self._memory.shape
        steps, scale = len(query), head_dim**-0.5
        query, key, value = (
            x.reshape(steps, heads, head_dim).swapaxes(0, 1) for x in (query, key, value)
        )
        value = np.concatenate([value, np.ones((heads, steps, 1), "float32")], axis=-1)

        decay = np.cumsum(log_f.T, axis=1)
        # Log weight of step j in step i (NH, S, S), and of the memory in step i (NH, S).
        steps_before = decay[:, :, np.newaxis] - decay[:, np.newaxis] + log_i.T[:, np.newaxis]
        tile = np.where(np.tri(steps, dtype=bool), steps_before, -np.inf)
        before = decay + self._m[:, np.newaxis]

        m = np.maximum(np.maximum(tile.max(axis=-1), before), LOWEST)[..., np.newaxis]
        weights = (np.exp(tile - m) * scale).astype("float32")
        from_memory = np.exp(before[..., np.newaxis] - m).astype("float32")
        read = (query @ key.swapaxes(1, 2) * weights) @ value
        read += from_memory * (query @ self._memory)
        least = np.exp(-m).astype("float32")
        h = read[..., :-1] / (np.maximum(np.abs(read[..., -1:]), least) + np.float32(EPSILON))

        self._write(key * np.float32(scale), value, tile[:, -1], before[:, -1])
        return h.swapaxes(0, 1).reshape(steps, heads * head_dim)

    def _write(
        self,
        key: np.ndarray,  # (NH, S, DH)
        value: np.ndarray,  # (NH, S, DH + 1)
        at_end: np.ndarray,  # (NH, S) log weight of each step at the end
        total: np.ndarray,  # (NH,) log weight of the memory at the end
    ) -> None:
        self._m = np.maximum(total, at_end.max(axis=-1))
        weights = np.exp(at_end - self._m[:, np.newaxis]).astype("float32")
        self._memory *= np.exp(total - self._m).astype("float32")[:, np.newaxis, np.newaxis]
        self._memory += (key * weights[..., np.newaxis]).swapaxes(1, 2) @ value
