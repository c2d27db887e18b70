"""Crafted pickles are refused by name, and nothing in them runs."""

import copyreg
import os
import pickle
from collections import OrderedDict

import pytest

from keras_axlstm.conversion import CheckpointError, read_torch_checkpoint
from keras_axlstm.conversion.safe_unpickler import PickledRecord
from tests.conversion.torch_zip import (
    PROTO,
    STOP,
    pushed_global,
    storage,
    tensor,
    text,
    tuple_of,
    write_torch_zip,
)

pytestmark = pytest.mark.any_backend

EXTENSION = 0xE1
NAMESPACE = pushed_global("argparse", "Namespace")
REBUILD = pushed_global("torch._utils", "_rebuild_tensor_v2")


@pytest.fixture
def sentinel(tmp_path):
    """A file that every attack below tries to make."""
    path = tmp_path / "attacked"
    yield path
    assert not path.exists()


def refusal(path, program):
    with pytest.raises(CheckpointError) as caught:
        read_torch_checkpoint(write_torch_zip(path, program))
    assert str(path) in str(caught.value)
    return str(caught.value)


def by_reduce(module, name, *arguments):
    return PROTO + pushed_global(module, name) + tuple_of(*arguments) + b"R" + STOP


def by_stack_global(module, name, *arguments):
    return b"\x80\x04" + text(module) + text(name) + b"\x93" + tuple_of(*arguments) + b"R" + STOP


def by_new_object(module, name, *arguments):
    return PROTO + pushed_global(module, name) + tuple_of(*arguments) + b"\x81" + STOP


def by_new_object_with_keywords(module, name, *arguments):
    program = pushed_global(module, name) + tuple_of(*arguments) + b"}\x92"
    return b"\x80\x04" + program + STOP


def by_inst(module, name, *arguments):
    return b"(" + b"".join(arguments) + f"i{module}\n{name}\n".encode() + STOP


def by_obj(module, name, *arguments):
    return b"(" + pushed_global(module, name) + b"".join(arguments) + b"o" + STOP


ROUTES = [
    by_reduce,
    by_stack_global,
    by_new_object,
    by_new_object_with_keywords,
    by_inst,
    by_obj,
]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("subprocess", "Popen"),
        ("builtins", "eval"),
        ("builtins", "exec"),
        ("builtins", "getattr"),
        ("__builtin__", "eval"),
        ("operator", "attrgetter"),
        ("functools", "partial"),
        ("importlib", "import_module"),
        ("torch", "load"),
        ("torch.hub", "load"),
        ("torch.storage", "_load_from_bytes"),
        ("torch._utils", "_rebuild_wrapper_subclass"),
        ("numpy", "load"),
        ("keras.saving", "load_model"),
    ],
)
def test_every_call_is_refused_by_name(tmp_path, sentinel, route, module, name):
    program = route(module, name, text(f"touch {sentinel}"))
    message = refusal(tmp_path / "crafted.pth", program)
    assert f"{module}.{name}" in message or f"{module} {name}" in message


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("torch._utils", "os.system"),
        ("torch", "FloatStorage.__init__.__globals__"),
        ("collections", "OrderedDict.__init__"),
        ("argparse", "_sys.modules"),
        ("argparse", "Namespace.__init__.__globals__"),
        ("ml_collections.config_dict.config_dict", "ConfigDict.__class__"),
    ],
)
@pytest.mark.parametrize("route", [by_reduce, by_stack_global])
def test_dotted_names_reach_nothing(tmp_path, route, module, name):
    assert f"'{module}.{name}'" in refusal(tmp_path / "crafted.pth", route(module, name))


def test_objects_pickled_by_python_do_not_run(tmp_path, sentinel):
    class Attack:
        def __reduce__(self):
            return os.system, (f"touch {sentinel}",)

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        program = pickle.dumps({"model": Attack()}, protocol)
        message = refusal(tmp_path / "crafted.pth", program)
        assert "system" in message or "refused: it holds the pickle instruction" in message


@pytest.mark.parametrize(
    "instruction", [b"\x82\xe1", b"\x83\xe1\x00", b"\x84\xe1\x00\x00\x00"], ids=lambda i: i.hex()
)
def test_the_extension_registry_is_not_read(tmp_path, sentinel, instruction):
    copyreg.add_extension("posix", "system", EXTENSION)
    try:
        # Loaded once, Python's own unpickler would hand the function out without asking.
        assert pickle.loads(PROTO + instruction + STOP) is os.system
        program = PROTO + instruction + tuple_of(text(f"touch {sentinel}")) + b"R" + STOP
        assert f"EXT{len(instruction) - 1}" in refusal(tmp_path / "crafted.pth", program)
    finally:
        copyreg.remove_extension("posix", "system", EXTENSION)


