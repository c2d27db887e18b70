"""Sounds of machines and signals, each with parameters of its own every time."""

from collections.abc import Callable

import numpy as np

from task_making.recipe import RATE
from task_making.synthesis import (
    arch,
    band,
    burst,
    glide,
    modes,
    regular,
    repeat,
    seconds,
    tone,
    wander,
)

Rng = np.random.Generator


def _harmonics(rng: Rng, count: int, slope: float = 1.0) -> np.ndarray:
    return rng.uniform(0.3, 1, count) / np.arange(1, count + 1) ** slope


def _motor(rng: Rng, samples: int, rate: np.ndarray | float) -> np.ndarray:
    """Firing `rate` times a second: a buzz and the noise of each stroke."""
    buzz = tone(rate, samples, _harmonics(rng, 14, rng.uniform(0.3, 0.9)))
    phase = np.cumsum(np.broadcast_to(np.asarray(rate, float), (samples,))) / RATE
    strokes = (1 - phase % 1) ** 4
    return buzz + strokes * band(rng, samples, 150, rng.uniform(1500, 4000)) * rng.uniform(0.5, 2)


def _beeps(rng: Rng, samples: int, interval: float, share: float) -> np.ndarray:
    pitch = rng.uniform(700, 3200)
    harmonics = _harmonics(rng, 4, 1.5)
    length = interval * share
    envelope = np.minimum(1, 8 * arch(round(length * RATE)))
    times = regular(rng, samples / RATE, interval, 0)
    return repeat(samples, times, length, lambda n: tone(pitch, n, harmonics) * envelope[:n])


def alarm_clock(rng: Rng, samples: int) -> np.ndarray:
    """Four quick beeps and a pause."""
    return _beeps(rng, samples, rng.uniform(0.1, 0.14), 0.5) * (
        (seconds(samples) / rng.uniform(0.7, 0.9) + rng.uniform()) % 1 < 0.6
    )


def reversing_beeper(rng: Rng, samples: int) -> np.ndarray:
    """Long beeps."""
    return _beeps(rng, samples, rng.uniform(0.6, 0.9), 0.5)


def telephone(rng: Rng, samples: int) -> np.ndarray:
    """Two tones that take turns quickly, on and off."""
    low = rng.uniform(600, 1500)
    turns = (seconds(samples) * rng.uniform(16, 25)) % 1 < 0.5
    sound = tone(np.where(turns, low, low * rng.uniform(1.2, 1.3)), samples, _harmonics(rng, 5))
    return sound * ((seconds(samples) / rng.uniform(1.2, 1.8) + rng.uniform()) % 1 < 0.6)


def siren(rng: Rng, samples: int) -> np.ndarray:
    """Up and down without end."""
    cycles = seconds(samples) * rng.uniform(0.5, 3) + rng.uniform()
    swing = 0.5 - 0.5 * np.cos(2 * np.pi * cycles)
    track = rng.uniform(400, 900) * rng.uniform(1.6, 2.4) ** swing
    return tone(track, samples, _harmonics(rng, 6))


def siren_rising(rng: Rng, samples: int) -> np.ndarray:
    """Starts again from below each time."""
    cycles = (seconds(samples) * rng.uniform(0.8, 3) + rng.uniform()) % 1
    return tone(
        rng.uniform(400, 900) * rng.uniform(1.6, 2.4) ** cycles, samples, _harmonics(rng, 6)
    )


def siren_falling(rng: Rng, samples: int) -> np.ndarray:
    """Starts again from above each time."""
    cycles = 1 - (seconds(samples) * rng.uniform(0.8, 3) + rng.uniform()) % 1
    return tone(
        rng.uniform(400, 900) * rng.uniform(1.6, 2.4) ** cycles, samples, _harmonics(rng, 6)
    )


def siren_two_tones(rng: Rng, samples: int) -> np.ndarray:
    low = rng.uniform(400, 900)
    turns = (seconds(samples) * rng.uniform(0.7, 2) + rng.uniform()) % 1 < 0.5
    return tone(np.where(turns, low, low * rng.uniform(1.25, 1.5)), samples, _harmonics(rng, 6))


def engine(rng: Rng, samples: int) -> np.ndarray:
    return _motor(rng, samples, rng.uniform(18, 45) * wander(rng, samples, 4, 0.96, 1.04))


def engine_speeding_up(rng: Rng, samples: int) -> np.ndarray:
    low = rng.uniform(20, 45)
    return _motor(rng, samples, glide(low, low * rng.uniform(1.8, 3), samples))


