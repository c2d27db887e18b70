import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_axlstm.files import write_aside

FORMAT = 1


@dataclass(frozen=True)
class RunResult:
    """One model on one task, as a JSON file keeps it.

    Attributes:
        model: name of the model.
        model_identity: hash of what determines its embeddings.
        task: name of the task's folder.
        task_digest: hash of its clips' names and labels.
        inputs_digest: hash of the embeddings and labels that the probe was given.
        protocol: the settings of the probe, with its name under `"name"`.
        num_seeds: seeds of the probe.
        probe: `ProbeResult.as_json()`.
        details: what else is worth knowing: date, seconds, versions.
    """

    model: str
    model_identity: str
    task: str
    task_digest: str
    inputs_digest: str
    protocol: dict[str, Any]
    num_seeds: int
    probe: dict[str, Any]
    details: dict[str, Any]

    @property
    def metric(self) -> str:
        """Name of the primary score."""
        return self.probe["metrics"][0]

    @property
    def mean(self) -> float:
        """Mean of the primary score over the seeds, in percent."""
        return _percent(self.probe["scores"][self.metric]["mean"])

    @property
    def half_width(self) -> float:
        """Half of the 95 % interval of `mean`; NaN for one seed."""
        return _percent(self.probe["scores"][self.metric]["half_width"])

    def save(self, path: Path) -> None:
        """Write the file, complete or not at all."""
        content = {"format": FORMAT, **vars(self)}
        with write_aside(path, overwrite=True) as unfinished:
            unfinished.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", "utf-8")

    @classmethod
    def load(cls, path: Path) -> "RunResult":
        """Read a file that `save` wrote.

        Raises:
            ValueError: it is not one, or of another format.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            found = content.pop("format")
            result = cls(**content)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f"Expected a result of `keras-axlstm evaluate` in {path}. Move the file elsewhere. "
                f"Received: {error}"
            ) from error
        if found != FORMAT:
            raise ValueError(f"Expected a result of format {FORMAT} in {path}. Received: {found}")
        return result


def _percent(value: float | None) -> float:
    return math.nan if value is None else 100 * value
