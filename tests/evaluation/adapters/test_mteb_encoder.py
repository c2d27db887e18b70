"""The encoder for MTEB, in MTEB's own evaluation."""

import numpy as np
import pytest

from keras_axlstm.audio import resample
from keras_axlstm.evaluation.models import open_model

mteb = pytest.importorskip("mteb")
# MTEB's own, of the packages that it builds upon.
pytestmark = pytest.mark.filterwarnings("default")


def new_encoder(spec="logmel"):
    from keras_axlstm.evaluation.adapters.mteb_encoder import MTEBEncoder

    return MTEBEncoder(spec)


def item(seed, rate=16000, channels=None):
    shape = (4000,) if channels is None else (channels, 4000)
    array = np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")
    return {"array": array, "sampling_rate": rate}


def test_it_is_an_encoder_of_mteb():
    from mteb.models.models_protocols import EncoderProtocol

    encoder = new_encoder("random:ssast_tiny")
    assert isinstance(encoder, EncoderProtocol)
    assert encoder.mteb_model_meta.name == "keras-axlstm/random-ssast_tiny"
    assert encoder.mteb_model_meta.revision == encoder.model.identity[:16]


def test_embeddings_are_the_models():
    batches = [{"audio": [item(0), item(1, rate=44100)]}, {"audio": [item(2, channels=2)]}]
    found = new_encoder().encode(batches, task_metadata=None, hf_split="test", hf_subset="")
    waveforms = [
        item(0)["array"],
        resample(item(1)["array"], 44100, 16000),
        item(2, channels=2)["array"].mean(axis=0),
    ]
    np.testing.assert_array_equal(found, open_model("logmel").scenes(waveforms))
    with pytest.raises(ValueError, match=r"inputs are audio. Received: inputs of \['text'\]"):
        new_encoder().encode([{"text": ["hello"]}])


def tones(clips, seed):
    import datasets

    generator = np.random.default_rng(seed)
    labels = [clip % 4 for clip in range(clips)]
    audio = []
    for label in labels:
        seconds = np.arange(generator.integers(4000, 9000)) / 16000
        tone = 0.5 * np.sin(2 * np.pi * 200 * 2**label * seconds)
        noisy = tone + 0.1 * generator.standard_normal(seconds.size)
        audio.append({"array": noisy.astype("float32"), "sampling_rate": 16000})
    return datasets.Dataset.from_dict({"audio": audio, "label": labels})


def test_an_audio_classification_of_mteb():
    import datasets
    from mteb.abstasks.classification import AbsTaskClassification
    from mteb.abstasks.task_metadata import TaskMetadata

    class Tones(AbsTaskClassification):
        metadata = TaskMetadata(
            name="Tones",
            description="Tones of four pitches.",
            dataset={"path": "local/tones", "revision": "1"},
            type="AudioClassification",
            category="a2c",
            modalities=["audio"],
            eval_splits=["test"],
            eval_langs=["eng-Latn"],
            main_score="accuracy",
        )
        input_column_name = "audio"
        n_experiments = 2

        def load_data(self, **kwargs):
            self.dataset = datasets.DatasetDict(train=tones(40, 0), test=tones(20, 1))
            self.data_loaded = True

    result = mteb.evaluate(new_encoder(), [Tones()], cache=None, show_progress_bar=False)
    assert result.task_results[0].scores["test"][0]["main_score"] > 0.9
