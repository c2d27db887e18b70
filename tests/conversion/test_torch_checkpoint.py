"""Checkpoints read without torch hold what torch wrote into them."""

import argparse
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_axlstm.conversion import CheckpointError, read_torch_checkpoint
from keras_axlstm.conversion.safe_unpickler import PickledRecord
from tests.conversion.torch_zip import PROTO, STOP, tensor, write_torch_zip
from tests.support.golden import GOLDEN, load_golden

pytestmark = pytest.mark.any_backend

CHECKPOINT = GOLDEN / "axlstm_flip_ef2_checkpoint-99.pth"

DTYPES = (
    "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128"
).split()


def test_the_authors_checkpoint_equals_its_arrays():
    checkpoint = read_torch_checkpoint(CHECKPOINT)
    assert list(checkpoint) == ["model", "optimizer", "epoch", "scaler", "args"]
    expected = {
        name.removeprefix("weight/"): array
        for name, array in load_golden("axlstm_flip_ef2").items()
        if name.startswith("weight/")
    }
    assert checkpoint["model"].keys() == expected.keys()
    for name, array in expected.items():
        assert checkpoint["model"][name].dtype == array.dtype
        np.testing.assert_array_equal(checkpoint["model"][name], array)
    assert checkpoint["epoch"] == 99
    assert checkpoint["scaler"]["scale"] == 65536.0
    assert checkpoint["optimizer"]["param_groups"][0]["betas"] == (0.9, 0.999)


def test_settings_become_inert_records():
    settings = read_torch_checkpoint(CHECKPOINT)["args"]
    assert isinstance(settings, PickledRecord)
    assert settings.class_name == "argparse.Namespace"
    assert settings["precision"] == "float16"
    assert settings["config"].class_name == "ml_collections.config_dict.config_dict.ConfigDict"
    model = settings["config"]["_fields"]["model"]["_fields"]
    assert model["arch"] == "xlstm_ssast_tiny"
    assert model["model_args"]["_fields"]["patch_size"] == (4, 16)


def test_reading_imports_nothing_the_file_names():
    code = (
        "import runpy, sys, types\n"
        "for name in ('keras_axlstm', 'keras_axlstm.conversion'):\n"
        "    sys.modules[name] = module = types.ModuleType(name)\n"
        "    module.__path__ = [name.replace('.', '/')]\n"
        "from keras_axlstm.conversion.torch_checkpoint import read_torch_checkpoint\n"
        f"read_torch_checkpoint({str(CHECKPOINT)!r})\n"
        "print([n for n in ('torch', 'ml_collections', 'argparse', 'keras') if n in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=GOLDEN.parents[1]
    )
    assert result.stdout.strip() == "[]", result.stderr


@st.composite
def tensors(draw):
    """A torch tensor of any dtype: a scalar, empty, strided, transposed, expanded or offset."""
    torch = pytest.importorskip("torch")
    dtype = getattr(torch, draw(st.sampled_from(DTYPES)))
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 99)))
    values = (torch.randn(shape, generator=generator, dtype=torch.float64) * 50).to(dtype)
    values = values[tuple(slice(draw(st.integers(0, 1)), None) for _ in shape)]
    if values.ndim > 1 and draw(st.booleans()):
        values = values.transpose(0, -1)
    if values.ndim > 0 and draw(st.booleans()):
        values = values[:: draw(st.integers(1, 3))]
    if draw(st.booleans()):
        values = values.unsqueeze(0).expand(3, *values.shape)
    return values


@given(saved=st.lists(tensors(), min_size=1, max_size=4), protocol=st.sampled_from([2, 3, 4, 5]))
def test_what_torch_saves_is_read_back(tmp_path_factory, saved, protocol):
    torch = pytest.importorskip("torch")
    path = tmp_path_factory.mktemp("saved") / "tensors.pth"
    torch.save(
        {"list": saved, "again": saved[0], "text": "é", "numbers": (None, True, 2**40, -1.5)},
        path,
        pickle_protocol=protocol,
    )
    read = read_torch_checkpoint(path)
    assert read["text"] == "é"
    assert read["numbers"] == (None, True, 2**40, -1.5)
    for tensor_, array in zip([*saved, saved[0]], [*read["list"], read["again"]], strict=True):
        expected = tensor_.float() if tensor_.dtype is torch.bfloat16 else tensor_
        assert array.dtype == expected.numpy().dtype
        np.testing.assert_array_equal(array, expected.numpy())


