import importlib.util
from typing import Any

import numpy as np

from keras_axlstm.audio import resample
from keras_axlstm.evaluation.models.evaluation_model import EvaluationModel
from keras_axlstm.evaluation.models.identity import identity_of

SPEECH_FAMILIES = ("wav2vec2", "wavlm", "hubert")
AST_FAMILY = "audio-spectrogram-transformer"


class TransformersModel(EvaluationModel):
    """A model of Hugging Face transformers: wav2vec 2.0, WavLM, HuBERT or AST.

    Frames are the last hidden state, and a scene their mean over the time that holds audio. It
    computes in PyTorch, on the GPU if there is one.

    Args:
        model_id: a name on the hub, or a folder written by `save_pretrained` of the model and its
            feature extractor.

    Raises:
        ImportError: transformers or PyTorch is not installed.
        ValueError: there is no such model, or it is of another family.
    """

    def __init__(self, model_id: str) -> None:
        missing = [name for name in ("transformers", "torch") if not importlib.util.find_spec(name)]
        if missing:
            raise ImportError(
                f"transformers:{model_id} needs {' and '.join(missing)}: "
                "pip install 'keras-axlstm[transformers,torch]'"
            )
        import transformers

        from keras_axlstm.evaluation.models.ast_frames import ASTFrames
        from keras_axlstm.evaluation.models.speech_frames import SpeechFrames
        from keras_axlstm.evaluation.models.torch_state import best_device, state_arrays

        try:
            config = transformers.AutoConfig.from_pretrained(model_id)
        except OSError as error:
            raise ValueError(f"transformers finds no model {model_id!r}: {error}") from error
        families = (*SPEECH_FAMILIES, AST_FAMILY)
        if config.model_type not in families:
            raise ValueError(
                f"Expected a model of one of {', '.join(families)}. Received: {model_id!r}, which "
                f"is of {config.model_type!r}"
            )
        model = transformers.AutoModel.from_pretrained(model_id).to(best_device()).eval()
        extractor = transformers.AutoFeatureExtractor.from_pretrained(model_id)
        frames = ASTFrames if config.model_type == AST_FAMILY else SpeechFrames
        self._frames: SpeechFrames | ASTFrames = frames(model, extractor)
        self._rate = int(extractor.sampling_rate)
        settings: dict[str, Any] = {
            "kind": "transformers",
            "version": transformers.__version__,
            "config": {**config.to_dict(), "_name_or_path": None},
            "extractor": extractor.to_dict(),
        }
        super().__init__(
            f"transformers:{model_id}",
            identity_of(settings, state_arrays(model)),
            embedding_dim=config.hidden_size,
        )

    def _scenes(self, clips: list[np.ndarray]) -> np.ndarray:
        return np.stack([frames.mean(axis=0) for frames in self._compute(clips)])

    def _timestamps(self, clips: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        milliseconds = 1000.0 * self._frames.samples_per_frame / self._rate
        return [(clip, milliseconds * np.arange(len(clip))) for clip in self._compute(clips)]

    def _compute(self, clips: list[np.ndarray]) -> list[np.ndarray]:
        return self._frames([resample(clip, self.sampling_rate, self._rate) for clip in clips])
