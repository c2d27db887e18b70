"""The kernels on a batch that `keras.distribution` spreads over devices.

XLA cannot cut a kernel into parts by itself: it gathers what a C++ kernel reads on every device,
and JAX refuses to compile a Pallas kernel for more than one. Batch elements do not depend on each
other, so every device computes its own; whatever else is spread is gathered first.
"""

from collections.abc import Callable
from typing import Any

import jax
import keras
from jax.sharding import PartitionSpec


def parts(batch: int | None) -> int | None:
    """Equal parts of a batch, or of its rows, that devices have; None where they are not equal."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return 1
    devices = distribution.device_mesh.backend_mesh.shape[distribution.batch_dim_name]
    return None if batch is None or batch % devices else devices


def on_every_device(kernel: Callable, batched: Any, shared: Any = (), summed: bool = False):
    """`kernel(*batched, *shared)` in the parts that devices have.

    Args:
        kernel: a function of arrays.
        batched: arrays, or trees of them, with the batch in front; the results are too.
        shared: the same on every device.
        summed: `kernel` returns a second result beside the batched one, without the batch: a sum
            over its elements.
    """
    distribution = keras.distribution.distribution()
    if distribution is None:
        return kernel(*batched, *shared)
    mesh, axis = distribution.device_mesh.backend_mesh, distribution.batch_dim_name
    spread, whole = PartitionSpec(axis), PartitionSpec()

    def part(batched, shared):
        result = kernel(*batched, *shared)
        return (result[0], jax.lax.psum(result[1], axis)) if summed else result

    outputs = (spread, whole) if summed else spread
    run = jax.shard_map(
        part, mesh=mesh, in_specs=(spread, whole), out_specs=outputs, check_vma=False
    )
    return run(batched, shared)
