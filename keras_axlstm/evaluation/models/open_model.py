import importlib
import os
from pathlib import Path
from typing import Any

from keras_axlstm.evaluation.models.evaluation_model import EvaluationModel
from keras_axlstm.models.presets import REGISTERED

# What a spec may begin with, or be: the class that takes what follows.
KINDS = {
    "hear": ("hear_module_model", "HearModuleModel"),
    "transformers": ("transformers_model", "TransformersModel"),
    "logmel": ("log_mel_model", "LogMelModel"),
    "hear-naive": ("hear_naive_model", "HearNaiveModel"),
}
BASELINES = ("logmel", "hear-naive")


def open_model(spec: str | os.PathLike, **options: Any) -> EvaluationModel:
    """The model that a text names.

    Args:
        spec: one of
            - a preset's name or folder, or a hub handle such as `hf://user/model`;
            - `random:PRESET` or `random:PRESET:SEED`, a preset's architecture with random weights,
              the same on every backend;
            - `hear:MODULE` or `hear:MODULE:WEIGHTS`, a module of the HEAR 2021 API such as
              hear21passt.base, with what its `load_model` takes;
            - `transformers:ID`, a model of wav2vec 2.0, WavLM, HuBERT or AST on the Hugging Face
              hub or in a folder;
            - `logmel`, mean and standard deviation over time of a log-mel spectrogram;
            - `hear-naive`, the naive baseline of HEAR 2021.
        **options: of the model; a preset takes the arguments of `AudioEmbedder`, the others none.

    Raises:
        ValueError: a spec that is none of these, or whose weights are missing or do not fit.
        ImportError: a package that the model needs is not installed.

    Example:

    ```python
    from keras_axlstm.evaluation.models import open_model

    open_model("random:axlstm_tiny").embedding_dim  # 960
    ```
    """
    spec = os.fspath(spec)
    kind, _, rest = spec.partition(":")
    if kind in KINDS and (rest != "") == (kind not in BASELINES):
        if options:
            raise ValueError(f"{kind} takes no options. Received: {sorted(options)}")
        module, name = KINDS[kind]
        model = getattr(importlib.import_module(f"{__package__}.{module}"), name)
        return model(rest) if rest else model()
    is_hub_handle = "://" in spec
    if kind == "random" or spec in REGISTERED or is_hub_handle or (spec and Path(spec).is_dir()):
        from keras_axlstm.evaluation.models.preset_model import PresetModel

        return PresetModel(spec, **options)
    raise ValueError(
        f"Unknown model: expected a preset ({', '.join(sorted(REGISTERED))}), a preset's folder, "
        "random:PRESET[:SEED], hear:MODULE[:WEIGHTS], transformers:ID, logmel or hear-naive. "
        f"Received: {spec!r}"
    )
