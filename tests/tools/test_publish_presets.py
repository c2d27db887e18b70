"""Publishing presets: what is refused, and what a dry run lists."""

import keras_hub
import publish_presets
import pytest

from keras_axlstm.models import AxLSTMEncoder
from keras_axlstm.models.checksums import write_checksums

pytestmark = pytest.mark.any_backend


@pytest.fixture
def preset(tmp_path):
    folder = tmp_path / "axlstm_own"
    encoder = AxLSTMEncoder(
        spectrogram_shape=(16, 16), patch_size=(4, 8), hidden_dim=16, num_layers=1, num_heads=1
    )
    encoder.save_to_preset(str(folder))
    write_checksums(folder)
    (folder / "README.md").write_text("# axlstm_own\n", encoding="utf-8")
    return folder


@pytest.fixture
def uploads(monkeypatch):
    uploads = []
    monkeypatch.setattr(keras_hub, "upload_preset", lambda *arguments: uploads.append(arguments))
    return uploads


def test_a_dry_run_lists_the_files_and_uploads_nothing(preset, uploads, capsys):
    assert publish_presets.main([str(preset), "--hub", "hf://sounds", "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert f"{preset} -> hf://sounds/axlstm_own: " in printed
    for file in ("README.md", "checksums.json", "config.json", "model.weights.h5"):
        assert f"    {file}  {(preset / file).stat().st_size:,} bytes" in printed
    assert uploads == []


def test_without_it_the_folder_is_uploaded(preset, uploads):
    assert publish_presets.main([str(preset), "--hub", "kaggle://me/axlstm/keras"]) == 0
    assert uploads == [("kaggle://me/axlstm/keras/axlstm_own", str(preset))]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "README.md").unlink(), "README.md, the model card"),
        (lambda folder: (folder / "checksums.json").unlink(), "checksums.json, of the weights"),
        (lambda folder: (folder / "model.weights.h5").write_bytes(b""), "is damaged"),
    ],
)
def test_nothing_is_uploaded_if_one_is_unfit(preset, uploads, capsys, damage, message):
    damage(preset)
    assert publish_presets.main([str(preset), "--hub", "hf://sounds"]) == 1
    assert message in capsys.readouterr().err
    assert uploads == []


def test_another_hub_is_refused(preset, capsys):
    with pytest.raises(SystemExit):
        publish_presets.main([str(preset), "--hub", "s3://bucket"])
    assert "must begin with" in capsys.readouterr().err
