"""Frame embeddings of audio that comes in parts."""

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_axlstm.audio import normalize_log_mel, validate_waveform
from keras_axlstm.audio.resample import check_rate
from keras_axlstm.embedding.waveforms import to_numpy
from keras_axlstm.streaming.encoder_stream import EncoderStream
from keras_axlstm.streaming.log_mel_stream import LogMelStream

if TYPE_CHECKING:
    from keras_axlstm.models import AudioEmbedder

Frames = list[tuple[np.ndarray, float]]

# A long push is taken in parts, so that what is in memory beside its frames has a fixed size.
_SAMPLES_AT_ONCE = 2**15
# Tokens computed together at most: more make larger products, but also more of them, since every
# token of a call reads every earlier one.
_TOKENS_AT_ONCE = 96


class AudioStream:
    """The frames of `AudioEmbedder.embed_timestamps`, each as soon as its audio is there.

    Made by `AudioEmbedder.stream`. Samples are pushed in parts of any size, one sample or minutes;
    together the pushes and `finish` give the frames that the embedder gives for the whole. A frame
    that starts at `time_ms` comes with the sample 42.5 ms later (patches of 4 frames); resampling
    holds back some 30 ms more.

    Memory is fixed: the recurrent states of the encoder and a few hundred samples. All is computed
    in NumPy on the CPU, in float32, whatever the backend; the weights are copied when the stream
    is made.

    Where the embedder reads in windows, the state is cleared at the start of every window, as
    there; its order `"official"` spreads a window's last tokens over all its frames, which then
    come when the window is complete.

    A call that raises changes nothing: the stream goes on with the next good part.

    Args:
        embedder: an `AudioEmbedder`.
        sampling_rate: rate of what will be pushed, in Hz.

    Raises:
        ValueError: the embedder needs the whole clip: normalisation by its statistics, an encoder
            with flip or attention.
    """

    def __init__(self, embedder: "AudioEmbedder", sampling_rate: int):
        check_rate(sampling_rate, "sampling_rate")
        if embedder.normalization == "clip":
            raise ValueError(
                'A stream needs an embedder with normalization="dataset" (and the `mean` and `std` '
                'of the data set, see `dataset.json` of `keras-axlstm prepare`) or "none". '
                'Received: normalization="clip", by the mean and standard deviation of the whole '
                "clip, which are not known before its end."
            )
        self._embedder = embedder
        self._encoder = EncoderStream(embedder.encoder)
        self._log_mel = LogMelStream(**embedder.log_mel)
        self._rate = sampling_rate
        self._resampler = None
        if sampling_rate != embedder.sampling_rate:
            import soxr

            self._resampler = soxr.ResampleStream(
                sampling_rate, embedder.sampling_rate, 1, dtype="float32", quality="HQ"
            )
        steps, self._bands = embedder.encoder.grid_size
        self._window = None if embedder.one_pass else steps
        # Tokens of the unfinished window, for the order that needs all of them.
        self._held: list[np.ndarray] | None = [] if embedder.frame_order == "official" else None
        self._rest = np.zeros((0, embedder.log_mel["num_mel_bins"]), "float32")
        self._samples = 0
        self._step = 0
        self._frames_given = 0
        self._finished = False

    def push(self, samples: Any) -> Frames:
        """Take the next samples and compute the frames that they complete.

        Args:
            samples: `(samples,)` in [-1, 1] or integer PCM (int16, int32, uint8), mono, of any
                length, none at all included. A NumPy array, a list or a tensor of any backend.

        Returns:
            Pairs of frame embedding `(d,)` float32 and where the frame starts, in milliseconds.

        Raises:
            ValueError: samples of another shape or dtype, NaN or infinite, or the stream is
                finished. The stream is then as it was before the call.
        """
        self._check_open()
        samples = to_numpy(samples, "a waveform `(samples,)`")
        if samples.shape == (0,):
            return []
        samples = validate_waveform(samples, "samples")
        frames: Frames = []
        for start in range(0, samples.size, _SAMPLES_AT_ONCE):
            part = samples[start : start + _SAMPLES_AT_ONCE]
            self._samples += part.size
            frames += self._advance(self._log_mel.push(self._resample(part, last=False)))
        return frames

    def finish(self) -> Frames:
        """End the stream and compute the frames at its end.

        They hold the last audio, reflected where the spectrogram reaches beyond it and filled up
        with zeros to a whole patch, as `embed_timestamps` does it.

        Returns:
            As `push`.

        Raises:
            ValueError: less audio than one frame of the spectrogram (25 ms), or the stream is
                finished. A stream that is too short stays open for more samples.
        """
        self._check_open()
        window_length = self._embedder.log_mel["window_length"]
        if self._samples * self._embedder.sampling_rate < window_length * self._rate:
            needed = -(-window_length * self._rate // self._embedder.sampling_rate)
            raise ValueError(
                f"A stream must hold at least one frame of the spectrogram: {needed} samples at "
                f"{self._rate} Hz. Received: {self._samples}. It is still open, push more; or use "
                "`embed_timestamps`, which fills so short a clip up with zeros."
            )
        self._finished = True
        rest = self._log_mel.push(self._resample(np.zeros(0, "float32"), last=True))
        frames = self._advance(rest) + self._advance(self._log_mel.finish())
        patch = self._embedder.encoder.patch_size[0]
        missing = -len(self._rest) % patch
        if missing:
            frames += self._compute(np.pad(self._rest, ((0, missing), (0, 0))))
        if self._held and self._window is not None:
            # The order of all its tokens needs a whole window: computed so, then cut.
            real = self._step
            zeros = np.zeros(((self._window - real) * patch, self._rest.shape[1]), "float32")
            frames += self._compute(zeros)[:real]
        return frames

    def _check_open(self) -> None:
        if self._finished:
            raise ValueError("The stream is finished. Make a new one with `embedder.stream()`.")

    def _resample(self, samples: np.ndarray, last: bool) -> np.ndarray:
        if self._resampler is None:
            return samples
        return self._resampler.resample_chunk(samples, last=last)

    def _advance(self, log_mel: np.ndarray) -> Frames:
        """Normalise the next `(frames, bands)`, compute what makes whole patches, keep the rest."""
        if not len(log_mel):
            return []
        embedder = self._embedder
        log_mel = normalize_log_mel(log_mel, embedder.normalization, embedder.mean, embedder.std)
        self._rest = np.concatenate([self._rest, log_mel])
        whole = len(self._rest) - len(self._rest) % embedder.encoder.patch_size[0]
        patches, self._rest = self._rest[:whole], self._rest[whole:]
        return self._compute(patches)

    def _compute(self, spectrogram: np.ndarray) -> Frames:
        """Frames of whole patches, a few time steps at a time, none across two windows."""
        frames: Frames = []
        patch = self._embedder.encoder.patch_size[0]
        steps = len(spectrogram) // patch
        done = 0
        while done < steps:
            count = min(steps - done, max(1, _TOKENS_AT_ONCE // self._bands))
            if self._window is not None:
                count = min(count, self._window - self._step)
            tokens = self._encoder.push(spectrogram[done * patch : (done + count) * patch])
            done += count
            self._step += count
            if self._held is None:
                frames += self._give(tokens.reshape(count, -1))
            else:
                self._held.append(tokens)
            if self._step == self._window:
                frames += self._end_window()
        return frames

    def _end_window(self) -> Frames:
        self._encoder.restart()
        self._step = 0
        if not self._held:
            return []
        # Numbered as `SpectrogramEncoder.frame_features` does it.
        tokens = np.concatenate(self._held)
        by_frame = tokens.reshape(self._bands, len(tokens), -1).swapaxes(0, 1)
        self._held = []
        return self._give(by_frame.reshape(len(tokens), -1))

    def _give(self, frames: np.ndarray) -> Frames:
        first = self._frames_given
        self._frames_given += len(frames)
        milliseconds = self._embedder.milliseconds_per_frame
        return [(frame, (first + i) * milliseconds) for i, frame in enumerate(frames)]
