import numpy as np
from keras_hub.src.utils.tensor_utils import convert_to_numpy


class ClassLabels:
    """The classes of a classifier: labels to numbers, scores to names.

    Args:
        num_classes: int, or None: the number of `names`.
        names: one string a class, each another, or None: then `"0"`, `"1"`, ... are names.
        multi_label: bool. A clip may have several classes or none.

    Raises:
        ValueError: too few classes, or names that are not as many, or not different.
    """

    def __init__(self, num_classes=None, names=None, multi_label=False):
        if num_classes is None and names is None:
            raise ValueError(
                "A classifier needs `num_classes` or `class_names`. Received: neither, and the "
                "preset, if it is one, is not a classifier's"
            )
        if names is not None:
            names = list(names)
            if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
                raise ValueError(f"`class_names` must be different strings. Received: {names}")
            if num_classes is not None and num_classes != len(names):
                raise ValueError(
                    "`num_classes` must be the number of `class_names`. Received: "
                    f"num_classes={num_classes}, {len(names)} names"
                )
            num_classes = len(names)
        least = 1 if multi_label else 2
        if isinstance(num_classes, bool) or int(num_classes) != num_classes or num_classes < least:
            raise ValueError(
                f"`num_classes` must be an integer of at least {least} with "
                f"multi_label={multi_label}. Received: {num_classes}"
            )
        self.num_classes = int(num_classes)
        self.names = names
        self.multi_label = multi_label

    def encode(self, labels):
        """Labels as numbers.

        Args:
            labels: indices or names `(clips,)`; with `multi_label` numbers from 0 to 1
                `(clips, num_classes)` or a list of lists of names.

        Returns:
            int32 `(clips,)`, or float32 `(clips, num_classes)` with `multi_label`.

        Raises:
            ValueError: unknown names, indices out of range, or another shape.
        """
        if self.multi_label:
            return self._encode_sets(labels)
        if _are_names(labels):
            return np.array(self._indices(labels), "int32")
        labels = convert_to_numpy(labels)
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise ValueError(
                "Labels must be class indices or names `(clips,)`. Received: "
                f"shape {labels.shape}, dtype {labels.dtype}. For clips with several classes make "
                "the classifier with `multi_label=True`"
            )
        outside = labels[(labels < 0) | (labels >= self.num_classes)]
        if outside.size:
            raise ValueError(
                f"Labels must be from 0 to {self.num_classes - 1}. Received: {outside[0]}"
            )
        return labels.astype("int32")

    def decode(self, scores, top):
        """For each clip the `top` best pairs `(name, score)`, best first."""
        scores = convert_to_numpy(scores)
        if scores.ndim != 2 or scores.shape[1] != self.num_classes:
            raise ValueError(
                f"`scores` must have shape (clips, {self.num_classes}). Received: {scores.shape}"
            )
        names = self.names or [str(index) for index in range(self.num_classes)]
        best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
        return [
            [(names[index], float(row[index])) for index in order]
            for row, order in zip(scores, best, strict=True)
        ]

    def _encode_sets(self, labels):
        if isinstance(labels, (list, tuple)) and any(map(_are_names, labels)):
            encoded = np.zeros((len(labels), self.num_classes), "float32")
            for row, names in zip(encoded, labels, strict=True):
                row[self._indices(names)] = 1
            return encoded
        labels = convert_to_numpy(labels)
        if labels.ndim != 2 or labels.shape[1] != self.num_classes:
            raise ValueError(
                f"Labels must have shape (clips, {self.num_classes}), 0 or 1 for each class, or be "
                f"a list of lists of names. Received: shape {labels.shape}"
            )
        labels = labels.astype("float32")
        if not ((labels >= 0) & (labels <= 1)).all():
            raise ValueError("Labels must be from 0 to 1. Received: others")
        return labels

    def _indices(self, names):
        if self.names is None:
            raise ValueError(
                "Labels can be names only with `class_names`. Received: names, without class_names"
            )
        index = {name: i for i, name in enumerate(self.names)}
        unknown = sorted({str(name) for name in names if name not in index})
        if unknown:
            raise ValueError(f"Labels must be among {self.names}. Received: {unknown}")
        return [index[name] for name in names]


def _are_names(labels):
    if isinstance(labels, (list, tuple)):
        return len(labels) > 0 and all(isinstance(name, str) for name in labels)
    return isinstance(labels, np.ndarray) and labels.dtype.kind == "U"
