import os
from contextlib import AbstractContextManager
from typing import Any

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

from keras_axlstm.distribution.distribution import Distribution
from keras_axlstm.distribution.layout import MODEL, encoder_layout

BATCH = "batch"
ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"


class JaxDistribution(Distribution):
    """All devices of all JAX processes, by `keras.distribution`.

    Args:
        model_devices: int. Neighbouring devices that share one model; 1 is plain data parallelism.

    Raises:
        ValueError: the devices do not divide into groups of `model_devices` within a process.
    """

    def __init__(self, model_devices: int = 1) -> None:
        # Elsewhere Keras and JAX know the processes themselves, or there is one.
        if ADDRESSES in os.environ and not jax.distributed.is_initialized():
            keras.distribution.initialize()
        local, devices = jax.local_device_count(), keras.distribution.list_devices()
        if local % model_devices:
            raise ValueError(
                f"`model_devices` must divide the {local} devices of a process. "
                f"Received: {model_devices}"
            )
        self.process_index = jax.process_index()
        self.process_count = jax.process_count()
        self.device_count = len(devices) // model_devices
        # Each process feeds the model its own examples already.
        if model_devices == 1:
            mesh = keras.distribution.DeviceMesh((len(devices),), [BATCH], devices)
            self._distribution = keras.distribution.DataParallel(mesh, auto_shard_dataset=False)
        else:
            shape = (self.device_count, model_devices)
            mesh = keras.distribution.DeviceMesh(shape, [BATCH, MODEL], devices)
            self._distribution = keras.distribution.ModelParallel(
                layout_map=encoder_layout(mesh),
                batch_dim_name=BATCH,
                auto_shard_dataset=False,
            )

    def scope(self) -> AbstractContextManager[Any]:
        return self._distribution.scope()

    def barrier(self) -> None:
        multihost_utils.sync_global_devices("keras_axlstm")

    def to_numpy(self, variable: keras.Variable) -> np.ndarray:
        value = variable.value
        if value.is_fully_replicated:
            return np.array(value.addressable_data(0))
        return np.array(multihost_utils.process_allgather(value, tiled=True))
