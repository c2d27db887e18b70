"""Reading many files into one stream of embeddings."""

import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from keras_axlstm.embedding.clip_features import NumberedArrays
from keras_axlstm.embedding.output import open_output
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


def collect(
    stream: Iterator[tuple[str | os.PathLike, np.ndarray]],
    results: FileEmbeddings,
    times_ms: Callable[[int], np.ndarray] | None,
    overwrite: bool,
) -> None:
    """Put what `embed_paths` gives into its `results` and the output that they name, if any.

    Args:
        stream: pairs of path and embedding.
        results: takes the embeddings. Frames that go to an output are not kept.
        times_ms: number of frames to their times; None for scenes.
        overwrite: replace an existing output.

    Raises:
        ValueError: an output to write and not one good file.
        FileExistsError: the output exists.
    """
    if results.output is None:
        for path, embedding in stream:
            results.embeddings[path] = embedding
            if times_ms is not None:
                results.times_ms[path] = times_ms(len(embedding))
        return

    with open_output(results.output, overwrite) as writer:
        for path, embedding in stream:
            if times_ms is None:
                results.embeddings[path] = embedding
                writer.add(os.fspath(path), embedding, None)
            else:
                writer.add(os.fspath(path), embedding, times_ms(len(embedding)))
        if not results.seconds:
            raise ValueError(
                f"None of the {len(results.failures)} files could be embedded, so "
                f"{str(results.output)!r} was not written. First reason: {results.failures[0][1]}"
            )
