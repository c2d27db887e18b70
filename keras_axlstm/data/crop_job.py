from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_axlstm.audio.normalize import validate_normalization
from keras_axlstm.data.batch_plan import BatchPlan
from keras_axlstm.data.crop_reader import CropReader
from keras_axlstm.data.global_order import GlobalOrder
from keras_axlstm.data.sources import PreparedShards, clip_source
from keras_axlstm.data.sources.prepared_shards import is_prepared, read_description
from keras_axlstm.data.sources.settings import log_mel_settings
from keras_axlstm.data.unreadable_files import UnreadableFiles


@dataclass(frozen=True)
class CropJob:
    """What `random_crops` and `tf_random_crops` make of their arguments."""

    reader: CropReader
    plan: BatchPlan
    unreadable: UnreadableFiles
    shape: tuple[int, int]


def crop_job(
    source: Any,
    *,
    batch_size: int,
    num_frames: int,
    seed: int,
    shuffle: bool,
    num_epochs: int | None,
    normalization: str,
    mean: float | None,
    std: float | None,
    dynamic_range: float | None,
    skipped: list[tuple[Any, str]] | None,
    drop_remainder: bool,
    sampling_rate: int,
    process_index: int,
    process_count: int,
    log_mel: dict[str, Any],
) -> CropJob:
    """Check the arguments, open the source, report clips with unreadable headers."""
    check_integer("batch_size", batch_size, 1)
    check_integer("num_frames", num_frames, 1)
    check_integer("seed", seed, 0)
    if seed >= 2**32:
        raise ValueError(f"`seed` must be less than 2**32. Received: {seed}")
    if num_epochs is not None:
        check_integer("num_epochs", num_epochs, 1)
    _check_processes(batch_size, process_index, process_count, num_epochs, drop_remainder)
    if normalization == "dataset" and mean is None and std is None:
        mean, std = _prepared_statistics(source)
    validate_normalization(normalization, mean, std, dynamic_range)
    log_mel_settings(sampling_rate, log_mel)

    clips = clip_source(source, sampling_rate=sampling_rate, **log_mel)
    unreadable = UnreadableFiles(len(clips), [] if skipped is None else skipped)
    errors = clips.find_unreadable()
    unreadable.add(errors, none_left=len(errors) == len(clips))
    num_crops = None
    if num_epochs is not None:
        num_crops = num_epochs * len(clips)
        if drop_remainder:
            num_crops = max(1, num_crops // batch_size) * batch_size
    reader = CropReader(
        clips,
        GlobalOrder(len(clips), seed, shuffle),
        num_frames=num_frames,
        normalization=normalization,
        mean=mean,
        std=std,
        dynamic_range=dynamic_range,
    )
    plan = BatchPlan(batch_size, num_crops, process_index, process_count)
    return CropJob(reader, plan, unreadable, (num_frames, clips.num_bands))


def check_integer(name: str, value: Any, lowest: int) -> None:
    """Raise a `ValueError` unless `value` is an integer of at least `lowest`."""
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_integer or value < lowest:
        raise ValueError(f"`{name}` must be an integer of at least {lowest}. Received: {value!r}")


def _check_processes(
    batch_size: int, index: int, count: int, num_epochs: int | None, drop_remainder: bool
) -> None:
    check_integer("process_count", count, 1)
    check_integer("process_index", index, 0)
    if index >= count:
        raise ValueError(
            f"`process_index` must be less than process_count={count}. Received: {index}"
        )
    if batch_size % count:
        raise ValueError(
            "`batch_size` is that of all processes together and must be divisible by their "
            f"number. Received: batch_size={batch_size}, process_count={count}. For example, take "
            f"{max(1, batch_size // count) * count}."
        )
    if count > 1 and num_epochs is not None and not drop_remainder:
        raise ValueError(
            "drop_remainder=False leaves a batch that cannot be shared among processes. Received: "
            f"process_count={count}. Leave the remainder out, or read it in one process."
        )


def _prepared_statistics(source: Any) -> tuple[float | None, float | None]:
    """Mean and standard deviation that `prepare` found; nothing for another source."""
    if isinstance(source, PreparedShards):
        description = source.description
    elif is_prepared(source):
        description = read_description(source)
    else:
        return None, None
    return description["mean"], description["std"]
