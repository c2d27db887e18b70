"""Scores of predictions, by the names that HEAR tasks give them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from keras_axlstm.evaluation.metrics.accuracy import chroma_acc as chroma_acc
from keras_axlstm.evaluation.metrics.accuracy import top1_acc as top1_acc
from keras_axlstm.evaluation.metrics.ranking import aucroc as aucroc
from keras_axlstm.evaluation.metrics.ranking import d_prime as d_prime
from keras_axlstm.evaluation.metrics.ranking import (
    mean_average_precision as mean_average_precision,
)

METRICS: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = MappingProxyType(
    {
        "top1_acc": top1_acc,
        "pitch_acc": top1_acc,
        "chroma_acc": chroma_acc,
        "mAP": mean_average_precision,
        "d_prime": d_prime,
        "aucroc": aucroc,
    }
)
