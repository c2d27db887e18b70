"""From clips and the conditions of their recordings to sound and log-mel spectrograms."""

import keras
import numpy as np
from keras import ops

from corpus_making.conditions import NEVER, RESPONSE_POINTS, ROOM_POINTS, ROOM_SAMPLES
from corpus_making.rendering import at_samples, bank_weight, coloured_noise, normalize
from corpus_making.streams import HOP, POINTS, SAMPLES
from keras_axlstm.layers import LogMelSpectrogram
from task_making.recipe import RATE

# Of the Fourier transform: a clip and a room fit in, and its bins are even steps of a response.
_SIZE = (RESPONSE_POINTS - 1) * 160
_LOUDEST = 0.95
# A noise gate stays open for 60 ms around a sound.
_GATE_POINTS = 61


class Mixer(keras.Model):
    """Records clips.

    Call with `sound`, float32 `(clips, SAMPLES)`, and what `new_conditions` gives; returns the
    waveform, as 16-bit samples would hold it, and its log-mel spectrogram.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bank = bank_weight(self)
        self._log_mel = LogMelSpectrogram()

    def call(self, inputs):
        x = inputs
        sound = normalize(x["sound"])
        other = ops.take(sound, x["other"], axis=0)
        sound = sound + other * _gain(-x["other_db"])
        sound = normalize(_filter(sound, self._room(x), x["response"]))
        opened = _noise_gate(sound, x["gate_db"])
        flat = ops.broadcast_to(x["bands"][:, :, None], (*x["bands"].shape, POINTS))
        # From another place than that of the room.
        noise = normalize(coloured_noise(self._bank, 1.0 - x["offset"], flat))
        noise = _filter(noise, None, x["response"])
        sound = normalize(sound + noise * _gain(-x["noise_db"]))
        driven = ops.tanh(sound * x["drive"][:, None])
        sound = ops.where(x["drive"][:, None] > 0, normalize(driven), sound)
        sound = sound * x["level"][:, None]
        peak = ops.max(ops.abs(sound), axis=1, keepdims=True)
        sound = sound * ops.minimum(1.0, _LOUDEST / ops.maximum(peak, 1e-6))
        gated = sound * at_samples(x["gate"] * opened)
        # Not where it would leave out all that can be heard.
        kept = _power(gated) > 0.1 * _power(sound)
        sound = ops.where(kept, gated, sound)
        sound = ops.round(sound * 32767.0) / 32767.0
        return {"sound": sound, "log_mel": self._log_mel(sound)}

    def _room(self, x):
        time = ops.convert_to_tensor((np.arange(ROOM_POINTS) * HOP / RATE).astype("float32"))
        decaying = ops.exp(-x["room_decays"][:, :, None] * time)
        tail = coloured_noise(self._bank, x["offset"], decaying)
        tail = tail / ops.sqrt(ops.sum(ops.square(tail), axis=1, keepdims=True))
        direct = np.zeros((1, ROOM_SAMPLES), "float32")
        direct[0, 0] = 1.0
        wet = x["wet"][:, None]
        return ops.convert_to_tensor(direct) + wet * x["taps"] + wet / (1.05 - wet) * tail


def _filter(sound, room, response):
    """Through a room, if there is one, and a microphone."""
    real, imaginary = ops.rfft(sound, _SIZE)
    if room is not None:
        room_real, room_imaginary = ops.rfft(room, _SIZE)
        real, imaginary = (
            real * room_real - imaginary * room_imaginary,
            real * room_imaginary + imaginary * room_real,
        )
    hop = _SIZE // 2 // (RESPONSE_POINTS - 1)
    gain = ops.concatenate([at_samples(response, hop), response[:, -1:]], axis=1)
    return ops.irfft((real * gain, imaginary * gain), _SIZE)[:, :SAMPLES]


def _noise_gate(sound, decibels):
    """1 where a sound is, 0 where it is so much softer than the loudest `(clips, POINTS)`."""
    power = ops.mean(ops.square(ops.reshape(sound, (-1, POINTS - 1, HOP))), axis=2)
    power = ops.max_pool(power[:, :, None], _GATE_POINTS, strides=1, padding="same")[:, :, 0]
    loudest = ops.max(power, axis=1, keepdims=True)
    least = ops.where(decibels[:, None] < NEVER, loudest * ops.square(_gain(-decibels)), 0.0)
    opened = ops.cast(power >= least, "float32")
    return ops.concatenate([opened, opened[:, -1:]], axis=1)


def _power(sound):
    return ops.mean(ops.square(sound), axis=1, keepdims=True)


def _gain(decibels):
    return 10.0 ** (decibels[:, None] / 20.0)
