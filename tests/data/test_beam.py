"""`prepare` with Apache Beam, in an environment of its own: see .ci/run."""

from pathlib import Path

import pytest

from keras_axlstm.cli.main import main
from keras_axlstm.data import prepare

pytest.importorskip("apache_beam", reason="the extra beam is not installed")
EXAMPLES = Path(__file__).parents[2] / "examples" / "audio"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layout", ["flat", "array_record"])
def test_the_same_bytes_as_without_beam(tmp_path, layout):
    prepare(EXAMPLES, tmp_path / "without", layout=layout, clips_per_shard=4)
    arguments = ["--layout", layout, "--clips-per-shard", "4", "--runner", "DirectRunner"]
    options = ["--runner-options=--direct_num_workers=1"]
    command = ["prepare", str(EXAMPLES), "--output", str(tmp_path / "with"), *arguments]
    assert main([*command, *options, "--no-progress"]) == 0
    contents = [
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("with", "without")
    ]
    assert contents[0] == contents[1] and len(contents[0]) == 8
