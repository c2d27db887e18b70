"""What README.md says of running an exported file, for the formats that the backend writes."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_axlstm.export import export_model
from keras_axlstm.export.formats import FORMATS
from keras_axlstm.models import AudioEmbedder
from tests.export.test_waveform_model import TOLERANCE, small_encoder, waves
from tests.support.runtimes import NEEDED

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^<!-- export: (\w+) -->\n```py\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = dict(BLOCK.findall(README.read_text(encoding="utf-8")))


def test_every_format_has_its_lines():
    assert list(BLOCKS) == list(FORMATS)


@pytest.mark.parametrize(
    "format", [name for name in FORMATS if keras.backend.backend() in FORMATS[name].packages]
)
def test_the_lines_run_the_file(tmp_path, monkeypatch, format):
    for package in (NEEDED[format], *FORMATS[format].packages[keras.backend.backend()]):
        pytest.importorskip(package, reason=f"{package} is not installed")
    monkeypatch.chdir(tmp_path)
    embedder, waveform = AudioEmbedder(small_encoder()), waves(1, 9000)
    export_model(embedder, f"axlstm{FORMATS[format].ending}", format)
    names = {"waveform": waveform}
    exec(compile(BLOCKS[format], str(README), "exec"), names)
    np.testing.assert_allclose(names["output"], embedder.embed(waveform), rtol=0, atol=TOLERANCE)
