import io
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from keras_axlstm.audio import resample
from keras_axlstm.audio.waveform import describe_non_finite
from keras_axlstm.evaluation.tasks.prepare.source_entry import SourceEntry
from keras_axlstm.evaluation.tasks.split_files import SAMPLING_RATE
from keras_axlstm.evaluation.tasks.wav_header import read_wav_header


@dataclass(frozen=True)
class ClipConverter:
    """Writes clips at 16 kHz, mono, in the sample format that they had.

    Args:
        work: the folder for the tasks that are not finished.
    """

    work: Path

    def __call__(self, entry: SourceEntry) -> tuple[Path, str]:
        """Convert an audio file. Gives where it goes and what is wrong with it, or empty."""
        target = self.target(entry)
        return target, _convert(entry.read(), target)

    def target(self, entry: SourceEntry) -> Path:
        """Where a clip goes."""
        return self.work / entry.task / str(SAMPLING_RATE) / entry.split / entry.name


def _convert(data: bytes, target: Path) -> str:
    try:
        header = read_wav_header(io.BytesIO(data))
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            subtype = file.subtype
            samples = file.read(dtype="float32", always_2d=True)
    except soundfile.SoundFileError:
        return "it is damaged: decoding failed"
    except ValueError as error:
        return str(error)
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    if mono.size != header.samples:
        return f"it is damaged: only {mono.size} of {header.samples} samples can be decoded"
    problem = describe_non_finite(mono)
    if problem:
        return f"it is damaged: {problem}"
    resampled = resample(np.ascontiguousarray(mono), header.sampling_rate, SAMPLING_RATE)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".unfinished-{secrets.token_hex(4)}.wav")
    soundfile.write(unfinished, resampled, SAMPLING_RATE, subtype=subtype)
    os.replace(unfinished, target)
    return ""
