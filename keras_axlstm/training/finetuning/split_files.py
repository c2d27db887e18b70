from collections import Counter
from collections.abc import Sequence

import numpy as np

from keras_axlstm.training.finetuning.labelled_data_error import LabelledDataError
from keras_axlstm.training.finetuning.labelled_files import PARTS, LabelledFiles


def split_files(
    files: LabelledFiles, validation: float, test: float, seed: int
) -> dict[str, list[int]]:
    """Which files are to be trained on, and which are kept for validation and a test.

    Parts that the data names stay as they are; a share is drawn of the training part for those that
    it does not name. The draw takes the same share of each class, and follows from the names of the
    files and the seed alone. A file with several classes counts as one of its rarest.

    Args:
        files: all of them.
        validation: share for validation, in [0, 1).
        test: share for the test, in [0, 1).
        seed: of the draw.

    Returns:
        Sorted indices of files for `"train"`, `"validation"` and `"test"`. Of each class with one
        label a file, a part that gets a share at all gets at least one file.

    Raises:
        LabelledDataError: a class with fewer files than parts that they are drawn for.

    Example:

    ```python
    from pathlib import Path

    from keras_axlstm.training.finetuning.labelled_files import LabelledFiles
    from keras_axlstm.training.finetuning.split_files import split_files

    paths = [Path(f"{i}.wav") for i in range(10)]
    labels = [("rain",), ("wind",)] * 5
    files = LabelledFiles(Path("."), paths, labels, None, ["rain", "wind"], multi_label=False)
    split_files(files, validation=0.2, test=0.2, seed=0)["test"]  # one of each
    ```
    """
    parts = ["train"] * len(files.paths) if files.parts is None else list(files.parts)
    wanted = {"validation": validation, "test": test}
    shares = {part: share for part, share in wanted.items() if share and part not in parts}
    drawn_from = [i for i in range(len(parts)) if parts[i] == "train"]
    groups: dict[str, list[int]] = {}
    for i, group in zip(drawn_from, _rarest([files.labels[i] for i in drawn_from]), strict=True):
        groups.setdefault(group, []).append(i)
    names = files.names()
    problems = []
    for number, group in enumerate(sorted(groups)):
        members = sorted(groups[group], key=names.__getitem__)
        if len(members) <= len(shares) and not files.multi_label:
            problems.append(
                (
                    files.root,
                    f"the class {group!r} has {len(members)} files for {len(shares) + 1} parts "
                    f"({', '.join(['train', *shares])}): add files, or set the shares to 0",
                )
            )
            continue
        order = np.random.default_rng((seed, number)).permutation(members).tolist()
        for to_come, (part, share) in zip(range(len(shares), 0, -1), shares.items(), strict=True):
            count = round(share * len(members))
            if not files.multi_label:
                # At least one, and one left for each part that is still to come.
                count = min(max(1, count), len(order) - to_come)
            for i in order[:count]:
                parts[i] = part
            order = order[count:]
    if problems:
        raise LabelledDataError(problems)
    return {part: [i for i in range(len(parts)) if parts[i] == part] for part in PARTS}


def _rarest(labels: Sequence[tuple[str, ...]]) -> list[str]:
    """Of each file the class that the fewest files have; empty for a file of no class."""
    counts = Counter(label for row in labels for label in row)
    return [min(row, key=lambda label: (counts[label], label), default="") for row in labels]
