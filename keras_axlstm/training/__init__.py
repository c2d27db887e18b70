"""The pretraining recipe of the paper, runs that go on after a crash, and fine-tuning."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from keras_axlstm.training.finetuning.finetune_config import FinetuneConfig as FinetuneConfig
from keras_axlstm.training.pretrain_config import PretrainConfig as PretrainConfig

if TYPE_CHECKING:
    from keras_axlstm.training.finetuning.run import finetune as finetune
    from keras_axlstm.training.layer_decay_adam_w import LayerDecayAdamW as LayerDecayAdamW
    from keras_axlstm.training.optimizer import fine_tuning_optimizer as fine_tuning_optimizer
    from keras_axlstm.training.optimizer import pretraining_optimizer as pretraining_optimizer
    from keras_axlstm.training.run import pretrain as pretrain

# Imported when they are first asked for: the command line reads its options from the
# configurations, and must not load Keras for `--help`.
_IMPORTED_LATE = {
    "LayerDecayAdamW": "keras_axlstm.training.layer_decay_adam_w",
    "finetune": "keras_axlstm.training.finetuning.run",
    "fine_tuning_optimizer": "keras_axlstm.training.optimizer",
    "pretrain": "keras_axlstm.training.run",
    "pretraining_optimizer": "keras_axlstm.training.optimizer",
}


def __getattr__(name: str) -> Any:
    if name not in _IMPORTED_LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_IMPORTED_LATE[name]), name)
