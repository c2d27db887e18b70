"""The pretraining recipe of the paper, and runs that go on after a crash."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from keras_axlstm.training.pretrain_config import PretrainConfig as PretrainConfig

if TYPE_CHECKING:
    from keras_axlstm.training.optimizer import pretraining_optimizer as pretraining_optimizer
    from keras_axlstm.training.run import pretrain as pretrain

# Imported when they are first asked for: the command line reads its options from PretrainConfig,
# and must not load Keras for `--help`.
_IMPORTED_LATE = {
    "pretrain": "keras_axlstm.training.run",
    "pretraining_optimizer": "keras_axlstm.training.optimizer",
}


def __getattr__(name: str) -> Any:
    if name not in _IMPORTED_LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_IMPORTED_LATE[name]), name)
