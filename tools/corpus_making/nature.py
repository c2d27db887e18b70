"""Streams that sound like throats, animals, weather, machines and things that happen."""

import numpy as np

from corpus_making.curves import (
    Rng,
    blown,
    glide,
    held,
    log_uniform,
    onsets,
    pulse_train,
    since_onset,
    struck,
    wander,
)
from corpus_making.streams import BAND_CENTRES, BANDS, PARTIALS, POINTS, Stream, silent_stream

_NUMBERS = np.arange(1, PARTIALS + 1)
_LOWEST_FORMANTS = ((250, 900), (700, 2600), (1800, 4000))


def babble(rng: Rng) -> Stream:
    """Syllables without words: a moving mouth, voiced and unvoiced sounds, a melody of a phrase."""
    stream = silent_stream()
    syllable = rng.uniform(0.09, 0.3)
    times = np.cumsum(rng.uniform(0.6, 1.4, 50) * syllable)
    phrase = (times % rng.uniform(1, 6)) > rng.uniform(0, 0.8)
    strength = rng.uniform(0.3, 1, times.size) * phrase
    voice = log_uniform(rng, 75, 400)
    # In octaves over the clip: a fall, the melody of the phrase, and jitter.
    melody = rng.uniform(0.02, 0.5) * wander(rng, 1.5) + 0.05 * wander(rng, 8)
    stream.frequency = voice * 2.0 ** (melody + 0.006 * wander(rng, 60))
    stream.level = blown(rng, times, strength, 0.5)
    stream.gains = _NUMBERS ** -rng.uniform(0.5, 1.4)
    throat = rng.uniform(0.8, 1.35)
    targets = [held(times, log_uniform(rng, *span, times.size), 500.0) for span in _LOWEST_FORMANTS]
    smooth = np.hanning(int(rng.integers(15, 60)))
    stream.formants = throat * np.stack(
        [np.convolve(np.pad(t, 60, "edge"), smooth / smooth.sum(), "same")[60:-60] for t in targets]
    )
    stream.widths = np.array([60.0, 90, 140]) * rng.uniform(0.7, 2)
    stream.dry = 0.0
    shifted = times + rng.uniform(-0.6, 0.6) * syllable
    hiss = (rng.random(times.size) < 0.4) * rng.uniform(0.1, 1, times.size)
    stream.noise = blown(rng, np.maximum(shifted, 0), hiss, 0.15) * log_uniform(rng, 0.02, 0.5)
    stream.noise_centre = held(shifted, log_uniform(rng, 1200, 7000, times.size), 3000.0)
    stream.noise_width = rng.uniform(0.3, 1.2)
    return stream


def call(rng: Rng) -> Stream:
    """Cries, barks, mews, laughs, howls: a pitch that arches, through a mouth."""
    stream = silent_stream()
    times, strength = onsets(rng, 0.12)
    since = since_onset(times)
    gaps = np.diff(np.append(times, 5.0))
    lengths = np.minimum(gaps * rng.uniform(0.4, 0.95), log_uniform(rng, 0.08, 1.8))
    length = held(times, lengths, before=1.0)
    place = np.clip(since / length, 0, 1)
    base = log_uniform(rng, 90, 1500) * 2.0 ** held(times, rng.normal(0, 0.12, times.size))
    arch = rng.uniform(-0.6, 1.0) * np.sin(np.pi * place ** rng.uniform(0.5, 2))
    slope = rng.uniform(-0.8, 0.5) * place
    stream.frequency = base * 2.0 ** (arch + slope + rng.uniform(0, 0.03) * wander(rng, 40))
    stream.level = held(times, strength) * np.sin(np.pi * place) ** rng.uniform(0.2, 1)
    stream.gains = _NUMBERS ** -rng.uniform(0, 1.5)
    openness = 1 + 0.4 * np.sin(np.pi * place) * rng.uniform(-1, 1)
    centres = [log_uniform(rng, low, 1.3 * high) for low, high in _LOWEST_FORMANTS]
    stream.formants = np.sort(centres)[:, None] * openness
    stream.widths = log_uniform(rng, 80, 500, 3)
    stream.dry = rng.choice((0.0, 0.3, 1.0))
    if rng.random() < 0.3:
        stream.modulator = float(rng.choice((0.5, 1 / 3, 0.09)))
        stream.modulation = np.full(POINTS, log_uniform(rng, 0.02, 0.4))
    stream.noise = stream.level * log_uniform(rng, 0.005, 1.5)
    stream.noise_centre = np.full(POINTS, log_uniform(rng, 500, 5000))
    stream.noise_width = rng.uniform(0.7, 3)
    return stream


