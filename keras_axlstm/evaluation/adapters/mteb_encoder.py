import re
from typing import Any

import numpy as np
from mteb.models import ModelMeta
from mteb.models.abs_encoder import AbsEncoder

from keras_axlstm.audio import resample
from keras_axlstm.evaluation.models import open_model


class MTEBEncoder(AbsEncoder):
    """A model for the audio tasks of MTEB: clips become scene embeddings, compared by cosine.

    Args:
        model_name: what `open_model` takes.
        revision: taken from the model if None.
        device: not used; a model computes where its library does.
        **options: of `open_model`.

    Raises:
        ValueError: as `open_model`.

    Example:

    ```python
    import mteb
    from keras_axlstm.evaluation.adapters.mteb_encoder import MTEBEncoder

    encoder = MTEBEncoder("random:axlstm_tiny")
    mteb.evaluate(encoder, mteb.get_tasks(tasks=["ESC50"]))  # doctest: +SKIP
    ```
    """

    def __init__(
        self,
        model_name: str,
        revision: str | None = None,
        *,
        device: str | None = None,
        **options: Any,
    ) -> None:
        self.model = open_model(model_name, **options)
        # Results are filed under the name, which must be of the form owner/model.
        name = re.sub(r"[^\w.-]+", "-", self.model.name).strip("-")
        self.mteb_model_meta = ModelMeta.create_empty(
            {
                "name": f"keras-axlstm/{name}",
                "revision": revision or self.model.identity[:16],
                "embed_dim": self.model.embedding_dim,
                "modalities": ["audio"],
                "similarity_fn_name": "cosine",
            }
        )

    def encode(self, inputs: Any, **kwargs: Any) -> np.ndarray:
        """Scene embeddings of the column `audio`.

        Args:
            inputs: a data loader of batches with `audio`: for each clip its `array`, `(samples,)`
                or `(channels, samples)`, and its `sampling_rate`.
            **kwargs: what MTEB says of the task; not used.

        Returns:
            `(clips, d)` float32.

        Raises:
            ValueError: a batch without audio, or bad audio.
        """
        return np.concatenate([self.model.scenes(self._waveforms(batch)) for batch in inputs])

    def _waveforms(self, batch: dict[str, Any]) -> list[np.ndarray]:
        if "audio" not in batch:
            raise ValueError(
                f"Expected a task whose inputs are audio. Received: inputs of {sorted(batch)}"
            )
        waveforms = []
        for item in batch["audio"]:
            array = np.asarray(item["array"])
            mono = array.mean(axis=0) if array.ndim == 2 else array
            rate = int(item["sampling_rate"])
            waveforms.append(resample(mono, rate, self.model.sampling_rate))
        return waveforms
