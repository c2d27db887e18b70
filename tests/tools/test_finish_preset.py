"""From a finished run to a preset: weights rounded to float16, files, card."""

import json
import sys

import finish_preset as script
import keras_hub
import numpy as np
import pytest

from keras_axlstm.models import AudioEmbedder, AxLSTMEncoder, MaskedSpectrogramModel, presets
from keras_axlstm.models.checksums import CHECKSUMS_FILE
from keras_axlstm.models.save_preset import save_preset
from preset_training import finish

pytestmark = pytest.mark.any_backend

PIECE = {
    "hours": 0.5,
    "first_step": 0,
    "last_step": 30,
    "steps_of_the_run": 30,
    "batch_size": 4,
    "precision": "mixed_bfloat16",
    "peak_learning_rate": 6e-4,
    "seed": 1,
    "initial_preset": None,
    "data": "/home/somebody/corpus/5h",
    "system": "Linux",
    "mask_ratio": 0.75,
    "mask_mode": "timestep",
    "position_on_masked": True,
    "loss": 0.25,
    "clips_of_the_data": 900,
    "backend": "jax",
    "device": "a processor",
    "cores": 2,
}


def new_model(num_layers=2):
    encoder = AxLSTMEncoder(spectrogram_shape=(40, 80), hidden_dim=32, num_layers=num_layers)
    return MaskedSpectrogramModel(encoder)


@pytest.fixture
def built_in(tmp_path, monkeypatch):
    """The package's folder of presets, with a small one under a known name."""
    folder = tmp_path / "presets"
    save_preset(new_model(), folder / "axlstm_tiny", normalization="clip", dynamic_range=50.0)
    for file in ("model.weights.h5", "masked_spectrogram_model.npz"):
        (folder / "axlstm_tiny" / file).unlink()
    monkeypatch.setattr(presets, "PRESETS_FOLDER", folder)
    monkeypatch.setattr(finish, "_LARGEST_FILE", 2e-5)
    return folder / "axlstm_tiny"


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    model = new_model()
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape) * 0.1)
    save_preset(model, folder / "preset", normalization="clip")
    (folder / "pieces.json").write_text(
        json.dumps([PIECE, PIECE | {"first_step": 15, "cores": 16}])
    )
    (folder / "loss.png").write_bytes(b"picture")
    return folder


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus" / "5h"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("# Synthetic audio\n\nText.\n")
    (folder.parent / "corpus.json").write_text('{"seed": 3, "counts": [20, 10, 20]}')
    return folder


def call(monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["finish_preset.py", *map(str, arguments)])
    return script.main()


def test_the_preset_has_the_weights_in_float16(monkeypatch, tmp_path, built_in, run, corpus):
    (tmp_path / "scores.md").write_text("\n| task | score |")
    arguments = ["axlstm_tiny", "--run", run, "--corpus", corpus]
    assert call(monkeypatch, *arguments, "--scores", tmp_path / "scores.md") == 0
    trained = MaskedSpectrogramModel.from_preset(run / "preset")
    shipped = MaskedSpectrogramModel.from_preset(built_in)
    for expected, received in zip(trained.weights, shipped.weights, strict=True):
        rounded = np.array(expected).astype("float16").astype("float32")
        np.testing.assert_array_equal(np.array(received), rounded)
    for encoder in (
        keras_hub.models.Backbone.from_preset(str(built_in)),
        AudioEmbedder.from_preset(built_in).encoder,
    ):
        assert encoder.compute_dtype == encoder.variable_dtype == "float32"
    shards = list(built_in.glob("model*.weights.h5"))
    # With what HDF5 adds to each.
    assert len(shards) > 1 and max(shard.stat().st_size for shard in shards) < 80_000
    assert set(json.loads((built_in / CHECKSUMS_FILE).read_text())) == {
        "masked_spectrogram_model.npz",
        "model.weights.json",
        *(shard.name for shard in shards),
    }
    card = (built_in / "README.md").read_text()
    for text in (
        "# axlstm_tiny\n",
        "after what\nis softer than 50 dB below its loudest value has been raised to there",
        "120 crops of 2 s seen (30 steps of 4), drawn from\n  900 clips",
        "1.0 h on a processor (16 cores), jax; a processor (2 cores), jax",
        "make_corpus.py corpus --hours 5 --seed 3 --counts 20 10 20",
        "- 75% of the time steps hidden\n",
        "    --mask-ratio 0.75 --mask-mode timestep --position-on-masked\n",
        "--data corpus/5h --clips 120 --batch 4 \\\n    --learning-rate 0.0006",
        "## Synthetic audio\n",
        "## Scores\n\n| task | score |\n\n## Limits\n",
    ):
        assert text in card, card


@pytest.fixture
def card_of(monkeypatch, built_in, run, corpus):
    """From the records of a run to the card of its weights."""

    def card_of(*pieces):
        (run / "pieces.json").write_text(json.dumps(pieces))
        assert call(monkeypatch, "axlstm_tiny", "--run", run, "--corpus", corpus) == 0
        return (built_in / "README.md").read_text()

    return card_of


def assert_in_order(texts, card):
    places = [card.index(text) for text in texts]
    assert places == sorted(places), card


