"""Builds what is timed of the paper authors' PyTorch code, from a checkout that the user names.

https://github.com/SarthakYadav/axlstm-official. Nothing of it is copied: models, loss and gradient
scaler are imported from the checkout.
"""

import contextlib
import sys
import types
from pathlib import Path
from typing import Any

import torch

from benchmarking.backends import Thunk
from benchmarking.cases import (
    BANDS,
    EXPANSION_FACTOR,
    MLP_RATIO,
    PATCH_SIZE,
    SIZES,
    Case,
    Work,
    spectrogram_length,
)
from benchmarking.ours import spectrograms

# Of the authors' configurations.
BASE_LEARNING_RATE = 1.5e-4
WEIGHT_DECAY = 0.05
BETAS = (0.9, 0.95)

MODELS_FILE = Path("src") / "models" / "xlstm_ssast.py"


def build(case: Case, checkout: Path) -> Thunk:
    """The run that is timed, on the GPU if there is one."""
    _import_from(checkout)
    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        # As in the authors' train.py.
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
    model = _model(case.work).to(device)
    spectrogram = torch.from_numpy(spectrograms(case.work)).unsqueeze(1).to(device)

    def autocast() -> contextlib.AbstractContextManager:
        if case.dtype == "float32":
            return contextlib.nullcontext()
        return torch.autocast(device.type, dtype=torch.float16)

    if case.work.mode == "train":
        return _training_step(model, spectrogram, autocast)

    model.eval()

    def forward() -> Any:
        with torch.no_grad(), autocast():
            return model.forward_features(spectrogram)

    return forward


def _training_step(model: Any, spectrogram: Any, autocast: Any) -> Thunk:
    """Masked reconstruction with the loss, optimizer and scaler of the authors' train.py."""
    from src.loss import mae_loss
    from src.misc import NativeScalerWithGradNormCount

    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    learning_rate = BASE_LEARNING_RATE * len(spectrogram) / 256
    optimizer = torch.optim.AdamW(groups, lr=learning_rate, betas=BETAS)
    scaler = NativeScalerWithGradNormCount()

    def step() -> float:
        with autocast():
            loss = mae_loss(*model(spectrogram))
        value = loss.item()
        scaler(loss, optimizer, clip_grad=None, parameters=model.parameters())
        optimizer.zero_grad()
        return value

    return step


def _model(work: Work) -> Any:
    from src.models.ssast import SSAST
    from src.models.xlstm_ssast import xLSTM_SSAST

    size = SIZES[work.size]
    options = {
        "img_size": (spectrogram_length(work.steps), BANDS),
        "patch_size": PATCH_SIZE,
        "embed_dim": size.hidden_dim,
        "depth": size.num_layers,
        "num_heads": size.attention_heads,
        "mlp_ratio": MLP_RATIO,
        "frequency_first": False,
    }
    if work.model == "ssast":
        return SSAST(**options)
    return xLSTM_SSAST(expansion_factor=EXPANSION_FACTOR, **options)


def _import_from(checkout: Path) -> None:
    if not (checkout / MODELS_FILE).is_file():
        raise FileNotFoundError(f"expected a checkout of the authors' code, found no {MODELS_FILE}")
    try:
        import timm.models.vision_transformer  # noqa: F401
    except ImportError:
        _stand_in_for_timm()
    sys.path.insert(0, str(checkout))


def _stand_in_for_timm() -> None:
    """The names that the authors' models import from timm; none is called in these models."""
    names = {
        "timm": (),
        "timm.models": (),
        "timm.models.vision_transformer": ("LayerScale", "DropPath"),
        "timm.layers": (),
        "timm.layers.weight_init": (
            "lecun_normal_",
            "trunc_normal_tf_",
            "trunc_normal_",
            "variance_scaling_",
        ),
    }
    for name, members in names.items():
        module = types.ModuleType(name)
        for member in members:
            setattr(module, member, _NotInstalled)
        sys.modules[name] = module


class _NotInstalled:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise ImportError("this model needs timm: pip install timm")
