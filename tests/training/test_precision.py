"""Half precision trains as float32 does: the same loss, and no value that is not finite."""

import numpy as np
import pytest
import soundfile

from tests.training.runs import pretrain_small

STEPS = 80


@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    """Short clips that are read at once, and learned in a few steps."""
    folder = tmp_path_factory.mktemp("tones")
    seconds = np.arange(8000) / 16000
    for i in range(4):
        soundfile.write(folder / f"{i}.wav", np.sin(900 * 2**i * seconds) * seconds, 16000)
    return folder


def first_and_last_loss(output, tones, precision):
    options = {"steps": STEPS, "batch_size": 4, "learning_rate": 0.003, "checkpoint_every": STEPS}
    result = pretrain_small(output, source=tones, precision=precision, **options)
    losses = [line["loss"] for line in result.history]
    assert len(losses) == STEPS and np.all(np.isfinite(losses))
    return np.mean(losses[:10]), np.mean(losses[-10:])


@pytest.fixture(scope="module")
def float32(tmp_path_factory, tones):
    first, last = first_and_last_loss(tmp_path_factory.mktemp("run") / "a", tones, "float32")
    assert last < 0.9 * first
    return last


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_ends_at_the_loss_of_float32(tmp_path, tones, float32, precision):
    _, last = first_and_last_loss(tmp_path / "preset", tones, precision)
    assert last == pytest.approx(float32, rel=0.02)
