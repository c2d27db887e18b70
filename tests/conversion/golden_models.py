"""The golden models of the authors' code, as arrays and converted."""

import functools

import numpy as np

from keras_axlstm.conversion import from_official_state_dict
from keras_axlstm.models import MaskedSpectrogramModel
from tests.support.golden import load_golden

SPECTROGRAM_SHAPE = (48, 32)

# What the weights do not tell.
CHOICES = {
    "axlstm_flip_ef2": {"flip": True},
    "axlstm_noflip_ef3": {"flip": False},
    "axlstm_noflip_ef3_patch4x8": {"flip": False},
    "ssast": {"num_heads": 2},
}


def state_dict(name: str) -> dict[str, np.ndarray]:
    """The weights of a golden model by the authors' names."""
    return {
        weight.removeprefix("weight/"): array
        for weight, array in load_golden(name).items()
        if weight.startswith("weight/")
    }


@functools.cache
def converted(name: str) -> MaskedSpectrogramModel:
    """A golden model in Keras. Tests share it: leave it as it is."""
    return from_official_state_dict(state_dict(name), SPECTROGRAM_SHAPE, **CHOICES[name])
