"""One piece of a training: a call of `pretrain` that may pause, and its record."""

import datetime
import json
import os
import platform
import shutil
from pathlib import Path
from typing import Any

PIECES_FILE = "pieces.json"
CURVE_FILE = "loss.csv"
PICTURE_FILE = "loss.png"
PRESET_FOLDER = "preset"
FRONT_END_FILE = "audio_converter.json"
# The pieces of a built-in preset's training, in its folder.
TRAINING_FILE = "training.json"
# What tools/widen_preset.py made a preset of, in its folder: {"from": NAME}.
WIDENED_FILE = "widened.json"

# Crops of the whole run, crops of a step, and the learning rate at its peak. The paper's rate for
# its batch of 1024 serves for smaller ones too: with that of its rule, 1.5e-4 * batch / 256, runs
# that are this much shorter do not get far. Small batches get further: after 25,600 crops
# tiny had a loss of 0.24 in batches of 16, and of 0.28 in batches of 64 (early in a longer run).
PRESETS: dict[str, dict[str, Any]] = {
    "axlstm_tiny": {"clips": 640_000, "batch_size": 16, "learning_rate": 6e-4},
    "axlstm_small": {"clips": 4_000_000, "batch_size": 256, "learning_rate": 6e-4},
    "axlstm_base": {"clips": 4_000_000, "batch_size": 256, "learning_rate": 3e-4},
    "ssast_tiny": {"clips": 640_000, "batch_size": 16, "learning_rate": 6e-4},
    "ssast_small": {"clips": 4_000_000, "batch_size": 256, "learning_rate": 6e-4},
}
_AS_PRETRAIN_CONFIG = (
    "initial_preset",
    "mask_ratio",
    "mask_mode",
    "position_on_masked",
    "expansion_factor",
    "flip",
    "dynamic_range",
)
_STEPS_PER_ROW = 20


def train_piece(
    preset: str,
    run: Path,
    data: str | None = None,
    minutes: float | None = None,
    other_data: bool = False,
    workers: int | None = None,
    checkpoint_every: int | None = None,
    **of_the_run: Any,
) -> bool:
    """Begin a run or go on with it; True if it came to its end.

    Args:
        preset: a key of `PRESETS`.
        run: the folder of the run.
        data: a folder of shards.
        minutes: after which it pauses.
        other_data: `data` has another number of clips than what the run began with.
        workers: processes that read.
        checkpoint_every: steps between checkpoints.
        **of_the_run: `clips`, `batch`, `learning_rate`, `precision`, `seed`, `initial_preset`,
            `mask_ratio`, `mask_mode`, `position_on_masked`, `expansion_factor`, `flip`,
            `dynamic_range`, None where not given.

    Raises:
        ValueError: a bad argument, or one that contradicts what the run began with.
    """
    from keras_axlstm.models.presets import PRESETS_FOLDER
    from keras_axlstm.training import PretrainConfig, pretrain
    from keras_axlstm.training.run_folder import CONFIG_FILE, LOG_FILE, unfinished_config

    output = run / PRESET_FOLDER
    if (output / CONFIG_FILE).exists():
        raise ValueError(f"The run in {run} is complete.")
    earlier = unfinished_config(output)
    given = {name: value for name, value in of_the_run.items() if value is not None}
    if not earlier and data is None:
        raise ValueError("The first piece needs --data: a folder of shards of tools/make_corpus.py")
    values = earlier or _new_run(preset, given)
    if earlier:
        _check_same_run(preset, earlier, given)
    of_the_piece = {
        "source": str(data) if data else None,
        "output": str(output),
        "workers": workers,
        "checkpoint_every": checkpoint_every,
    }
    values |= {name: value for name, value in of_the_piece.items() if value is not None}
    config = PretrainConfig.from_dict(values)
    first_step = _last_step(output / "unfinished" / LOG_FILE) if earlier else 0
    started = datetime.datetime.now(datetime.UTC)
    result = pretrain(config, resume=True, minutes=minutes, other_data=other_data)

    written = output if result.finished else output / "unfinished"
    config = PretrainConfig.load(written / CONFIG_FILE)
    last_step = int(result.history[-1]["step"])
    steps = last_step - first_step
    piece = {
        "started": started.isoformat(timespec="seconds"),
        "hours": round(result.seconds / 3600, 6),
        "first_step": first_step,
        "last_step": last_step,
        "steps_of_the_run": config.total_steps(1),
        "clips": steps * config.batch_size,
        "clips_per_second": round(steps * config.batch_size / max(result.seconds, 1e-9), 1),
        "batch_size": config.batch_size,
        "precision": config.precision,
        "peak_learning_rate": config.peak_learning_rate,
        "seed": config.seed,
        **{name: getattr(config, name) for name in _AS_PRETRAIN_CONFIG},
        "widened_from": _widened_from(config.initial_preset),
        "loss": result.history[-1]["loss"],
        "data": config.source,
        "clips_of_the_data": result.clips,
        **_machine(),
    }
    _write_records(run, piece)
    if result.finished:  # it embeds as the preset does, whatever the training was like
        shutil.copyfile(PRESETS_FOLDER / preset / FRONT_END_FILE, output / FRONT_END_FILE)
    shutil.copyfile(written / LOG_FILE, run / CURVE_FILE)
    _draw(result.history, run / PICTURE_FILE, preset)
    return result.finished


