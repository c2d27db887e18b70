"""Writing a model as one file for another runtime."""

import os
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import keras

from keras_axlstm.export.formats import check_format
from keras_axlstm.export.waveform_model import WaveformModel, check_kind
from keras_axlstm.files import write_aside
from keras_axlstm.models import AudioClassifier
from keras_axlstm.models.open_embedder import open_embedder
from keras_axlstm.recurrence.kernels import implementation_set_to


def export_model(
    model: Any,
    path: str | os.PathLike,
    format: str,
    kind: str = "scene",
    seconds: float | None = None,
    int8: bool = False,
    overwrite: bool = False,
    **options: Any,
) -> WaveformModel:
    """Write a model as one graph, from the waveform to the embedding or the scores.

    The file needs neither Keras nor this package. It takes float32 waveforms `(clips, samples)` in
    [-1, 1] at the sampling rate of the model, 16 kHz by default, any number of any length, and
    returns what `AudioEmbedder` or `AudioClassifier` gives for them, within 1e-3.

    | format | file | written by the backends |
    |---|---|---|
    | `"saved_model"` | a folder | TensorFlow, JAX |
    | `"onnx"` | `.onnx` | TensorFlow |
    | `"litert"` | `.tflite` | TensorFlow |
    | `"openvino"` | `.xml`, and `.bin` beside it | TensorFlow |
    | `"torch"` | `.pt2`, for clips of 160 samples or more | PyTorch |

    Args:
        model: an `AudioEmbedder`, an `AudioClassifier`, or a preset as `AudioEmbedder.from_preset`
            or, for `"scores"`, `AudioClassifier.from_preset` takes it.
        path: what to write. Missing parent folders are made.
        format: one of the table.
        kind: `"scene"`: one vector a clip. `"timestamps"`: one a frame. `"scores"`: of the classes.
        seconds: length of the clips, for a graph of fixed shapes with one clip of that length, as
            accelerators of phones want it. Default: any number of clips of any length.
        int8: store the weights of large products in 8 bits, with format `"litert"`. The log-mel
            spectrogram and everything that is computed stay float32.
        overwrite: replace an existing output.
        **options: arguments of `AudioEmbedder.from_preset`, for a preset.

    Returns:
        The graph as a Keras model.

    Raises:
        ValueError: a pair of format and backend that does not go, a kind that the model does not
            have, a bad argument; all before any work.
        FileExistsError: the output exists.
        ImportError: a package is missing.

    Example:

    ```python
    import keras_axlstm
    from keras_axlstm.export import export_model

    encoder = keras_axlstm.AxLSTMEncoder(hidden_dim=32, num_layers=2)
    export_model(keras_axlstm.AudioEmbedder(encoder), "axlstm.tflite", "litert")
    ```
    """
    path = Path(path)
    if seconds is not None and not seconds > 0:
        raise ValueError(f"`seconds` must be a positive number. Received: {seconds!r}")
    whole = kind == "scores" or getattr(model, "one_pass", options.get("one_pass", False))
    backend = keras.backend.backend()
    check_format(format, path, backend, whole and seconds is None, int8)
    with ExitStack() as stack:
        # The file that reads the weights appears last: contexts end in reverse order.
        output = stack.enter_context(write_aside(path, overwrite))
        weights = None
        if format == "openvino":
            weights = stack.enter_context(write_aside(path.with_suffix(".bin"), overwrite))
        if isinstance(model, (str, os.PathLike)):
            model = _load(model, kind, options)
        elif options:
            raise ValueError(f"Options are for presets. Received: {', '.join(options)} and a model")
        check_kind(model, kind)
        graph = WaveformModel(model, kind)
        graph.log_mel.hides_constants = int8
        shape = (None, None) if seconds is None else (1, round(seconds * graph.sampling_rate))
        # Kernels of ours cannot run elsewhere; what converters warn of nobody could mend.
        with implementation_set_to("ops"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _write(graph, output, weights, format, shape, int8)
    return graph


def _load(preset: str | os.PathLike, kind: str, options: dict[str, Any]) -> Any:
    if kind == "scores":
        return AudioClassifier.from_preset(preset, **options)
    return open_embedder(preset, **options)


def _write(
    graph: WaveformModel,
    output: Path,
    weights: Path | None,
    format: str,
    shape: tuple[int | None, ...],
    int8: bool,
) -> None:
    """Write `graph` for waveforms of `shape`, None = any size."""
    if keras.backend.backend() == "torch":
        from keras_axlstm.export.torch_export import export_with_torch

        export_with_torch(graph, output, shape)
        return
    from keras_axlstm.export.tensorflow_export import export_with_tensorflow

    export_with_tensorflow(graph, output, weights, format, shape, int8)
