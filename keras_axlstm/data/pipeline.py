import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_axlstm.audio import log_mel_spectrogram
from keras_axlstm.audio.normalize import validate_normalization
from keras_axlstm.data.find_audio_files import find_audio_files
from keras_axlstm.data.sources import readable_files
from keras_axlstm.data.transforms import LoadCrop
from keras_axlstm.data.unreadable_files import UnreadableFiles

# Reading threads in this process. A worker process has one, and a short queue of its own.
_THREADS = 4


def random_crops(
    folder_or_paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
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
    skipped: list[tuple[Any, str]] | None = None,
    drop_remainder: bool = True,
    sampling_rate: int = 16000,
    **log_mel: Any,
) -> Any:
    """Batches of random crops of log-mel spectrograms, read from audio files as they are needed.

    Each epoch takes one crop of every file, in a new order and from new places. All of it follows
    from `seed`, whatever the number of workers. `iter(dataset)` gives an iterator with `get_state`
    and `set_state`, to stop and go on at the same place.

    Batches run across the ends of epochs. With `drop_remainder` (the default) the last, incomplete
    batch of the last epoch is left out; with fewer crops than one batch, clips repeat to fill it.

    Files whose headers cannot be read are found before the first batch, reported in one warning and
    skipped. A file that fails later, in decoding or by NaN samples, is reported when it does, and a
    crop of the next file takes its place.

    Endless by default: give `fit` a number of `steps_per_epoch`. `fit` reads a data set of finite
    `num_epochs` from its start in each of its own epochs, so that the same crops return. Give it
    `shuffle=False` too: Keras warns that its own shuffling does not reach into a grain data set.

    Args:
        folder_or_paths: a folder, searched as `find_audio_files` does, or paths of audio files.
        batch_size: crops in a batch.
        num_frames: frames of a crop; 200 are 2 s. A shorter clip is repeated.
        seed: int in [0, 2**32).
        shuffle: draw a new order of the files in each epoch. Without, it is the order given.
        num_epochs: crops taken of each file, or None for no end.
        num_workers: processes that read and transform; 0: threads of this process, enough for a
            few hundred crops a second. Processes take seconds to start, and `fit` starts them more
            than once. A script that uses them needs the usual `if __name__ == "__main__":`.
        normalization: `"none"`, `"clip"` or `"dataset"`, see `normalize_log_mel`. It is done
            on the whole clip, before cropping.
        mean: for `"dataset"`.
        std: for `"dataset"`.
        skipped: a list that gets a pair `(path, reason)` for each file that is skipped.
        drop_remainder: leave out the last, incomplete batch.
        sampling_rate: rate in Hz to which the audio is resampled.
        **log_mel: further arguments of `log_mel_spectrogram`, for example `num_mel_bins`.

    Returns:
        A `grain.IterDataset` of float32 `(batch_size, num_frames, num_mel_bins)`.

    Raises:
        ValueError: a bad argument; a folder that does not exist or holds no audio; no readable
            file (now, or while iterating).

    Example:

    ```python
    from keras_axlstm.data import random_crops

    dataset = random_crops("examples/audio", batch_size=4)
    next(iter(dataset)).shape  # (4, 200, 80)
    ```
    """
    _check_integer("batch_size", batch_size, 1)
    _check_integer("num_frames", num_frames, 1)
    _check_integer("num_workers", num_workers, 0)
    _check_integer("seed", seed, 0)
    if seed >= 2**32:
        raise ValueError(f"`seed` must be less than 2**32. Received: {seed}")
    if num_epochs is not None:
        _check_integer("num_epochs", num_epochs, 1)
    validate_normalization(normalization, mean, std)
    # Raises on bad arguments, before any file is touched.
    log_mel_spectrogram(np.zeros(1), sampling_rate=sampling_rate, **log_mel)

    import grain

    paths = _find_paths(folder_or_paths)
    unreadable = UnreadableFiles(len(set(map(str, paths))), [] if skipped is None else skipped)
    files = readable_files(paths, unreadable)
    load = LoadCrop(num_frames, sampling_rate, normalization, mean, std, log_mel)

    dataset = grain.MapDataset.source(files).seed(seed)
    if shuffle:
        dataset = dataset.shuffle()
    dataset = dataset.repeat().random_map(load)
    dataset = dataset.to_iter_dataset(
        grain.ReadOptions(
            num_threads=1 if num_workers else _THREADS,
            prefetch_buffer_size=2 if num_workers else 2 * batch_size,
        )
    )
    if num_workers:
        _mark_flags_as_parsed()
        dataset = dataset.mp_prefetch(
            grain.MultiprocessingOptions(
                num_workers=num_workers, per_worker_buffer_size=-(-batch_size // num_workers)
            )
        )
    # Here and not in the workers: reports reach this process, and the order of the crops does not
    # depend on the number of workers.
    dataset = dataset.filter(unreadable.is_readable)
    if num_epochs is not None:
        crops = num_epochs * len(files)
        if drop_remainder:
            crops = max(1, crops // batch_size) * batch_size
        dataset = grain.experimental.LimitIterDataset(dataset, crops)
    return dataset.batch(batch_size)


def _find_paths(
    folder_or_paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> list[Any]:
    if isinstance(folder_or_paths, (str, os.PathLike)):
        return list(find_audio_files(folder_or_paths))
    paths = list(folder_or_paths)
    if not paths:
        raise ValueError("Expected a folder or at least one path. Received: no paths")
    return paths


def _mark_flags_as_parsed() -> None:
    from absl import flags

    # grain looks at its command-line flags when it starts a worker, and fails in a program that
    # never parsed any.
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()


def _check_integer(name: str, value: Any, lowest: int) -> None:
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_integer or value < lowest:
        raise ValueError(f"`{name}` must be an integer of at least {lowest}. Received: {value!r}")