def test_the_card_has_every_run_that_led_to_the_weights(built_in, card_of):
    first = PIECE | {"mask_ratio": 0.5, "position_on_masked": False, "last_step": 60}
    first["dynamic_range"] = 40.0
    second = PIECE | {"initial_preset": "/home/somebody/first/preset", "seed": 2}
    card = card_of(first, second)
    order = (
        "240 crops of 2 s seen (60 steps of 4)",
        "50% of the time steps hidden; a dynamic range of 40 dB",
        "beginning with these weights",
        "120 crops of 2 s seen (30 steps of 4)",
        "75% of the time steps hidden\n",
        "--run run1 ",
        "--mask-ratio 0.5 --mask-mode timestep --dynamic-range 40\n",
        "--run run2 ",
        "--seed 2 ",
        "--position-on-masked --initial-preset run1/preset\n",
        "finish_preset.py axlstm_tiny --run run2 ",
    )
    assert_in_order(order, card)
    kept = (built_in / "training.json").read_text()
    assert [piece["initial_preset"] for piece in json.loads(kept)] == [None, "preset"]
    assert "somebody" not in kept + card and "Linux" not in kept


def test_the_card_names_the_preset_that_was_widened(card_of):
    first = PIECE | {"initial_preset": "/home/somebody/widened", "widened_from": "axlstm_narrow"}
    card = card_of(first)
    order = (
        "Begins with the weights of `axlstm_narrow`, see its card",
        "- 120 crops of 2 s seen",
        "python tools/make_corpus.py corpus ",
        "python tools/widen_preset.py axlstm_narrow axlstm_tiny widened\n",
        "python tools/train_presets.py axlstm_tiny --run run1 ",
        " --initial-preset widened\n",
    )
    assert_in_order(order, card)


def test_a_piece_without_a_record_is_time_that_is_missing(card_of):
    """As a killed one leaves it: steps up to its newest checkpoint that nobody timed."""
    second = PIECE | {"initial_preset": "/home/somebody/first/preset"}
    card = card_of(PIECE | {"first_step": 15}, second)
    assert card.count("120 crops of 2 s seen (30 steps of 4)") == 2
    assert card.index("- more than 0.5 h on a processor") < card.index("\n- 0.5 h on a processor")


def test_the_card_has_the_corpus_of_every_run(monkeypatch, capsys, tmp_path, built_in, run, corpus):
    other = tmp_path / "other" / "3h"
    other.mkdir(parents=True)
    (other / "README.md").write_text("# With recordings\n")
    made = {"seed": 4, "counts": [16, 6, 14, 14], "gated": 0.4}
    (other.parent / "corpus.json").write_text(json.dumps(made))
    second = PIECE | {"initial_preset": "/home/somebody/first/preset"}
    (run / "pieces.json").write_text(json.dumps([PIECE, second, second]))
    arguments = ["axlstm_tiny", "--run", run, "--corpus"]
    assert call(monkeypatch, *arguments, corpus, other) == 1
    assert "that of each of the 3 runs, received 2" in capsys.readouterr().err
    assert call(monkeypatch, *arguments, corpus, other, other) == 0
    card = (built_in / "README.md").read_text()
    order = (
        "make_corpus.py corpus1 --hours 5 --seed 3 --counts 20 10 20\n",
        "make_corpus.py corpus2 --hours 3 --seed 4 --counts 16 6 14 14 --recordings clones "
        "--gated 0.4\n",
        "--run run1 --data corpus1/5h",
        "--run run2 --data corpus2/3h",
        "--run run3 --data corpus2/3h",
        "--run run3 --corpus corpus1/5h corpus2/3h corpus2/3h\n",
        "## Synthetic audio\n",
        "## With recordings\n",
        "Few recordings were heard in training",
    )
    assert_in_order(order, card)


def test_weights_of_unknown_origin_are_refused(monkeypatch, capsys, built_in, run, corpus):
    (run / "pieces.json").write_text(json.dumps([PIECE | {"initial_preset": "found"}]))
    assert call(monkeypatch, "axlstm_tiny", "--run", run, "--corpus", corpus) == 1
    assert "began with the weights of found, of whose training" in capsys.readouterr().err


def test_again_replaces_all_weights(monkeypatch, built_in, run, corpus):
    arguments = ["axlstm_tiny", "--run", run, "--corpus", corpus]
    assert call(monkeypatch, *arguments) == 0
    many = {file.name for file in built_in.iterdir()}
    monkeypatch.setattr(finish, "_LARGEST_FILE", 1)
    assert call(monkeypatch, *arguments) == 0
    few = {file.name for file in built_in.iterdir()}
    assert len([name for name in few if name.endswith(".h5")]) == 1 < len(many - few)
    AudioEmbedder.from_preset(built_in)


def test_a_run_of_another_architecture_is_refused(monkeypatch, capsys, built_in, run, corpus):
    save_preset(new_model(num_layers=1), run / "preset", normalization="clip")
    before = {file: file.read_bytes() for file in built_in.iterdir()}
    assert call(monkeypatch, "axlstm_tiny", "--run", run, "--corpus", corpus) == 1
    assert "axlstm_tiny has num_layers 2, received 1" in capsys.readouterr().err
    assert {file: file.read_bytes() for file in built_in.iterdir()} == before


def test_an_unfinished_run_is_refused(monkeypatch, capsys, tmp_path, built_in, corpus):
    assert call(monkeypatch, "axlstm_tiny", "--run", tmp_path / "no", "--corpus", corpus) == 1
    assert "is not finished" in capsys.readouterr().err
    assert built_in.exists()
