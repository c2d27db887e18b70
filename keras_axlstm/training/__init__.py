"""The pretraining recipe of the paper, runs that go on after a crash, and fine-tuning."""

from typing import TYPE_CHECKING

from keras_axlstm.late_imports import late_imports
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
__getattr__ = late_imports(
    __name__,
    {
        "LayerDecayAdamW": "keras_axlstm.training.layer_decay_adam_w",
        "finetune": "keras_axlstm.training.finetuning.run",
        "fine_tuning_optimizer": "keras_axlstm.training.optimizer",
        "pretrain": "keras_axlstm.training.run",
        "pretraining_optimizer": "keras_axlstm.training.optimizer",
    },
)
