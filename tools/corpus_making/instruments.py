"""Streams that sound like instruments: blown or bowed, plucked, struck, drums, FM."""

import numpy as np

from corpus_making.curves import (
    Rng,
    blown,
    held,
    log_uniform,
    onsets,
    since_onset,
    struck,
    wander,
)
from corpus_making.streams import BAND_CENTRES, BANDS, PARTIALS, POINTS, TIME, Stream, silent_stream

_NUMBERS = np.arange(1, PARTIALS + 1)


def _notes(rng: Rng, times: np.ndarray, low: float, high: float) -> np.ndarray:
    """A track of frequency: a melody of semitones, a free one, or one note."""
    base = float(log_uniform(rng, low, high))
    kind = rng.choice(("melody", "free", "one"))
    if kind == "melody":
        scale = rng.choice(12, int(rng.integers(3, 8)), replace=False)
        steps = rng.choice(scale, times.size) + 12 * rng.integers(-1, 2, times.size)
        return held(times, base * 2.0 ** (steps / 12), before=base)
    if kind == "free":
        return held(times, base * 2.0 ** rng.normal(0, 0.6, times.size), before=base)
    return np.full(POINTS, base)


def _spectrum(rng: Rng) -> np.ndarray:
    """Gains of harmonics: a slope, random colours, perhaps only the odd ones."""
    gains = _NUMBERS ** -rng.uniform(0.1, 2.2) * np.exp(
        rng.normal(0, rng.uniform(0, 0.9), PARTIALS)
    )
    gains[int(rng.integers(1, PARTIALS + 1)) :] *= rng.uniform(0, 1)
    if rng.random() < 0.25:
        gains[1::2] *= rng.uniform(0, 0.3)
    return gains


def _vibrato(rng: Rng) -> np.ndarray:
    depth = rng.choice((0.0, 1.0)) * rng.uniform(0, 0.04)
    rate = rng.uniform(3, 9)
    return 2.0 ** (depth * np.sin(2 * np.pi * (rate * TIME + rng.uniform())))


def sustained(rng: Rng) -> Stream:
    """Blown, bowed or sung on one vowel, with a breath of noise."""
    stream = silent_stream()
    times, strength = onsets(rng, 0.1)
    stream.frequency = _notes(rng, times, 35, 2500) * _vibrato(rng)
    stream.level = blown(rng, times, strength, 4.0) * (1 + 0.3 * wander(rng, 6))
    stream.gains = _spectrum(rng)
    if rng.random() < 0.5:
        stream.dry = rng.uniform(0, 0.5)
        stream.formants = np.sort(log_uniform(rng, 200, 4000, 3))[:, None] * np.ones(POINTS)
        stream.widths = log_uniform(rng, 60, 500, 3)
    stream.noise = stream.level * log_uniform(rng, 0.001, 0.3)
    stream.bands = np.exp(rng.normal(0, 0.7, BANDS))
    return stream


def plucked(rng: Rng) -> Stream:
    """Strings: nearly harmonic, the high partials die first."""
    stream = silent_stream()
    times, strength = onsets(rng, 0.08)
    stream.frequency = _notes(rng, times, 40, 2000)
    stream.since = since_onset(times)
    stream.level = struck(times, strength, 0.002)
    stiffness = log_uniform(rng, 1e-5, 3e-3)
    stream.ratios = _NUMBERS * np.sqrt(1 + stiffness * _NUMBERS**2)
    where = rng.uniform(0.05, 0.5)
    stream.gains = np.abs(np.sin(np.pi * where * _NUMBERS)) * _NUMBERS ** -rng.uniform(0.4, 1.8)
    slowest = log_uniform(rng, 0.3, 8)
    stream.decays = slowest * (1 + rng.uniform(0.02, 0.6) * _NUMBERS)
    _click(rng, stream, log_uniform(rng, 0.005, 0.4))
    return stream


