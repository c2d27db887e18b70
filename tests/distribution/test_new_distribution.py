"""Which distribution there is for a backend, and what it says to wrong requests."""

import keras
import pytest

from keras_axlstm.distribution import Distribution, new_distribution
from keras_axlstm.distribution.replica import loss_share, this_replica
from keras_axlstm.training import PretrainConfig, pretrain

BACKEND = keras.backend.backend()


def test_one_device():
    distribution = new_distribution()
    assert type(distribution) is Distribution
    assert (distribution.process_count, distribution.is_chief) == (1, True)
    replica = this_replica()
    assert (replica.index, replica.count) == (0, 1)
    assert float(loss_share(keras.ops.convert_to_tensor(2.0))) == 2.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("everywhere",), r"must be one of .*'data'.* Received: 'everywhere'"),
        (("model",), "`model_devices` goes with distribution='model'.*model_devices=None"),
        (("data", 2), "`model_devices` goes with distribution='model'.*model_devices=2"),
    ],
)
def test_wrong_requests(arguments, message):
    with pytest.raises(ValueError, match=message):
        new_distribution(*arguments)


@pytest.mark.skipif(BACKEND == "jax", reason="jax has it")
def test_spread_models_are_for_jax():
    with pytest.raises(ValueError, match=f"KERAS_BACKEND=jax.* Received: the {BACKEND} backend"):
        new_distribution("model", 2)


@pytest.mark.skipif(BACKEND != "jax", reason="of jax")
def test_devices_that_do_not_divide():
    with pytest.raises(ValueError, match="must divide the 1 devices of a process. Received: 2"):
        new_distribution("model", 2)


@pytest.mark.skipif(BACKEND != "torch", reason="of torch")
def test_torch_needs_torchrun(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ValueError, match="torchrun --nproc-per-node 2 .*without .*RANK"):
        new_distribution("data")


def test_a_batch_that_devices_cannot_share(tmp_path):
    class Three(Distribution):
        device_count = 3

    config = PretrainConfig(source="nowhere", output=str(tmp_path / "preset"), batch_size=8)
    with pytest.raises(ValueError, match="multiple of the 3 devices .* Received: 8"):
        pretrain(config, distribution=Three())
    assert not (tmp_path / "preset").exists()
