"""The kernels on a batch that `keras.distribution` spreads over devices.

XLA cannot cut a Pallas or Triton kernel into parts by itself, and JAX refuses to compile the former
for more than one device. Batch elements do not depend on each other, so every device computes its
own; whatever else is spread is gathered first.
"""

from collections.abc import Callable

import jax
import keras
from jax.sharding import PartitionSpec


def divides(batch: int | None) -> bool:
    """Whether every device gets the same number of batch elements."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return True
    mesh = distribution.device_mesh.backend_mesh
    return batch is not None and batch % mesh.shape[distribution.batch_dim_name] == 0


def on_every_device(kernel: Callable, *arrays: jax.Array):
    """`kernel(*arrays)`, all with the batch in front, in the parts that devices have."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return kernel(*arrays)
    mesh, batch = distribution.device_mesh.backend_mesh, PartitionSpec(distribution.batch_dim_name)
    parts = jax.shard_map(kernel, mesh=mesh, in_specs=batch, out_specs=batch, check_vma=False)
    return parts(*arrays)
