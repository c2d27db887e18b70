"""One model of a published table."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class PublishedRow:
    """A model's results.

    Attributes:
        group: "supervised", "self_supervised", "ssast" or "axlstm".
        model: its name.
        pretraining_data: abbreviation of the data set; empty for none.
        params_millions: number of parameters; NaN where not given.
        params_include_decoder: whether the decoder is counted.
        scores: mean of each task, in percent.
        half_widths: half of the 95 % interval of each task.
        score: overall score s(m) as printed.
        half_width: half of its 95 % interval.
    """

    group: str
    model: str
    pretraining_data: str
    params_millions: float
    params_include_decoder: bool
    scores: Mapping[str, float]
    half_widths: Mapping[str, float]
    score: float
    half_width: float
