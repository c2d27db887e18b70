import os
import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_axlstm.data.crop_job import CropJob, check_integer, crop_job
from keras_axlstm.data.sources import AudioFiles, ClipSource

DECODERS = ("auto", "soundfile", "tensorflow-io")
# Clips that are decoded in the graph at the same time.
_CALLS = 8


def tf_random_crops(
    source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | ClipSource,
    *,
    batch_size: int,
    num_frames: int = 200,
    seed: int = 0,
    shuffle: bool = True,
    num_epochs: int | None = None,
    num_workers: int = 0,
    normalization: str = "clip",
    mean: float | None = None,
    std: float | None = None,
    dynamic_range: float | None = None,
    skipped: list[tuple[Any, str]] | None = None,
    drop_remainder: bool = True,
    sampling_rate: int = 16000,
    process_index: int = 0,
    process_count: int = 1,
    first_batch: int = 0,
    decoder: str = "auto",
    **log_mel: Any,
) -> Any:
    """`random_crops` as a `tf.data.Dataset`: the same clips, crops and numbers.

    Audio is decoded and resampled in the graph where tensorflow-io loads, as it does with
    TensorFlow 2.16, and by soundfile and soxr elsewhere. Both decoders give the same samples;
    resampling differs by the filters, close to half the lower rate. A file that the graph cannot
    decode is left to soundfile.

    Args:
        source: see `random_crops`, as for all arguments that are not listed here.
        batch_size: crops in a batch, over all processes.
        num_frames: frames of a crop.
        seed: int in [0, 2**32).
        shuffle: draw a new order of the clips in each epoch.
        num_epochs: crops taken of each clip, or None for no end.
        num_workers: calls that run at the same time, in threads; 0: tf.data finds out how many.
        normalization: `"none"`, `"clip"` or `"dataset"`.
        mean: for `"dataset"`.
        std: for `"dataset"`.
        dynamic_range: decibels, for `"clip"`, or None.
        skipped: a list that gets a pair `(path, reason)` for each clip that is skipped.
        drop_remainder: leave out the last, incomplete batch.
        sampling_rate: rate in Hz to which the audio is resampled.
        process_index: which of the processes of a training this is.
        process_count: processes of the training.
        first_batch: batches to leave out at the beginning, to go on where an earlier run stopped.
        decoder: `"auto"`, `"soundfile"` or `"tensorflow-io"`.
        **log_mel: further arguments of `log_mel_spectrogram`.

    Returns:
        A `tf.data.Dataset` of float32 `(batch_size / process_count, num_frames, num_mel_bins)`.

    Raises:
        ValueError: see `random_crops`.
        ImportError: TensorFlow, or with `decoder="tensorflow-io"` that, cannot be imported.

    Example:

    ```python
    from keras_axlstm.data import tf_random_crops

    dataset = tf_random_crops("examples/audio", batch_size=4)
    next(iter(dataset)).shape  # (4, 200, 80)
    ```
    """
    check_integer("num_workers", num_workers, 0)
    check_integer("first_batch", first_batch, 0)
    if decoder not in DECODERS:
        raise ValueError(f"`decoder` must be one of {', '.join(DECODERS)}. Received: {decoder!r}")
    job = crop_job(
        source,
        batch_size=batch_size,
        num_frames=num_frames,
        seed=seed,
        shuffle=shuffle,
        num_epochs=num_epochs,
        normalization=normalization,
        mean=mean,
        std=std,
        dynamic_range=dynamic_range,
        skipped=skipped,
        drop_remainder=drop_remainder,
        sampling_rate=sampling_rate,
        process_index=process_index,
        process_count=process_count,
        log_mel=log_mel,
    )

    import tensorflow as tf

    plan, calls = job.plan, num_workers or tf.data.AUTOTUNE
    chunks = tf.data.Dataset.range(first_batch * plan.chunks, plan.num_batches * plan.chunks)
    read = _Reading(job)
    audio_io = _find_tensorflow_io(decoder) if isinstance(job.reader.source, AudioFiles) else None
    if audio_io is None:
        shape = (None, *job.shape)
        crops = chunks.map(
            lambda chunk: _call(read.chunk, [chunk], shape),
            num_parallel_calls=calls,
            deterministic=True,
        ).unbatch()
    else:
        from keras_axlstm.data.tensorflow_decoding import decode_in_graph

        def crop(position: Any) -> Any:
            """A data set of one: from the graph, or, if that fails, from soundfile."""
            one = tf.data.Dataset.from_tensors(position)
            in_graph = one.map(
                lambda position: _call(
                    read.crop_of,
                    [position, decode_in_graph(audio_io, read.layout, position, sampling_rate)],
                    job.shape,
                )
            )
            otherwise = one.map(lambda position: _call(read.position, [position], job.shape))
            return in_graph.ignore_errors().concatenate(otherwise).take(1)

        positions = chunks.map(lambda chunk: _call(read.positions, [chunk], (None,), "int64"))
        crops = positions.unbatch().interleave(
            crop,
            cycle_length=num_workers or _CALLS,
            block_length=1,
            num_parallel_calls=calls,
            deterministic=True,
        )
    return crops.batch(plan.rows).prefetch(tf.data.AUTOTUNE)


class _Reading:
    """What the graph calls back for. Called from many threads."""

    def __init__(self, job: CropJob) -> None:
        self._job = job
        self._lock = threading.Lock()

    def positions(self, chunk: np.ndarray) -> np.ndarray:
        """The positions of a chunk, int64."""
        plan = self._job.plan
        return np.array(plan.positions(*divmod(int(chunk), plan.chunks)), "int64")

    def chunk(self, chunk: np.ndarray) -> np.ndarray:
        """All crops of a chunk."""
        return self._read(self.positions(chunk).tolist())

    def position(self, position: np.ndarray) -> np.ndarray:
        """The crop at a position."""
        return self._read([int(position)])[0]

    def layout(self, position: np.ndarray) -> Any:
        """What the graph must know to decode the clip of a position."""
        from keras_axlstm.data.tensorflow_decoding import audio_layout

        source: Any = self._job.reader.source
        return audio_layout(*source.place(self._job.reader.first_choice(int(position))))

    def crop_of(self, position: np.ndarray, waveform: np.ndarray) -> np.ndarray:
        """The crop at a position from the samples of its clip."""
        source: Any = self._job.reader.source
        return self._job.reader.crop(int(position), source.clip_of(waveform))

    def _read(self, positions: list[int]) -> np.ndarray:
        crops, errors = self._job.reader.read(positions)
        with self._lock:
            self._job.unreadable.add(errors, none_left=bool(errors) and not len(crops))
        return crops


def _call(function: Any, inputs: list[Any], shape: Any, dtype: str = "float32") -> Any:
    import tensorflow as tf

    # Not stateful: what is returned follows from the inputs.
    result = tf.numpy_function(function, inputs, dtype, stateful=False)
    return tf.ensure_shape(result, shape)


def _find_tensorflow_io(decoder: str) -> Any:
    """The module `tensorflow_io.audio`, or None."""
    if decoder == "soundfile":
        return None
    try:
        from tensorflow_io import audio

        # It loads its library only now.
        audio.decode_wav  # noqa: B018
        return audio
    except Exception as error:
        if decoder == "tensorflow-io":
            raise ImportError(
                "tensorflow-io cannot be loaded. It needs the TensorFlow it was built for: "
                "version 0.37.1 works with TensorFlow 2.16."
            ) from error
        return None
