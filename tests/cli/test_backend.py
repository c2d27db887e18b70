"""Which backend the command takes."""

import json
import os

import keras
import pytest

from keras_axlstm.cli import backend

pytestmark = pytest.mark.any_backend


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Sets what is installed, the user's choice, and the user's keras.json."""

    def configure(installed, chosen=None, keras_json=None):
        monkeypatch.setattr(
            "importlib.util.find_spec", lambda name: name if name in installed else None
        )
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        if keras_json is not None:
            (tmp_path / "keras.json").write_text(keras_json)
        if chosen is None:
            monkeypatch.delenv("KERAS_BACKEND", raising=False)
        else:
            monkeypatch.setenv("KERAS_BACKEND", chosen)

    return configure


@pytest.mark.parametrize(
    ("installed", "chosen", "keras_json", "expected"),
    [
        ({"jax", "torch", "tensorflow"}, None, None, "tensorflow"),
        ({"jax", "torch"}, None, None, "jax"),
        ({"torch"}, None, None, "torch"),
        ({"torch"}, "", None, "torch"),
        ({"jax", "torch", "tensorflow"}, "torch", None, "torch"),
        ({"jax", "torch"}, None, json.dumps({"backend": "torch"}), "torch"),
        ({"jax", "torch"}, "jax", json.dumps({"backend": "torch"}), "jax"),
        ({"jax", "torch"}, None, json.dumps({"backend": "tensorflow"}), "jax"),
        ({"jax", "torch"}, None, "{broken", "jax"),
        ({"jax", "torch"}, None, "[]", "jax"),
    ],
)
def test_an_installed_backend_is_found(machine, installed, chosen, keras_json, expected):
    machine(installed, chosen, keras_json)
    assert backend.find_backend() == expected


@pytest.mark.parametrize(
    ("installed", "chosen", "error", "message"),
    [
        ({"jax"}, "mxnet", ValueError, "must be one of jax, torch, tensorflow"),
        ({"jax"}, "torch", ValueError, r"pip install 'keras-axlstm\[torch\]'. Installed: jax"),
        (set(), None, ImportError, r"pip install 'keras-axlstm\[jax\]'"),
    ],
)
def test_no_usable_backend_is_an_error(machine, installed, chosen, error, message):
    machine(installed, chosen)
    with pytest.raises(error, match=message):
        backend.find_backend()


def test_a_keras_that_is_imported_keeps_its_backend(monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", "mxnet")
    assert backend.choose_backend() == keras.config.backend()
    assert os.environ["KERAS_BACKEND"] == "mxnet"
    assert capsys.readouterr().err == f"Keras backend: {keras.config.backend()}\n"
