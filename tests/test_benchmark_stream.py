"""tools/benchmark_stream.py."""

import json

import benchmark_stream


def test_all_cases(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(benchmark_stream, "CHUNKS", (640, 1000))
    arguments = ["--pushes", "2", "--seconds", "0.1", "--minutes", "0.002"]
    assert benchmark_stream.main([*arguments, "--output", str(tmp_path)]) == 0
    json_path, markdown_path = sorted(tmp_path.iterdir())
    content = json.loads(json_path.read_text())
    assert [record["name"] for record in content["records"]] == [
        "2 pushes of 40 ms",
        "0.1 s, 640 samples a push",
        "0.1 s, 1000 samples a push",
        "0.002 minutes, 1000 samples a push",
    ]
    assert content["records"][0]["median_ms"] > 0
    assert all(record["largest_difference"] < 1e-4 for record in content["records"][1:])
    assert content["environment"]["command"].startswith("python tools/benchmark_stream.py --pushes")
    printed = capsys.readouterr().out
    assert printed == markdown_path.read_text() and "| 2 pushes of 40 ms | median " in printed
