"""What happens to a sound before it is a clip: room, microphone, noise and level."""

import functools

import numpy as np

from task_making.recipe import RATE, generator

_ROOMS = {"train": 16, "valid": 4, "test": 8}
_ROOMS_OF_A_FOLD = 5
_LOUDEST = 0.95


def record(
    sound: np.ndarray,
    rng: np.random.Generator,
    split: str,
    *,
    snr: tuple[float, float] = (8.0, 25.0),
    wet: tuple[float, float] = (0.0, 0.7),
) -> np.ndarray:
    """A sound in one of the rooms of a split, with noise, at a random level.

    Args:
        sound: at `RATE`.
        rng: chooses the room and all else.
        split: whose rooms to choose from.
        snr: least and greatest power of the sound over that of the noise, in decibels.
        wet: least and greatest share of the room's response.
    """
    room = int(rng.integers(_ROOMS.get(split, _ROOMS_OF_A_FOLD)))
    reverberant = convolve(sound, _response(split, room))[: sound.size]
    share = rng.uniform(*wet)
    heard = (1 - share) * normalize(sound) + share * normalize(reverberant)
    heard = normalize(equalize(heard, rng))
    noise = normalize(coloured_noise(rng, sound.size, rng.uniform(-0.3, 1.2)))
    heard = heard + noise * 10 ** (-rng.uniform(*snr) / 20)
    level = 10 ** (rng.uniform(-38, -18) / 20)
    heard = normalize(heard) * level
    return heard * min(1.0, _LOUDEST / max(np.abs(heard).max(), 1e-9))


def normalize(sound: np.ndarray) -> np.ndarray:
    """At a power of 1; silence stays silence."""
    return sound / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-7)


def place(
    sound: np.ndarray, samples: int, rng: np.random.Generator, margin: float = 0.02
) -> np.ndarray:
    """A sound somewhere in a clip of so many samples; a longer one is cut to it anywhere."""
    if sound.size > samples:
        start = int(rng.integers(sound.size - samples + 1))
        return sound[start : start + samples]
    edge = min(round(margin * RATE), (samples - sound.size) // 2)
    start = int(rng.integers(edge, samples - sound.size - edge + 1))
    return np.pad(sound, (start, samples - sound.size - start))


def coloured_noise(rng: np.random.Generator, samples: int, slope: float) -> np.ndarray:
    """Noise whose amplitude falls with frequency to the power of `slope`."""
    frequency = np.fft.rfftfreq(samples, 1 / RATE)
    gain = np.maximum(frequency, 40.0) ** -slope
    return np.fft.irfft(np.fft.rfft(rng.standard_normal(samples)) * gain, samples)


def equalize(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Through a microphone with a response of its own: a smooth curve within about 8 dB."""
    octaves = np.linspace(np.log2(50), np.log2(RATE / 2), 7)
    frequency = np.maximum(np.fft.rfftfreq(sound.size, 1 / RATE), 50.0)
    decibels = np.interp(np.log2(frequency), octaves, rng.normal(0, 4, octaves.size))
    return np.fft.irfft(np.fft.rfft(sound) * 10 ** (decibels / 20), sound.size)


def convolve(sound: np.ndarray, response: np.ndarray) -> np.ndarray:
    """All of the convolution of two signals."""
    length = sound.size + response.size - 1
    size = 1 << (length - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)[:length]


@functools.lru_cache(maxsize=64)
def _response(split: str, room: int) -> np.ndarray:
    """A few early reflections, and a tail of noise that dies away, the highs first."""
    rng = generator(0, "room", split, room)
    seconds = rng.uniform(0.12, 0.7)
    time = np.arange(round(seconds * RATE)) / RATE
    dark = coloured_noise(rng, time.size, rng.uniform(0.2, 0.8))
    bright = rng.standard_normal(time.size)
    tail = normalize(dark) * np.exp(-6.9 * time / seconds)
    tail += normalize(bright) * np.exp(-14 * time / seconds) * rng.uniform(0.2, 0.8)
    response = tail * rng.uniform(0.02, 0.15)
    response[0] = 1.0
    for delay in rng.uniform(0.002, 0.03, 6):
        response[round(delay * RATE)] += rng.uniform(-0.6, 0.6)
    return response
