"""What the recording of a clip is like: room, microphone, noise, other sounds, level, gaps."""

import numpy as np

from corpus_making.curves import log_uniform
from corpus_making.streams import BAND_CENTRES, BANDS, HOP, POINTS, SECONDS, TIME
from task_making.recipe import RATE, generator

ROOM_SAMPLES = RATE
ROOM_POINTS = ROOM_SAMPLES // HOP + 1
# Points of a response from 0 to 8000 Hz.
RESPONSE_POINTS = 513
NEVER = 200.0


def new_conditions(seed: int, block: int, clips: int, gated: float = 0.0) -> dict[str, np.ndarray]:
    """Of each clip of a block, as the mixer takes them.

    Args:
        seed: of the corpus.
        block: number of the block.
        clips: of the block.
        gated: share of the clips that pass a noise gate.

    Returns float32 arrays, `clips` first:

    - `other`: int32, the clip of the block that is heard too, and `other_db`: by how much softer.
    - `bands` and `noise_db`: colour of the noise, and by how much it is softer than the rest.
    - `offset`: 0 to 1, where in the bank of noise it begins.
    - `wet`, `room_decays`, `taps`: share of the room, 1/s in each band, early reflections.
    - `response`: gain by frequency. `drive`: of a saturation, 0 for none.
    - `level`: of the loudest tenth. `gate`: 0 where nothing was recorded.
    - `gate_db`: by how much softer than the loudest a sound is that a noise gate cuts out.
    """
    rng = generator(seed, "corpus", "conditions", block)
    each = [_of_a_clip(rng, clip, clips, gated) for clip in range(clips)]
    stacked = {name: np.stack([one[name] for one in each]) for name in each[0]}
    return {
        name: values.astype("int32" if name == "other" else "float32")
        for name, values in stacked.items()
    }


def _of_a_clip(
    rng: np.random.Generator, clip: int, clips: int, gated: float
) -> dict[str, np.ndarray]:
    taps = np.zeros(ROOM_SAMPLES)
    echoes = int(rng.integers(3, 12))
    delays = (log_uniform(rng, 0.001, 0.05, echoes) * RATE).astype(int)
    taps[delays] = rng.uniform(-0.7, 0.7, echoes) * np.exp(-delays / RATE / 0.02)
    seconds = log_uniform(rng, 0.08, 1.6) * (1000 / BAND_CENTRES) ** rng.uniform(-0.1, 0.35)
    slope = rng.uniform(-1.5, 0.2)
    values = {
        "other": (clip + rng.integers(1, clips)) % clips,
        "other_db": rng.uniform(-6, 25) if rng.random() < 0.3 else NEVER,
        "bands": BAND_CENTRES**slope * np.exp(rng.normal(0, 0.4, BANDS)),
        "noise_db": rng.uniform(3, 50) if rng.random() < 0.7 else NEVER,
        "offset": rng.random(),
        "wet": rng.uniform(0.05, 0.8) if rng.random() < 0.45 else 0.0,
        "room_decays": 6.9 / seconds,
        "taps": taps,
        "response": _response(rng),
        "drive": log_uniform(rng, 1.0, 8.0) if rng.random() < 0.06 else 0.0,
        "level": 10 ** (rng.uniform(-45, -10) / 20),
        "gate": _gate(rng),
        "gate_db": _gate_db(rng, gated),
    }
    return {name: np.asarray(value) for name, value in values.items()}


def _response(rng: np.random.Generator) -> np.ndarray:
    """A smooth curve, and for some the edges of a telephone, a small speaker or a low rate."""
    frequency = np.linspace(0, RATE / 2, RESPONSE_POINTS)
    octaves = np.log2(np.maximum(frequency, 40))
    knots = np.linspace(np.log2(40), np.log2(RATE / 2), 8)
    spread = rng.uniform(0, 6)
    response = 10 ** (np.interp(octaves, knots, rng.normal(0, spread, knots.size)) / 20)
    kind = rng.random()
    if kind < 0.12:
        # Recorded at 8 kHz: nothing at all above.
        response *= np.clip((rng.uniform(3600, 4000) - frequency) / 50, 0, 1)
    elif kind < 0.2:
        low, high = log_uniform(rng, 100, 800), log_uniform(rng, 2000, 7000)
        response *= np.clip(frequency / low, 0, 1) ** 2 * np.clip(high / (frequency + 1), 0, 1) ** 3
    elif kind < 0.28:
        # A codec that leaves out the highs.
        response *= np.clip((rng.uniform(4500, 7500) - frequency) / 100, 0, 1)
    return response


def _gate(rng: np.random.Generator) -> np.ndarray:
    """1 almost everywhere; for some, padding with digital silence, or a gap."""
    gate = np.ones(POINTS)
    kind = rng.random()
    if kind < 0.1:
        length = log_uniform(rng, 0.4, SECONDS)
        start = rng.choice((0.0, 1.0)) * rng.uniform(0, SECONDS - length)
        gate *= (start <= TIME) & (start + length > TIME)
    elif kind < 0.13:
        start = rng.uniform(0, SECONDS)
        gate *= (start > TIME) | (start + log_uniform(rng, 0.02, 0.6) < TIME)
    return gate


def _gate_db(rng: np.random.Generator, gated: float) -> float:
    # Nothing is drawn where there are no noise gates: those corpora stay as they were.
    return rng.uniform(12, 40) if gated and rng.random() < gated else NEVER
