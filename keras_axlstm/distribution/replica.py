"""The part of a batch that the code at hand works on."""

import dataclasses
from typing import Any

import keras


@dataclasses.dataclass(frozen=True)
class Replica:
    """One of several copies of a model, each with an equal part of every batch.

    Args:
        index: of this copy, an integer or a scalar tensor; its part of the batch is the
            `index`-th.
        count: of all copies.
    """

    index: Any
    count: int


def this_replica() -> Replica:
    """The replica that runs the calling code; the only one on JAX, which sees whole batches."""
    match keras.backend.backend():
        case "tensorflow":
            import tensorflow as tf

            context = tf.distribute.get_replica_context()
            # None where TensorFlow speaks to all replicas at once.
            if context is not None and context.num_replicas_in_sync > 1:
                return Replica(context.replica_id_in_sync_group, context.num_replicas_in_sync)
        case "torch":
            import torch.distributed as distributed

            if distributed.is_available() and distributed.is_initialized():
                return Replica(distributed.get_rank(), distributed.get_world_size())
    return Replica(0, 1)


def loss_share(loss: Any) -> Any:
    """What a replica must differentiate of a mean over its part of a batch.

    TensorFlow adds up the gradients of replicas; PyTorch averages them.
    """
    if keras.backend.backend() != "tensorflow":
        return loss
    return loss / this_replica().count
