"""Compiles what jax-triton emits for one problem for sm_90, and prints what it uses as JSON.

`python -m tests.recurrence.kernels.jax_compile_report HEAD_DIM DTYPE` with KERAS_BACKEND=jax,
without TRITON_INTERPRET; neither a GPU nor its driver is needed.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

DUMPS = tempfile.mkdtemp()
os.environ["JAX_TRITON_DUMP_DIR"] = DUMPS  # read when jax-triton is imported

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from triton.backends.nvidia.compiler import get_ptxas  # noqa: E402

from keras_axlstm import ops  # noqa: E402
from keras_axlstm.recurrence.kernels.triton import jax_availability  # noqa: E402
from tests.recurrence.kernels.compile_report import usage  # noqa: E402

CAPABILITY = 90
BATCH, STEPS, HEADS = 2, 251, 4


def lower(head_dim: int, dtype: str) -> None:
    """The gradients of both forms, of chunks with states, as for a CUDA device."""
    query = jax.ShapeDtypeStruct((BATCH, STEPS, HEADS, head_dim), dtype)
    gate = jax.ShapeDtypeStruct((BATCH, STEPS, HEADS), "float32")
    shapes = ((BATCH, HEADS, head_dim, head_dim), (BATCH, HEADS, head_dim), (BATCH, HEADS))
    state = tuple(jax.ShapeDtypeStruct(shape, "float32") for shape in shapes)

    def loss(query, gate, state):
        inputs = (query, query, query, gate, gate)
        if state is None:
            return jnp.sum(ops.mlstm(*inputs, form="parallel"))
        options = {"form": "chunkwise", "chunk_size": 64, "return_state": True}
        h, last = ops.mlstm(*inputs, initial_state=state, **options)
        return jnp.sum(h) + sum(jnp.sum(x) for x in last)

    for given in (None, state):
        gradient = jax.jit(jax.grad(loss, argnums=(0, 1)))
        gradient.trace(query, gate, given).lower(lowering_platforms=("cuda",))


def report() -> list[dict[str, object]]:
    ptxas = get_ptxas(CAPABILITY).path
    rows = []
    for ptx in sorted(Path(DUMPS).glob("*/*.ptx")):
        cubin = ptx.with_suffix(".cubin")
        (target,) = re.findall(r"^\.target (\w+)", ptx.read_text(), re.MULTILINE)
        subprocess.run([ptxas, f"--gpu-name={target}", ptx, "--output-file", cubin], check=True)
        shared = re.findall(
            r"shared_mem_bytes: (\d+)", ptx.with_suffix(".compile_info").read_text()
        )
        rows.append(
            {"kernel": ptx.stem.removesuffix("_kernel"), "target": target}
            | usage(cubin.read_bytes())
            | {"shared": int(shared[0])}
        )
    return rows


if __name__ == "__main__":
    jax_availability.capability = lambda: CAPABILITY
    lower(int(sys.argv[1]), sys.argv[2])
    print(json.dumps(report()))
