"""Hand-made torch checkpoints, honest and crafted."""

import zipfile
from pathlib import Path

PROTO = b"\x80\x02"
STOP = b"."


def text(value: str) -> bytes:
    """The instruction that pushes a string."""
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def pushed_global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def integer(value: int) -> bytes:
    return b"J" + value.to_bytes(4, "little", signed=True)


def tuple_of(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def storage(key: str, count: int, kind: str = "FloatStorage") -> bytes:
    """The instructions that push a torch storage."""
    persistent_id = (text("storage"), pushed_global("torch", kind), text(key), text("cpu"))
    return tuple_of(*persistent_id, integer(count)) + b"Q"


def tensor(key: str, count: int, offset=0, shape=(2,), strides=(1,), kind="FloatStorage") -> bytes:
    """The instructions that push a torch tensor."""
    hooks = pushed_global("collections", "OrderedDict") + b")R"
    sizes = [tuple_of(*(integer(n) for n in values)) for values in (shape, strides)]
    arguments = tuple_of(storage(key, count, kind), integer(offset), *sizes, b"\x89", hooks)
    return pushed_global("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"


def write_torch_zip(path: Path, program: bytes, storages: dict[str, bytes] | None = None, **extra):
    """A zip file laid out as `torch.save` does, with `program` as its pickle."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", program)
        for key, data in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", data)
        for name, data in extra.items():
            archive.writestr(f"archive/{name}", data)
    return path
