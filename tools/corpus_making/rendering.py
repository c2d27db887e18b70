"""From the parameters of streams to sound, in one compiled program of Keras on its device."""

import keras
import numpy as np
from keras import ops

from corpus_making.noise_bank import BANK_SAMPLES, noise_bank
from corpus_making.streams import (
    BAND_CENTRES,
    BANDS,
    FORMANTS,
    HOP,
    PARTIALS,
    SAMPLES,
)
from task_making.recipe import RATE

_HIGHEST = 7700.0


class StreamRenderer(keras.Model):
    """Renders streams and mixes them into clips.

    Call with what `stack` gives and `mix`, float32 `(clips, streams)`; returns float32
    `(clips, SAMPLES)`. `predict_on_batch` compiles it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bank = bank_weight(self)

    def call(self, inputs):
        streams = _partials(inputs) + self._noise(inputs)
        streams = normalize(streams) * inputs["gain"][:, None]
        return ops.matmul(inputs["mix"], streams)

    def _noise(self, x):
        centre = ops.convert_to_tensor(np.log2(BAND_CENTRES).astype("float32"))
        away = (centre[None, :, None] - ops.log2(x["noise_centre"])[:, None, :]) / x["noise_width"][
            :, None, None
        ]
        gains = (
            x["bands"][:, :, None]
            * ops.exp(-0.5 * ops.square(away) - x["band_decays"][:, :, None] * x["since"][:, None])
            * x["noise"][:, None]
        )
        return coloured_noise(self._bank, x["offset"], gains)


def bank_weight(model):
    """The bank of noise, with its beginning again at its end, for clips that run over it.

    As a weight: a constant of this size would slow the compiler down.
    """
    bank = noise_bank()
    bank = np.concatenate([bank, bank[:, :SAMPLES]], axis=1)
    return model.add_weight(
        shape=bank.shape,
        initializer=lambda shape, dtype: ops.convert_to_tensor(bank, dtype),
        trainable=False,
        name="bank",
    )


def coloured_noise(bank, offset, gains):
    """Noise `(rows, samples)` from places in the bank, with gains `(rows, BANDS, points)`."""
    samples = (gains.shape[2] - 1) * HOP
    places = ops.cast(offset * (BANK_SAMPLES - 1), "int32")
    index = places[:, None] + ops.arange(samples, dtype="int32")[None]
    start = ops.zeros_like(index, dtype="float32")

    def add(band, sound):
        noise = ops.take(ops.take(bank, band, axis=0), index, axis=0)
        return sound + noise * at_samples(ops.take(gains, band, axis=1))

    # A loop that is not unrolled compiles ten times as fast.
    return ops.fori_loop(0, BANDS, add, start)


def _partials(x):
    """The sum of the partials `(streams, SAMPLES)`."""
    frequency = x["frequency"]
    since = x["since"]
    ratios = x["ratios"]
    within = ops.convert_to_tensor((np.arange(HOP) / RATE).astype("float32"))
    # The frequency moves evenly between two points, so the phase is a parabola.
    slope = (frequency[:, 1:] - frequency[:, :-1]) * (RATE / HOP / 2)
    cycles = (
        x["cycles"][:, :, None]
        + frequency[:, :-1, None] * within
        + slope[:, :, None] * ops.square(within)
    )
    cycles = ops.reshape(cycles, (-1, SAMPLES))
    depth = at_samples(x["modulation"])
    bent = depth * _sine(x["modulator"][:, None] * cycles)

    def add(partial, sound):
        ratio = ops.take(ratios, partial, axis=1)[:, None]
        heard = frequency * ratio
        mouth = x["dry"][:, None] + (1 - x["dry"][:, None]) * _mouth(x, heard)
        gain = ops.take(x["gains"], partial, axis=1)[:, None] * x["level"] * mouth
        gain = gain * ops.exp(-ops.take(x["decays"], partial, axis=1)[:, None] * since)
        gain = gain * ops.clip((_HIGHEST - heard) / 300.0, 0.0, 1.0)
        # A golden step from one partial to the next, so that they do not all peak together.
        phase = ratio * cycles + bent + 0.618034 * ops.cast(partial, "float32")
        return sound + at_samples(gain) * _sine(phase)

    return ops.fori_loop(0, PARTIALS, add, ops.zeros_like(cycles))


def _mouth(x, heard):
    gain = 0.01
    for number in range(FORMANTS):
        away = (heard - x["formants"][:, number]) / x["widths"][:, number, None]
        gain = gain + 0.6**number / (1 + ops.square(away))
    return gain


def _sine(cycles):
    return ops.sin((2 * np.pi) * (cycles - ops.floor(cycles)))


def at_samples(curve, hop=HOP):
    """A curve `(rows, points)` in straight lines to `(rows, (points - 1) * hop)`."""
    part = ops.convert_to_tensor((np.arange(hop) / hop).astype("float32"))
    start = curve[:, :-1, None]
    lines = start + (curve[:, 1:, None] - start) * part
    return ops.reshape(lines, (-1, (curve.shape[1] - 1) * hop))


def normalize(sound):
    """At a power of 1 in the loudest tenth of the clip; silence stays silence."""
    power = ops.mean(ops.square(ops.reshape(sound, (-1, 20, SAMPLES // 20))), axis=2)
    loudest = ops.mean(ops.top_k(power, 2)[0], axis=1, keepdims=True)
    return sound / ops.sqrt(ops.maximum(loudest, 1e-8))
