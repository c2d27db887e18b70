"""Sounds of weather, water and fire."""

from collections.abc import Callable

import numpy as np

from task_making.recipe import RATE
from task_making.synthesis import (
    band,
    burst,
    glide,
    irregular,
    repeat,
    seconds,
    tone,
    wander,
)

Rng = np.random.Generator


def _drops(rng: Rng, samples: int, times: np.ndarray, low: float, high: float) -> np.ndarray:
    """Bubbles of air in water: short tones whose pitch rises."""

    def drop(n: int) -> np.ndarray:
        pitch = rng.uniform(low, high)
        return tone(glide(pitch, pitch * 1.4, n), n, (1.0,)) * burst(n, 0.002, 0.02)

    return repeat(samples, times, 0.1, drop)


def rain(rng: Rng, samples: int) -> np.ndarray:
    """A hiss of many drops."""
    times = irregular(rng, samples / RATE, rng.uniform(40, 120))
    drops = repeat(samples, times, 0.01, lambda n: band(rng, n, 1500, 7000) * burst(n, 5e-4, 2e-3))
    return drops * rng.uniform(1, 3) + band(rng, samples, rng.uniform(500, 1500), 7500)


def wind(rng: Rng, samples: int) -> np.ndarray:
    gusts = wander(rng, samples, 2, 0.1, 1)
    centre = rng.uniform(300, 900)
    return band(rng, samples, centre / 1.5, centre * 1.5) * gusts**2 + band(rng, samples, 40, 300)


def sea_waves(rng: Rng, samples: int) -> np.ndarray:
    """Each one swells slowly and breaks."""
    period = rng.uniform(1.2, 2.5)
    phase = (seconds(samples) / period + rng.uniform()) % 1
    swell = np.where(phase < 0.7, (phase / 0.7) ** 2, (1 - phase) / 0.3)
    return band(rng, samples, rng.uniform(100, 400), rng.uniform(2500, 6000)) * (swell + 0.05)


def thunder(rng: Rng, samples: int) -> np.ndarray:
    """A crack and a long rumble."""
    rumble = band(rng, samples, 40, rng.uniform(200, 500)) * wander(rng, samples, 8, 0.2, 1)
    envelope = burst(samples, rng.uniform(0.01, 0.2), rng.uniform(0.5, 1.2))
    crack = band(rng, samples, 500, 5000) * burst(samples, 0.002, 0.08)
    return rumble * envelope + crack * rng.uniform(0.1, 0.5)


def fire(rng: Rng, samples: int) -> np.ndarray:
    """Crackles over a low roar."""
    times = irregular(rng, samples / RATE, rng.uniform(10, 30))
    crackles = repeat(
        samples,
        times,
        0.03,
        lambda n: band(rng, n, 1000, 7500) * burst(n, 3e-4, 4e-3) * rng.pareto(2),
    )
    return crackles * 4 + band(rng, samples, 60, rng.uniform(300, 900)) * rng.uniform(0.2, 0.6)


def stream(rng: Rng, samples: int) -> np.ndarray:
    times = irregular(rng, samples / RATE, rng.uniform(60, 150))
    hiss = band(rng, samples, 800, 5000) * rng.uniform(0.05, 0.15)
    return _drops(rng, samples, times, 400, 2500) + hiss


def dripping(rng: Rng, samples: int) -> np.ndarray:
    times = irregular(rng, samples / RATE, rng.uniform(1.5, 3.5))
    return _drops(rng, samples, times, 700, 2200)


def filling(rng: Rng, samples: int) -> np.ndarray:
    """A vessel that is filled: the resonance rises."""
    low = rng.uniform(300, 700)
    return _resonant_water(rng, samples, glide(low, low * rng.uniform(2, 4), samples))


def emptying(rng: Rng, samples: int) -> np.ndarray:
    """A vessel that runs empty: the resonance falls."""
    low = rng.uniform(300, 700)
    return _resonant_water(rng, samples, glide(low * rng.uniform(2, 4), low, samples))


def _resonant_water(rng: Rng, samples: int, track: np.ndarray) -> np.ndarray:
    # Slow noise on a carrier is a band of noise that follows the carrier.
    slow = band(rng, samples, 20, rng.uniform(80, 200))
    return tone(track, samples, (1, 0.3)) * slow + band(rng, samples, 500, 6000) * 0.2


def steam(rng: Rng, samples: int) -> np.ndarray:
    """Puffs of hiss."""
    puffs = (seconds(samples) * rng.uniform(0.8, 3) + rng.uniform()) % 1
    return band(rng, samples, rng.uniform(1500, 3500), 7600) * ((1 - puffs) ** 2 + 0.03)


NATURE: dict[str, Callable[[Rng, int], np.ndarray]] = {
    make.__name__: make
    for make in (
        dripping,
        emptying,
        filling,
        fire,
        rain,
        sea_waves,
        steam,
        stream,
        thunder,
        wind,
    )
}
