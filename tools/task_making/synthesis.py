"""Building blocks of sounds that are made by code; all take and give arrays at `RATE`."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from task_making.recipe import RATE
from task_making.recording import normalize


def seconds(samples: int) -> np.ndarray:
    """The time of each sample."""
    return np.arange(samples) / RATE


def tone(frequency: float | np.ndarray, samples: int, harmonics: Sequence[float]) -> np.ndarray:
    """A tone of some harmonics; its frequency in Hz may change with time."""
    track = np.broadcast_to(np.asarray(frequency, float), (samples,))
    phase = 2 * np.pi * np.cumsum(track) / RATE
    sound = np.zeros(samples)
    for number, gain in enumerate(harmonics, 1):
        sound += gain * np.sin(number * phase) * (number * track < 0.48 * RATE)
    return sound


def modes(
    samples: int,
    frequencies: Sequence[float] | np.ndarray,
    gains: Sequence[float] | np.ndarray,
    decays: Sequence[float] | np.ndarray,
    bend: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Something struck: vibrations that die away in `decays` seconds, bent in pitch by a factor."""
    time = seconds(samples)
    warped = np.cumsum(np.broadcast_to(np.asarray(bend, float), (samples,))) / RATE
    sound = np.zeros(samples)
    for frequency, gain, decay in zip(frequencies, gains, decays, strict=True):
        if frequency < 0.45 * RATE:
            sound += gain * np.exp(-time / decay) * np.sin(2 * np.pi * frequency * warped)
    return sound


def band(rng: np.random.Generator, samples: int, low: float, high: float) -> np.ndarray:
    """Noise between two frequencies, with edges of half an octave, at a power of 1."""
    frequency = np.maximum(np.fft.rfftfreq(samples, 1 / RATE), 1.0)
    above = np.clip(1 + 2 * np.log2(frequency / low), 0, 1)
    below = np.clip(1 - 2 * np.log2(frequency / high), 0, 1)
    noise = np.fft.rfft(rng.standard_normal(samples)) * above * below
    return normalize(np.fft.irfft(noise, samples))


def burst(samples: int, attack: float, decay: float) -> np.ndarray:
    """An envelope that rises in `attack` seconds and dies away in `decay` seconds."""
    time = seconds(samples)
    return np.minimum(time / max(attack, 1e-4), 1) * np.exp(-np.maximum(time - attack, 0) / decay)


def arch(samples: int, power: float = 1.0) -> np.ndarray:
    """An envelope that rises and falls evenly."""
    return np.sin(np.pi * (np.arange(samples) + 0.5) / samples) ** power


def wander(
    rng: np.random.Generator, samples: int, rate: float, low: float, high: float
) -> np.ndarray:
    """A curve through random values, `rate` of them a second."""
    knots = max(2, round(samples / RATE * rate) + 2)
    return np.interp(
        np.linspace(0, knots - 1, samples), np.arange(knots), rng.uniform(low, high, knots)
    )


def glide(start: float, end: float, samples: int) -> np.ndarray:
    """From one frequency to another, evenly in octaves."""
    return start * (end / start) ** np.linspace(0, 1, samples)


def repeat(
    samples: int, times: Iterable[float], length: float, make: Callable[[int], np.ndarray]
) -> np.ndarray:
    """A sound of some length at each of some times; what runs over the end is cut off."""
    clip = np.zeros(samples)
    for start in times:
        begin = round(start * RATE)
        if 0 <= begin < samples:
            sound = make(round(length * RATE))[: samples - begin]
            clip[begin : begin + sound.size] += sound
    return clip


def regular(rng: np.random.Generator, length: float, interval: float, jitter: float) -> np.ndarray:
    """Times an interval apart, each off by up to a share of it."""
    times = np.arange(rng.uniform(0, interval), length, interval)
    return np.maximum(times + rng.uniform(-jitter, jitter, times.size) * interval, 0)


def irregular(rng: np.random.Generator, length: float, rate: float) -> np.ndarray:
    """Times that know nothing of each other, `rate` a second, at least one."""
    count = max(1, rng.poisson(rate * length))
    return np.sort(rng.uniform(0, length, count))


def formants(
    sound: np.ndarray, centres: Sequence[float], width: float = 120.0, floor: float = 0.02
) -> np.ndarray:
    """Through resonances, such as those of a mouth."""
    frequency = np.fft.rfftfreq(sound.size, 1 / RATE)
    gain = np.full(frequency.size, floor)
    for number, centre in enumerate(centres):
        gain += 0.6**number / (1 + np.square((frequency - centre) / width))
    return np.fft.irfft(np.fft.rfft(sound) * gain, sound.size)