def chirp(rng: Rng) -> Stream:
    """Birds, insects, frogs: short glides and trills, or pulses on one pitch."""
    stream = silent_stream()
    times, strength = onsets(rng, 0.05)
    since = np.clip(since_onset(times), 0, 9)
    base = log_uniform(rng, 700, 6500)
    slope = held(times, rng.normal(0, 1, times.size)) * log_uniform(rng, 0.3, 12)
    trill = rng.choice((0.0, 1.0)) * rng.uniform(0, 0.4)
    rate = rng.uniform(8, 45)
    wave = np.sin(2 * np.pi * rate * since)
    octaves = np.clip(slope * since + trill * wave, -1.5, 1.2)
    stream.frequency = base * 2.0 ** (octaves + held(times, rng.normal(0, 0.2, times.size)))
    stream.level = blown(rng, times, strength, log_uniform(rng, 0.03, 0.8))
    if rng.random() < 0.3:
        pulses = pulse_train(rng, np.full(POINTS, log_uniform(rng, 8, 100)), rng.uniform(0.2, 0.7))
        stream.level = stream.level * pulses
    stream.gains = _NUMBERS ** -rng.uniform(1, 4)
    stream.noise = stream.level * log_uniform(rng, 1e-3, 0.1)
    return stream


def texture(rng: Rng) -> Stream:
    """Wind, rain, waves, hiss, crowds of small sounds: noise whose colour and level move."""
    stream = silent_stream()
    slope = rng.uniform(-1.6, 0.4)
    stream.bands = BAND_CENTRES**slope * np.exp(rng.normal(0, rng.uniform(0.1, 0.8), BANDS))
    stream.bands = stream.bands / stream.bands.max()
    speed = log_uniform(rng, 0.2, 12)
    level = np.exp(rng.uniform(0, 1.5) * wander(rng, speed))
    grain = rng.choice(("smooth", "grainy", "drops", "pulses"))
    if grain == "grainy":
        level = level * np.exp(rng.normal(0, rng.uniform(0.2, 1.2), POINTS))
    elif grain == "drops":
        drops = rng.random(POINTS) < log_uniform(rng, 0.003, 0.2)
        level = level * (drops * rng.exponential(1, POINTS) + rng.uniform(0, 0.1))
        tail = np.exp(-np.arange(30) / rng.uniform(0.5, 6))
        level = np.convolve(level, tail)[:POINTS]
    elif grain == "pulses":
        rate = log_uniform(rng, 2, 80) * (1 + rng.uniform(0, 0.3) * wander(rng, 1))
        level = level * pulse_train(rng, rate, rng.uniform(0.1, 0.9))
    stream.noise = level
    if rng.random() < 0.5:
        stream.noise_centre = log_uniform(rng, 150, 5000) * 2.0 ** (
            rng.uniform(0, 1.5) * wander(rng, log_uniform(rng, 0.3, 5))
        )
        stream.noise_width = rng.uniform(0.25, 2)
    return stream


def machine(rng: Rng) -> Stream:
    """Engines, motors, fans, drills, hum: harmonics of a slow wheel and noise that it beats."""
    stream = silent_stream()
    speed = log_uniform(rng, 15, 500)
    drift = rng.uniform(0, 0.4) * wander(rng, rng.uniform(0.2, 2)) + 0.004 * wander(rng, 30)
    stream.frequency = speed * 2.0 ** (drift + rng.uniform(-0.5, 0.5) * np.linspace(-1, 1, POINTS))
    level = np.exp(rng.uniform(0, 0.6) * wander(rng, 2))
    if rng.random() < 0.35:
        times, strength = onsets(rng, 0.4)
        level = level * (blown(rng, times, strength, 3) + 0.01)
    stream.level = level
    stream.gains = np.exp(rng.normal(0, 0.8, PARTIALS)) * _NUMBERS ** -rng.uniform(0, 1.5)
    stream.dry = rng.uniform(0, 1)
    stream.formants = log_uniform(rng, 100, 5000, 3)[:, None] * np.ones(POINTS)
    stream.widths = log_uniform(rng, 100, 1500, 3)
    beat = pulse_train(rng, np.minimum(stream.frequency / rng.integers(1, 8), 120), 0.6)
    stream.noise = level * log_uniform(rng, 0.01, 3) * (1 - rng.uniform(0, 1) * beat)
    stream.bands = np.exp(rng.normal(0, 0.8, BANDS)) * (BAND_CENTRES / 1000) ** rng.uniform(-1, 0.3)
    return stream


