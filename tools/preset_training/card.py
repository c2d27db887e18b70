"""The card of a trained preset: what it was trained on, for how long, and what it scores."""

from typing import Any

TEMPLATE = """\
# {preset}

{description}

Weights of our own, trained on {heard} with the masked spectrogram modelling of the paper
("Audio xLSTMs: learning self-supervised audio representations with xLSTMs", Yadav, Theodoridis,
Tan, 2024): {parameters:,} parameters with the reconstruction head, stored in float16.

```python
import keras_axlstm

embedder = keras_axlstm.AudioEmbedder.from_preset("{preset}")
embedder.embed("clip.wav")
```

The log-mel spectrogram of a clip is normalised by its mean and standard deviation{front_end}.

## Training

{runs}

![Loss curve](loss.png)

```text
{commands}
```

{corpus}

## Scores

{scores}

## Limits

{limits} For real recordings of your kind measure first (`keras-axlstm evaluate`), and
prefer weights trained on AudioSet where you can have them (`keras-axlstm convert`).
"""
SYNTHETIC_LIMITS = """\
No recording was heard in training: speech is that of synthesizers, music that of one sound font,
the rest is code."""
RECORDED_LIMITS = """\
Few recordings were heard in training, of few people: most speech is that of synthesizers, music
that of one sound font, the rest is code."""
RUN = """\
- {clips:,} crops of 2 s seen ({last_step:,} steps of {batch_size}), drawn from
  {clips_of_the_data:,} clips
- {mask_ratio:.0%} of the {hidden} hidden{in_training}
- AdamW, peak learning rate {peak_learning_rate:g}, {precision}
- {at_least}{hours:.1f} h on {devices}
- Loss on masked patches at the end: {loss:.4f}
"""
WIDENED = """\
Begins with the weights of `{}`, see its card: each channel is copied, so that the
wider model computes what the narrower one does (`tools/widen_preset.py`). Then:

"""
NEXT_RUN = """
Then, beginning with these weights:

"""
DYNAMIC_RANGE = """, after what
is softer than {:g} dB below its loudest value has been raised to there (`dynamic_range`)"""
# What is hidden, by the name of the mask.
HIDDEN = {"unstructured": "patches", "timestep": "time steps"}
WITHOUT_SCORES = "Not measured yet."


def card(
    preset: str,
    description: str,
    parameters: int,
    pieces: list[dict[str, Any]],
    commands: list[str],
    corpus: str,
    dynamic_range: float | None,
    recorded: bool,
    scores: str | None,
) -> str:
    """The text of the card.

    Args:
        preset: its name.
        description: of the architecture, a sentence.
        parameters: how many it has.
        pieces: the records of `train_piece`.
        commands: that make the corpus and the weights again.
        corpus: the card of the corpus, in Markdown.
        dynamic_range: decibels, of the preset's front end.
        recorded: whether recordings are in it.
        scores: Markdown of the scores and the command that gives them, or None.
    """
    narrow = pieces[0].get("widened_from")
    return TEMPLATE.format(
        preset=preset,
        description=description,
        parameters=parameters,
        runs=("" if narrow is None else WIDENED.format(narrow))
        + NEXT_RUN.join(_run(run) for run in split_runs(pieces)).rstrip(),
        commands="\n".join(commands),
        corpus=_one_level_down(corpus),
        front_end="" if dynamic_range is None else DYNAMIC_RANGE.format(dynamic_range),
        heard="synthetic audio and a few hours of recordings" if recorded else "synthetic audio",
        limits=RECORDED_LIMITS if recorded else SYNTHETIC_LIMITS,
        scores=(scores or WITHOUT_SCORES).strip("\n"),
    )


def split_runs(pieces: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The pieces of each run, of runs that began one with the weights of the other."""
    later = [place for place, piece in enumerate(pieces) if piece["first_step"] == 0 and place]
    starts = [0, *later]
    return [pieces[i:j] for i, j in zip(starts, [*starts[1:], len(pieces)], strict=True)]


def _run(pieces: list[dict[str, Any]]) -> str:
    devices = {
        f"{piece['device']} ({piece['cores']} cores), {piece['backend']}" for piece in pieces
    }
    last = pieces[-1]
    dynamic_range = last.get("dynamic_range")
    recorded = sum(piece["last_step"] - piece["first_step"] for piece in pieces)
    return RUN.format(
        **last
        | {
            "clips": last["last_step"] * last["batch_size"],
            "hidden": HIDDEN[last["mask_mode"]],
            "in_training": f"; a dynamic range of {dynamic_range:g} dB" if dynamic_range else "",
            # A piece that was killed has left checkpoints and no record.
            "at_least": "more than " if recorded < last["last_step"] else "",
            "hours": sum(piece["hours"] for piece in pieces),
            "devices": "; ".join(sorted(devices)),
        }
    )


def _one_level_down(markdown: str) -> str:
    return "\n".join(f"#{line}" if line.startswith("#") else line for line in markdown.splitlines())
