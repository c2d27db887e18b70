import functools

import keras
import numpy as np
from keras.src.layers.preprocessing.data_layer import DataLayer

from keras_axlstm.audio.log_mel import LOG_OFFSET, check_hop, hann_window, mel_filter_bank

# Samples are split into a coarse part on this grid, which is transformed by matrix products, and a
# rest of 1/1000, which is transformed by an FFT: its rounding is 1/1000 of the usual one.
_SAMPLE_GRID = 2.0**-9
# The Fourier kernel is split likewise. The sums of products of coarse parts are multiples of 2**-15
# below 2**8, which float32 holds exactly. The products with the next part add little, so their
# rounding does not count; what remains of the kernel is smaller still.
_KERNEL_GRIDS = (2.0**-6, 2.0**-17)
# The mel weights are split, and the powers in two halves of their digits.
_FILTER_GRID = 2.0**-10
_POWER_SPLIT = 2.0**13 + 1
# All of these parts have at most 11 binary digits. So they also stay whole in TensorFloat-32, in
# which JAX and TensorFlow let GPUs multiply float32 matrices.


@keras.saving.register_keras_serializable(package="keras_axlstm")
class LogMelSpectrogram(DataLayer):
    """Log-mel spectrogram of waveforms, in a model or a `tf.data` or grain pipeline.

    The numbers of `keras_axlstm.audio.log_mel_spectrogram` (see there for the definition, also of
    clips shorter than the reflected ends) to 1e-3 absolute, on every backend. A plain FFT in
    float32 would be up to 1e-2 off in bands that are quiet beside a loud tone.

    Always computes and returns float32, whatever `dtype` or the global dtype policy says: bfloat16
    would leave 8 bits of the waveform. A subclassed model with a half-precision policy rounds its
    inputs before any layer sees them, unless it is made with `autocast=False`. Values are not
    checked: NaN samples give NaN.

    Args:
        sampling_rate: int. Rate of the waveforms in Hz.
        num_mel_bins: int. Number of bands.
        window_length: int. Samples of a frame, even.
        hop_length: int. Samples from one frame to the next.
        min_frequency: float. Lower edge of the lowest band in Hz.
        max_frequency: float. Upper edge of the highest band in Hz.
        use_fft: bool. False: matrix products only, for a graph that goes to a runtime without a
            Fourier transform. They need the precision of float32, and not TensorFloat-32.

    Call arguments:
        waveform: `(batch, samples)`, floating point in [-1, 1], at least one sample; the number of
            samples may be unknown in a graph.

    Returns:
        float32 `(batch, samples // hop_length + 1, num_mel_bins)`.

    Raises:
        ValueError: a bad argument, or a waveform of wrong rank or integer dtype.

    Example:

    ```python
    import numpy as np
    from keras_axlstm.layers import LogMelSpectrogram

    LogMelSpectrogram()(np.zeros((2, 32000), "float32"))  # (2, 201, 80)
    ```
    """

    def __init__(
        self,
        sampling_rate=16000,
        num_mel_bins=80,
        window_length=400,
        hop_length=160,
        min_frequency=50.0,
        max_frequency=8000.0,
        use_fft=True,
        **kwargs,
    ):
        super().__init__(**(kwargs | {"dtype": "float32"}))
        check_hop(hop_length)
        self._filters = _split_filters(
            mel_filter_bank(
                sampling_rate, num_mel_bins, window_length, min_frequency, max_frequency
            )
        )
        self.sampling_rate = sampling_rate
        self.num_mel_bins = num_mel_bins
        self.window_length = window_length
        self.hop_length = hop_length
        self.min_frequency = min_frequency
        self.max_frequency = max_frequency
        self.use_fft = use_fft
        # True hides the matrices from converters that round constant ones to 8 bits, and with them
        # what they are multiplied with: quiet bands would be lost.
        self.hides_constants = False

    def __call__(self, waveform, **kwargs):
        if not hasattr(waveform, "shape"):
            waveform = np.asarray(waveform)
        _check_waveform(waveform)
        return super().__call__(waveform, **kwargs)

    def call(self, waveform):
        numpy = self.backend.numpy
        # A zero that is known at run time only makes no matrix a constant that it is added to.
        zero = numpy.minimum(numpy.abs(waveform[:1, :1]), 0.0) if self.hides_constants else 0.0
        power = self._power_spectrum(self._split_into_frames(waveform), zero)
        large = power * _POWER_SPLIT
        large = large - (large - power)
        parts = numpy.concatenate([large, power - large, power], axis=-1)
        return numpy.log(numpy.matmul(parts, self._filters + zero) + LOG_OFFSET)

    def _power_spectrum(self, frames, zero):
        """`(batch, frames, window_length)` to `(batch, frames, bins)`."""
        numpy = self.backend.numpy
        coarse = numpy.round(frames / _SAMPLE_GRID) * _SAMPLE_GRID
        kernels = _fourier_kernels(self.window_length // 2)
        rest = self._transform_rest(frames - coarse, kernels, zero)
        power = 0.0
        for samples, kernel, small in zip(self._fold(coarse), kernels, rest, strict=True):
            first, second, third = numpy.split(numpy.matmul(samples, kernel + zero), 3, axis=-1)
            power = power + numpy.square(first + (second + third) + small)
        return power

    def _transform_rest(self, rest, kernels, zero):
        """Real and imaginary part `(batch, frames, bins)` of what the grid leaves out."""
        numpy = self.backend.numpy
        if self.use_fft:
            window = hann_window(self.window_length).astype("float32")
            return self.backend.math.rfft(numpy.multiply(rest, window))
        return [
            numpy.matmul(samples, np.sum(np.split(kernel, 3, axis=-1), axis=0) + zero)
            for samples, kernel in zip(self._fold(rest), kernels, strict=True)
        ]

    def _fold(self, frames):
        """Sums and differences about the middle sample, which it puts before the sums.

        Cosines are even about the middle of the frame and sines odd: half the products do. The
        first sample is not needed, because its window is zero.
        """
        numpy = self.backend.numpy
        half = self.window_length // 2
        before, middle = frames[..., 1:half], frames[..., half : half + 1]
        after = numpy.flip(frames[..., half + 1 :], axis=-1)
        return numpy.concatenate([middle, before + after], axis=-1), before - after

    def _split_into_frames(self, waveform):
        """`(batch, samples)` to `(batch, frames, window_length)`, the ends reflected."""
        numpy = self.backend.numpy
        padding = self.window_length // 2
        samples = self.backend.shape(waveform)[1]
        # Sizes that a graph leaves open combine with tensors in operators only, on some backends.
        starts = numpy.arange(samples // self.hop_length + 1, dtype="int32") * self.hop_length
        places = numpy.arange(self.window_length, dtype="int32") - padding
        # The index of the sample at each place; `samples` stands for a zero after the end.
        index = numpy.abs(numpy.expand_dims(starts, 1) + places)
        end = numpy.zeros_like(index) + samples
        last = numpy.maximum(end - 1, padding)
        index = numpy.minimum(last - numpy.abs(last - index), end)
        waveform = numpy.concatenate([waveform, numpy.zeros_like(waveform[:, :1])], axis=1)
        # Along the first axis: along another one Keras adds an operation on PyTorch (3.15.1) that
        # ONNX runtimes refuse.
        frames = numpy.take(numpy.transpose(waveform), index, axis=0)
        return numpy.transpose(frames, (2, 0, 1))

    def compute_output_shape(self, input_shape):
        batch, samples = input_shape
        frames = None if samples is None else samples // self.hop_length + 1
        return (batch, frames, self.num_mel_bins)

    def get_config(self):
        return super().get_config() | {
            "sampling_rate": self.sampling_rate,
            "num_mel_bins": self.num_mel_bins,
            "window_length": self.window_length,
            "hop_length": self.hop_length,
            "min_frequency": self.min_frequency,
            "max_frequency": self.max_frequency,
            "use_fft": self.use_fft,
        }


@functools.lru_cache(maxsize=8)
def _fourier_kernels(half):
    """Windowed kernels of the real and the imaginary part, each split in three that add up to it.

    For the middle sample and the sums of samples about it, float32 `(half, 3 bins)`, and for the
    differences, `(half - 1, 3 bins)`.
    """
    places = np.array([half, *range(1, half)])
    angles = np.pi * np.outer(places, np.arange(half + 1)) / half
    window = hann_window(2 * half)[places, np.newaxis]
    kernels = window * np.cos(angles), -(window * np.sin(angles))[1:]
    return tuple(np.concatenate(_split_kernel(kernel), axis=1) for kernel in kernels)


def _split_kernel(kernel):
    parts = []
    for grid in _KERNEL_GRIDS:
        parts.append(np.round(kernel / grid) * grid)
        kernel = kernel - parts[-1]
    return [part.astype("float32") for part in (*parts, kernel)]


def _split_filters(filters):
    """Weights for [large part of the power, its rest, all of it], float32 `(3 bins, bands)`."""
    coarse = np.round(filters / _FILTER_GRID) * _FILTER_GRID
    return np.concatenate([coarse, coarse, filters - coarse]).astype("float32")


def _check_waveform(waveform):
    shape = tuple(waveform.shape)
    if len(shape) != 2 or shape[1] == 0:
        raise ValueError(
            "`waveform` must have shape (batch, samples), at least one sample. Received: shape "
            f"{shape}. Add a batch axis to a single clip, and average the channels of stereo."
        )
    if "float" not in keras.backend.standardize_dtype(waveform.dtype):
        raise ValueError(
            f"`waveform` must be floating point in [-1, 1]. Received: dtype {waveform.dtype}. "
            "Divide int16 samples by 32768, int32 samples by 2**31."
        )