def struck_body(rng: Rng) -> Stream:
    """Bars, bells, plates, glasses, pipes, wood: inharmonic modes that die away."""
    stream = silent_stream()
    times, strength = onsets(rng, 0.07)
    base = float(log_uniform(rng, 60, 4000))
    wobble = rng.normal(0, rng.choice((0.0, 0.3)), times.size)
    stream.frequency = held(times, base * 2.0**wobble, before=base)
    stream.since = since_onset(times)
    stream.level = struck(times, strength, log_uniform(rng, 0.001, 0.006))
    modes = int(rng.integers(2, PARTIALS + 1))
    kind = rng.choice(("bar", "plate", "membrane"))
    if kind == "bar":
        stream.ratios = (2 * _NUMBERS + 1) ** 2 / 9.0 * np.exp(rng.normal(0, 0.05, PARTIALS))
    elif kind == "plate":
        stream.ratios = 1 + np.append(0, np.cumsum(rng.exponential(rng.uniform(0.1, 0.8), 39)))
    else:
        stream.ratios = _NUMBERS ** rng.uniform(0.6, 0.95) * np.exp(rng.normal(0, 0.04, PARTIALS))
    stream.gains = (
        (_NUMBERS <= modes)
        * rng.uniform(0.05, 1, PARTIALS)
        * stream.ratios ** (-rng.uniform(0, 1.2))
    )
    slowest = log_uniform(rng, 0.5, 80)
    stream.decays = slowest * stream.ratios ** rng.uniform(0, 1) * rng.uniform(0.5, 2, PARTIALS)
    _click(rng, stream, log_uniform(rng, 0.01, 1.0))
    return stream


def drum(rng: Rng) -> Stream:
    """Skins whose pitch drops, snares, cymbals, hand drums with strokes that differ."""
    stream = silent_stream()
    times, strength = onsets(rng, 0.08)
    since = since_onset(times)
    drop = held(times, rng.uniform(-0.5, 1.5, times.size) * rng.choice((0.2, 1.0)))
    tuned = held(times, rng.choice(rng.uniform(0.7, 1.6, 3), times.size), before=1.0)
    low = log_uniform(rng, 40, 500)
    stream.frequency = low * tuned * 2.0 ** (drop * np.exp(-np.clip(since, 0, 9) / 0.04))
    stream.since = since
    ring = held(times, rng.choice((0.05, 0.4, 1.0), times.size))
    stream.level = struck(times, strength, 0.002) * ring
    harmonic = rng.random() < 0.5
    stream.ratios = _NUMBERS * 1.0 if harmonic else _NUMBERS**0.8 * np.exp(rng.normal(0, 0.05, 40))
    stream.gains = _NUMBERS ** -rng.uniform(0.5, 2.5) * rng.uniform(0.1, 1, PARTIALS)
    stream.decays = log_uniform(rng, 2, 40) * _NUMBERS ** rng.uniform(0, 0.8)
    stream.noise = struck(times, strength, 0.001) * log_uniform(rng, 0.02, 2.0)
    stream.noise_centre = held(times, log_uniform(rng, 200, 7000, times.size), before=1000.0)
    stream.noise_width = float(log_uniform(rng, 0.4, 5))
    stream.band_decays = np.full(BANDS, log_uniform(rng, 4, 150))
    return stream


def frequency_modulated(rng: Rng) -> Stream:
    """Bells, brass, metal and electronic tones."""
    stream = silent_stream()
    times, strength = onsets(rng, 0.1)
    stream.frequency = _notes(rng, times, 40, 1500) * _vibrato(rng)
    stream.since = since_onset(times)
    plays = rng.random() < 0.5
    stream.level = struck(times, strength, 0.004) if plays else blown(rng, times, strength)
    stream.gains = (_NUMBERS <= rng.integers(1, 4)) / _NUMBERS
    stream.decays = np.full(PARTIALS, log_uniform(rng, 0.3, 12) if plays else 0.0)
    stream.modulator = float(rng.choice((1.0, 2.0, 3.0, 0.5, rng.uniform(0.2, 5))))
    depth = log_uniform(rng, 0.05, 1.5)
    fading = np.exp(-np.clip(stream.since, 0, 9) * rng.uniform(0, 6))
    stream.modulation = depth * fading * (1 + 0.5 * wander(rng, 2))
    return stream


def _click(rng: Rng, stream: Stream, level: float) -> None:
    """The noise of the stroke."""
    stream.noise = stream.level * level
    stream.bands = np.exp(rng.normal(0, 0.5, BANDS)) * BAND_CENTRES ** rng.uniform(-0.3, 0.3)
    stream.band_decays = np.full(BANDS, log_uniform(rng, 20, 250))
