import keras

from keras_axlstm.distribution.distribution import Distribution

KINDS = ("none", "data", "model")


def new_distribution(kind: str = "none", model_devices: int | None = None) -> Distribution:
    """Where a training runs.

    Devices and processes are those that the backend finds:

    - JAX: all local devices; several processes from the variables `KERAS_DISTRIBUTION_*` of
      `keras.distribution.initialize`.
    - TensorFlow: a TPU if there is one, the workers of `TF_CONFIG`, else all local devices.
    - PyTorch: the processes that `torchrun` started, one device each.

    Args:
        kind: `"none"` is one device. `"data"`: every device has the model and a part of each batch.
            `"model"` (JAX only): groups of devices share a model, and each group has a part of
            each batch.
        model_devices: devices that share a model, for `"model"`.

    Raises:
        ValueError: an unknown kind, or one that the backend does not have.

    Example:

    ```python
    from keras_axlstm.distribution import new_distribution

    new_distribution("none").process_count  # 1
    ```
    """
    if kind not in KINDS:
        raise ValueError(f"`distribution` must be one of {KINDS}. Received: {kind!r}")
    if (kind == "model") != (model_devices is not None):
        raise ValueError(
            "`model_devices` goes with distribution='model', and only with it. Received: "
            f"distribution={kind!r}, model_devices={model_devices}"
        )
    backend = keras.backend.backend()
    if kind == "model" and backend != "jax":
        raise ValueError(
            "distribution='model' needs the jax backend (KERAS_BACKEND=jax); 'data' works on "
            f"every backend. Received: the {backend} backend"
        )
    if kind == "none":
        return Distribution()
    if backend == "jax":
        from keras_axlstm.distribution.jax_distribution import JaxDistribution

        return JaxDistribution(model_devices or 1)
    if backend == "tensorflow":
        from keras_axlstm.distribution.tensorflow_distribution import TensorFlowDistribution

        return TensorFlowDistribution()
    if backend == "torch":
        from keras_axlstm.distribution.torch_distribution import TorchDistribution

        return TorchDistribution()
    raise ValueError(f"The {backend} backend has no distribution. Expected: 'none'")
