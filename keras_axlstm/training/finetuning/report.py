"""What a fine-tuning run leaves beside the preset: numbers and pictures."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from keras_axlstm.plots import plot_confusion_matrix, plot_training_curves, save_plot

REPORT = "report.json"
CURVES = "training_curves.png"
CONFUSION = "confusion_matrix.png"


def measured_part(scores: dict[str, Any]) -> str:
    """The part of the data whose scores count: the first that there is of these."""
    return next(part for part in ("test", "validation", "train") if part in scores)


def write_report(folder: Path, report: dict[str, Any]) -> str | None:
    """Write `report.json` and, with matplotlib, the pictures.

    Args:
        folder: an existing one.
        report: what `finetune` returns.

    Returns:
        None, or why there are no pictures.
    """
    (folder / REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    part = measured_part(report["scores"])
    scores = report["scores"][part]
    try:
        save_plot(plot_training_curves(report["history"]), folder / CURVES)
        # Classes that may come together have none.
        if "confusion" in scores:
            title = f"{part}: {100 * scores['accuracy']:.1f} % of {scores['files']} files"
            matrix = np.array(scores["confusion"])
            names = report["class_names"]
            save_plot(plot_confusion_matrix(matrix, names, title), folder / CONFUSION)
    except ImportError as error:
        return str(error)
    return None
