"""Sounds of things that happen and of people without words."""

from collections.abc import Callable

import numpy as np

from task_making.recipe import RATE
from task_making.synthesis import band, burst, glide, irregular, modes, regular, repeat, tone

Rng = np.random.Generator


def _knocks(rng: Rng, samples: int, times: np.ndarray) -> np.ndarray:
    pitches = rng.uniform(120, 500) * np.array([1, 1.7, 2.6, 3.9])
    decays = rng.uniform(0.01, 0.04) / np.arange(1, 5)
    return repeat(samples, times, 0.15, lambda n: modes(n, pitches, (1, 0.6, 0.4, 0.2), decays))


def door_knock(rng: Rng, samples: int) -> np.ndarray:
    """Three quick knocks, and again."""
    quick = rng.uniform(0.13, 0.22)
    firsts = regular(rng, samples / RATE, quick * 3 + rng.uniform(0.5, 0.8), 0)
    times = np.add.outer(firsts, quick * np.arange(3)).ravel()
    return _knocks(rng, samples, times)


def hammering(rng: Rng, samples: int) -> np.ndarray:
    """Evenly."""
    return _knocks(rng, samples, regular(rng, samples / RATE, rng.uniform(0.25, 0.5), 0.05))


def rummaging(rng: Rng, samples: int) -> np.ndarray:
    """Knocks in no order."""
    return _knocks(rng, samples, irregular(rng, samples / RATE, rng.uniform(3, 6)))


def heartbeat(rng: Rng, samples: int) -> np.ndarray:
    """Two beats, the second softer."""
    firsts = regular(rng, samples / RATE, rng.uniform(0.6, 1.0), 0.02)
    low = rng.uniform(40, 70)

    def beat(n: int) -> np.ndarray:
        return modes(n, (low, low * 1.8), (1, 0.5), (0.05, 0.03))

    return repeat(samples, firsts, 0.2, beat) + 0.6 * repeat(samples, firsts + 0.22, 0.2, beat)


def footsteps(rng: Rng, samples: int) -> np.ndarray:
    """Heel and sole."""
    heels = regular(rng, samples / RATE, rng.uniform(0.35, 0.6), 0.04)
    high = rng.uniform(800, 3000)

    def scuff(n: int) -> np.ndarray:
        return band(rng, n, 100, high) * burst(n, 0.004, 0.025)

    return repeat(samples, heels, 0.1, scuff) + 0.5 * repeat(samples, heels + 0.09, 0.1, scuff)


def typing(rng: Rng, samples: int) -> np.ndarray:
    times = irregular(rng, samples / RATE, rng.uniform(5, 10))
    return repeat(
        samples,
        times,
        0.05,
        lambda n: band(rng, n, rng.uniform(1200, 2500), 7000) * burst(n, 0.001, 0.006),
    )


def applause(rng: Rng, samples: int) -> np.ndarray:
    times = irregular(rng, samples / RATE, rng.uniform(60, 150))
    return repeat(
        samples,
        times,
        0.04,
        lambda n: (
            band(rng, n, rng.uniform(600, 1200), rng.uniform(2000, 5000)) * burst(n, 0.001, 0.01)
        ),
    )


def glass_breaking(rng: Rng, samples: int) -> np.ndarray:
    """A crash, and shards that fall for a while."""
    start = rng.uniform(0, 0.3 * samples / RATE)
    times = start + np.append(0, rng.exponential(0.25, 40))

    def shard(n: int) -> np.ndarray:
        return modes(n, rng.uniform(2000, 7000, 5), rng.uniform(0.1, 1, 5), [0.05] * 5)

    crash = repeat(samples, [start], 0.4, lambda n: band(rng, n, 1500, 7500) * burst(n, 1e-3, 0.06))
    return repeat(samples, times, 0.4, shard) + crash * 2


def door_creak(rng: Rng, samples: int) -> np.ndarray:
    """Sticks and slips, ever faster."""
    low = rng.uniform(25, 60)
    track = glide(low, low * rng.uniform(3, 8), samples)
    return tone(track, samples, [1 / number**0.3 for number in range(1, 40)])


def zipper(rng: Rng, samples: int) -> np.ndarray:
    """A quick rattle that gets higher, in pulls."""

    def pull(n: int) -> np.ndarray:
        teeth = tone(glide(60, rng.uniform(150, 220), n), n, [1.0] * 30)
        return band(rng, n, 1500, 7000) * np.maximum(teeth, 0)

    return repeat(samples, regular(rng, samples / RATE, 0.8, 0.1), rng.uniform(0.3, 0.6), pull)


HAPPENINGS: dict[str, Callable[[Rng, int], np.ndarray]] = {
    make.__name__: make
    for make in (
        applause,
        door_creak,
        door_knock,
        footsteps,
        glass_breaking,
        hammering,
        heartbeat,
        rummaging,
        typing,
        zipper,
    )
}
