"""The corpus as a source of clips, which `keras_axlstm.data.prepare` writes to shards."""

from pathlib import Path

import numpy as np

from corpus_making.conditions import new_conditions
from corpus_making.mixing import Mixer
from corpus_making.music import music_clips
from corpus_making.procedural import procedural_inputs
from corpus_making.recordings import recorded_clips
from corpus_making.rendering import StreamRenderer
from corpus_making.speech import speech_clips
from corpus_making.streams import SAMPLES
from keras_axlstm.data.sources import ClipSource
from keras_axlstm.data.sources.clip import Clip

SOURCES = ("speech", "music", "procedural", "recordings")


class CorpusClips(ClipSource):
    """Clips by number, each of which follows from the seed and its number alone.

    They are made in blocks. The newest block is kept, so that reading in order is cheap.

    Args:
        seed: of the corpus.
        blocks: the blocks that it holds.
        counts: clips of a block by source, in the order of `SOURCES`.
        renderer: compiled once for all sources with the same counts.
        mixer: as `renderer`.
        recordings: the folder with the clones of their repositories, if there are any of them.
        gated: share of the clips that pass a noise gate.
    """

    def __init__(
        self,
        seed: int,
        blocks: range,
        counts: tuple[int, ...],
        renderer: StreamRenderer,
        mixer: Mixer,
        recordings: Path | None = None,
        gated: float = 0.0,
    ) -> None:
        super().__init__(num_bands=80)
        self._seed = seed
        self._blocks = blocks
        self._counts = counts
        self._renderer = renderer
        self._mixer = mixer
        self._recordings = recordings
        self._gated = gated
        self._kept: tuple[int, dict[str, np.ndarray]] | None = None

    def __len__(self) -> int:
        return len(self._blocks) * sum(self._counts)

    def __getitem__(self, index: int) -> Clip:
        place, clip = divmod(index, sum(self._counts))
        block = self._blocks[place]
        if self._kept is None or self._kept[0] != block:
            self._kept = block, self.block(block)
        return Clip.of(self._kept[1]["log_mel"][clip])

    def name(self, index: int) -> str:
        return f"{self.metadata(index)['source']}-{self._blocks.start * sum(self._counts) + index}"

    def metadata(self, index: int) -> dict[str, str]:
        clip = index % sum(self._counts)
        return {"source": str(np.repeat(SOURCES, self._counts)[clip])}

    def block(self, block: int) -> dict[str, np.ndarray]:
        """Waveforms `sound` and spectrograms `log_mel` of all clips of a block."""
        speech, music, procedural, recorded = self._counts
        parts = [np.zeros((0, SAMPLES))]
        if speech:
            parts.append(speech_clips(self._seed, block, speech))
        if music:
            parts.append(music_clips(self._seed, block, music))
        if procedural:
            inputs = procedural_inputs(self._seed, block, procedural)
            parts.append(np.asarray(self._renderer.predict_on_batch(inputs)))
        if recorded:
            parts.append(recorded_clips(self._recordings, self._seed, block, recorded))
        sound = np.concatenate(parts).astype("float32")
        conditions = new_conditions(self._seed, block, len(sound), self._gated)
        made = self._mixer.predict_on_batch({"sound": sound, **conditions})
        return {name: np.asarray(values) for name, values in made.items()}
