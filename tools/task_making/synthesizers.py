"""The programs that tasks are made with: what is missing, which versions, and calling them."""

import io
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr

from task_making.recipe import RATE

SOUND_FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
_PACKAGES = {"espeak-ng": ("espeak-ng",), "fluidsynth": ("fluidsynth", "fluid-soundfont-gm")}
_FLUIDSYNTH_RATE = 44100
TICKS_PER_SECOND = 960


def missing_synthesizers(programs: Iterable[str]) -> list[str]:
    """What is not installed of some programs, and how to install it; empty if all is there."""
    problems = []
    for program in sorted(programs):
        install = f"apt-get install {' '.join(_PACKAGES[program])}"
        if shutil.which(program) is None:
            problems.append(f"needs the program {program}, which is not installed: {install}")
        elif program == "fluidsynth" and not SOUND_FONT.exists():
            problems.append(f"needs the sound font {SOUND_FONT}, which is missing: {install}")
    return problems


def version(program: str) -> str:
    """What a program says about its version, and the size of its sound font."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    line = said.stdout.splitlines()[0].partition("Data at")[0].strip()
    if program == "fluidsynth":
        line += f", {SOUND_FONT.name} of {SOUND_FONT.stat().st_size} bytes"
    return line


def speak(
    text: str, voice: str, *, pitch: int = 50, speed: int = 175, markup: bool = False
) -> np.ndarray:
    """Synthesised speech at `RATE`, without the silence around it.

    Args:
        text: what to say.
        voice: language and variant, such as `"en-us+f2"`.
        pitch: 0 to 99.
        speed: words a minute, 80 to 450.
        markup: the text is SSML.
    """
    command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout"]
    result = subprocess.run(
        [*command, *(["-m"] if markup else []), "--", text], capture_output=True, check=True
    )
    # The header of a stream states no length.
    samples, rate = soundfile.read(io.BytesIO(_with_length(result.stdout)), dtype="float32")
    loud = np.flatnonzero(np.abs(samples) > 0.003)
    if not loud.size:
        raise RuntimeError(f"espeak-ng was silent for {text!r} with the voice {voice}")
    return soxr.resample(samples[loud[0] : loud[-1] + 1], rate, RATE, quality="HQ")


def _with_length(wav: bytes) -> bytes:
    """A wav file whose header of 44 bytes states the right lengths."""
    size = len(wav) - 44
    return wav[:4] + struct.pack("<I", size + 36) + wav[8:40] + struct.pack("<I", size) + wav[44:]


def play(program: int, notes: Sequence[tuple[int, int, float]], spacing: float) -> list[np.ndarray]:
    """Notes of one instrument at `RATE`, each `spacing` seconds long.

    Args:
        program: of General MIDI, from 0.
        notes: MIDI pitch, velocity and seconds until the key is released.
        spacing: seconds from a note to the next.
    """
    mono = play_midi(_midi(program, notes, spacing))
    length = round(spacing * RATE)
    mono = np.pad(mono, (0, max(0, length * len(notes) - mono.size)))
    return [mono[i * length : (i + 1) * length] for i in range(len(notes))]


def play_midi(midi: bytes) -> np.ndarray:
    """What fluidsynth makes of a MIDI file, in mono at `RATE`."""
    with tempfile.TemporaryDirectory() as folder:
        notes, wav = Path(folder, "notes.mid"), Path(folder, "notes.wav")
        notes.write_bytes(midi)
        rate = str(_FLUIDSYNTH_RATE)
        command = ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-g", "0.6", "-r", rate]
        subprocess.run(
            [*command, "-O", "float", "-T", "wav", "-F", str(wav), str(SOUND_FONT), str(notes)],
            capture_output=True,
            check=True,
        )
        samples, _ = soundfile.read(wav, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), _FLUIDSYNTH_RATE, RATE, quality="HQ")


def _midi(program: int, notes: Sequence[tuple[int, int, float]], spacing: float) -> bytes:
    """A MIDI file of the notes of one program."""
    messages = [ticks(0) + bytes([0xC0, program])]
    gap = 0
    for pitch, velocity, held in notes:
        before, gap = gap, round((spacing - held) * TICKS_PER_SECOND)
        messages.append(ticks(before) + bytes([0x90, pitch, velocity]))
        messages.append(ticks(round(held * TICKS_PER_SECOND)) + bytes([0x80, pitch, 0]))
    return midi_file(messages, gap)


def midi_file(messages: Sequence[bytes], rest: int) -> bytes:
    """A MIDI file of one track, of 960 ticks a second: 480 a beat and two beats a second.

    Args:
        messages: each with the ticks since the one before.
        rest: ticks from the last one to the end.
    """
    tempo = ticks(0) + b"\xff\x51\x03" + (500000).to_bytes(3, "big")
    track = b"".join([tempo, *messages, ticks(rest), b"\xff\x2f\x00"])
    return (
        b"MThd"
        + struct.pack(">IHHH", 6, 0, 1, 480)
        + b"MTrk"
        + struct.pack(">I", len(track))
        + track
    )


def ticks(count: int) -> bytes:
    """A number as MIDI writes it: seven bits a byte, the highest first."""
    digits = [count & 0x7F]
    while count := count >> 7:
        digits.append(0x80 | count & 0x7F)
    return bytes(reversed(digits))
