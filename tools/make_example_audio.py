"""Usage: python tools/make_example_audio.py [FOLDER]

Synthesises the clips of examples/audio: music, voice, nature and machines in the file formats,
sampling rates, sample widths and channel counts that the package reads. The samples are always the
same; the bytes of the ogg files are not, because the format has a random serial number.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

# Frequencies in Hz of the formants of five vowels, and how loud the formants are.
VOWELS = {
    "a": (800, 1150, 2900),
    "e": (400, 1600, 2700),
    "i": (350, 2000, 2800),
    "o": (450, 800, 2830),
    "u": (325, 700, 2530),
}
FORMANT_GAINS = (1.0, 0.5, 0.25)
FORMANT_WIDTH = 90.0


def times(seconds: float, rate: int) -> np.ndarray:
    return np.arange(round(seconds * rate)) / rate


def phase(frequency: np.ndarray, rate: int) -> np.ndarray:
    """Phase in radians of an oscillator whose frequency in Hz changes with time."""
    return 2 * np.pi * np.cumsum(frequency) / rate


def note(semitones: float) -> float:
    """Frequency in Hz, counted from the A of 220 Hz."""
    return 220.0 * 2.0 ** (semitones / 12)


def shaped_noise(
    rng: np.random.Generator, samples: int, rate: int, low: float, high: float, slope: float = 0.0
) -> np.ndarray:
    """Noise between two frequencies that falls with frequency to the power of `slope`."""
    frequency = np.fft.rfftfreq(samples, 1 / rate)
    inside = (frequency >= low) & (frequency <= high)
    gain = np.where(inside, np.maximum(frequency, 1.0) ** -slope, 0.0)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(samples)) * gain, samples)
    return noise / np.abs(noise).max()


def place(sound: np.ndarray, clip: np.ndarray, start: float, rate: int) -> None:
    """Add a sound to a clip, `start` seconds after its beginning; what runs over is cut off."""
    begin = round(start * rate)
    length = min(len(sound), len(clip) - begin)
    clip[begin : begin + length] += sound[:length]


def pan(sound: np.ndarray, position: float | np.ndarray) -> np.ndarray:
    """Stereo from mono; `position` from 0, left, to 1, right."""
    angle = np.broadcast_to(np.asarray(position) * np.pi / 2, sound.shape)
    return np.stack([sound * np.cos(angle), sound * np.sin(angle)], axis=1)


def pluck(rng: np.random.Generator, frequency: float, seconds: float, rate: int) -> np.ndarray:
    """A string: a period of noise that goes round and loses its highs (Karplus and Strong)."""
    period = rng.uniform(-1, 1, round(rate / frequency))
    periods = []
    for _ in range(round(seconds * frequency)):
        periods.append(period)
        period = 0.996 * 0.5 * (period + np.roll(period, 1))
    return np.concatenate(periods)


def plucked_strings(rng: np.random.Generator, rate: int) -> np.ndarray:
    clip = np.zeros((round(4.5 * rate), 2))
    for i, semitones in enumerate((0, 7, 12, 16, 19, 16, 12, 7, -4, 3, 8, 12, 15, 24)):
        sound = pluck(rng, note(semitones), 1.8, rate)
        place(pan(sound, (i % 5) / 4), clip, 0.25 * i, rate)
    return clip


def chirps(rng: np.random.Generator, rate: int) -> np.ndarray:
    clip = np.zeros(round(2.5 * rate))
    for start, begin, end in ((0.0, 100, 7000), (0.8, 6000, 300), (1.6, 500, 3500)):
        t = times(0.7, rate)
        sweep = begin * (end / begin) ** (t / 0.7)
        place(np.sin(phase(sweep, rate)) * np.hanning(len(t)), clip, start, rate)
    return clip


def filtered_noise(rng: np.random.Generator, rate: int) -> np.ndarray:
    clip = np.zeros(3 * rate)
    for i, (low, high) in enumerate(((100, 400), (800, 1200), (2000, 3800), (300, 3000))):
        burst = shaped_noise(rng, round(0.7 * rate), rate, low, high)
        place(burst * np.hanning(len(burst)), clip, 0.7 * i, rate)
    return clip


def fm_bells(rng: np.random.Generator, rate: int) -> np.ndarray:
    clip = np.zeros(round(2.6 * rate))
    t = times(1.6, rate)
    for i, semitones in enumerate((12, 19, 16, 24)):
        frequency = note(semitones)
        depth = 5 * np.exp(-3 * t)
        modulator = np.sin(2 * np.pi * 1.4 * frequency * t)
        bell = np.exp(-2.5 * t) * np.sin(2 * np.pi * frequency * t + depth * modulator)
        place(bell, clip, 0.5 * i, rate)
    return clip


def drum_pattern(rng: np.random.Generator, rate: int) -> np.ndarray:
    t = times(0.3, rate)
    kick = np.exp(-12 * t) * np.sin(phase(50 + 120 * np.exp(-30 * t), rate))
    rattle = shaped_noise(rng, len(t), rate, 500, 8000)
    snare = np.exp(-18 * t) * (0.7 * rattle + 0.4 * np.sin(2 * np.pi * 190 * t))
    hat = 0.4 * np.exp(-60 * t) * shaped_noise(rng, len(t), rate, 6000, 11000)
    clip = np.zeros((4 * rate, 2))
    for step in range(32):
        start = 0.125 * step
        place(pan(hat, 0.8), clip, start, rate)
        if step % 8 in (0, 3, 6):
            place(pan(kick, 0.5), clip, start, rate)
        if step % 8 == 4:
            place(pan(snare, 0.35), clip, start, rate)
    return clip


def vowels(rng: np.random.Generator, rate: int) -> np.ndarray:
    """Harmonics of a gliding voice, as loud as the resonances of the mouth make them."""
    clip = np.zeros(4 * rate)
    t = times(0.7, rate)
    for i, (vowel, base) in enumerate(zip("aeiou", (120, 135, 150, 110, 125), strict=True)):
        pitch = base * (1 + 0.1 * np.sin(np.pi * t / 0.7) + 0.01 * np.sin(2 * np.pi * 5 * t))
        voice = np.zeros(len(t))
        for harmonic in range(1, 30):
            gain = sum(
                strength / (1 + ((harmonic * pitch - formant) / FORMANT_WIDTH) ** 2)
                for formant, strength in zip(VOWELS[vowel], FORMANT_GAINS, strict=True)
            )
            voice += gain * np.sin(harmonic * phase(pitch, rate))
        breath = 0.02 * shaped_noise(rng, len(t), rate, 500, 6000)
        place((voice + breath) * np.hanning(len(t)) ** 0.3, clip, 0.8 * i, rate)
    return clip


def rain(rng: np.random.Generator, rate: int) -> np.ndarray:
    clip = np.zeros((6 * rate, 2))
    hiss = shaped_noise(rng, len(clip), rate, 400, 9000, slope=0.6)
    clip += 0.25 * pan(hiss, 0.5)
    t = times(0.03, rate)
    for start in rng.uniform(0, 6, 400):
        drop = np.exp(-200 * t) * np.sin(2 * np.pi * rng.uniform(1500, 6000) * t)
        place(pan(rng.uniform(0.1, 0.9) * drop, rng.uniform()), clip, start, rate)
    return clip


def melody(rng: np.random.Generator, rate: int) -> np.ndarray:
    clip = np.zeros(6 * rate)
    start = 0.0
    for semitones, beats in zip(
        (3, 5, 7, 10, 7, 12, 10, 7, 5, 3, 0, 3), [1, 1, 2] * 4, strict=True
    ):
        t = times(0.36 * beats, rate)
        vibrato = note(semitones + 12) * (1 + 0.006 * np.sin(2 * np.pi * 5.5 * t))
        angle = phase(vibrato, rate)
        tone = np.sin(angle) + 0.35 * np.sin(2 * angle) + 0.2 * np.sin(3 * angle)
        place(tone * np.minimum(1, 30 * t) * np.exp(-1.5 * t), clip, start, rate)
        start += 0.36 * beats
    return clip


def siren(rng: np.random.Generator, rate: int) -> np.ndarray:
    t = times(5.0, rate)
    wail = 700 + 350 * np.sin(2 * np.pi * 0.4 * t)
    hee_haw = np.where((2 * t).astype(int) % 2, 435, 580)
    angle = phase(np.where(t < 2.5, wail, hee_haw), rate)
    tone = sum(np.sin(harmonic * angle) / harmonic for harmonic in (1, 3, 5))
    return pan(tone, t / 5.0)


def birdsong(rng: np.random.Generator, rate: int) -> np.ndarray:
    clip = 0.01 * shaped_noise(rng, round(3.5 * rate), rate, 100, 8000, slope=0.5)
    for start in (0.2, 0.9, 1.3, 2.2, 2.7):
        t = times(0.45, rate)
        trill = rng.uniform(3000, 5000) + 900 * np.sin(2 * np.pi * rng.uniform(9, 22) * t)
        place(np.sin(phase(trill, rate)) * np.hanning(len(t)), clip, start, rate)
    return clip


def clock(rng: np.random.Generator, rate: int) -> np.ndarray:
    clip = np.zeros(rate)
    t = times(0.04, rate)
    for start, frequency in ((0.05, 2400), (0.55, 1900)):
        tick = np.exp(-150 * t) * np.sin(2 * np.pi * frequency * t)
        place(tick + 0.1 * np.exp(-400 * t) * rng.standard_normal(len(t)), clip, start, rate)
    return clip


def engine(rng: np.random.Generator, rate: int) -> np.ndarray:
    t = times(4.0, rate)
    angle = phase(28 + 40 * np.sin(np.pi * t / 4.0) ** 2, rate)
    hum = sum(np.sin(k * angle + k * k) / k**0.7 for k in range(1, 12))
    return hum + 2 * shaped_noise(rng, len(t), rate, 200, 2500) * (1 + np.sin(2 * angle)) / 2


# File name, sampling rate in Hz, soundfile's sample format, synthesis.
CLIPS: list[tuple[str, int, str, Callable]] = [
    ("birdsong.flac", 22050, "PCM_16", birdsong),
    ("chirps.wav", 16000, "PCM_16", chirps),
    ("clock.wav", 8000, "PCM_24", clock),
    ("drum_pattern.flac", 22050, "PCM_16", drum_pattern),
    ("engine.ogg", 16000, "VORBIS", engine),
    ("filtered_noise.wav", 8000, "PCM_16", filtered_noise),
    ("fm_bells.flac", 44100, "PCM_24", fm_bells),
    ("melody.flac", 16000, "PCM_16", melody),
    ("plucked_strings.ogg", 44100, "VORBIS", plucked_strings),
    ("rain.ogg", 22050, "VORBIS", rain),
    ("siren.mp3", 44100, "MPEG_LAYER_III", siren),
    ("vowels.wav", 16000, "PCM_16", vowels),
]


def synthesise() -> Iterator[tuple[str, np.ndarray, int, str]]:
    """Name, samples `(samples,)` or `(samples, 2)` up to 0.8, rate and format of each clip."""
    for seed, (name, rate, subtype, sound) in enumerate(CLIPS):
        clip = sound(np.random.default_rng(seed), rate)
        yield name, 0.8 * clip / np.abs(clip).max(), rate, subtype


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, clip, rate, subtype in synthesise():
        soundfile.write(folder / name, clip, rate, subtype=subtype)


if __name__ == "__main__":
    default = Path(__file__).parents[1] / "examples" / "audio"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