def test_a_module_and_its_optimizer(tmp_path):
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(module.parameters())
    module(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    path = tmp_path / "training.pth"
    torch.save(
        {
            "state": module.state_dict(),
            "parameter": module.weight,
            "optimizer": optimizer.state_dict(),
            "args": argparse.Namespace(lr=0.5, inner=argparse.Namespace(name="x")),
        },
        path,
    )
    read = read_torch_checkpoint(path)
    np.testing.assert_array_equal(read["state"]["weight"], module.weight.detach().numpy())
    np.testing.assert_array_equal(read["parameter"], module.weight.detach().numpy())
    moments = optimizer.state_dict()["state"][0]["exp_avg"].numpy()
    np.testing.assert_array_equal(read["optimizer"]["state"][0]["exp_avg"], moments)
    assert read["args"] == {"lr": 0.5, "inner": {"name": "x"}}


def test_big_endian_files(tmp_path):
    program = PROTO + tensor("0", 2) + STOP
    values = np.array([1.5, -2.0], ">f4")
    path = write_torch_zip(tmp_path / "big.pth", program, {"0": values.tobytes()}, byteorder=b"big")
    read = read_torch_checkpoint(path)
    assert read.dtype == np.dtype("float32")
    np.testing.assert_array_equal(read, values)


def failure(path):
    with pytest.raises(CheckpointError) as caught:
        read_torch_checkpoint(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_missing_files_and_folders(tmp_path):
    assert "does not exist" in failure(tmp_path / "none.pth")
    assert "is a folder" in failure(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><html>Too many users", "it is a web page"),
        (b"\n <HTML>", "it is a web page"),
        (b"version https://git-lfs", "begins with b'version https://'"),
        (CHECKPOINT.read_bytes()[:50_000], "its end is missing"),
    ],
)
def test_files_that_are_no_zip(tmp_path, content, reason):
    path = tmp_path / "odd.pth"
    path.write_bytes(content)
    assert reason in failure(path)


def test_the_format_before_torch_1_6(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "legacy.pth"
    torch.save({"model": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    message = failure(path)
    assert "before 1.6" in message and "torch.save(torch.load(" in message


def test_zip_files_of_others(tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez(path, a=np.ones(2))
    assert "not one written by torch.save" in failure(path)


def test_damaged_bytes_are_noticed(tmp_path):
    content = bytearray(CHECKPOINT.read_bytes())
    with zipfile.ZipFile(CHECKPOINT) as archive:
        entry = next(e for e in archive.infolist() if e.filename.endswith("/data/3"))
    content[entry.header_offset + 4000] ^= 0xFF
    path = tmp_path / "damaged.pth"
    path.write_bytes(content)
    message = failure(path)
    assert "CRC" in message and "download or copy it again" in message


@pytest.mark.parametrize("seed", range(30))
def test_random_damage_never_escapes(tmp_path, seed):
    generator = np.random.default_rng(seed)
    content = np.frombuffer(CHECKPOINT.read_bytes(), "uint8").copy()
    content[generator.integers(len(content), size=200)] = generator.integers(256, size=200)
    path = tmp_path / "damaged.pth"
    length = generator.integers(1, len(content)) if seed % 2 else len(content)
    path.write_bytes(content[:length].tobytes())
    failure(path)


@pytest.mark.parametrize(
    ("program", "storages", "reason"),
    [
        (tensor("0", 2), {}, "'data/0' is missing"),
        (tensor("0", 2), {"0": bytes(7)}, "expected 2 x 4 bytes, found 7"),
        (tensor("0", 2), {"0": bytes(12)}, "expected 2 x 4 bytes, found 12"),
        (tensor("0", -2), {"0": bytes(8)}, "wrong size"),
        (tensor("../data.pkl", 2), {}, "is missing"),
        (tensor("0", 2, offset=1), {"0": bytes(8)}, "reaches element 2 of a storage of 2"),
        (tensor("0", 2, strides=(2,)), {"0": bytes(8)}, "reaches element 2"),
        (tensor("0", 2, shape=(3,)), {"0": bytes(8)}, "reaches element 2"),
        (tensor("0", 2, offset=-1), {"0": bytes(8)}, "negative"),
        (tensor("0", 2, strides=(-1,)), {"0": bytes(8)}, "negative"),
        (tensor("0", 2, shape=(-2,)), {"0": bytes(8)}, "negative"),
        (tensor("0", 2, shape=(2, 1)), {"0": bytes(8)}, "damaged"),
    ],
)
def test_tensors_that_do_not_fit_their_storage(tmp_path, program, storages, reason):
    path = write_torch_zip(tmp_path / "odd.pth", PROTO + program + STOP, storages)
    assert reason in failure(path)
