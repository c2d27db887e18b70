"""From a finished run to a built-in preset: float16 weights in small files, checksums, a card."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from preset_training.card import card, split_runs
from preset_training.piece import (
    FRONT_END_FILE,
    PICTURE_FILE,
    PIECES_FILE,
    PRESET_FOLDER,
    TRAINING_FILE,
)

# Gigabytes of a weight file: below 50 MB, which hosts of repositories complain about.
_LARGEST_FILE = 0.045
_OF_THE_MACHINE = ("data", "system")


def finish_preset(
    preset: str,
    run: Path,
    corpus: list[Path],
    scores: Path | None = None,
    folder: Path | None = None,
) -> Path:
    """Write the weights of a run into the folder of its preset.

    Args:
        preset: name of a built-in preset.
        run: folder of the finished run.
        corpus: the folder of shards that it was trained on; where runs began one with the weights
            of the other, that of each, or one for all.
        scores: a Markdown file for the card, or None.
        folder: of the preset; by default the one in the package.

    Returns:
        The folder.

    Raises:
        ValueError: a run that is not finished, of another architecture, that began with weights
            of unknown origin, or more or fewer corpora than runs.
    """
    from keras_axlstm.cli.presets import PARAMETERS
    from keras_axlstm.models import SpectrogramEncoder
    from keras_axlstm.models.checksums import write_checksums
    from keras_axlstm.models.masked_spectrogram_model import CONFIG_FILE as HEAD_CONFIG
    from keras_axlstm.models.masked_spectrogram_model import WEIGHTS_FILE as HEAD_WEIGHTS
    from keras_axlstm.models.presets import PRESETS_FOLDER, REGISTERED

    trained = run / PRESET_FOLDER
    if not (trained / "config.json").exists():
        raise ValueError(f"The run in {run} is not finished: go on with tools/train_presets.py")
    folder = folder or PRESETS_FOLDER / preset
    _check_same_architecture(preset, trained)
    pieces = json.loads((run / PIECES_FILE).read_text(encoding="utf-8"))
    initial = pieces[0]["initial_preset"]
    if initial is not None and pieces[0].get("widened_from") is None:
        raise ValueError(
            f"The run began with the weights of {initial}, of whose training no {PIECES_FILE} or "
            f"{TRAINING_FILE} tells: the card could not say what the weights have seen."
        )
    runs = split_runs(pieces)
    if len(corpus) not in (1, len(runs)):
        raise ValueError(
            f"--corpus: expected one folder, or that of each of the {len(runs)} runs, "
            f"received {len(corpus)}"
        )
    for file in folder.glob("*.weights.*"):
        file.unlink()
    own = {
        name: (PRESETS_FOLDER / preset / name).read_text(encoding="utf-8")
        for name in ("config.json", FRONT_END_FILE)
    }
    half = SpectrogramEncoder.from_preset(str(trained), dtype="float16")
    half.save_to_preset(str(folder), max_shard_size=_LARGEST_FILE)
    for name, text in own.items():  # not the configuration of what computes in float16
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copyfile(trained / HEAD_CONFIG, folder / HEAD_CONFIG)
    with np.load(trained / HEAD_WEIGHTS) as head:
        arrays = {name: array.astype("float16") for name, array in head.items()}
    np.savez(folder / HEAD_WEIGHTS, **arrays)
    write_checksums(folder)
    shutil.copyfile(run / PICTURE_FILE, folder / PICTURE_FILE)
    kept = json.dumps([_anywhere(piece) for piece in pieces], indent=1)
    (folder / TRAINING_FILE).write_text(kept + "\n", encoding="utf-8")
    text = card(
        preset,
        REGISTERED[preset]["metadata"]["description"],
        PARAMETERS[preset],
        pieces,
        _commands(preset, runs, corpus),
        "\n".join((one / "README.md").read_text(encoding="utf-8") for one in dict.fromkeys(corpus)),
        json.loads(own[FRONT_END_FILE])["config"]["dynamic_range"],
        any(_is_recorded(_plan(one)) for one in corpus),
        None if scores is None else scores.read_text(encoding="utf-8"),
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    return folder


def _anywhere(piece: dict[str, Any]) -> dict[str, Any]:
    """What of a piece has a meaning on other machines."""
    initial = piece["initial_preset"]
    kept = {name: value for name, value in piece.items() if name not in _OF_THE_MACHINE}
    return kept | {"initial_preset": initial and Path(initial).name}


def _check_same_architecture(preset: str, trained: Path) -> None:
    from keras_axlstm.models.presets import PRESETS_FOLDER

    expected, received = (
        json.loads((folder / "config.json").read_text(encoding="utf-8"))
        for folder in (PRESETS_FOLDER / preset, trained)
    )
    different = [
        f"{name} {value}, received {received['config'].get(name)}"
        for name, value in expected["config"].items()
        if name not in ("name", "dtype") and value != received["config"].get(name)
    ]
    if expected["class_name"] != received["class_name"]:
        different.append(f"{expected['class_name']}, received {received['class_name']}")
    if different:
        raise ValueError(f"{preset} has {'; '.join(different)}")


def _commands(preset: str, runs: list[list[dict[str, Any]]], corpora: list[Path]) -> list[str]:
    """What makes the weights again, apart from how the runs were cut into pieces."""
    different = list(dict.fromkeys(corpora))
    names = [f"corpus{number}" for number in range(1, len(different) + 1)]
    data = dict(zip(different, names if len(names) > 1 else ["corpus"], strict=True))
    commands = [_corpus_command(corpus, name) for corpus, name in data.items()]
    shards = [f"{data[corpus]}/{corpus.name}" for corpus in corpora]
    if len(shards) < len(runs):
        shards *= len(runs)
    initial = folder = ""
    if (narrow := runs[0][0].get("widened_from")) is not None:
        initial = "widened"
        commands.append(f"python tools/widen_preset.py {narrow} {preset} {initial}")
    for number, (run, source) in enumerate(zip(runs, shards, strict=True), start=1):
        piece, folder = run[-1], f"run{number}"
        clips = piece["steps_of_the_run"] * piece["batch_size"]
        commands += [
            f"python tools/train_presets.py {preset} --run {folder} --data {source} "
            f"--clips {clips} --batch {piece['batch_size']} \\",
            f"    --learning-rate {piece['peak_learning_rate']:g} --precision {piece['precision']} "
            f"--seed {piece['seed']} \\",
            f"    --mask-ratio {piece['mask_ratio']:g} --mask-mode {piece['mask_mode']}"
            + (" --position-on-masked" if piece["position_on_masked"] else "")
            + (f" --dynamic-range {decibels:g}" if (decibels := piece.get("dynamic_range")) else "")
            + (f" --initial-preset {initial}" if initial else ""),
        ]
        initial = f"{folder}/{PRESET_FOLDER}"
    used = " ".join(shards if len(different) > 1 else shards[:1])
    commands.append(f"python tools/finish_preset.py {preset} --run {folder} --corpus {used}")
    return commands


def _corpus_command(corpus: Path, name: str) -> str:
    made = _plan(corpus)
    return (
        f"python tools/make_corpus.py {name} --hours {corpus.name.removesuffix('h')} "
        f"--seed {made['seed']} --counts {' '.join(map(str, made['counts']))}"
        + (" --recordings clones" if _is_recorded(made) else "")
        + (f" --gated {made['gated']:g}" if made.get("gated") else "")
    )


def _plan(corpus: Path) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads((corpus.parent / "corpus.json").read_text(encoding="utf-8"))
    return plan


def _is_recorded(plan: dict[str, Any]) -> bool:
    return len(plan["counts"]) > 3
