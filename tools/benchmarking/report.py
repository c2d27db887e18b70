"""The Markdown report of a result file."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarking.cases import MLSTM_HEADS, OP_MODES, SIZES, Case, case_from_dict

Record = dict[str, Any]
NOTHING = "–"

EXPLANATION = """\
Time is the median of the repeats with the quartiles in brackets, after warm-up. The first call \
holds tracing and compilation. Memory on a CPU is the peak of resident memory above that of the \
process before the model was built, since the end of the first call (in brackets: first call \
alone); on a GPU, the peak that the backend's allocator reports. The peak share is FLOPs \
(`tools/benchmarking/flops.py`) over time, divided by the faster of two matrix products measured \
in the same process. A ratio of 2 means that we take half the time of the rival, measured in turns \
with us."""


def markdown(content: dict[str, Any]) -> str:
    """Environment, tables of models and of the recurrence alone, notes and errors."""
    environment = content["environment"]
    records = sorted(content["records"], key=_order)
    parts = [
        f"# Benchmark of {content['date'][:10]}",
        "\n".join(f"- {line}" for line in _environment_lines(environment)),
        EXPLANATION,
    ]
    for title, is_op in (("Models", False), ("Recurrence alone", True)):
        chosen = [record for record in records if (_case(record).work.mode in OP_MODES) == is_op]
        if chosen:
            parts += [f"## {title}", table(chosen)]
    if content["notes"]:
        parts += ["## Notes", "\n".join(f"- {note}" for note in content["notes"])]
    return "\n\n".join(parts) + "\n"


def table(records: Sequence[Record]) -> str:
    """One row a record, with a ratio column for every rival that was timed in turns with ours."""
    rivals = dict.fromkeys(
        label for record in records for label in record.get("figures", {}).get("against", {})
    )
    columns: dict[str, Callable[[Record], str]] = {
        "Mode": lambda record: _case(record).work.mode,
        "Model": _model,
        "Batch": lambda record: str(_case(record).work.batch),
        "Steps": lambda record: f"{_case(record).work.steps:,}",
        "Case": lambda record: _case(record).label,
        "Time": _time_or_error,
        "Samples/s": _figure(lambda f: number(f["samples_per_second"])),
        "Tokens/s": _figure(lambda f: number(f["tokens_per_second"])),
        "First call": _figure(lambda f: duration(f["first_call_seconds"])),
        "Memory": _figure(_memory),
        "Peak share": _figure(lambda f: f"{f['share_of_matmul_peak']:.1%}"),
    }
    if any("relative_error" in record.get("figures", {}) for record in records):
        columns["Error"] = _figure(_error)
    for label in rivals:
        columns[f"× {label}"] = _figure(lambda f, label=label: _ratio(f, label))
    rows = [[column(record) for column in columns.values()] for record in records]
    return _lines([list(columns), ["---"] * len(columns), *rows])


def summary(record: Record) -> str:
    """One line: the time and the ratios, or the error."""
    against = record.get("figures", {}).get("against", {})
    ratios = [f"{number(measured['ratio'])} × {label}" for label, measured in against.items()]
    return ", ".join([_time_or_error(record), *ratios])


def duration(seconds: float) -> str:
    """Three digits with a unit."""
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{number(seconds * factor)} {unit}"
    return f"{number(seconds * 1e6)} µs"


def number(value: float) -> str:
    """Three significant digits, more before the point if there are."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 1 else f"{value:.{1 if value >= 10 else 2}f}"


def megabytes(size: int) -> str:
    """Bytes in units of 10^6."""
    return f"{size / 1e6:,.0f} MB"


def _figure(show: Callable[[dict[str, Any]], str]) -> Callable[[Record], str]:
    """A cell that shows a figure, or nothing for a failed case."""
    return lambda record: show(record["figures"]) if "figures" in record else NOTHING


def _time_or_error(record: Record) -> str:
    if "error" in record:
        # A bar would end the cell.
        return f"failed: {record['error']}".replace("|", "\\|")
    figures = record["figures"]
    lower, upper = (duration(seconds) for seconds in figures["quartiles_seconds"])
    return f"{duration(figures['median_seconds'])} [{lower}, {upper}]"


def _memory(figures: dict[str, Any]) -> str:
    if figures["memory_on_device"] is not None:
        return megabytes(figures["memory_on_device"])
    running, first = figures["memory_running"], megabytes(figures["memory_with_first_call"])
    return f"{NOTHING if running is None else megabytes(running)} [{first}]"


def _error(figures: dict[str, Any]) -> str:
    error = figures.get("relative_error")
    return NOTHING if error is None else f"{error:.1e}"


def _ratio(figures: dict[str, Any], label: str) -> str:
    measured = figures["against"].get(label)
    return number(measured["ratio"]) if measured else NOTHING


def _model(record: Record) -> str:
    work = _case(record).work
    if work.mode in OP_MODES:
        return f"{MLSTM_HEADS} heads × {SIZES[work.size].head_dim}"
    return f"{work.model} {work.size}"


def _case(record: Record) -> Case:
    return case_from_dict(record["case"])


def _order(record: Record) -> tuple:
    """Cases of the same work together, rivals last."""
    case = _case(record)
    work, size = case.work, list(SIZES).index(case.work.size)
    return work.mode, work.model, size, work.steps, work.batch, case.source != "keras_axlstm"


def _environment_lines(environment: dict[str, Any]) -> Iterable[str]:
    device = f"{environment['gpu']}, " if environment["gpu"] else ""
    yield f"{device}{environment['cpu']}, {environment['cores']} cores, {environment['system']}"
    yield ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    changed = " with uncommitted changes" if environment["dirty"] else ""
    yield f"commit {environment['commit'] or 'unknown'}{changed}"
    if environment["variables"]:
        yield ", ".join(f"{name}={value}" for name, value in environment["variables"].items())
    yield f"`{environment['command']}`"


def _lines(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
