import os
from collections.abc import Iterable
from typing import Any

from keras_axlstm.data.crop_job import check_integer, crop_job
from keras_axlstm.data.sources import ClipSource


def random_crops(
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
    **log_mel: Any,
) -> Any:
    """Batches of random crops of log-mel spectrograms, read as they are needed.

    Each epoch takes one crop of every clip, in a new order over all of them and from new places.
    All of it follows from `seed`, whatever the number of workers and processes: batch `t` of all
    processes together has the crops `[t * batch_size, (t + 1) * batch_size)` of one endless order,
    and each process reads a contiguous part of it.

    `iter(dataset)` gives an iterator with `get_state` and `set_state`, to stop and go on at the
    same place. The state is the number of batches read: it also holds for another number of workers
    or processes.

    Batches run across the ends of epochs. With `drop_remainder` (the default) the last, incomplete
    batch of the last epoch is left out; with fewer crops than one batch, clips repeat to fill it.

    Audio files whose headers cannot be read are reported before the first batch, in one warning; a
    file that fails later, in decoding or by NaN samples, when it does. A crop of the next readable
    clip of the epoch takes the place of each, and all others stay where they are.

    Endless by default: give `fit` a number of `steps_per_epoch`. `fit` reads a data set of finite
    `num_epochs` from its start in each of its own epochs, so that the same crops return. Give it
    `shuffle=False` too: Keras warns that its own shuffling does not reach into a grain data set.

    Args:
        source: what `clip_source` takes: a folder of audio, of `.tar` files or from
            `keras-axlstm prepare`; a `.csv` or `.parquet` manifest; a `.tar` file; paths.
        batch_size: crops in a batch, over all processes.
        num_frames: frames of a crop; 200 are 2 s. A shorter clip is repeated.
        seed: int in [0, 2**32).
        shuffle: draw a new order of the clips in each epoch. Without, it is that of the source.
        num_epochs: crops taken of each clip, or None for no end.
        num_workers: processes that read and transform; 0: threads of this process, enough for
            prepared shards or a hundred files a second. Processes take seconds to start, and `fit`
            starts them more than once. A script that uses them needs the usual
            `if __name__ == "__main__":`.
        normalization: `"none"`, `"clip"` or `"dataset"`, see `normalize_log_mel`. It is done with
            the statistics of the whole clip, before cropping.
        mean: for `"dataset"`. Prepared shards bring their own.
        std: for `"dataset"`. Prepared shards bring their own.
        dynamic_range: for `"clip"`: decibels below the loudest value to which softer ones are
            raised first. With one, each clip is read whole. None: no limit.
        skipped: a list that gets a pair `(path, reason)` for each clip that is skipped.
        drop_remainder: leave out the last, incomplete batch.
        sampling_rate: rate in Hz to which the audio is resampled.
        process_index: which of the processes of a training this is.
        process_count: processes of the training. They share each batch, so their number divides
            `batch_size`.
        **log_mel: further arguments of `log_mel_spectrogram`, for example `num_mel_bins`.

    Returns:
        A `grain.IterDataset` of float32 `(batch_size / process_count, num_frames, num_mel_bins)`.

    Raises:
        ValueError: a bad argument; a source that does not exist or holds no clips; no readable
            clip (now, or while iterating).

    Example:

    ```python
    from keras_axlstm.data import random_crops

    dataset = random_crops("examples/audio", batch_size=4)
    next(iter(dataset)).shape  # (4, 200, 80)
    ```
    """
    check_integer("num_workers", num_workers, 0)
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

    # Late: grain takes a second to import.
    from keras_axlstm.data.crop_batches import CropBatches

    return CropBatches(job.reader, job.plan, num_workers, job.unreadable)
