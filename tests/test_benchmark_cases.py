"""tools/benchmark.py: what it counts, plans and accepts."""

import dataclasses

import pytest

from benchmarking import arguments, environment
from benchmarking.cases import MLSTM_KERNELS_NAMES, SDPA, plan, spectrogram_length
from benchmarking.flops import case_flops, recurrence_flops, up_projection_shape
from benchmarking.rivals import peer_rivals
from tests.support.benchmark_cases import OURS, THEIRS, changed

PLANNED = {
    "backends": ["jax", "torch"],
    "sizes": ["test"],
    "models": ["axlstm", "ssast"],
    "batches": [1, 8],
    "steps": [251],
    "dtypes": ["float32"],
    "implementations": ["ops", "fused"],
    "forms": ["parallel", "chunkwise"],
    "modes": ["forward"],
}


# === Counts ===


def test_flops_of_an_encoder():
    # A token: up and down 6 * 32 * 96, q, k and v 3 * 8 * 96, gates 12 * 96 * 4.
    # A head of 24 channels: 11 tokens * min(2 * 24 * 12, 4 * 24^2).
    block = 11 * (18_432 + 2_304 + 4_608) + 4 * 11 * 576
    embedding = 10 * 2 * 64 * 32
    assert case_flops(OURS) == 2 * (2 * block + embedding)
    head = 10 * 2 * 32 * (32 + 64)
    assert case_flops(changed(OURS, mode="train")) == 3 * 2 * (2 * block + embedding + head)


def test_flops_of_the_transformer():
    # A token: 8 * 32^2 for the projections of attention, 16 * 32^2 for the MLP, 4 * 11 * 32.
    block = 11 * (8_192 + 16_384 + 1_408)
    assert case_flops(changed(OURS, model="ssast")) == 2 * (2 * block + 10 * 2 * 64 * 32)


def test_flops_of_the_recurrence_are_those_of_its_cheaper_form():
    assert recurrence_flops(steps=11, head_dim=24) == 11 * 2 * 24 * 12
    assert recurrence_flops(steps=1000, head_dim=24) == 1000 * 4 * 24**2
    op = changed(OURS, mode="op", model="mlstm")
    assert case_flops(op) == 2 * 4 * 11 * 2 * 24 * 12
    assert case_flops(changed(op, mode="op-train")) == 3 * case_flops(op)
    attention = dataclasses.replace(changed(op, steps=1000), source="sdpa")
    assert case_flops(attention) == 2 * 4 * 1000 * 2 * 24 * 1001


def test_shape_of_the_widest_product():
    assert up_projection_shape(OURS) == (22, 32, 192)
    assert up_projection_shape(changed(OURS, model="ssast")) == (22, 32, 128)


def test_spectrogram_length():
    assert [spectrogram_length(steps) for steps in (6, 251, 501)] == [4, 200, 400]
    for steps in (1, 250, 64):
        with pytest.raises(ValueError, match=f"multiple of 5.*received {steps}"):
            spectrogram_length(steps)


# === Plan ===


def test_plan_groups_cases_of_the_same_work():
    groups = plan(**PLANNED, rivals_of_models=[THEIRS])
    assert [(group.work.model, group.work.batch) for group in groups] == [
        ("axlstm", 1),
        ("axlstm", 8),
        ("ssast", 1),
        ("ssast", 8),
    ]
    axlstm, ssast = groups[0], groups[2]
    assert [(case.implementation, case.backend) for case in axlstm.ours] == [
        ("ops", "jax"),
        ("ops", "torch"),
        ("fused", "jax"),
        ("fused", "torch"),
    ]
    # The transformer has no recurrence.
    assert [case.implementation for case in ssast.ours] == ["auto", "auto"]
    for group in groups:
        assert [rival.work for rival in group.rivals] == [group.work]


def test_plan_of_the_recurrence():
    groups = plan(**PLANNED | {"modes": ["op", "op-train"]}, with_torch_compile=True)
    assert [group.work.mode for group in groups] == ["op", "op", "op-train", "op-train"]
    cases = groups[0].ours
    assert len(cases) == 2 * 2 * 3 and {case.form for case in cases} == {"parallel", "chunkwise"}
    assert {case.backend for case in cases if case.compiled} == {"torch"}
    assert cases[2].label == "torch float32 ops parallel torch.compile"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--steps", "64"], "multiple of 5"),
        (["--modes", "op", "--official", "."], "expected --modes forward or train"),
        (["--peers"], "expected --modes op or op-train"),
        (["--modes", "op", "--peers", "abacus"], "invalid choice: 'abacus'"),
        (["--backends", "jax", "--compile"], "expected torch"),
        (["--repeats", "0"], "positive integer"),
        (["--max-seconds", "nan"], "positive number"),
    ],
)
def test_wrong_arguments(wrong, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        arguments.parse(wrong)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_the_recorded_command_has_no_paths_of_the_machine():
    command = environment.command_line(["--official", "/some/where/official code", "--peers"])
    assert command == "python tools/benchmark.py --official 'official code' --peers"


def test_peers_by_name(monkeypatch):
    monkeypatch.setattr("benchmarking.rivals._installed", lambda package: True)
    assert arguments.parse(["--modes", "op", "--peers"]).peers == []
    names = arguments.parse(["--modes", "op", "--peers", SDPA, MLSTM_KERNELS_NAMES[1]]).peers
    cases, notes = peer_rivals(names, ["float32", "mixed_bfloat16"], "A GPU")
    assert [case.label for case in cases] == ["sdpa", f"mlstm_kernels {MLSTM_KERNELS_NAMES[1]}"]
    assert {case.dtype for case in cases} == {"mixed_bfloat16"} and len(notes) == 2
    cases, notes = peer_rivals([SDPA], ["float32"], None)
    assert [case.label for case in cases] == ["sdpa"] and len(notes) == 1
