"""`keras-axlstm prepare`."""

from pathlib import Path

import pytest

from keras_axlstm.cli.main import main
from keras_axlstm.data import clip_source
from tests.support.corrupt_audio import write_corrupt_audio

pytestmark = pytest.mark.any_backend

EXAMPLES = Path(__file__).parents[2] / "examples" / "audio"


def run(*arguments):
    return main(["prepare", *map(str, arguments), "--no-progress"])


def test_the_examples(tmp_path, capsys):
    output = tmp_path / "prepared"
    assert run(EXAMPLES, "--output", output, "--num-mel-bins", 64, "--clips-per-shard", 5) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("12 clips, ") and f"written to {output}\n" in printed
    assert f"Next: keras-axlstm pretrain {output} --output PRESET_DIR" in printed
    assert len(clip_source(output, num_mel_bins=64)) == 12
    assert len(list(output.glob("*.npy"))) == 3
    assert run(EXAMPLES, "--output", output) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert run(EXAMPLES, "--output", output, "--overwrite", "--layout", "array_record") == 0


def test_several_paths_and_skipped_files(tmp_path, capsys):
    readable, unreadable = write_corrupt_audio(tmp_path / "audio", good=1)
    files = sorted((tmp_path / "audio").iterdir())
    assert run(*files, "--output", tmp_path / "out") == 3
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{len(readable)} clips, ")
    assert f"{len(unreadable)} files were skipped" in captured.err
    assert all(name in captured.err for name in unreadable)


def test_beam_is_optional(tmp_path, capsys):
    try:
        import apache_beam  # noqa: F401
    except ImportError:
        assert run(EXAMPLES, "--output", tmp_path / "out", "--runner", "DirectRunner") == 1
        assert "pip install 'keras-axlstm[beam]'" in capsys.readouterr().err
    else:
        pytest.skip("Apache Beam is installed")
