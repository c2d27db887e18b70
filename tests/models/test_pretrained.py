"""The presets that come with weights: the same numbers on every backend, offline, and trained."""

import json
import os
import subprocess
import sys

import keras_hub
import numpy as np
import pytest

from keras_axlstm.models.checksums import CHECKSUMS_FILE
from keras_axlstm.models.presets import PRESETS_FOLDER, has_weights
from tests.support.golden import load_golden
from tests.support.pretrained import (
    PRETRAINED,
    embeddings_of_the_examples,
    reconstructed_examples,
)
from tests.support.tolerances import BACKENDS_AGREE, relative_error

LARGEST_FILE = 50_000_000
OFFLINE = """
import socket

def refuse(*arguments):
    raise OSError("no network")

socket.socket.connect = refuse
import keras_axlstm
keras_axlstm.AudioEmbedder.from_preset("axlstm_tiny")
"""


def test_the_names_with_weights():
    built_in = {folder.name for folder in PRESETS_FOLDER.iterdir()}
    assert {name for name in built_in if has_weights(name)} == {*PRETRAINED}


@pytest.mark.parametrize("name", PRETRAINED)
def test_embeddings_are_the_golden_ones(name):
    """Computed on JAX in float32 by tools/make_golden_embeddings.py."""
    expected = load_golden("pretrained")[f"{name}_embeddings"]
    for clip, golden in zip(embeddings_of_the_examples(name), expected, strict=True):
        assert relative_error(clip, golden) <= BACKENDS_AGREE


@pytest.mark.parametrize("name", PRETRAINED)
def test_hidden_patches_are_filled_in(name):
    """As the golden ones, and less than half as wrong as the mean would be."""
    predicted, target = reconstructed_examples(name)
    golden = load_golden("pretrained")[f"{name}_reconstruction"]
    assert relative_error(predicted[: len(golden)], golden) <= BACKENDS_AGREE
    assert np.square(predicted - target).mean() < 0.5 * target.var()


@pytest.mark.parametrize("name", PRETRAINED)
def test_files_are_small_and_computing_is_in_float32(name):
    folder = PRESETS_FOLDER / name
    files = {file.name: file.stat().st_size for file in folder.iterdir()}
    assert max(files.values()) < LARGEST_FILE
    weights = {file for file in files if ".weights." in file or file.endswith(".npz")}
    assert set(json.loads((folder / CHECKSUMS_FILE).read_text(encoding="utf-8"))) == weights
    encoder = keras_hub.models.Backbone.from_preset(name)
    assert encoder.compute_dtype == encoder.variable_dtype == "float32"


def test_it_loads_offline():
    result = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