def impact(rng: Rng) -> Stream:
    """Knocks, steps, keys, claps, doors, things that fall or break."""
    stream = silent_stream()
    times, strength = onsets(rng, 0.03)
    stream.since = since_onset(times)
    stream.noise = struck(times, strength, log_uniform(rng, 0.001, 0.02))
    stream.noise_centre = held(
        times, log_uniform(rng, 100, 6000) * 2.0 ** rng.normal(0, 0.5, times.size), 1000.0
    )
    stream.noise_width = float(log_uniform(rng, 0.4, 4))
    fast = log_uniform(rng, 8, 200)
    stream.band_decays = fast * (BAND_CENTRES / 1000) ** rng.uniform(0, 0.6)
    stream.frequency = held(
        times, log_uniform(rng, 80, 2500) * 2.0 ** rng.normal(0, 0.4, times.size), 300.0
    )
    stream.level = struck(times, strength, 0.001) * log_uniform(rng, 0.05, 2)
    stream.ratios = 1 + np.append(0, np.cumsum(rng.exponential(0.6, PARTIALS - 1)))
    stream.gains = (_NUMBERS < rng.integers(1, 12)) * rng.uniform(0.1, 1, PARTIALS)
    stream.decays = log_uniform(rng, 10, 150) * stream.ratios**0.5
    return stream


def scrape(rng: Rng) -> Stream:
    """Creaks, scratches, zips, saws: pulses that stick and slip, through resonances."""
    stream = silent_stream()
    times, strength = onsets(rng, 0.2)
    speed = glide(*log_uniform(rng, 15, 180, 2))
    stream.frequency = speed * 2.0 ** (rng.uniform(0, 0.5) * wander(rng, 20))
    stream.level = blown(rng, times, strength, 1.5) * (1 + 0.5 * wander(rng, 15))
    stream.gains = _NUMBERS ** -rng.uniform(-0.2, 0.6)
    stream.dry = rng.uniform(0, 0.1)
    stream.formants = log_uniform(rng, 300, 5000, 3)[:, None] * 2.0 ** (0.3 * wander(rng, 3))
    stream.widths = log_uniform(rng, 80, 600, 3)
    strokes = pulse_train(rng, np.minimum(speed / 2, 100), rng.uniform(0.2, 0.8))
    stream.noise = stream.level * strokes * log_uniform(rng, 0.02, 3)
    stream.noise_centre = stream.formants[1]
    stream.noise_width = rng.uniform(0.4, 2)
    return stream


def signal(rng: Rng) -> Stream:
    """Sirens, alarms, bells that ring on, beeps, horns, test tones, sweeps."""
    stream = silent_stream()
    base = log_uniform(rng, 150, 4000)
    kind = rng.choice(("siren", "two tones", "beeps", "sweep"))
    level = np.ones(POINTS)
    frequency = np.full(POINTS, base)
    rate = log_uniform(rng, 0.2, 12)
    wave = np.sin(2 * np.pi * (np.cumsum(np.full(POINTS, rate)) * 0.002 + rng.uniform()))
    if kind == "siren":
        frequency = base * 2.0 ** (rng.uniform(0.1, 0.8) * wave)
    elif kind == "two tones":
        frequency = base * np.where(wave > 0, 1.0, 2.0 ** rng.uniform(-0.7, 0.7))
    elif kind == "beeps":
        times, strength = onsets(rng, 0.06)
        level = blown(rng, times, strength, 1.0)
    else:
        frequency = glide(*log_uniform(rng, 60, 7000, 2))
    stream.frequency, stream.level = frequency, level
    stream.gains = _NUMBERS ** -rng.uniform(0, 3)
    stream.gains[1::2] *= rng.choice((0.0, 1.0))
    stream.noise = level * log_uniform(rng, 1e-3, 0.05)
    return stream
