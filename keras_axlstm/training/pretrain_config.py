import dataclasses
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from keras_axlstm.training.options import check_fields, check_names, option

PAPER_EPOCHS = 100
PAPER_BASE_LEARNING_RATE = 1.5e-4
# The paper's rule gives a small batch so small a rate that a short run would show nothing.
SHORT_RUN_LEARNING_RATE = 1e-3

AXLSTM_ONLY = ("expansion_factor", "flip", "input_gate", "forget_gate")
# Of each pair one at most may be given.
ALTERNATIVES = (("epochs", "steps"), ("base_learning_rate", "learning_rate"))
# What may change when a run goes on: it has no influence on the weights. The source may have been
# moved; that it has as many clips is checked.
FREE_ON_RESUME = (
    "source",
    "output",
    "checkpoint_every",
    "keep_checkpoints",
    "picture_every",
    "tensorboard",
    "progress",
    "workers",
    "distribution",
    "model_devices",
)

Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainConfig:
    """Everything that a pretraining run follows from; the defaults are the paper's recipe.

    The fields are the options of `keras-axlstm pretrain`, which shows what each means. `None` is
    the default that the explanation names. To and from TOML and JSON files.

    Raises:
        ValueError: an unknown field, a value of a wrong type or out of its range, or fields that
            exclude each other. The message names the field.

    Source: https://arxiv.org/abs/2408.16568, section 3.2, and the authors' configuration.

    Example:

    ```python
    from keras_axlstm.training import PretrainConfig

    config = PretrainConfig(source="clips", output="my_preset", size="small", batch_size=256)
    config.peak_learning_rate  # 1.5e-4
    ```
    """

    source: str = option(
        "data",
        "folder of audio files (wav, flac, ogg, mp3), of tars or of prepared shards, or a .csv or "
        ".parquet manifest",
        metavar="SOURCE",
    )
    output: str = option("data", "folder to write: the preset", metavar="PRESET_DIR")
    workers: int = option(
        "data", "processes that read audio; 0: threads of the training process", 0, at_least=0
    )

    dynamic_range: float | None = option(
        "data",
        "decibels below the loudest value of a clip's log-mel spectrogram to which softer ones are "
        "raised, in training and by the preset (default: that of the initial preset, or no limit)",
        None,
        above=0,
    )

    model: Literal["axlstm", "ssast"] = option("model", "architecture", "axlstm")
    size: Literal["tiny", "small", "base"] = option("model", "width of the encoder", "tiny")
    expansion_factor: Literal[2, 3, 4] | None = option(
        "model", "width of the AxLSTM blocks (default: 3)", None
    )
    patch_size: tuple[int, int] | None = option(
        "model",
        "frames and bands of a patch (default: 4 16)",
        None,
        at_least=1,
        metavar=("TIME", "FREQUENCY"),
    )
    flip: bool | None = option("model", "every second block reads backwards (default: no)", None)
    input_gate: Literal["exp", "sigmoid"] | None = option(
        "model", "activation of the input gate (default: exp)", None
    )
    forget_gate: Literal["sigmoid", "exp"] | None = option(
        "model", "activation of the forget gate (default: sigmoid)", None
    )
    initial_preset: str | None = option(
        "model",
        "name or folder of a preset of this architecture, whose weights the training begins with "
        "(default: random ones)",
        None,
        metavar="PRESET",
    )
    mask_ratio: float = option("model", "share of patches hidden", 0.5, at_least=0, below=1)
    mask_mode: Literal["unstructured", "timestep"] = option(
        "model", "hide single patches or whole time steps", "unstructured"
    )
    position_on_masked: bool = option(
        "model", "a hidden patch keeps its position, as in eq. 10 of the paper", False
    )
    loss_on: Literal["masked", "all"] = option("model", "patches that count in the loss", "masked")

    epochs: int | None = option(
        "training", f"passes over the clips (default: {PAPER_EPOCHS})", None, at_least=1
    )
    steps: int | None = option("training", "length in steps in place of epochs", None, at_least=1)
    batch_size: int = option("training", "clips of a step, over all devices", 1024, at_least=1)
    gradient_accumulation: int = option(
        "training", "parts in which a step takes its clips, to need less memory", 1, at_least=1
    )
    base_learning_rate: float | None = option(
        "training",
        "peak learning rate for a batch of 256, scaled with the batch size (default with --epochs: "
        f"{PAPER_BASE_LEARNING_RATE})",
        None,
        above=0,
    )
    learning_rate: float | None = option(
        "training",
        f"peak learning rate as it is (default with --steps: {SHORT_RUN_LEARNING_RATE})",
        None,
        above=0,
    )
    warmup: float = option(
        "training",
        "part of the training in which the rate rises; then it falls to 0 as a cosine",
        0.1,
        at_least=0,
        below=1,
    )
    weight_decay: float = option(
        "training", "of AdamW, on all weights of two and more dimensions", 0.05, at_least=0
    )
    precision: Precision = option(
        "training", "of the computation; float16 with loss scaling", "float32"
    )
    distribution: Literal["none", "data", "model"] = option(
        "training",
        "one device, copies of the model on all of them, or groups of devices with a model each "
        "(jax)",
        "none",
    )
    model_devices: int | None = option(
        "training", "devices of a group, for --distribution model", None, at_least=2
    )
    seed: int = option("training", "all draws follow from it", 0, at_least=0, below=2**32)

    log_every: int | None = option(
        "output",
        "steps of a row of history.csv (default: 1 to 50, by the length)",
        None,
        at_least=1,
    )
    tensorboard: bool = option("output", "write TensorBoard logs (extra tensorboard)", False)
    picture_every: int | None = option(
        "output",
        "epochs between pictures of a reconstruction (extra plots; default: none)",
        None,
        at_least=1,
    )
    checkpoint_every: int = option(
        "output", "steps between checkpoints, from which --resume goes on", 1000, at_least=1
    )
    keep_checkpoints: int = option("output", "newest checkpoints that are kept", 2, at_least=1)
    progress: bool = option("output", "show a progress bar", True)

    def __post_init__(self) -> None:
        check_fields(self)
        for pair in ALTERNATIVES:
            if None not in (getattr(self, name) for name in pair):
                raise ValueError(f"`{pair[0]}` and `{pair[1]}` exclude each other: give one.")
        others = [name for name in AXLSTM_ONLY if getattr(self, name) is not None]
        if self.model != "axlstm" and others:
            raise ValueError(f"{', '.join(others)}: only for model 'axlstm', not {self.model!r}.")
        if self.batch_size % self.gradient_accumulation:
            raise ValueError(
                f"`gradient_accumulation` must divide batch_size={self.batch_size}. "
                f"Received: {self.gradient_accumulation}"
            )

    @property
    def peak_learning_rate(self) -> float:
        """The learning rate at the end of the warm-up."""
        if self.learning_rate is not None:
            return self.learning_rate
        if self.base_learning_rate is None and self.steps is not None:
            return SHORT_RUN_LEARNING_RATE
        return (self.base_learning_rate or PAPER_BASE_LEARNING_RATE) * self.batch_size / 256

    def total_steps(self, steps_per_epoch: int) -> int:
        """Steps of the run."""
        return self.steps or (self.epochs or PAPER_EPOCHS) * steps_per_epoch

    def as_dict(self) -> dict[str, Any]:
        """The fields that are not None, in the types of JSON and TOML."""
        values = dataclasses.asdict(self)
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value is not None
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PretrainConfig":
        """A configuration of some fields, the rest as by default.

        Raises:
            ValueError: as the class, or a field that has no default is missing.
        """
        check_names(cls, values)
        return cls(**values)

    def to_toml(self) -> str:
        """The text of a TOML file."""
        import tomli_w

        return tomli_w.dumps(self.as_dict())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file that `read_config` reads, TOML or JSON by its ending."""
        is_json = _is_json(path)
        text = json.dumps(self.as_dict(), indent=4) + "\n" if is_json else self.to_toml()
        Path(path).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "PretrainConfig":
        """The configuration in a TOML or JSON file."""
        return cls.from_dict(read_config(path))

    def differences(self, other: "PretrainConfig") -> list[str]:
        """The fields in which the runs of two configurations would differ, with both values."""
        return [
            f"{field.name} ({getattr(self, field.name)!r}, not {getattr(other, field.name)!r})"
            for field in dataclasses.fields(self)
            if field.name not in FREE_ON_RESUME
            and getattr(self, field.name) != getattr(other, field.name)
        ]


def read_config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The values in a TOML or JSON file, not yet checked.

    Raises:
        ValueError: another ending, or contents that cannot be read.
        OSError: a file that cannot be opened.
    """
    is_json = _is_json(path)
    text = Path(path).read_text(encoding="utf-8")
    try:
        values = json.loads(text) if is_json else tomllib.loads(text)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected names and values. Received: {type(values).__name__}")
    return values


def override(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """`others` over `values`: one of two alternatives removes the other."""
    removed = {name for pair in ALTERNATIVES if not others.keys().isdisjoint(pair) for name in pair}
    return {name: value for name, value in values.items() if name not in removed} | dict(others)


def _is_json(path: str | os.PathLike[str]) -> bool:
    ending = Path(path).suffix
    if ending not in (".toml", ".json"):
        raise ValueError(f"Expected a file that ends in .toml or .json. Received: {path}")
    return ending == ".json"
