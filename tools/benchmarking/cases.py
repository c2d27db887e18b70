"""What is timed: sizes of the models, cases, and their grouping."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MODEL_MODES = ("forward", "train")
OP_MODES = ("op", "op-train")
MODES = MODEL_MODES + OP_MODES

BANDS = 80
PATCH_SIZE = (4, 16)
TOKENS_PER_TIME_STEP = BANDS // PATCH_SIZE[1]
MLSTM_HEADS = 4
EXPANSION_FACTOR = 3
MLP_RATIO = 4

OURS = "keras_axlstm"
OFFICIAL = "official"
SDPA = "sdpa"
MLSTM_KERNELS = "mlstm_kernels"
# The kernels of `mlstm_kernels` that are made for training; not all run on every device.
MLSTM_KERNELS_NAMES = (
    "chunkwise--triton_xl_chunk",
    "chunkwise--triton_limit_chunk",
    "parallel--triton_limit_headdim",
    "parallel--native_custbw",
)
PEERS = (SDPA, *MLSTM_KERNELS_NAMES)


@dataclass(frozen=True)
class Size:
    """Size of a model."""

    hidden_dim: int
    num_layers: int
    attention_heads: int

    @property
    def inner_dim(self) -> int:
        """Channels inside an AxLSTM block."""
        return EXPANSION_FACTOR * self.hidden_dim

    @property
    def head_dim(self) -> int:
        """Channels of a head of the mLSTM."""
        return self.inner_dim // MLSTM_HEADS


SIZES = {
    "test": Size(hidden_dim=32, num_layers=2, attention_heads=2),
    "tiny": Size(hidden_dim=192, num_layers=12, attention_heads=3),
    "small": Size(hidden_dim=384, num_layers=12, attention_heads=6),
    "base": Size(hidden_dim=768, num_layers=12, attention_heads=12),
}


@dataclass(frozen=True)
class Work:
    """What is computed, whoever does it: cases of the same work are compared."""

    mode: str
    model: str  # axlstm, ssast; mlstm is the recurrence alone
    size: str
    batch: int
    steps: int  # tokens, class token included


@dataclass(frozen=True)
class Case:
    """One row of the report."""

    work: Work
    backend: str
    dtype: str  # dtype policy
    implementation: str = "auto"  # of the recurrence; in `mlstm_kernels` the name of the kernel
    form: str = "auto"  # of the recurrence
    compiled: bool = False  # torch.compile
    source: str = OURS  # whose code

    @property
    def label(self) -> str:
        """The case among those of the same work."""
        if self.source != OURS:
            kernel = f" {self.implementation}" if self.source == MLSTM_KERNELS else ""
            return f"{self.source}{kernel}"
        parts = [self.backend, self.dtype, self.implementation]
        if self.work.mode in OP_MODES:
            parts.append(self.form)
        if self.compiled:
            parts.append("torch.compile")
        return " ".join(parts)

    def __str__(self) -> str:
        work = self.work
        return (
            f"{work.mode} {work.model} {work.size}, batch {work.batch}, {work.steps} steps, "
            f"{self.label}"
        )


@dataclass(frozen=True)
class Group:
    """Our cases of one work, and the rivals that each of them is timed in turns with."""

    work: Work
    ours: list[Case]
    rivals: list[Case]


def case_from_dict(fields: dict) -> Case:
    """The inverse of `dataclasses.asdict`."""
    return Case(**{**fields, "work": Work(**fields["work"])})


def spectrogram_length(steps: int) -> int:
    """Frames of the spectrogram that becomes `steps` tokens, the class token among them.

    Raises:
        ValueError: no spectrogram does.
    """
    time_steps, rest = divmod(steps - 1, TOKENS_PER_TIME_STEP)
    if time_steps < 1 or rest:
        raise ValueError(
            f"Expected a number of steps that is 1 (the class token) plus a multiple of "
            f"{TOKENS_PER_TIME_STEP}, such as 251 or 501, received {steps}. Other numbers work in "
            f"the modes {' and '.join(OP_MODES)}."
        )
    return time_steps * PATCH_SIZE[0]


def plan(
    *,
    backends: Sequence[str],
    sizes: Sequence[str],
    models: Sequence[str],
    batches: Sequence[int],
    steps: Sequence[int],
    dtypes: Sequence[str],
    implementations: Sequence[str],
    forms: Sequence[str],
    modes: Sequence[str],
    with_torch_compile: bool = False,
    rivals_of_models: Iterable[Case] = (),
    rivals_of_op: Iterable[Case] = (),
) -> list[Group]:
    """Every combination, grouped by work. The work of the rivals given is replaced."""
    rivals = {False: list(rivals_of_models), True: list(rivals_of_op)}
    groups = []
    for work in _works(modes, models, sizes, batches, steps):
        is_op = work.mode in OP_MODES
        # The transformer has no recurrence to choose an implementation of.
        ours = [
            Case(work, backend, dtype, implementation, form, compiled)
            for dtype, implementation, form, backend, compiled in itertools.product(
                dtypes,
                ["auto"] if work.model == "ssast" else implementations,
                forms if is_op else ["auto"],
                backends,
                [False, True],
            )
            if not compiled or (with_torch_compile and backend == "torch")
        ]
        theirs = [dataclasses.replace(rival, work=work) for rival in rivals[is_op]]
        groups.append(Group(work, ours, theirs))
    return groups


def _works(modes, models, sizes, batches, steps) -> Iterator[Work]:
    for mode in modes:
        for model in ["mlstm"] if mode in OP_MODES else models:
            for size, count, batch in itertools.product(sizes, steps, batches):
                yield Work(mode, model, size, batch, count)
