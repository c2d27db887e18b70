"""tools/benchmark_data.py."""

import json

import pytest

import benchmark_data

pytestmark = pytest.mark.any_backend


def test_all_cases(tmp_path, capsys):
    arguments = ["--clips", "3", "--batch-size", "4", "--seconds", "0.01", "--crops", "40"]
    arguments += ["--workers", "0", "--output", str(tmp_path), "--folder", str(tmp_path)]
    assert benchmark_data.main(arguments) == 0
    json_path, markdown_path = sorted(tmp_path.iterdir())
    content = json.loads(json_path.read_text())
    assert [record["name"] for record in content["records"]] == [
        "prepare, flat, 1 process",
        "prepare, array_record, 1 process",
        "crops, flat, threads",
        "crops, array_record, threads",
        "crops, audio, threads",
        "memory over 40 crops, flat, threads",
    ]
    assert all(min(list(record.values())[1:]) > 0 for record in content["records"])
    assert content["environment"]["command"].startswith("python tools/benchmark_data.py --clips 3")
    assert "commit" in content["environment"] and content["date"]
    printed = capsys.readouterr().out
    assert printed == markdown_path.read_text() and "| crops, flat, threads | " in printed
