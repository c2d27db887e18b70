"""`keras-axlstm doctor`: what is installed, which kernels run, and whether they are right."""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from keras_axlstm.cli.backend import choose_backend
from keras_axlstm.cli.installed import describe_installation, format_installation
from keras_axlstm.cli.table import format_table

if TYPE_CHECKING:
    from keras_axlstm.recurrence.kernels.self_check import Check, KernelReport

# 2, 4, 16 and 64 s of audio: 125 patches a second and the class token.
STEPS = (251, 501, 2001, 8001)
EXIT_FAILED = 1


class Choice(NamedTuple):
    """How the recurrence of a preset is computed here for a number of steps."""

    preset: str
    head_dim: int
    steps: int
    form: str
    chunk_size: int | None  # None in the parallel form
    # What computes the recurrence, the middle of a block around it, its projections, and the whole
    # block at inference, as "C++ kernel".
    mlstm: str
    mixer: str
    projection: str
    block: str


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "doctor",
        help="check the installation and the fused kernels",
        description=(
            "Show what is installed and which implementation of the recurrence runs here, and "
            "check the fused kernels on this machine. A kernel that fails is not used from then "
            "on, until it passes. Exit code 1: a kernel failed."
        ),
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--no-check", action="store_true", help="do not run the kernels")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print the report; 1 if a kernel failed its check."""
    choose_backend()
    facts = describe_installation()
    if not arguments.json:
        print(format_installation(facts), flush=True)

    # Before the choices, which depend on the result.
    reports = [] if arguments.no_check else _check_kernels()
    choices, reasons = _choices()
    advice = _advice(reports, reasons, checked=not arguments.no_check)
    failed = any(report.problems for report in reports)
    if arguments.json:
        checks = [_check_fields(check) for report in reports for check in report.checks]
        report = {
            "installed": facts,
            "choices": [choice._asdict() for choice in choices],
            "reasons_for_ops": reasons,
            "checks": checks,
            "advice": advice,
        }
        print(json.dumps(report, indent=2))
    else:
        _print_choices(choices, reasons)
        _print_checks([check for report in reports for check in report.checks])
        print(f"\n{advice}")
    return EXIT_FAILED if failed else 0


def _check_kernels() -> "list[KernelReport]":
    from keras_axlstm.recurrence.kernels.self_check import CASES, check_kernel

    print("Checking the kernels; the first time compiles them ...", file=sys.stderr)
    return [check_kernel(kernel) for kernel in CASES]


def _choices() -> tuple[list[Choice], dict[str, list[str]]]:
    """A choice a preset and number of steps, and by kernel why `keras.ops` computes any of them."""
    from keras import ops

    from keras_axlstm.recurrence import kernels
    from keras_axlstm.recurrence.choice import choose_form

    choices = []
    reasons: dict[str, list[str]] = {kernel: [] for kernel in kernels.KERNELS}
    for preset, head_dim in _head_dims().items():
        languages = {}
        for kernel in kernels.KERNELS:
            # Of the size only head_dim matters to a kernel.
            x = ops.zeros((1, 1, 1, head_dim))
            languages[kernel], why_not = kernels.language(kernel, x)
            reasons[kernel] += [reason for reason in why_not if reason not in reasons[kernel]]
        for steps in STEPS:
            form = choose_form(steps, head_dim, kernel=languages["mlstm"] is not None)
            chunk_size = form.chunk_size if form.name == "chunkwise" else None
            implementations = (_implementation(language) for language in languages.values())
            choices.append(Choice(preset, head_dim, steps, form.name, chunk_size, *implementations))
    return choices, reasons


def _implementation(language: str | None) -> str:
    return f"{language} kernel" if language else "keras.ops"


def _head_dims() -> dict[str, int]:
    """Channels of a head by AxLSTM preset."""
    from keras_axlstm.models.presets import PRESETS_FOLDER

    sizes = {}
    for file in PRESETS_FOLDER.glob("axlstm_*/config.json"):
        config = json.loads(file.read_text(encoding="utf-8"))["config"]
        channels = config["hidden_dim"] * config["expansion_factor"]
        sizes[file.parent.name] = channels // config["num_heads"]
    return dict(sorted(sizes.items(), key=lambda item: item[1]))


def _print_choices(choices: Sequence[Choice], reasons: dict[str, list[str]]) -> None:
    rows = [["-" if value is None else value for value in choice] for choice in choices]
    names = ("recurrence", "mixer", "projections", "whole block")
    header = ("preset", "head_dim", "steps", "form", "chunk", *names)
    print(f"\n{format_table(header, rows)}")
    for kernel, name in zip(reasons, names, strict=True):
        if reasons[kernel]:
            print(f"\nkeras.ops for the {name}, because:")
            print("\n".join(f"- {reason}" for reason in reasons[kernel]))


def _print_checks(checks: "Sequence[Check]") -> None:
    if not checks:
        return
    rows = [
        (
            check.kernel,
            check.form,
            check.head_dim,
            check.dtype,
            f"{check.value_error:.1e}",
            f"{check.gradient_error:.1e}",
            f"{check.seconds:.2f}",
            "FAILED" if check.problem else "ok",
        )
        for check in checks
    ]
    header = ("kernel", "form", "head_dim", "dtype", "values", "gradients", "seconds", "")
    print(f"\nLargest relative errors against keras.ops:\n{format_table(header, rows)}")


def _check_fields(check: "Check") -> dict[str, object]:
    """For JSON, which has no numbers that are not finite."""
    fields = check._asdict() | {"tolerance": check.tolerance, "problem": check.problem}
    return {
        name: None if isinstance(field, float) and not math.isfinite(field) else field
        for name, field in fields.items()
    }


def _advice(reports: "Sequence[KernelReport]", reasons: dict[str, list[str]], checked: bool) -> str:
    """One line: what to do."""
    from keras_axlstm.recurrence.kernels import OPTIONAL

    failed = [f"{report.kernel}: {report.problems[0]}" for report in reports if report.problems]
    if failed:
        unwritten = [report.not_recorded for report in reports if report.not_recorded]
        if unwritten:
            return (
                f"FAILED: {'; '.join(failed)}. This could not be written down ({unwritten[0]}), so "
                "the kernel stays in use: set KERAS_HOME to a folder that can be written to, and "
                "run `keras-axlstm doctor` again."
            )
        return (
            f"FAILED: {'; '.join(failed)}. keras.ops computes in its place from now on. Update the "
            "package or the backend, then run `keras-axlstm doctor` again."
        )
    needed = [kernel for kernel in reasons if kernel not in OPTIONAL]
    missing = [f"no kernel for the {kernel}" for kernel in needed if reasons[kernel]]
    if missing:
        return (
            f"Everything works; {' and '.join(missing)} here, the reasons are above. What they "
            "would compute is computed by keras.ops, more slowly."
        )
    if not checked:
        return "Kernels are available. Run `keras-axlstm doctor` without --no-check to check them."
    return "All is well: nothing to do."
