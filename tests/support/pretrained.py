"""The built-in presets that come with weights, and what they make of the example clips."""

from pathlib import Path

import keras
import numpy as np

from keras_axlstm.audio import log_mel_spectrogram, normalize_log_mel, read_audio
from keras_axlstm.data import find_audio_files
from keras_axlstm.models import AudioEmbedder, MaskedSpectrogramModel
from keras_axlstm.patches import patchify

PRETRAINED = ("axlstm_tiny", "axlstm_small", "axlstm_base", "ssast_tiny")
CLIPS = find_audio_files(Path(__file__).parents[2] / "examples" / "audio")
WINDOW = 200


def embeddings_of_the_examples(name: str) -> np.ndarray:
    """`(clips, embedding_dim)`."""
    embedder = AudioEmbedder.from_preset(name)
    return np.stack([embedder.embed(clip) for clip in CLIPS])


def reconstructed_examples(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Every other patch of the first 2 s of each clip: predicted, and as it is."""
    model = MaskedSpectrogramModel.from_preset(name)
    log_mels = [log_mel_spectrogram(read_audio(clip, 16000)) for clip in CLIPS]
    crops = [normalize_log_mel(one, "clip")[:WINDOW] for one in log_mels if len(one) >= WINDOW]
    spectrograms = np.stack(crops).astype("float32")
    target = keras.ops.convert_to_numpy(patchify(spectrograms, model.encoder.patch_size))
    hidden = np.broadcast_to(np.arange(target.shape[1]) % 2, target.shape[:2]).astype("float32")
    predicted = keras.ops.convert_to_numpy(model.reconstruct(spectrograms, hidden))
    return predicted[hidden == 1], target[hidden == 1]
