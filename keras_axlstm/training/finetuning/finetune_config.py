import dataclasses
from typing import Any, Literal

from keras_axlstm.training.options import check_fields, option

# By mode: few new weights may move fast.
LEARNING_RATES = {"frozen": 1e-2, "lora": 3e-3, "full": 1e-3}
LAYER_DECAY = 0.75
# As `keras_axlstm.models.open_preset` has it, which would load Keras.
RANDOM_PREFIX = "random:"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FinetuneConfig:
    """Everything that fine-tuning follows from.

    The fields are the options of `keras-axlstm finetune`, which shows what each means. `None` is
    the default that the explanation names.

    Raises:
        ValueError: a value of a wrong type or out of its range, or fields that exclude each other.

    Example:

    ```python
    from keras_axlstm.training import FinetuneConfig

    FinetuneConfig(source="clips", output="my_classifier", preset="my_preset", mode="lora")
    ```
    """

    source: str | None = option(
        "data",
        "folder with a sub-folder a class, or with such a folder for each of train, validation and "
        "test",
        None,
        metavar="DIR",
    )
    manifest: str | None = option(
        "data",
        "a .csv or .parquet file in place of the folder: columns `path`, `label` or `labels` "
        "(several a file, separated by ;), and if you like `split`",
        None,
        metavar="FILE",
    )
    classes: str | None = option(
        "data",
        "text file of class names, one a line: only they may be labels (default: all that occur)",
        None,
        metavar="FILE",
    )
    validation: float = option(
        "data", "share of each class for validation, if no split names it", 0.2, at_least=0, below=1
    )
    test: float = option(
        "data", "share of each class for a test, if no split names it", 0.0, at_least=0, below=1
    )
    output: str = option("data", "folder to write: the preset of a classifier", metavar="DIR")

    preset: str = option(
        "model", "preset name or folder to start from", "axlstm_tiny", metavar="NAME_OR_DIR"
    )
    random_weights: bool = option(
        "model",
        "start from the architecture of the preset, with random weights that follow from the seed; "
        "the same as --preset random:NAME:SEED",
        False,
    )
    mode: Literal["frozen", "lora", "full"] = option(
        "model", "train the new layers only, low-rank updates too, or all weights", "full"
    )
    lora_rank: int = option("model", "rank of the updates with mode lora", 8, at_least=1)
    pooling: Literal["mean", "attention", "class_token"] = option(
        "model", "from the tokens of a clip to one vector", "mean"
    )
    dropout: float = option("model", "before the last layer", 0.0, at_least=0, below=1)

    epochs: int = option("training", "passes over the training files", 20, at_least=1)
    batch_size: int = option("training", "clips of a step", 32, at_least=1)
    learning_rate: float | None = option(
        "training",
        "its peak (default: " + ", ".join(f"{m} {r}" for m, r in LEARNING_RATES.items()) + ")",
        None,
        above=0,
    )
    layer_decay: float | None = option(
        "training",
        "factor of the learning rate from a block to the one before, with mode full (default: "
        f"{LAYER_DECAY}, with random weights 1)",
        None,
        above=0,
    )
    weight_decay: float = option("training", "of AdamW", 0.05, at_least=0)
    spec_augment: bool = option("training", "cover stretches of time and bands", False)
    mixup: float | None = option(
        "training", "mix clips, with this alpha (default: do not)", None, above=0
    )
    seed: int = option("training", "all draws follow from it", 0, at_least=0, below=2**32)

    progress: bool = option("output", "show a progress bar", True)

    def __post_init__(self) -> None:
        check_fields(self)
        if (self.source is None) == (self.manifest is None):
            raise ValueError(
                "Give a folder of class folders (`source`) or a `manifest`, one of them. Received: "
                f"source={self.source!r}, manifest={self.manifest!r}"
            )
        if self.validation + self.test >= 1:
            raise ValueError(
                "`validation` and `test` must leave something to train on. Received: "
                f"{self.validation} and {self.test}"
            )
        if self.layer_decay is not None and self.layer_decay > 1:
            raise ValueError(f"`layer_decay` must be in (0, 1]. Received: {self.layer_decay}")
        if self.layer_decay is not None and self.mode != "full":
            raise ValueError(f"`layer_decay` is for mode 'full'. Received: mode={self.mode!r}")
        if self.random_weights and self.preset.startswith(RANDOM_PREFIX):
            raise ValueError(
                "`random_weights` takes the name of a preset without `random:`. Received: "
                f"{self.preset}"
            )

    @property
    def peak_learning_rate(self) -> float:
        """The learning rate at the end of the warm-up."""
        return LEARNING_RATES[self.mode] if self.learning_rate is None else self.learning_rate

    @property
    def start(self) -> str:
        """What `open_preset` opens."""
        return f"{RANDOM_PREFIX}{self.preset}:{self.seed}" if self.random_weights else self.preset

    @property
    def decay_over_layers(self) -> float:
        """Factor of the learning rate from a block to the one before."""
        is_random = self.start.startswith(RANDOM_PREFIX)
        if self.mode != "full" or (self.layer_decay is None and is_random):
            return 1.0
        return LAYER_DECAY if self.layer_decay is None else self.layer_decay

    def as_dict(self) -> dict[str, Any]:
        """The fields, in the types of JSON."""
        return dataclasses.asdict(self)
