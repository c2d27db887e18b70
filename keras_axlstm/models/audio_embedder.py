"""Embeddings of audio: one vector for a clip, or one for every frame."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from keras_axlstm.audio import log_mel_spectrogram, normalize_log_mel, read_audio
from keras_axlstm.audio.normalize import validate_normalization
from keras_axlstm.embedding.clip_features import ClipFeatures
from keras_axlstm.embedding.file_stream import collect, embed_paths
from keras_axlstm.embedding.results import FileEmbeddings
from keras_axlstm.embedding.waveforms import load_waveforms
from keras_axlstm.models.front_end import front_end_of
from keras_axlstm.models.spectrogram_encoder import SpectrogramEncoder, check_frame_order
from keras_axlstm.streaming import AudioStream

LOG_MEL_DEFAULTS = {
    "sampling_rate": 16000,
    "window_length": 400,
    "hop_length": 160,
    "min_frequency": 50.0,
    "max_frequency": 8000.0,
}


class AudioEmbedder:
    """Turns audio into embeddings with a pretrained encoder.

    Audio becomes a log-mel spectrogram, the encoder reads it in windows of the length it was
    trained on (2 s), and the frequency tokens of every time step, side by side, are that frame's
    features: one vector of `d = frequency_steps * hidden_dim` every 40 ms with patches of 4
    frames. The mean over time is the clip's embedding.

    Args:
        encoder: an `AxLSTMEncoder` or `SSASTEncoder`.
        normalization: how the log-mel spectrogram is normalised. `"clip"`: by the mean and
            standard deviation of the whole clip, as in pretraining. `"dataset"`: by `mean` and
            `std`. `"none"`: not at all, which is what the authors' embedding code does.
        mean: the mean for `"dataset"`.
        std: the standard deviation for `"dataset"`.
        dynamic_range: for `"clip"`: decibels below the loudest value to which softer ones are
            raised first, or `None`; see `keras_axlstm.audio.normalize_log_mel`.
        one_pass: read a clip of any length at once instead of in windows. Every frame then sees
            what came before it in the whole clip, and clips of different length are padded
            together under a mask.
        batch_size: windows that are computed together. In one pass a batch holds as many frames
            as that many windows, or a single clip that is longer.
        log_mel: arguments of `keras_axlstm.audio.log_mel_spectrogram` that differ from its
            defaults, for an encoder trained on another front end. Its bands are the encoder's.
        frame_order: `order` of the encoder's `frame_features`. `"time"`: a frame holds its own
            tokens. `"official"`: numbered as in the authors' embedding code, only in windows.
            Default: `"official"` with `normalization="none"` in windows, which together are the
            authors' embedding code, else `"time"`.

    Example:

    ```python
    import numpy as np
    import keras_axlstm

    encoder = keras_axlstm.AxLSTMEncoder.from_preset("axlstm_tiny", load_weights=False)
    embedder = keras_axlstm.AudioEmbedder(encoder)
    scene = embedder.embed("examples/audio/melody.flac")  # (960,)
    frames, times_ms = embedder.embed_timestamps("examples/audio/melody.flac")  # (151, 960), (151,)
    noise = np.random.default_rng(0).uniform(-1, 1, (3, 44100))
    scenes = embedder.embed(noise, sampling_rate=44100)  # (3, 960)
    ```
    """

    def __init__(
        self,
        encoder: SpectrogramEncoder,
        normalization: str = "clip",
        mean: float | None = None,
        std: float | None = None,
        one_pass: bool = False,
        batch_size: int = 16,
        log_mel: dict[str, Any] | None = None,
        frame_order: str | None = None,
        dynamic_range: float | None = None,
    ):
        if not isinstance(encoder, SpectrogramEncoder):
            raise ValueError(
                "`encoder` must be an AxLSTMEncoder or SSASTEncoder. To load one by name use "
                f"`AudioEmbedder.from_preset`. Received: {encoder!r}"
            )
        validate_normalization(normalization, mean, std, dynamic_range)
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"`batch_size` must be a positive integer. Received: {batch_size!r}")
        if frame_order is None:
            frame_order = "official" if normalization == "none" and not one_pass else "time"
        check_frame_order(frame_order)
        if frame_order == "official" and one_pass:
            raise ValueError(
                '`frame_order="official"` is defined for windows only. Received: one_pass=True; '
                'use `frame_order="time"`.'
            )
        bands = encoder.spectrogram_shape[1]
        log_mel = {**LOG_MEL_DEFAULTS, "num_mel_bins": bands, **(log_mel or {})}
        if log_mel["num_mel_bins"] != bands:
            raise ValueError(
                f"The encoder reads {bands} mel bands. Received: log_mel with "
                f"num_mel_bins={log_mel['num_mel_bins']}"
            )
        # Raises on bad arguments, before any audio is read.
        log_mel_spectrogram(np.zeros(1), **log_mel)
        self.encoder = encoder
        self.normalization = normalization
        self.mean = mean
        self.std = std
        self.dynamic_range = dynamic_range
        self.one_pass = one_pass
        self.batch_size = batch_size
        self.frame_order = frame_order
        self.log_mel = log_mel
        self._features = ClipFeatures(encoder, frame_order, one_pass, batch_size)

    @classmethod
    def from_preset(
        cls, preset: str | os.PathLike, load_weights: bool = True, **kwargs: Any
    ) -> "AudioEmbedder":
        """An embedder from a preset name or folder.

        The normalisation and the front end are those stored with the preset, if it has an
        `audio_converter.json`.

        Args:
            preset: one of `keras-axlstm presets`, a folder written by `save_to_preset`, or any
                handle that keras-hub reads.
            load_weights: `False` leaves the weights random, for tests.
            **kwargs: arguments of `AudioEmbedder`; they override what the preset says.

        Raises:
            ValueError: unknown preset, or one whose weights are not available.
        """
        preset = os.fspath(preset)
        encoder = SpectrogramEncoder.from_preset(preset, load_weights=load_weights)
        converter = front_end_of(preset)
        if converter is None:
            return cls(encoder, **kwargs)
        stored = {
            "normalization": converter.normalization,
            "mean": converter.mean,
            "std": converter.std,
            "dynamic_range": converter.dynamic_range,
            "log_mel": {name: getattr(converter, name) for name in LOG_MEL_DEFAULTS},
        }
        return cls(encoder, **{**stored, **kwargs})

    @property
    def embedding_dim(self) -> int:
        """Length d of an embedding."""
        return self.encoder.grid_size[1] * self.encoder.hidden_dim

    @property
    def sampling_rate(self) -> int:
        """Samples a second that the encoder reads; other rates are resampled to it."""
        return self.log_mel["sampling_rate"]

    @property
    def milliseconds_per_frame(self) -> float:
        """Time between two frames of `embed_timestamps`."""
        samples = self.encoder.patch_size[0] * self.log_mel["hop_length"]
        return 1000.0 * samples / self.sampling_rate

    def embed(self, audio: Any, sampling_rate: int = 16000) -> np.ndarray:
        """One embedding for every clip.

        Args:
            audio: a path; a waveform `(samples,)` in [-1, 1] or integer PCM; a batch
                `(clips, samples)`; or a list of waveforms of any lengths. Arrays may be NumPy
                arrays, lists or tensors of any backend.
            sampling_rate: rate of the arrays in Hz; other rates than the encoder's are resampled.
                A file carries its own rate.

        Returns:
            `(d,)` float32 for a path or a waveform, `(clips, d)` for a batch.

        Raises:
            ValueError: audio that is empty, not finite, of another rank or unreadable.
        """
        waveforms, is_batch = load_waveforms(audio, sampling_rate, self.sampling_rate)
        scenes = dict(self._features.scenes(enumerate(map(self._spectrogram, waveforms))))
        embeddings = np.stack([scenes[clip] for clip in range(len(waveforms))])
        return embeddings if is_batch else embeddings[0]

    def embed_timestamps(
        self, audio: Any, sampling_rate: int = 16000
    ) -> tuple[np.ndarray, np.ndarray]:
        """One embedding for every frame.

        Args:
            audio: as for `embed`; the clips of a batch must be equally long.
            sampling_rate: as for `embed`.

        Returns:
            frames: `(t, d)` float32 for a path or a waveform, `(clips, t, d)` for a batch.
            times_ms: `(t,)` float64, where every frame starts, in milliseconds.

        Raises:
            ValueError: as for `embed`, and a list of waveforms of different lengths.
        """
        waveforms, is_batch = load_waveforms(audio, sampling_rate, self.sampling_rate)
        lengths = sorted({waveform.size for waveform in waveforms})
        if len(lengths) > 1:
            raise ValueError(
                "`embed_timestamps` takes clips of one length, so that their frames make one "
                f"array. Received: clips of {lengths[0]} to {lengths[-1]} samples. Call it once "
                "a clip."
            )
        clips = dict(self._features.frames(enumerate(map(self._spectrogram, waveforms))))
        frames = np.stack([clips[clip] for clip in range(len(waveforms))])
        times_ms = self._times_ms(frames.shape[1])
        return (frames if is_batch else frames[0]), times_ms

    def embed_files(
        self,
        paths: str | os.PathLike | Iterable[str | os.PathLike],
        output: str | os.PathLike | None = None,
        kind: str = "scene",
        overwrite: bool = False,
        progress: bool = True,
        on_error: str = "skip",
    ) -> FileEmbeddings:
        """Embeddings of many files, optionally written to one file.

        Files are read one after the other and their windows share batches, so memory does not
        grow with the number of files: frames (`kind="timestamps"`) that go to an output are not
        kept.

        Layout of the output: an npz file has `path` `(files,)` strings, and for scenes
        `embedding` `(files, d)`; for timestamps the file in row i of `path` has `embedding/{i}`
        `(t, d)` and `times_ms/{i}` `(t,)`. A parquet file has the columns `path` and `embedding`
        (a fixed-size list of floats), a row a file; for timestamps also `time_ms`, a row a frame.
        A file that was skipped is not in it.

        Args:
            paths: audio files.
            output: a `.npz` or `.parquet` file to write. It appears when all is done; nothing is
                left if the work is interrupted.
            kind: `"scene"` for an embedding a file, `"timestamps"` for one a frame.
            overwrite: replace an existing output.
            progress: show a progress bar.
            on_error: `"skip"` a file that cannot be read and report it, or `"raise"`.

        Raises:
            ValueError: no files, a bad argument, an output to write and not one good file; with
                `on_error="raise"` also a file that cannot be read.
            FileExistsError: the output exists.
            ImportError: a parquet output without pyarrow.

        Example:

        ```python
        paths = keras_axlstm.data.find_audio_files("examples/audio")
        result = embedder.embed_files(paths, output="embeddings.npz")
        result.embeddings[paths[0]], result.failures
        ```
        """
        paths = [paths] if isinstance(paths, (str, os.PathLike)) else list(dict.fromkeys(paths))
        if not paths:
            raise ValueError("`paths` must name at least one audio file. Received: none")
        if kind not in ("scene", "timestamps"):
            raise ValueError(f'`kind` must be "scene" or "timestamps". Received: {kind!r}')
        if on_error not in ("skip", "raise"):
            raise ValueError(f'`on_error` must be "skip" or "raise". Received: {on_error!r}')
        results = FileEmbeddings(output=None if output is None else Path(output))
        embed = self._features.scenes if kind == "scene" else self._features.frames
        stream = embed_paths(paths, self._read, embed, results, progress, on_error)
        collect(stream, results, self._times_ms if kind == "timestamps" else None, overwrite)
        return results

    def stream(self, sampling_rate: int = 16000) -> AudioStream:
        """The frames of `embed_timestamps` for audio as it comes, in fixed memory.

        Args:
            sampling_rate: rate of what will be pushed, in Hz.

        Raises:
            ValueError: `normalization="clip"`, flip or attention, which look ahead.

        Example:

        ```python
        stream = AudioEmbedder(encoder, normalization="none", one_pass=True).stream()
        stream.push(np.zeros(1000, "float32")) + stream.finish()  # [(frame, 0.0), (frame, 40.0)]
        ```
        """
        return AudioStream(self, sampling_rate)

    def _read(self, path: str | os.PathLike) -> tuple[np.ndarray, float]:
        waveform = read_audio(path, self.sampling_rate)
        return self._spectrogram(waveform), waveform.size / self.sampling_rate

    def _spectrogram(self, waveform: np.ndarray) -> np.ndarray:
        log_mel = log_mel_spectrogram(waveform, **self.log_mel)
        return normalize_log_mel(
            log_mel, self.normalization, self.mean, self.std, self.dynamic_range
        )

    def _times_ms(self, frames: int) -> np.ndarray:
        return np.arange(frames) * self.milliseconds_per_frame
