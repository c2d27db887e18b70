"""Who speaks: languages, variants and voices of the synthesizers that are not reserved."""

import functools
import shutil
import subprocess
from pathlib import Path

from task_making.voices import ACCENTS, VARIANTS

# Nearly the same voice as a reserved one, under another name.
_RELATIVES = {"anikaRobot", "edward2", "iven4"}
# For machines and tests of the program, not like a person.
_NO_VOICES = {"fast", "UniRobot", "announcer", "Mr"} | {f"robosoft{n}" for n in range(2, 9)}
_RESERVED_VARIANTS = {*VARIANTS["valid"], *VARIANTS["test"]}
# An accent that is for training too is not held back.
_RESERVED_ACCENTS = {*ACCENTS["valid"], *ACCENTS["test"]} - set(ACCENTS["train"])

FLITE_VOICES = ("awb", "kal", "kal16", "rms", "slt")
# By the folder in which Debian installs a voice of festival: its language.
FESTIVAL_LANGUAGES = {
    "catalan": "ca",
    "czech": "cs",
    "english": "en",
    "finnish": "fi",
    "hindi": "hi",
    "italian": "it",
    "marathi": "mr",
    "russian": "ru",
    "telugu": "te",
    "us": "en",
}
_FESTIVAL_VOICES = Path("/usr/share/festival/voices")


@functools.lru_cache(maxsize=1)
def espeak_variants() -> tuple[str, ...]:
    """Variants of espeak-ng that the corpus may use."""
    found = _espeak_files("variant", "!v/")
    return tuple(sorted(found - _RESERVED_VARIANTS - _RELATIVES - _NO_VOICES))


@functools.lru_cache(maxsize=1)
def espeak_languages() -> tuple[str, ...]:
    """Languages and accents of espeak-ng that the corpus may use."""
    said = subprocess.run(["espeak-ng", "--voices"], capture_output=True, text=True, check=True)
    found = {line.split()[1] for line in said.stdout.splitlines()[1:]}
    return tuple(sorted(found - _RESERVED_ACCENTS))


def espeak_accents() -> tuple[str, ...]:
    """The accents of English among them."""
    return tuple(name for name in espeak_languages() if name.startswith("en"))


@functools.lru_cache(maxsize=1)
def festival_voices() -> tuple[tuple[str, str], ...]:
    """Names and languages of the voices of festival that are installed."""
    if shutil.which("festival") is None:
        return ()
    return tuple(
        (voice.name, language)
        for folder, language in FESTIVAL_LANGUAGES.items()
        for voice in sorted((_FESTIVAL_VOICES / folder).glob("*"))
        if (voice / "festvox").is_dir()
    )


def _espeak_files(kind: str, prefix: str) -> set[str]:
    command = ["espeak-ng", f"--voices={kind}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {word[len(prefix) :] for word in said.split() if word.startswith(prefix)}
