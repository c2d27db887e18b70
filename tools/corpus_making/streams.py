"""What a synthetic sound is before it is rendered: curves of its parameters over time.

A clip has one or more streams. Each is a sum of partials that share a track of frequency, and of
noise in bands. The curves have `POINTS` values, one each 2 ms: choosing them is cheap and done in
NumPy, turning them into sound is not and is done in `rendering.py` on the device.
"""

import dataclasses

import numpy as np

from task_making.recipe import RATE

SECONDS = 4.0
SAMPLES = round(SECONDS * RATE)
# Of a control point.
HOP = 32
POINTS = SAMPLES // HOP + 1
PARTIALS = 40
BANDS = 20
FORMANTS = 3
# Partials are multiples of 1/64 of the fundamental, so that cycles modulo 64 tell every phase.
RATIO_STEPS = 64

BAND_EDGES = 40.0 * (7900.0 / 40.0) ** (np.arange(BANDS + 1) / BANDS)
BAND_CENTRES = np.sqrt(BAND_EDGES[1:] * BAND_EDGES[:-1])
TIME = np.arange(POINTS) * (HOP / RATE)


@dataclasses.dataclass
class Stream:
    """The parameters of one stream.

    Args:
        frequency: Hz `(POINTS,)`, of the fundamental.
        level: `(POINTS,)`, of the partials.
        since: seconds since the last onset `(POINTS,)`.
        ratios: of the partials to the fundamental `(PARTIALS,)`.
        gains: of the partials `(PARTIALS,)`.
        decays: of the partials, 1/s `(PARTIALS,)`; they die away from the last onset on.
        formants: centres in Hz `(FORMANTS, POINTS)`.
        widths: of the formants, in Hz `(FORMANTS,)`.
        dry: share of the partials that does not pass the formants.
        modulation: depth in cycles `(POINTS,)` of a modulation of the phase.
        modulator: ratio of its frequency to the fundamental.
        noise: level of the noise `(POINTS,)`.
        bands: gains of the noise in its bands `(BANDS,)`.
        band_decays: 1/s `(BANDS,)`, from the last onset on.
        noise_centre: Hz `(POINTS,)`, of a peak that the noise is passed through.
        noise_width: octaves, of the peak; large: no peak.
        offset: 0 to 1, where in the bank of noise it begins.
        gain: of the stream in its clip.
    """

    frequency: np.ndarray
    level: np.ndarray
    since: np.ndarray
    ratios: np.ndarray
    gains: np.ndarray
    decays: np.ndarray
    formants: np.ndarray
    widths: np.ndarray
    dry: float
    modulation: np.ndarray
    modulator: float
    noise: np.ndarray
    bands: np.ndarray
    band_decays: np.ndarray
    noise_centre: np.ndarray
    noise_width: float
    offset: float
    gain: float = 1.0


def silent_stream() -> Stream:
    """A stream that makes no sound: what others begin from."""
    zeros = np.zeros(POINTS)
    return Stream(
        frequency=np.full(POINTS, 100.0),
        level=zeros,
        since=zeros,
        ratios=np.arange(1.0, PARTIALS + 1),
        gains=np.zeros(PARTIALS),
        decays=np.zeros(PARTIALS),
        formants=np.full((FORMANTS, POINTS), 1000.0),
        widths=np.full(FORMANTS, 100.0),
        dry=1.0,
        modulation=zeros,
        modulator=1.0,
        noise=zeros,
        bands=np.ones(BANDS),
        band_decays=np.zeros(BANDS),
        noise_centre=np.full(POINTS, 1000.0),
        noise_width=100.0,
        offset=0.0,
    )


def stack(streams: list[Stream]) -> dict[str, np.ndarray]:
    """The parameters of some streams as float32 arrays, streams first, as the renderer takes them.

    The track of frequency becomes `cycles`, counted in float64 and taken modulo `RATIO_STEPS`.
    """
    arrays = {}
    for field in dataclasses.fields(Stream):
        values = np.stack([np.asarray(getattr(stream, field.name)) for stream in streams])
        arrays[field.name] = values.astype("float64")
    frequency = np.clip(arrays["frequency"], 0.5, 7900.0)
    steps = (frequency[:, 1:] + frequency[:, :-1]) / 2 * HOP / RATE
    cycles = np.cumsum(steps, axis=1) - steps
    arrays["frequency"] = frequency
    arrays["cycles"] = np.mod(cycles, RATIO_STEPS)
    for name in ("ratios", "modulator"):
        arrays[name] = np.round(arrays[name] * RATIO_STEPS) / RATIO_STEPS
    return {name: array.astype("float32") for name, array in arrays.items()}
