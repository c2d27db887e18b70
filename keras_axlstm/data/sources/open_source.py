import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keras_axlstm.data.find_audio_files import find_audio_files
from keras_axlstm.data.sources.audio_files import AudioFiles
from keras_axlstm.data.sources.clip_source import ClipSource
from keras_axlstm.data.sources.log_mel_tars import LogMelTars
from keras_axlstm.data.sources.manifest import MANIFEST_SUFFIXES, read_manifest
from keras_axlstm.data.sources.prepared_shards import PreparedShards, is_prepared
from keras_axlstm.data.sources.settings import log_mel_settings

PathLike = str | os.PathLike[str]


def clip_source(
    source: PathLike | Iterable[PathLike] | ClipSource,
    *,
    sampling_rate: int = 16000,
    **log_mel: Any,
) -> ClipSource:
    """The clips of a folder, manifest, tar or list of paths.

    Args:
        source: a folder of audio files, searched as `find_audio_files` does; a folder of `.tar`
            files; a folder written by `keras-axlstm prepare`; a manifest, `.csv` or `.parquet`,
            with a column `path` (see `read_manifest`); a `.tar` file; or paths, either all of
            audio or all of `.tar` files. A `ClipSource` is returned as it is.
        sampling_rate: rate in Hz to which audio is resampled.
        **log_mel: further arguments of `log_mel_spectrogram`.

    Returns:
        A sequence of clips; its length is the number of clips of an epoch.

    Raises:
        ValueError: a bad argument, or a source that does not exist or holds no clips.

    Example:

    ```python
    from keras_axlstm.data import clip_source

    len(clip_source("examples/audio"))  # 12
    ```
    """
    settings = log_mel_settings(sampling_rate, log_mel)
    if isinstance(source, ClipSource):
        return source
    if not isinstance(source, (str, os.PathLike)):
        return _from_paths(list(source), settings)
    path = Path(source)
    if path.suffix.lower() in MANIFEST_SUFFIXES:
        return read_manifest(path, settings)
    if path.suffix == ".tar":
        return LogMelTars([path], settings)
    if is_prepared(path):
        return PreparedShards(path, settings)
    tars = sorted(path.glob("*.tar"))
    if tars:
        return LogMelTars(tars, settings)
    return AudioFiles(find_audio_files(path), settings)


def _from_paths(paths: list[Any], settings: dict[str, Any]) -> ClipSource:
    if not paths:
        raise ValueError("Expected a folder or at least one path. Received: no paths")
    are_tars = [os.fspath(path).endswith(".tar") for path in paths]
    if all(are_tars):
        return LogMelTars(paths, settings)
    if any(are_tars):
        raise ValueError(
            "Expected paths of audio files or of .tar files. Received: both, "
            f"{paths[are_tars.index(True)]} and {paths[are_tars.index(False)]}"
        )
    return AudioFiles(paths, settings)
