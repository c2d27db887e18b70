"""A kernel that computes wrong numbers on a machine is found, named, and not used there."""

import json

import keras
import numpy as np
import pytest

from keras_axlstm import ops
from keras_axlstm.recurrence import kernels
from keras_axlstm.recurrence.kernels import failures
from keras_axlstm.recurrence.kernels.gradients import vjp
from keras_axlstm.recurrence.kernels.self_check import (
    FORMS,
    INFERENCE_DTYPES,
    PRODUCTS,
    TOLERANCES,
    check_kernel,
)
from tests.support import failures as support
from tests.support.failures import failed_json as failed_json
from tests.support.kernels import skip_without

SMALL = (8,)
REASON = (
    r"mlstm: failed its self-check on \d{4}-\d\d-\d\d: error 1e-02, expected <= 1e-04 \(parallel, "
    r"float32, head_dim 8\); run `keras-axlstm doctor` again after an update"
)


def a_tensor():
    return keras.ops.zeros((1, 70, 2, 8))


@pytest.mark.parametrize("kernel", kernels.KERNELS)
def test_healthy_kernels(kernel, failed_json):
    skip_without(kernel)
    report = check_kernel(kernel, SMALL)
    assert report.unavailable == [] and report.problems == []
    assert [(check.form, check.dtype) for check in report.checks] == [
        (form, dtype)
        for form in (PRODUCTS if kernel == "projection" else FORMS)
        for dtype in (INFERENCE_DTYPES if kernel == "block" else TOLERANCES)
    ]
    errors = "value_error" if kernel == "block" else "gradient_error"
    assert all(0 < getattr(check, errors) <= check.tolerance for check in report.checks)
    assert not failed_json.exists()


def test_a_wrong_kernel_is_named_and_not_used_until_it_passes(failed_json, monkeypatch):
    with monkeypatch.context() as broken:
        support.break_mlstm(broken)
        report = check_kernel("mlstm", SMALL)
    assert len(report.problems) == 2  # one per cent is within the tolerance of bfloat16
    assert report.checks[0].value_error == pytest.approx(0.01, rel=1e-2)

    for _ in ("this process", "a new process"):
        assert kernels.choose("mlstm", "auto", a_tensor()) is None
        with pytest.raises(NotImplementedError, match=REASON):
            kernels.choose("mlstm", "fused", a_tensor())
        with pytest.raises(NotImplementedError, match=REASON):
            ops.mlstm(*[a_tensor()] * 3, *[a_tensor()[..., 0]] * 2, implementation="fused")
        assert kernels.choose("mixer", "fused", a_tensor()) is not None
        support.forget()

    assert check_kernel("mlstm", SMALL).problems == []
    for _ in ("this process", "a new process"):
        assert kernels.choose("mlstm", "auto", a_tensor()) is not None
        support.forget()
    assert json.loads(failed_json.read_text()) == {}


def test_a_kernel_that_raises_has_failed(failed_json, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no\n registers left")

    monkeypatch.setattr(kernels.backend_kernels(), "mixer", fail)
    report = check_kernel("mixer", SMALL)
    assert len(report.problems) == len(report.checks)
    assert report.problems[0].startswith("RuntimeError: no registers left (parallel, float32")
    assert "no registers left" in kernels.unavailable("mixer", a_tensor())[0]


def test_results_that_are_not_finite_have_failed(failed_json, monkeypatch):
    support.break_mlstm(monkeypatch, factor=float("nan"))
    assert check_kernel("mlstm", SMALL).problems[0].startswith("error inf, expected <= 1e-04")


def test_the_default_implementation_is_what_it_was(failed_json):
    kernels.set_implementation("ops")
    try:
        check_kernel("mlstm", SMALL)
        assert kernels.choose("mlstm", "auto", a_tensor()) is None
    finally:
        kernels.set_implementation("auto")


def test_an_unavailable_kernel_is_not_checked(failed_json, monkeypatch):
    monkeypatch.setattr(kernels.backend_kernels(), "unavailable", lambda kernel, x: ["no luck"])
    assert check_kernel("mlstm").unavailable == ["no luck"]
    assert check_kernel("mlstm").checks == []


@pytest.mark.parametrize("content", ["{", "[1]", '{"torch/mlstm/0": 1}', "\x00", "null"])
def test_a_corrupt_file_is_ignored_and_replaced(failed_json, content):
    failed_json.write_text(content)
    assert failures.failed_self_check("mlstm") == []
    failures.record("mlstm", "error 1")
    (entry,) = json.loads(failed_json.read_text()).values()
    assert entry["problem"] == "error 1"
    assert len(failures.failed_self_check("mlstm")) == 1


def test_an_unreadable_file_is_ignored(failed_json):
    failed_json.mkdir()
    assert failures.failed_self_check("mlstm") == []


def test_where_nothing_can_be_written_this_process_still_knows(tmp_path, monkeypatch, failed_json):
    (tmp_path / "file").touch()
    monkeypatch.setattr(failures, "path", lambda: tmp_path / "file" / "failed.json")
    support.break_mlstm(monkeypatch)
    assert check_kernel("mlstm", SMALL).not_recorded
    assert kernels.choose("mlstm", "auto", a_tensor()) is None


def test_other_entries_are_kept(failed_json):
    failed_json.write_text('{"another/kernel/0": {"date": "2026-01-01", "problem": "error 1"}}')
    failures.record("mlstm", "error 2")
    assert len(json.loads(failed_json.read_text())) == 2
    failures.record("mlstm", None)
    assert list(json.loads(failed_json.read_text())) == ["another/kernel/0"]


def test_a_failure_holds_for_one_version_only(failed_json, monkeypatch):
    failures.record("mlstm", "error 1")
    assert failures.failed_self_check("mlstm")
    failures._fingerprint.cache_clear()
    monkeypatch.setattr("keras_axlstm.__version__", "999")
    assert failures.failed_self_check("mlstm") == []
    failures._fingerprint.cache_clear()


def test_vjp():
    def function(a, b):
        return [a * b, keras.ops.sum(b)]

    a, b = np.array([1, 2], "float32"), np.array([3, 4], "float32")
    cotangents = [np.array([1, 10], "float32"), np.array(100, "float32")]
    (product, total), (da, db) = vjp(function, [a, b], cotangents)
    assert product.tolist() == [3, 8] and total == 7
    assert da.tolist() == [3, 40] and db.tolist() == [101, 120]
