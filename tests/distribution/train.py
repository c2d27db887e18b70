"""A program: pretrains a very small encoder as a user would, in as many processes as it is told.

    python -m tests.distribution.train SOURCE OUTPUT KIND [MODEL_DEVICES]

The backend, devices and processes come from the environment, and so does the step after which it
fails, if any. It goes on where an earlier one stopped.
"""

import os
import sys
from contextlib import nullcontext

import keras

from keras_axlstm.models import AxLSTMEncoder
from keras_axlstm.training import PretrainConfig, run
from tests.training.runs import crash_after

STEPS, BATCH_SIZE = 20, 16


def main(source: str, output: str, kind: str, model_devices: str | None = None) -> None:
    if devices := os.environ.get("TENSORFLOW_DEVICES"):
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * int(devices)
        tf.config.set_logical_device_configuration(cpu, parts)

    def small_encoder(config):
        size = {"hidden_dim": 32, "num_layers": 2, "spectrogram_shape": (48, 80)}
        return AxLSTMEncoder(**size, flip=True, dtype=config.precision)

    run.new_encoder = small_encoder
    config = PretrainConfig(
        source=source,
        output=output,
        steps=STEPS,
        batch_size=BATCH_SIZE,
        log_every=1,
        checkpoint_every=10,
        learning_rate=3e-3,
        warmup=0.0,
        progress=False,
        distribution=kind,
        model_devices=None if model_devices is None else int(model_devices),
    )
    crash = os.environ.get("CRASH_AFTER")
    with crash_after(int(crash), SystemExit(3)) if crash else nullcontext():
        run.pretrain(config, resume=True, report=lambda line: None)
    print(keras.backend.backend(), "done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
