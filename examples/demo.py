"""A page to try a model on: drop or record audio, see its tags, the most similar sounds of a
folder, and what the model makes of a spectrogram half of which it cannot see.

pip install 'keras-axlstm[demo,torch]'
KERAS_BACKEND=torch python examples/demo.py --preset axlstm_tiny --library examples/audio
"""

import argparse
import sys
from pathlib import Path

import gradio as gr
import keras
import numpy as np

from keras_axlstm import AudioClassifier, MaskedSpectrogramModel
from keras_axlstm.analysis import class_timeline
from keras_axlstm.audio import log_mel_spectrogram, normalize_log_mel, read_audio
from keras_axlstm.data import find_audio_files
from keras_axlstm.models.open_embedder import open_embedder
from keras_axlstm.plots import plot_class_timeline, plot_reconstruction

NEAREST = 5
INTRODUCTION = """\
# keras-axlstm
Drop a sound file or record one. Audio stays on the machine that runs this page."""


class Demo:
    """What the page computes.

    Args:
        preset: of an encoder, as `open_embedder` takes it.
        library: folder of the sounds among which similar ones are looked for.
        classifier: folder of a trained `AudioClassifier`, or None: then there are no tags.
    """

    def __init__(self, preset: str, library: Path, classifier: Path | None = None) -> None:
        self.embedder = open_embedder(preset)
        try:
            self.reconstructor = MaskedSpectrogramModel.from_preset(preset)
            self._head = ""
        except ValueError:  # an encoder alone
            self.reconstructor = MaskedSpectrogramModel(self.embedder.encoder)
            self._head = "The head that reconstructs is untrained"
        self.classifier = None if classifier is None else AudioClassifier.from_preset(classifier)
        found = self.embedder.embed_files(find_audio_files(library))
        self.paths = list(found.embeddings)
        # Without what all sounds have in common, which would make every pair look alike.
        embeddings = np.stack(list(found.embeddings.values()))
        self._mean = embeddings.mean(axis=0)
        self._directions = _unit(embeddings - self._mean)

    def tags(self, path: str) -> dict[str, float]:
        """The best classes of a clip and their scores."""
        (best,) = self.classifier.decode_predictions(self.classifier.predict([path], verbose=0))
        return {name: float(score) for name, score in best}

    def timeline(self, path: str):
        """The scores of the classes along a clip."""
        spectrogram = log_mel_spectrogram(self._read(path), **self.embedder.log_mel)
        return plot_class_timeline(spectrogram, class_timeline(self.classifier, path))

    def nearest(self, path: str) -> list[tuple[Path, float]]:
        """The most similar sounds of the library and the cosine of each, the best first."""
        cosines = self._directions @ _unit(self.embedder.embed(path) - self._mean)
        best = np.argsort(-cosines, kind="stable")[:NEAREST]
        return [(self.paths[i], float(cosines[i])) for i in best]

    def reconstruction(self, path: str, seed: int = 0):
        """The loudest 2 s of a clip, half of it hidden, and what the model puts there."""
        encoder = self.embedder.encoder
        frames = encoder.spectrogram_shape[0]
        log_mel = log_mel_spectrogram(self._read(path), **self.embedder.log_mel)
        spectrogram = normalize_log_mel(log_mel, "clip")
        spectrogram = np.pad(spectrogram, ((0, max(0, frames - len(spectrogram))), (0, 0)))
        loudness = np.cumsum(np.exp(log_mel).sum(axis=1))
        start = (
            int(np.argmax(loudness[frames:] - loudness[:-frames])) if len(log_mel) > frames else 0
        )
        window = spectrogram[start : start + frames].astype("float32")
        patches = encoder.grid_size[0] * encoder.grid_size[1]
        hidden = np.zeros(patches, "float32")
        hidden[np.random.default_rng(seed).permutation(patches)[: patches // 2]] = 1.0
        predicted = self.reconstructor.reconstruct(window[None], hidden[None])
        predicted = keras.ops.convert_to_numpy(predicted)[0].astype("float32")
        return plot_reconstruction(window, hidden, predicted, encoder.patch_size, self._head)

    def _read(self, path: str) -> np.ndarray:
        return read_audio(path, self.embedder.sampling_rate)


def new_page(demo: Demo) -> gr.Blocks:
    """The page, with its one button wired to `demo`."""
    with gr.Blocks(title="keras-axlstm") as page:
        gr.Markdown(INTRODUCTION)
        with gr.Row():
            with gr.Column():
                audio = gr.Audio(type="filepath", sources=["upload", "microphone"], label="Audio")
                button = gr.Button("Listen", variant="primary", elem_id="listen")
                gr.Examples([str(path) for path in demo.paths[:6]], audio)
                outputs = [gr.Dataframe(headers=["similar sound", "cosine"], elem_id="nearest")]
                players = [gr.Audio(label="The most similar sound", interactive=False)]
            with gr.Column():
                pictures = [gr.Plot(label="Half of the spectrogram is hidden", elem_id="picture")]
                if demo.classifier is not None:
                    pictures += [gr.Label(label="Tags", elem_id="tags"), gr.Plot(label="Timeline")]

        def listen(path: str | None) -> list:
            if path is None:
                raise gr.Error("Drop or record a sound first.")
            try:
                nearest = demo.nearest(path)
                shown = [[[p.name, round(cosine, 3)] for p, cosine in nearest], str(nearest[0][0])]
                shown.append(demo.reconstruction(path))
                if demo.classifier is not None:
                    shown += [demo.tags(path), demo.timeline(path)]
            except ValueError as error:  # audio that cannot be read
                raise gr.Error(str(error)) from error
            return shown

        button.click(listen, audio, outputs + players + pictures, api_name="listen")
    return page


def main(argv: list[str]) -> None:
    """Open the page until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--preset", required=True, help="a preset, or random:PRESET")
    parser.add_argument("--library", type=Path, default=Path("examples/audio"), metavar="DIR")
    parser.add_argument("--classifier", type=Path, metavar="DIR", help="a trained AudioClassifier")
    parser.add_argument("--port", type=int, help="default: the first free one from 7860 on")
    options = parser.parse_args(argv)
    page = new_page(Demo(options.preset, options.library, options.classifier))
    folder = str(options.library.resolve())
    page.launch(server_port=options.port, allowed_paths=[folder], footer_links=[])


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


if __name__ == "__main__":
    main(sys.argv[1:])
