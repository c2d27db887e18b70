"""tools/benchmark.py: what it measures, reports and writes."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import benchmark
from benchmarking import processes, report, results, runner
from benchmarking.cases import OFFICIAL, Group, case_from_dict
from benchmarking.flops import case_flops
from tests.support.benchmark_cases import OURS, THEIRS, WORK, changed

ROOT = Path(__file__).parents[1]
MEASURED = {
    "device": "cpu",
    "first_call_seconds": 1.5,
    "memory_with_first_call": 30_000_000,
    "memory_running": 20_000_000,
    "memory_on_device": None,
    "matmul_flops_per_second": {"square": 2e9, "up_projection": 1e9},
}
ENVIRONMENT = {
    "cpu": "A CPU (R)",
    "cores": 2,
    "gpu": None,
    "system": "Linux x86_64",
    "versions": {"keras": "3"},
    "commit": "abc",
    "dirty": False,
    "variables": {},
    "command": "python tools/benchmark.py",
}


def record(case, seconds, against=None):
    figures = runner.figures(case, seconds, MEASURED, against or {})
    return {"case": dataclasses.asdict(case), "figures": figures}


# === Measurement ===


class FakeWorker:
    """Stands in for a process; `log` has what was asked of all of them, in order."""

    log: list = []
    seconds = {OFFICIAL: 0.4, "keras_axlstm": 0.1}
    failing: set = set()

    def __init__(self, case, *, warm_up, official):
        self.source = case.source

    def ready(self):
        if self.source in self.failing:
            raise processes.WorkerError("ValueError: no")
        return {**MEASURED}

    def repeat(self, count):
        self.log.append((self.source, count))
        return [self.seconds[self.source]] * count

    def finish(self):
        return {}

    def close(self):
        self.log.append((self.source, "closed"))


@pytest.fixture
def workers(monkeypatch):
    monkeypatch.setattr(FakeWorker, "log", [])
    monkeypatch.setattr(FakeWorker, "failing", set())
    monkeypatch.setattr(runner, "Worker", FakeWorker)
    return FakeWorker


# Of one case of ours and a rival: measurements, then the ends of their processes.
TURNS = [
    (OFFICIAL, 3),
    ("keras_axlstm", 3),
    (OFFICIAL, 1),
    ("keras_axlstm", 1),
    ("keras_axlstm", "closed"),
    (OFFICIAL, "closed"),
]


def run_group(repeats=4, together=False):
    records = []
    effort = runner.Effort(repeats=repeats, warm_up=1, max_seconds=60, together=together)
    runner.run_group(Group(WORK, [OURS], [THEIRS]), effort, None, records.append)
    return records


def test_our_cases_take_turns_with_their_rivals(workers):
    ours, theirs = run_group()
    assert workers.log == TURNS
    assert case_from_dict(ours["case"]) == OURS and case_from_dict(theirs["case"]) == THEIRS
    assert ours["figures"]["against"]["official"] == {
        "median_seconds": 0.4,
        "ratio": pytest.approx(4),
    }
    assert theirs["figures"]["seconds"] == [0.4] * 4


def test_together_all_are_warm_before_any_is_measured(workers, monkeypatch):
    def ready(self):
        self.log.append((self.source, "ready"))
        return {**MEASURED}

    monkeypatch.setattr(workers, "ready", ready)
    ours, theirs = run_group(together=True)
    assert workers.log == [(OFFICIAL, "ready"), ("keras_axlstm", "ready"), *TURNS]
    assert case_from_dict(ours["case"]) == OURS and case_from_dict(theirs["case"]) == THEIRS


def test_a_failing_rival_leaves_ours_alone(workers):
    workers.failing = {OFFICIAL}
    ours, theirs = run_group()
    assert ours["figures"]["against"] == {} and len(ours["figures"]["seconds"]) == 4
    assert theirs["error"] == "ValueError: no" and "figures" not in theirs


def test_a_failing_case_leaves_the_rival_alone(workers):
    workers.failing = {"keras_axlstm"}
    ours, theirs = run_group()
    assert ours["error"] == "ValueError: no"
    assert theirs["figures"]["seconds"] == [0.4] * 4


def test_the_error_of_a_process_is_one_line():
    case = dataclasses.replace(OURS, backend="abacus")
    worker = processes.Worker(case, warm_up=1, official=None)
    try:
        with pytest.raises(processes.WorkerError, match="abacus") as error:
            worker.ready()
    finally:
        worker.close()
    assert len(str(error.value).splitlines()) == 1


def test_heads_that_kernels_of_others_can_take():
    pytest.importorskip("torch")
    from benchmarking import peers

    xl, limited = "chunkwise--triton_xl_chunk", "parallel--triton_limit_headdim"
    assert [peers._widths(xl, size) for size in (16, 24, 64)] == [[16], [32], [64]]
    assert [peers._widths(limited, size) for size in (144, 288)] == [[192, 256], [320, 512]]
    assert peers._widths("parallel--native_custbw", 144) == [144]


def test_inputs_of_the_recurrence():
    from benchmarking import ours

    clips = ours.DRAWN_CLIPS
    work = dataclasses.replace(WORK, mode="op", batch=clips + 2, steps=3)
    (query, *_, forget_gate), cotangent = ours.op_inputs(work)
    assert query.shape == cotangent.shape == (clips + 2, 3, 4, 24)
    assert forget_gate.shape == (clips + 2, 3, 4)
    assert query.dtype == forget_gate.dtype == "float32"
    assert (query[clips:] == query[:2]).all() and (query[0] != query[1]).any()


def test_figures():
    figures = runner.figures(OURS, [0.3, 0.1, 0.2, 0.2, 0.5], MEASURED, {"official": [0.8, 0.6]})
    assert figures["median_seconds"] == 0.2
    assert figures["quartiles_seconds"] == [0.2, 0.3]
    assert figures["samples_per_second"] == pytest.approx(10)
    assert figures["tokens_per_second"] == pytest.approx(110)
    assert figures["share_of_matmul_peak"] == pytest.approx(case_flops(OURS) / 0.2 / 2e9)
    assert figures["against"]["official"] == {
        "median_seconds": pytest.approx(0.7),
        "ratio": pytest.approx(3.5),
    }
    assert runner.quartiles([2.0]) == (2.0, 2.0)


# === Report ===


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(12.3456, "12.3 s"), (0.2, "200 ms"), (0.00234, "2.34 ms"), (4.2e-5, "42.0 µs")],
)
def test_duration(seconds, text):
    assert report.duration(seconds) == text


def test_table():
    failed = {"case": dataclasses.asdict(changed(OURS, steps=251)), "error": "ValueError: a | b"}
    rows = report.table([record(OURS, [0.1], {"official": [0.25]}), failed]).splitlines()
    header, _, timed, not_timed = [row.strip("| ").split(" | ") for row in rows]
    cells = dict(zip(header, timed, strict=True))
    assert cells["Case"] == "jax float32 auto" and cells["Model"] == "axlstm test"
    assert cells["Time"] == "100 ms [100 ms, 100 ms]"
    assert cells["First call"] == "1.50 s" and cells["Memory"] == "20 MB [30 MB]"
    assert cells["× official"] == "2.50"
    assert "failed: ValueError: a \\| b" in rows[3] and not_timed[-1] == report.NOTHING


# === Files ===


def test_no_file_is_overwritten(tmp_path):
    first = results.Results(tmp_path, ENVIRONMENT)
    first.add(record(OURS, [0.1]))
    before = first.json_path.read_bytes(), first.markdown_path.read_bytes()
    second = results.Results(tmp_path, ENVIRONMENT, ["a note"])
    assert second.json_path.stem == f"{first.json_path.stem}-2"
    assert first.json_path.stem.endswith("-a-cpu-r-2-cores")
    assert (first.json_path.read_bytes(), first.markdown_path.read_bytes()) == before
    assert "- a note" in second.markdown_path.read_text(encoding="utf-8")
    assert len(list(tmp_path.iterdir())) == 4


def test_resuming_takes_over_what_succeeded(tmp_path):
    earlier = results.Results(tmp_path, ENVIRONMENT)
    other = dataclasses.replace(OURS, backend="torch")
    earlier.add(record(OURS, [0.1]))
    earlier.add({"case": dataclasses.asdict(other), "error": "ValueError: no"})
    carried = results.load_records(earlier.json_path, ENVIRONMENT)
    assert [case_from_dict(record["case"]) for record in carried] == [OURS]
    groups = [Group(WORK, [OURS, other], [THEIRS]), Group(WORK, [OURS], [THEIRS])]
    assert results.without_done(groups, carried) == [Group(WORK, [other], [THEIRS])]
    with pytest.raises(ValueError, match="found a different commit"):
        results.load_records(earlier.json_path, ENVIRONMENT | {"commit": "def"})


def test_an_interrupt_keeps_what_is_there(tmp_path, monkeypatch, capsys):
    def run_group(group, effort, official, add):
        add(record(group.ours[0], [0.1]))
        raise KeyboardInterrupt

    monkeypatch.setattr(benchmark, "run_group", run_group)
    argv = ["--sizes", "test", "--backends", "jax", "--output", str(tmp_path)]
    assert benchmark.main(argv) == benchmark.INTERRUPTED
    assert "| jax float32 auto | 100 ms" in capsys.readouterr().out
    (path,) = tmp_path.glob("*.json")
    assert len(json.loads(path.read_text(encoding="utf-8"))["records"]) == 1


def run_benchmark(*options):
    command = [sys.executable, "tools/benchmark.py", "--sizes", "test", "--batch", "1"]
    command += ["--steps", "11", "--repeats", "2", "--warm-up", "1", "--modes", "forward"]
    command += ["--backends", keras.config.backend(), *options]
    result = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result


def test_end_to_end_and_resumed(tmp_path):
    result = run_benchmark("--output", str(tmp_path))
    (path,) = tmp_path.glob("*.json")
    before = path.read_bytes()
    content = json.loads(before)
    assert content["environment"]["cores"] >= 1
    assert content["environment"]["versions"]["keras"] == keras.__version__
    (timed,) = content["records"]
    figures = timed["figures"]
    assert len(figures["seconds"]) == 2 and min(figures["seconds"]) > 0
    assert figures["first_call_seconds"] > 0 and figures["warm_up_seconds"] > 0
    assert figures["memory_with_first_call"] > 0
    assert figures["flops"] == case_flops(case_from_dict(timed["case"]))
    assert figures["matmul_flops_per_second"].keys() == {"square", "up_projection"}
    assert result.stdout == path.with_suffix(".md").read_text(encoding="utf-8") + "\n"

    resumed = run_benchmark("--output", str(tmp_path), "--resume", str(path))
    assert "axlstm" not in resumed.stderr, "the case was timed again"
    (new,) = set(tmp_path.glob("*.json")) - {path}
    assert json.loads(new.read_bytes())["records"] == content["records"]
    assert path.read_bytes() == before
