"""Reading many files into one stream of embeddings."""

import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from keras_axlstm.embedding.clip_features import NumberedArrays
from keras_axlstm.embedding.results import FileEmbeddings


def embed_paths(
    paths: Sequence[str | os.PathLike],
    read: Callable[[str | os.PathLike], tuple[np.ndarray, float]],
    embed: Callable[[NumberedArrays], NumberedArrays],
    results: FileEmbeddings,
    progress: bool,
    on_error: str,
) -> Iterator[tuple[str | os.PathLike, np.ndarray]]:
    """Pairs of path and embedding as they are done; lengths and failures go to `results`.

    Args:
        paths: audio files, each once.
        read: path to log-mel `(frames, bands)` and length in seconds; `ValueError` for a bad file.
        embed: numbered spectrograms to numbered embeddings, taken and given one at a time, so that
            no more than a batch is in memory.
        results: takes `seconds` and `failures`.
        progress: show a progress bar.
        on_error: `"skip"` or `"raise"`.
    """
    from tqdm import tqdm

    with tqdm(total=len(paths), unit="file", disable=not progress) as bar:

        def spectrograms() -> NumberedArrays:
            for index, path in enumerate(paths):
                try:
                    spectrogram, seconds = read(path)
                except ValueError as error:
                    if on_error == "raise":
                        raise
                    results.failures.append((path, str(error)))
                    bar.update()
                    continue
                results.seconds[path] = seconds
                yield index, spectrogram

        for index, embedding in embed(spectrograms()):
            bar.update()
            yield paths[index], embedding
