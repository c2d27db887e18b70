"""Eager inference in PyTorch calls the blocks without Keras' ceremony: same values, same hooks."""

import keras
import numpy as np
import pytest

from keras_axlstm.models import AxLSTMEncoder, SSASTEncoder
from tests.support.tolerances import SAME_FORMULA, relative_error

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="the other backends compile the encoder"
)
SHAPE = {"spectrogram_shape": (40, 80), "hidden_dim": 64, "num_layers": 2, "num_heads": 2}


@pytest.fixture
def spectrogram():
    import torch

    generator = torch.Generator().manual_seed(0)
    return torch.randn((2, 40, 80), generator=generator)


@pytest.mark.parametrize("cls", [AxLSTMEncoder, SSASTEncoder])
@pytest.mark.parametrize("use_class_token", [True, False])
def test_values_are_those_of_the_graph_of_layers(cls, use_class_token, spectrogram):
    import torch

    encoder = cls(**SHAPE, use_class_token=use_class_token)
    expected = encoder.tap_model(["norm"])(spectrogram)["norm"].detach().numpy()
    with torch.no_grad():
        received = encoder(spectrogram).numpy()
    assert relative_error(received, expected) < SAME_FORMULA


def test_hooks_are_called(spectrogram):
    import torch

    encoder = AxLSTMEncoder(**SHAPE)
    seen = []
    handle = encoder.blocks[1].register_forward_hook(
        lambda layer, inputs, output: seen.append((layer.name, output.shape))
    )
    with torch.no_grad():
        encoder(spectrogram)
        handle.remove()
        encoder(spectrogram)
    assert seen == [("block_1", (2, 51, 64))]


def test_gradients_and_masks_take_the_layers(spectrogram):
    import torch

    encoder = AxLSTMEncoder(**SHAPE)
    encoder(spectrogram).sum().backward()
    assert all(weight.value.grad is not None for weight in encoder.trainable_weights)
    mask = torch.ones((2, 40), dtype=torch.bool)
    mask[1, 20:] = False
    with torch.no_grad():
        alone = encoder(spectrogram[1:, :20]).numpy()
        padded = encoder(spectrogram, mask=mask).numpy()
    np.testing.assert_allclose(padded[1:, : alone.shape[1]], alone, atol=1e-5)
