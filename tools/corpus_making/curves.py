"""Curves over a clip: envelopes of events, wandering values, glides, rhythms."""

import numpy as np

from corpus_making.streams import POINTS, SECONDS, TIME

Rng = np.random.Generator


def log_uniform(rng: Rng, low: float, high: float, size: int | None = None) -> np.ndarray:
    """Values that are uniform in octaves."""
    return np.exp(rng.uniform(np.log(low), np.log(high), size))


def wander(rng: Rng, rate: float, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    """A smooth curve through random values, about `rate` a second."""
    knots = max(3, int(SECONDS * rate) + 3)
    values = rng.uniform(low, high, knots)
    place = np.linspace(rng.uniform(0, 0.9), knots - 1.001, POINTS)
    start = place.astype(int)
    part = place - start
    part = part * part * (3 - 2 * part)
    return values[start] * (1 - part) + values[start + 1] * part


def onsets(rng: Rng, fastest: float = 0.07) -> tuple[np.ndarray, np.ndarray]:
    """Times of events in a clip, and how strong each is.

    Args:
        fastest: least seconds between two.
    """
    kind = rng.choice(("one", "even", "free", "groups", "slowing", "pattern"))
    first = rng.uniform(0, 0.35 * SECONDS)
    gap = max(fastest, float(log_uniform(rng, 0.07, 1.5)))
    if kind == "one":
        times = np.array([first])
    elif kind == "even":
        times = np.arange(first, SECONDS, gap)
        times = times + rng.normal(0, rng.uniform(0, 0.05) * gap, times.size)
    elif kind == "free":
        times = rng.uniform(0, SECONDS, 1 + rng.poisson(SECONDS / gap))
    elif kind == "groups":
        size = int(rng.integers(2, 6))
        pause = size * gap + rng.uniform(0.3, 1.5)
        times = np.add.outer(np.arange(first, SECONDS, pause), np.arange(size) * gap).ravel()
    elif kind == "slowing":
        # Of a ball that bounces, or of one that rolls to a halt.
        ratio = float(log_uniform(rng, 0.75, 1.3))
        gaps = np.maximum(gap * ratio ** np.arange(60), fastest)
        times = first + np.append(0, np.cumsum(gaps))
    else:
        steps = rng.random(int(rng.choice((6, 8, 12, 16)))) < rng.uniform(0.3, 0.8)
        steps[0] = True
        beats = np.flatnonzero(np.tile(steps, 64))
        times = first + beats * max(fastest, float(rng.uniform(0.08, 0.3)))
    times = np.unique(np.clip(times, 0, SECONDS)[:80])
    times = times[np.append(True, np.diff(times) > 0.8 * fastest)]
    strength = rng.uniform(rng.uniform(0.1, 1.0), 1.0, times.size)
    if kind == "slowing":
        strength = rng.uniform(0.8, 1.0) ** np.arange(times.size)
    return times, strength


def held(times: np.ndarray, values: np.ndarray, before: float = 0.0) -> np.ndarray:
    """A curve that takes a value at each time and holds it."""
    index = np.searchsorted(times, TIME, side="right") - 1
    return np.where(index < 0, before, np.asarray(values)[np.maximum(index, 0)])


def since_onset(times: np.ndarray) -> np.ndarray:
    """Seconds since the last event; large before the first."""
    return TIME - held(times, times, before=-100.0)


def struck(times: np.ndarray, strength: np.ndarray, attack: float) -> np.ndarray:
    """Envelope of events that only rise: partials and bands decay by themselves."""
    since = since_onset(times)
    return held(times, strength) * np.clip(since / max(attack, 1e-3), 0, 1)


def blown(rng: Rng, times: np.ndarray, strength: np.ndarray, longest: float = 2.0) -> np.ndarray:
    """Envelope of events that rise, last for a while and fall, each before the next."""
    gaps = np.diff(np.append(times, SECONDS + 0.5))
    share = rng.uniform(0.3, 1.0)
    lengths = np.minimum(gaps * share * rng.uniform(0.7, 1.0, times.size), longest)
    rise, fall = log_uniform(rng, 0.004, 0.3), log_uniform(rng, 0.01, 0.4)
    since, length = since_onset(times), held(times, lengths, before=1.0)
    rise, fall = np.minimum(rise, length / 3), np.minimum(fall, length / 3)
    shape = np.clip(since / rise, 0, 1) * np.clip((length - since) / fall, 0, 1)
    sag = np.exp(-rng.uniform(0, 3) * np.maximum(since, 0) * (since < 10))
    return held(times, strength) * shape * sag


def pulse_train(rng: Rng, rate: np.ndarray, duty: float) -> np.ndarray:
    """Even pulses of a rate in Hz that may move, up to 100 Hz; between 0 and 1."""
    cycles = np.cumsum(rate) * (TIME[1] - TIME[0]) + rng.uniform()
    return np.clip((duty - cycles % 1.0) / max(duty, 0.05) + 0.5, 0, 1)


def glide(start: float, end: float) -> np.ndarray:
    """From one frequency to another over the clip, evenly in octaves."""
    return start * (end / start) ** (TIME / SECONDS)