def _new_run(preset: str, given: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a run that begins."""
    defaults = PRESETS[preset]
    batch_size = given.get("batch", defaults["batch_size"])
    clips = given.get("clips", defaults["clips"])
    if batch_size < 1 or clips < batch_size:
        raise ValueError(
            f"--clips and --batch: expected a step at least, received {clips} and {batch_size}"
        )
    model, size = preset.split("_")
    return {
        "model": model,
        "size": size,
        "steps": clips // batch_size,
        "batch_size": batch_size,
        "learning_rate": given.get("learning_rate", defaults["learning_rate"]),
        "precision": given.get("precision", "mixed_bfloat16"),
        "seed": given.get("seed", 0),
        "log_every": min(_STEPS_PER_ROW, clips // batch_size),
        "checkpoint_every": 200,
        "progress": False,
        **{name: given[name] for name in _AS_PRETRAIN_CONFIG if name in given},
    }


def _check_same_run(preset: str, earlier: dict[str, Any], given: dict[str, Any]) -> None:
    found = {
        "clips": earlier["steps"] * earlier["batch_size"],
        "batch": earlier["batch_size"],
        **{name: earlier[name] for name in ("learning_rate", "precision", "seed")},
        **{name: earlier.get(name) for name in _AS_PRETRAIN_CONFIG},
    }
    if "clips" in given:
        given = given | {"clips": given["clips"] // found["batch"] * found["batch"]}
    model = f"{earlier['model']}_{earlier['size']}"
    different = [
        f"{name} {found[name]}, received {value}"
        for name, value in given.items()
        if value != found[name]
    ]
    if preset != model:
        different.append(f"{model}, received {preset}")
    if different:
        raise ValueError(f"The run began with {'; '.join(different)}. Leave them out to go on.")


def _last_step(log: Path) -> int:
    from keras_axlstm.training.checkpoints import Checkpoints

    # Rows after the newest checkpoint are trained again.
    steps = Checkpoints(log.parent / "checkpoints", keep=1).steps()
    return steps[-1] if steps else 0


def _machine() -> dict[str, Any]:
    import keras

    from keras_axlstm.recurrence.kernels.machine import devices

    return {
        "backend": keras.backend.backend(),
        "device": devices()[0],
        "cores": os.cpu_count(),
        "system": platform.platform(),
    }


def _write_records(run: Path, piece: dict[str, Any]) -> None:
    from keras_axlstm.files import write_aside

    path = run / PIECES_FILE
    pieces = _read_pieces(path) if path.exists() else _earlier_pieces(piece["initial_preset"])
    with write_aside(path, overwrite=True) as file:
        file.write_text(json.dumps([*pieces, piece], indent=1) + "\n", encoding="utf-8")


def _earlier_pieces(initial_preset: str | None) -> list[dict[str, Any]]:
    """Of the preset whose weights the run began with, as far as they are known."""
    from keras_axlstm.models.presets import folder_of

    if initial_preset is None or _widened_from(initial_preset):
        return []
    folder = folder_of(initial_preset)
    for path in (folder.parent / PIECES_FILE, folder / TRAINING_FILE):
        if path.exists():
            return _read_pieces(path)
    return []


def _widened_from(initial_preset: str | None) -> str | None:
    """The narrower preset whose card tells of what was before."""
    from keras_axlstm.models.presets import folder_of

    if initial_preset is None:
        return None
    path = folder_of(initial_preset) / WIDENED_FILE
    if not path.exists():
        return None
    name: str = json.loads(path.read_text(encoding="utf-8"))["from"]
    return name


def _read_pieces(path: Path) -> list[dict[str, Any]]:
    pieces: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return pieces


def _draw(history: list[dict[str, float]], path: Path, title: str) -> None:
    from matplotlib.figure import Figure

    from keras_axlstm.plots import save_plot

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([row["step"] for row in history], [row["loss"] for row in history])
    axes.set(xlabel="step", ylabel="loss on masked patches", title=title)
    save_plot(figure, path)
