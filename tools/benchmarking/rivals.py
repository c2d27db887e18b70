"""Other people's code that ours is compared with, and what of it cannot run here."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from benchmarking.cases import MLSTM_KERNELS, MLSTM_KERNELS_NAMES, OFFICIAL, SDPA, Case, Work
from benchmarking.environment import git

# Replaced by the work of each group.
ANY_WORK = Work("", "", "", 0, 0)

PACKAGES_OF_OFFICIAL = ("torch", "einops")


def official_rivals(checkout: Path | None, gpu: str | None) -> tuple[list[Case], list[str]]:
    """The authors' code as the case of a group, and notes for the reader."""
    if checkout is None:
        return [], []
    missing = [name for name in PACKAGES_OF_OFFICIAL if not _installed(name)]
    if missing:
        return [], [f"The authors' code did not run: {', '.join(missing)} not installed."]
    # A checkout without a history of its own may lie inside another repository.
    is_checkout = (checkout / ".git").exists()
    commit = git("rev-parse", "HEAD", folder=checkout) if is_checkout else None
    dtype = "mixed_float16" if gpu else "float32"
    notes = [f"official: the authors' code at commit {commit or 'unknown'}, in {dtype}."]
    return [Case(ANY_WORK, "torch", dtype, source=OFFICIAL)], notes


def peer_rivals(
    names: Sequence[str], dtypes: Sequence[str], gpu: str | None
) -> tuple[list[Case], list[str]]:
    """Kernels of other libraries as cases of a group, and notes for the reader.

    Args:
        names: of `PEERS`, those that are wanted.
        dtypes: of our cases.
        gpu: the device, None for the CPU.
    """
    if not _installed("torch"):
        return [], ["No peers: torch is not installed."]
    # One precision for the peers of a group, the one that they are made for where it is asked for.
    dtype = "mixed_bfloat16" if "mixed_bfloat16" in dtypes else "float32"
    cases, notes = [], []
    if SDPA in names:
        cases.append(Case(ANY_WORK, "torch", dtype, source=SDPA))
        notes.append(
            f"sdpa: causal torch.nn.functional.scaled_dot_product_attention, in {dtype}, on "
            f"{gpu or 'the CPU'}."
        )
    kernels = [name for name in MLSTM_KERNELS_NAMES if name in names]
    if not kernels:
        return cases, notes
    if _installed(MLSTM_KERNELS):
        cases += [
            Case(ANY_WORK, "torch", dtype, implementation=name, source=MLSTM_KERNELS)
            for name in kernels
        ]
        notes.append(f"mlstm_kernels: in {dtype}; the error is relative to our op in float32.")
    else:
        notes.append(
            "mlstm_kernels was not timed: it is not installed (pip install mlstm_kernels)."
        )
    return cases, notes


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
