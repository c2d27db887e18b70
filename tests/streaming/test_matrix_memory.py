"""MatrixMemory against the golden values of the recurrence, whole and in parts."""

import numpy as np
import pytest

from keras_axlstm.streaming.matrix_memory import MatrixMemory
from tests.support.golden import load_golden
from tests.support.tolerances import GOLDEN_EXTREME, GOLDEN_OUTPUT, relative_error

CASES = ["typical", "single_step", "long", "forgetful", "extreme_gates"]


@pytest.mark.parametrize("part", [1, 7, 1000])
@pytest.mark.parametrize("case", CASES)
def test_golden(case, part):
    golden = load_golden("mlstm_op")
    # One sequence at a time: (NH, S, DH) and (NH, S).
    q, k, v, i, f, h = (golden[f"{case}/{name}"] for name in "qkvifh")
    tolerance = GOLDEN_EXTREME if case == "extreme_gates" else GOLDEN_OUTPUT
    for row in range(len(q)):
        heads, steps, head_dim = q[row].shape
        memory = MatrixMemory(heads, head_dim)
        inputs = [flat(x[row]).astype("float32") for x in (q, k, v)]
        gates = [i[row].T, -np.logaddexp(0, -f[row].T)]
        # What an earlier sequence left is gone.
        memory.push(*(x[:1] for x in (*inputs, *gates)))
        memory.clear()
        outputs = [
            memory.push(*(x[start : start + part] for x in (*inputs, *gates)))
            for start in range(0, steps, part)
        ]
        actual = np.concatenate(outputs)
        assert actual.dtype == np.float32
        assert relative_error(actual, flat(h[row])) <= tolerance


def flat(x):
    """(NH, S, DH) to (S, NH * DH)."""
    return x.swapaxes(0, 1).reshape(x.shape[1], -1)