@pytest.mark.parametrize(
    ("target", "named"),
    [
        pytest.param(NAMESPACE, "argparse.Namespace", id="class"),
        pytest.param(REBUILD, "torch._utils._rebuild_tensor_v2", id="function"),
        pytest.param(pushed_global("torch", "FloatStorage"), "torch.FloatStorage", id="storage"),
        pytest.param(b"}", "dict", id="dict"),
        pytest.param(b"]", "list", id="list"),
        pytest.param(text("word"), "str", id="string"),
        pytest.param(storage("0", 2), "ndarray", id="array"),
        pytest.param(tensor("0", 2), "ndarray", id="tensor"),
    ],
)
@pytest.mark.parametrize(
    "state",
    [
        b"}" + text("__class__") + NAMESPACE + b"s",
        b"}" + text("__setstate__") + REBUILD + b"s",
        b"N}" + text("__defaults__") + b")s\x86",
    ],
)
def test_state_is_set_on_records_only(tmp_path, target, named, state):
    program = PROTO + target + state + b"b" + STOP
    path = write_torch_zip(tmp_path / "crafted.pth", program, {"0": bytes(8)})
    with pytest.raises(CheckpointError, match="changes the state of") as caught:
        read_torch_checkpoint(path)
    assert named in str(caught.value)


def test_the_state_of_a_record_is_mere_data(tmp_path):
    state = b"}(" + text("__class__") + b"K\x01" + text("__setstate__") + b"K\x02u"
    program = PROTO + NAMESPACE + b")\x81" + state + b"b" + STOP
    record = read_torch_checkpoint(write_torch_zip(tmp_path / "odd.pth", program))
    assert type(record) is PickledRecord
    assert record.class_name == "argparse.Namespace"
    assert record == {"__class__": 1, "__setstate__": 2}


def test_attributes_of_an_ordered_dict_are_dropped(tmp_path):
    state = b"}" + text("items") + b"K\x01s"
    program = PROTO + pushed_global("collections", "OrderedDict") + b")R" + state + b"b" + STOP
    result = read_torch_checkpoint(write_torch_zip(tmp_path / "odd.pth", program))
    assert result == OrderedDict()
    assert vars(result) == {}


@pytest.mark.parametrize(
    ("program", "named"),
    [
        (text("word") + b")R", "calls a str"),
        (NAMESPACE + b")R", "calls 'argparse.Namespace'"),
        (pushed_global("torch", "FloatStorage") + b")R", "calls 'torch.FloatStorage'"),
        (NAMESPACE + b")\x81)R", "calls a PickledRecord"),
        (REBUILD + b")\x81", "an object of 'torch._utils._rebuild_tensor_v2'"),
        (b"])\x81", "an object of a list"),
        (NAMESPACE + b"K\x01\x85\x81", "from 1 arguments"),
    ],
)
def test_only_known_functions_and_classes_are_used(tmp_path, program, named):
    assert named in refusal(tmp_path / "crafted.pth", PROTO + program + STOP)


@pytest.mark.parametrize(
    "persistent_id",
    [
        text("storage"),
        b"K\x01",
        b")",
        tuple_of(text("module"), NAMESPACE, text("file.py"), text("source"), b"K\x01"),
        tuple_of(text("storage"), NAMESPACE, text("0"), text("cpu"), b"K\x01"),
        tuple_of(text("storage"), text("torch.NoStorage"), text("0"), text("cpu"), b"K\x01"),
        tuple_of(text("storage"), pushed_global("torch", "FloatStorage"), text("0"), text("cpu")),
    ],
)
def test_a_persistent_id_that_is_no_storage_is_refused(tmp_path, persistent_id):
    message = refusal(tmp_path / "crafted.pth", PROTO + persistent_id + b"Q" + STOP)
    assert "persistent id" in message and "not a torch storage" in message


def test_a_persistent_id_of_protocol_0_is_refused(tmp_path):
    assert "PERSID ('0')" in refusal(tmp_path / "crafted.pth", b"P0\n" + STOP)


@pytest.mark.parametrize(
    "program",
    [
        b"",
        STOP,
        PROTO,
        PROTO + b"}",
        PROTO + b"R" + STOP,
        PROTO + b")R" + STOP,
        PROTO + b"t" + STOP,
        PROTO + b"K\x01\x86" + STOP,
        PROTO + b"h\x05" + STOP,
        PROTO + b"]K\x01K\x02s" + STOP,
        PROTO + b"}K\x01a" + STOP,
        PROTO + b"}(K\x01u" + STOP,
        PROTO + b"})K\x01s" + STOP,
        PROTO + b"X\xff\xff\xff\x7fabc" + STOP,
        PROTO + b"\xff" + STOP,
        PROTO + REBUILD + b")R" + STOP,
        PROTO + REBUILD + b"K\x01\x85R" + STOP,
        PROTO + pushed_global("collections", "OrderedDict") + b"](K\x01K\x02ea\x85R" + STOP,
        PROTO + text("a") + b"K\x01\x93" + STOP,
    ],
)
def test_malformed_pickles_are_reported(tmp_path, program):
    refusal(tmp_path / "malformed.pth", program)


def test_hostile_nesting_does_not_crash(tmp_path):
    deep = b")" + b"\x85" * 200_000
    refusal(tmp_path / "deep_key.pth", PROTO + b"}" + deep + b"K\x01s" + STOP)
    refusal(tmp_path / "deep_id.pth", PROTO + deep + b"Q" + STOP)
