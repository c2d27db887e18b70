"""The sounds of a folder that are most like a given one.

    python examples/search_similar.py query.wav sounds --preset my_preset --cache sounds.npz

Embeds every file of the folder once: they are kept in the cache, an output of
`AudioEmbedder.embed_files`, and made anew when files were added or removed, or are newer than it.
Nearest by the cosine of the embeddings, after the mean of the folder is taken off all of them.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np


def main(arguments: list[str]) -> None:
    """Print the nearest sounds, best first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("query", type=Path, metavar="FILE")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument(
        "--preset", required=True, metavar="NAME_OR_DIR", help="random:NAME for random weights"
    )
    parser.add_argument(
        "--cache", type=Path, required=True, metavar="FILE.npz", help="one for each preset"
    )
    parser.add_argument("--top", type=int, default=5, metavar="K")
    options = parser.parse_args(arguments)
    # Late, so that --help is quick.
    from keras_axlstm.data import find_audio_files
    from keras_axlstm.models.open_embedder import open_embedder

    files = find_audio_files(options.folder)
    embedder = open_embedder(options.preset)
    query = embedder.embed(options.query)
    paths, embeddings = _embeddings(embedder, files, options.cache)
    if embeddings.shape[1] != query.size:
        sys.exit(f"{options.cache} is the cache of another preset: give another file")
    similarity = _cosine(embeddings, query)
    own = options.query.resolve()
    nearest = [i for i in np.argsort(-similarity) if Path(paths[i]).resolve() != own]
    for i in nearest[: options.top]:
        print(f"{similarity[i]:6.3f}  {paths[i]}")


def _embeddings(embedder: Any, files: list[Path], cache: Path) -> tuple[list[str], np.ndarray]:
    """Paths and embeddings of what can be read, from the cache if it holds just these files."""
    newest = max(path.stat().st_mtime for path in files)
    if not cache.exists() or cache.stat().st_mtime < newest or not _holds(cache, files):
        result = embedder.embed_files(files, output=cache, overwrite=True, progress=False)
        for _, reason in result.failures:
            print(f"skipped: {reason}", file=sys.stderr)
    with np.load(cache) as arrays:
        return arrays["path"].tolist(), arrays["embedding"]


def _holds(cache: Path, files: list[Path]) -> bool:
    with np.load(cache) as arrays:
        return set(arrays["path"]) == set(map(str, files))


def _cosine(embeddings: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Of each row with the query, `(files,)`."""
    mean = embeddings.mean(axis=0)
    rows, query = embeddings - mean, query - mean
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(query)
    return rows @ query / np.maximum(lengths, np.finfo("float32").tiny)


if __name__ == "__main__":
    main(sys.argv[1:])