def engine_slowing_down(rng: Rng, samples: int) -> np.ndarray:
    low = rng.uniform(20, 45)
    return _motor(rng, samples, glide(low * rng.uniform(1.8, 3), low, samples))


def chainsaw(rng: Rng, samples: int) -> np.ndarray:
    revving = wander(rng, samples, 3, 0.7, 1.3)
    return _motor(rng, samples, rng.uniform(80, 140) * revving) * revving**2


def helicopter(rng: Rng, samples: int) -> np.ndarray:
    cycles = seconds(samples) * rng.uniform(9, 16)
    return band(rng, samples, 60, rng.uniform(500, 1500)) * (1 - cycles % 1) ** rng.uniform(2, 5)


def drill(rng: Rng, samples: int) -> np.ndarray:
    """A whine that gives way under load."""
    track = rng.uniform(250, 700) * wander(rng, samples, 3, 0.8, 1.1)
    grind = band(rng, samples, 1500, 6000) * rng.uniform(0.2, 0.6)
    return tone(track, samples, _harmonics(rng, 10, 0.6)) + grind


def vacuum_cleaner(rng: Rng, samples: int) -> np.ndarray:
    whine = tone(rng.uniform(150, 400), samples, _harmonics(rng, 8)) * rng.uniform(0.2, 0.6)
    return band(rng, samples, 200, rng.uniform(3000, 6500)) + whine


def train(rng: Rng, samples: int) -> np.ndarray:
    """Two wheels over each joint of the rails."""
    interval = rng.uniform(0.5, 0.9)
    firsts = regular(rng, samples / RATE, interval, 0)
    times = np.sort(np.concatenate([firsts, firsts + rng.uniform(0.12, 0.2)]))
    low, high = rng.uniform(150, 400), rng.uniform(1500, 3500)
    clacks = repeat(samples, times, 0.1, lambda n: band(rng, n, low, high) * burst(n, 0.002, 0.03))
    return clacks + band(rng, samples, 60, 600) * rng.uniform(0.1, 0.3)


def jackhammer(rng: Rng, samples: int) -> np.ndarray:
    times = regular(rng, samples / RATE, 1 / rng.uniform(14, 25), 0.05)
    high = rng.uniform(3000, 6500)
    return repeat(samples, times, 0.06, lambda n: band(rng, n, 200, high) * burst(n, 0.001, 0.015))


def clock_tick(rng: Rng, samples: int) -> np.ndarray:
    """Tick and tock, evenly."""
    interval = rng.uniform(0.22, 0.5)
    pitches = rng.uniform(1500, 4000, 6)
    gains, decays = rng.uniform(0.3, 1, 6), rng.uniform(0.004, 0.02, 6)
    times = regular(rng, samples / RATE, interval, 0.01)
    return repeat(samples, times, 0.1, lambda n: modes(n, pitches, gains, decays))


def church_bell(rng: Rng, samples: int) -> np.ndarray:
    strike = rng.uniform(180, 500)
    ratios = np.array([0.5, 1, 1.2, 1.5, 2, 2.7, 3.4]) * rng.uniform(0.98, 1.02, 7)
    gains, decays = rng.uniform(0.3, 1, 7), 1.6 / ratios**0.7
    times = regular(rng, samples / RATE, rng.uniform(0.9, 1.6), 0.03)
    return repeat(samples, times, 2.0, lambda n: modes(n, strike * ratios, gains, decays))


def bicycle_bell(rng: Rng, samples: int) -> np.ndarray:
    """A quick rattle of two close pitches."""
    pitch = rng.uniform(1800, 3200)
    ratios = np.array([1, 1.01, 2.6, 2.63])
    start = rng.uniform(0, 0.4 * samples / RATE)
    times = start + np.arange(rng.integers(4, 9)) / rng.uniform(12, 20)
    return repeat(
        samples, times, 0.9, lambda n: modes(n, pitch * ratios, (1, 0.8, 0.4, 0.3), [0.3] * 4)
    )


MACHINES: dict[str, Callable[[Rng, int], np.ndarray]] = {
    make.__name__: make
    for make in (
        alarm_clock,
        bicycle_bell,
        chainsaw,
        church_bell,
        clock_tick,
        drill,
        engine,
        engine_slowing_down,
        engine_speeding_up,
        helicopter,
        jackhammer,
        reversing_beeper,
        siren,
        siren_falling,
        siren_rising,
        siren_two_tones,
        telephone,
        train,
        vacuum_cleaner,
    )
}
