from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_axlstm.plots.save import check_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Labels in the legend; of more, the smaller groups share a colour.
MOST_COLOURS = 20


def plot_embedding_map(
    embeddings: np.ndarray,
    labels: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    seed: int = 0,
    title: str = "",
) -> "Figure":
    """Clips as points on a plane, similar ones near each other (t-SNE of cosine distances).

    Neighbours mean something, distances across the plane and the axes do not.

    Args:
        embeddings: `(clips, d)`, at least 3 clips.
        labels: a label a clip, for its colour.
        names: a text a clip, written beside its point.
        seed: of the layout.
        title: heading of the figure.

    Returns:
        A matplotlib figure, for `save_plot`.

    Raises:
        ImportError: matplotlib or scikit-learn is not installed.
        ValueError: other shapes or lengths, or numbers that are not finite.

    Source: van der Maaten, Hinton, "Visualizing data using t-SNE", JMLR 2008.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.plots import plot_embedding_map, save_plot

    embeddings = np.random.default_rng(0).normal(size=(30, 960))
    labels = ["rain", "speech", "music"] * 10
    save_plot(plot_embedding_map(embeddings, labels), "map.png")
    ```
    """
    check_matplotlib()
    embeddings = np.asarray(embeddings)
    _check(embeddings, labels, names)
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    points = _layout(embeddings, seed)
    figure = Figure(figsize=(7.5, 6), layout="constrained")
    axis = figure.subplots()
    axis.set_title(title)
    groups = np.array(["clips"] * len(points) if labels is None else list(map(str, labels)))
    found, counts = np.unique(groups, return_counts=True)
    largest = found[np.argsort(-counts, kind="stable")][:MOST_COLOURS]
    for colour, group in enumerate(sorted(largest)):
        x, y = points[groups == group].T
        axis.scatter(x, y, s=18, color=colormaps["tab20"](colour), label=group)
    if len(found) > MOST_COLOURS:
        x, y = points[~np.isin(groups, largest)].T
        axis.scatter(x, y, s=18, color="0.8", label=f"{len(found) - MOST_COLOURS} more")
    if labels is not None:
        figure.legend(loc="outside right upper", fontsize="small")
    for point, name in zip(points, names or (), strict=False):
        axis.annotate(name, point, xytext=(3, 3), textcoords="offset points", fontsize="x-small")
    # Room for the names beside their points.
    axis.margins(x=0.12)
    axis.set_xticks([])
    axis.set_yticks([])
    return figure


def _check(embeddings: np.ndarray, labels: Sequence | None, names: Sequence | None) -> None:
    if embeddings.ndim != 2 or len(embeddings) < 3:
        raise ValueError(
            "`embeddings` must be (clips, d) with at least 3 clips. Received: shape "
            f"{embeddings.shape}"
        )
    if not np.isfinite(embeddings).all():
        raise ValueError("`embeddings` must be finite. Received: NaN or infinity")
    for argument, texts in (("labels", labels), ("names", names)):
        if texts is not None and len(texts) != len(embeddings):
            raise ValueError(
                f"`{argument}` must have one entry for each of {len(embeddings)} clips. Received: "
                f"{len(texts)}"
            )


def _layout(embeddings: np.ndarray, seed: int) -> np.ndarray:
    """`(clips, 2)`."""
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise ImportError(
            "An embedding map needs scikit-learn: pip install 'keras-axlstm[plots]'"
        ) from error
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    # Of unit vectors, squared distances are twice the cosine distances.
    unit = (embeddings / np.maximum(lengths, 1e-12)).astype("float32")
    perplexity = min(30.0, (len(unit) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(unit)
