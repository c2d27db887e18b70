"""Compiles one Triton kernel for a device, no GPU needed, and prints what it uses as JSON.

`python -m tests.recurrence.kernels.compile_report KERNEL CAPABILITY`, without TRITON_INTERPRET;
90 is compute capability 9.0.
"""

import importlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from keras_axlstm.recurrence.kernels.triton import tiles
from tests.recurrence.kernels.limits import DEVICES

PACKAGE = "keras_axlstm.recurrence.kernels.triton"
MODULES = {
    "forward": "forward",
    "backward_rows": "backward_rows",
    "backward_query": "backward_query",
    "backward_key_value": "backward_key_value",
    "states": "states",
    "states_backward": "states",
}
DTYPES = {"bf16": "bfloat16", "fp32": "float32", "fp16": "float16"}
SEQUENCES = {"query", "key", "value", "query_gradient", "key_gradient", "value_gradient"}
MEMORY_OUTPUTS = {"state_rows", "state_columns"}
ALIGNED = [["tt.divisibility", 16]]


def constants(
    name: str, head_dim: int, dtype: str, memory: bool, capability: int
) -> tuple[dict[str, object], dict[str, object]]:
    """Compile-time arguments and launch options, as problem.py chooses them."""
    product = {
        "DTYPE": tl.bfloat16 if dtype == "bf16" else tl.float32,
        "PRECISION": "ieee" if dtype == "fp32" else "tf32",
        "REVERSE": False,
        "HEAD_DIM": head_dim,
        "WIDTHS": tiles.widths(head_dim),
        "MEMORY": memory,
        "GIVEN": True,
    }
    if name == "backward_rows":
        return product | {"ROWS": tiles.ROW_TILE.rows}, tiles.ROW_TILE.launch
    if name.startswith("states"):
        tile = tiles.state_tile(head_dim, DTYPES[dtype])
        blocks = {"VALUES": tile.values, "KEYS": tile.keys, "STEPS": tile.steps}
        return product | blocks, tile.launch
    tile = tiles.tile(name, head_dim, DTYPES[dtype], capability)
    slice_widths = tiles.slice_widths(head_dim, tile.slices)
    blocks = {
        "SLICE_WIDTHS": slice_widths,
        "SLICE": sum(slice_widths),
        "STATE_SLICE": tiles.STATE_SLICE,
        "ROWS": tile.rows,
        "COLUMNS": tile.columns,
    }
    return product | blocks, tile.launch


def source(name: str, dtype: str, constants: dict[str, object], memory: bool) -> ASTSource:
    """The kernel with the types that a launch would give its arguments."""
    kernel = getattr(importlib.import_module(f"{PACKAGE}.{MODULES[name]}"), f"{name}_kernel")
    product = "bf16" if dtype == "bf16" else "fp32"
    signature: dict[str, object] = {}
    values: dict[str, object] = {}
    attributes: dict[tuple[int, ...], object] = {}
    for index, parameter in enumerate(kernel.params):
        argument = parameter.name
        if parameter.is_constexpr:
            signature[argument], values[argument] = "constexpr", constants[argument]
        elif argument in MEMORY_OUTPUTS and not memory:
            signature[argument], values[argument] = "constexpr", None
        elif argument.endswith("_strides"):
            signature[argument] = ("i32",) * 3
            attributes |= {(index, i): ALIGNED for i in range(3)}
        elif argument in ("steps", "heads"):
            signature[argument] = "i32"
        elif argument == "scale":
            signature[argument] = "fp32"
        else:
            attributes[(index,)] = ALIGNED
            number = {"numerator_gradient": product}.get(argument, "fp32")
            pointer = f"*{dtype if argument in SEQUENCES else number}"
            signature[argument] = "i32" if argument == "chunk_size" else pointer
    return ASTSource(kernel, signature=signature, constexprs=values, attrs=attributes)


def usage(cubin: bytes) -> dict[str, int]:
    """Registers per thread, and bytes per thread that do not fit into them."""
    cuobjdump = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        command = [str(cuobjdump), "--dump-resource-usage", file.name]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    numbers = dict(re.findall(r"\b(REG|STACK|LOCAL):(\d+)", text))
    spilled = int(numbers["STACK"]) + int(numbers["LOCAL"])
    return {"registers": int(numbers["REG"]), "spilled": spilled}


def report(name: str, capability: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    with_memory = (True,) if MODULES[name] in ("states", "backward_rows") else (False, True)
    for head_dim, dtype in DEVICES[capability].problems:
        for memory in with_memory:
            values, launch = constants(name, head_dim, dtype, memory, capability)
            compiled = triton.compile(
                source(name, dtype, values, memory),
                target=GPUTarget("cuda", capability, 32),
                options=launch,
            )
            row = {"head_dim": head_dim, "dtype": dtype, "memory": memory}
            rows.append(row | usage(compiled.asm["cubin"]) | {"shared": compiled.metadata.shared})
    return rows


if __name__ == "__main__":
    print(json.dumps(report(sys.argv[1], int(sys.argv[2]))))
