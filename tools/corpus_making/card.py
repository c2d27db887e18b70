"""The card of a corpus: what is in it, and what it took."""

import platform
import shutil
from pathlib import Path

import keras

from corpus_making.corpus_clips import SOURCES
from corpus_making.music import ALLOWED_PROGRAMS
from corpus_making.procedural import KINDS
from corpus_making.recordings import REPOSITORIES
from corpus_making.speakers import (
    FLITE_VOICES,
    espeak_languages,
    espeak_variants,
    festival_voices,
)
from corpus_making.streams import SECONDS
from task_making.synthesizers import version


def write_card(
    path: Path,
    hours: int,
    seed: int,
    counts: tuple[int, ...],
    gated: float,
    spent: list[dict[str, float]],
) -> None:
    """Write the card as Markdown.

    Args:
        path: of the file.
        hours: of the corpus.
        seed: of the corpus.
        counts: clips of a block by source.
        gated: share of the clips that pass a noise gate.
        spent: `seconds` and `cpu_seconds` that each hour took.
    """
    shares = dict(zip(SOURCES, counts, strict=True))
    clips = round(hours * 3600 / SECONDS)
    recorded = shares["recordings"] > 0
    lines = [
        f"# {'Synthetic audio and recordings' if recorded else 'Synthetic audio'} for pretraining: "
        f"{hours} h",
        "",
        "Made by `tools/make_corpus.py` of keras-axlstm from synthesizers and code; "
        + ("recordings are" if recorded else "no recording"),
        ("mixed in." if recorded else "of anybody is in it.")
        + " Voices, accents and instruments that the generated evaluation tasks",
        "reserve for validation and test are left out, as are the seeds of all their sounds.",
        "",
        f"- {clips} clips of {SECONDS:g} s at 16 kHz, as float16 log-mel spectrograms",
        f"- Seed {seed}, Keras {keras.__version__} on {keras.backend.backend()}",
        f"- {sum(one['seconds'] for one in spent):.0f} s, "
        f"{sum(one['cpu_seconds'] for one in spent):.0f} s of CPU, on "
        + " ".join(dict.fromkeys(filter(None, (platform.processor(), platform.machine())))),
        "",
        "| Source | Share | Clips | What |",
        "|---|---|---|---|",
    ]
    for source, count in shares.items():
        share = count / sum(counts)
        what = _describe(source) if count else ""
        lines.append(f"| {source} | {share:.0%} | {round(share * clips)} | {what} |")
    lines += [
        "",
        "Of all clips 30 % have another one behind them, 70 % noise, 45 % a room, 28 % a narrow",
        "band (12 % of them that of a rate of 8 kHz), 6 % saturation, 13 % digital silence"
        + (
            f",\n{gated:.0%} a noise gate, which leaves digital silence in pauses."
            if gated
            else "."
        ),
        "Synthesizers say numbers and made-up words; English ones with articles and pronouns.",
        "",
        *(_recordings() if recorded else []),
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def _describe(source: str) -> str:
    if source == "speech":
        text = f"{version('espeak-ng')}: {len(espeak_languages())} languages and accents, "
        text += f"{len(espeak_variants())} variants"
        if shutil.which("flite"):
            text += f"; flite: {len(FLITE_VOICES)} voices"
        if festival_voices():
            text += f"; festival: {len(festival_voices())} voices"
        return text + "; one speaker, two in turn, or up to nine at once"
    if source == "music":
        programs = f"{len(ALLOWED_PROGRAMS)} programs and drums"
        return f"{version('fluidsynth')}: {programs}; notes, melodies, chords, bands"
    if source == "recordings":
        return "what is listed below, one or several in a row; voices stretched into others"
    return "one to four of: " + ", ".join(make.__name__.replace("_", " ") for make in KINDS)


def _recordings() -> list[str]:
    shares = sum(one.share for one in REPOSITORIES)
    return [
        "| Recordings | Licence | Files | Share | What |",
        "|---|---|---|---|---|",
        *(
            f"| [{one.name}]({one.url}), {one.commit[:7]} | {one.licence} | {one.files} "
            f"| {one.share / shares:.0%} | {one.what} |"
            for one in REPOSITORIES
        ),
        "",
    ]
