"""Failed self-checks of kernels, apart from those of the machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keras_axlstm.recurrence import kernels
from keras_axlstm.recurrence.kernels import failures


def forget() -> None:
    """As a new process: the file will be read again."""
    failures._entries.cache_clear()


@pytest.fixture
def failed_json(tmp_path, monkeypatch) -> Iterator[Path]:
    """Where failures are kept during a test; compiled kernels stay where they are."""
    path = tmp_path / "failed.json"
    monkeypatch.setattr(failures, "path", lambda: path)
    forget()
    yield path
    forget()


def break_mlstm(monkeypatch: pytest.MonkeyPatch, factor: float = 1.01) -> None:
    """Make the outputs of the recurrence's kernel wrong by a factor."""
    module = kernels.backend_kernels()
    right = module.mlstm

    def wrong(*args, **kwargs):
        h, last = right(*args, **kwargs)
        return h * factor, last

    monkeypatch.setattr(module, "mlstm", wrong)
