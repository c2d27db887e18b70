import json
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_axlstm.distribution.distribution import Distribution


class TensorFlowDistribution(Distribution):
    """All devices by `tf.distribute`: of a TPU, of the workers in `TF_CONFIG`, or of this process.

    Must be made before TensorFlow is used, where there are several workers.
    """

    def __init__(self) -> None:
        self._strategy = _new_strategy()
        resolver = self._strategy.cluster_resolver
        workers = resolver.cluster_spec().as_dict().get("worker", []) if resolver else []
        if len(workers) > 1:
            self.process_index, self.process_count = resolver.task_id, len(workers)
        self.device_count = self._strategy.num_replicas_in_sync

    def scope(self) -> AbstractContextManager[Any]:
        return self._strategy.scope()

    def prepare(self, model: keras.Model) -> None:
        if self.process_count == 1:
            return
        train_step = model.train_step

        def step_with_rows(data: Any) -> dict[str, tf.Tensor]:
            # Keras 3.15 averages the logs of workers over a first dimension, which numbers lack.
            return {name: tf.reshape(value, (1,)) for name, value in train_step(data).items()}

        model.train_step = step_with_rows

    def batches(self, batches: Iterable[np.ndarray], shape: tuple[int, ...]) -> Any:
        parts = self.device_count // self.process_count
        signature = tf.TensorSpec(shape, tf.float32)

        def of_this_process(context: tf.distribute.InputContext) -> tf.data.Dataset:
            whole = tf.data.Dataset.from_generator(
                lambda: iter(batches), output_signature=signature
            )
            # Neighbouring parts go to neighbouring devices.
            return whole.rebatch(shape[0] // parts, drop_remainder=True)

        return self._strategy.distribute_datasets_from_function(of_this_process)

    def barrier(self) -> None:
        def sum_of_ones() -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.constant(1.0))

        arrived = self._strategy.run(sum_of_ones)
        # Reading a value waits for it.
        self._strategy.experimental_local_results(arrived)[0].numpy()

    def to_numpy(self, variable: keras.Variable) -> np.ndarray:
        return self._strategy.experimental_local_results(variable.value)[0].numpy()


def _new_strategy() -> tf.distribute.Strategy:
    if "TPU_NAME" in os.environ or tf.config.list_physical_devices("TPU"):
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
        return tf.distribute.TPUStrategy(resolver)
    workers = json.loads(os.environ.get("TF_CONFIG", "{}")).get("cluster", {}).get("worker", [])
    if len(workers) > 1:
        return tf.distribute.MultiWorkerMirroredStrategy()
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    return tf.distribute.MirroredStrategy(
        [device.name for device in tf.config.list_logical_devices(kind)]
    )
