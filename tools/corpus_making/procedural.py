"""Clips that are made by code alone: from one to four streams each."""

import numpy as np

from corpus_making import instruments, nature
from corpus_making.streams import Stream, stack
from task_making.recipe import generator

# How often each kind is drawn.
KINDS = {
    instruments.sustained: 1.0,
    instruments.plucked: 1.0,
    instruments.struck_body: 1.5,
    instruments.drum: 1.5,
    instruments.frequency_modulated: 0.8,
    nature.babble: 1.2,
    nature.call: 2.0,
    nature.chirp: 1.3,
    nature.texture: 2.0,
    nature.machine: 1.4,
    nature.impact: 1.5,
    nature.scrape: 0.8,
    nature.signal: 0.8,
}
MOST_STREAMS = 4


def new_stream(rng: np.random.Generator) -> Stream:
    """A stream of any kind."""
    weights = np.array(list(KINDS.values()))
    make = list(KINDS)[int(rng.choice(len(KINDS), p=weights / weights.sum()))]
    stream = make(rng)
    stream.offset = float(rng.random())
    stream.gain = float(10 ** (rng.uniform(-20, 0) / 20))
    return stream


def procedural_inputs(seed: int, block: int, clips: int) -> dict[str, np.ndarray]:
    """What the renderer takes for a block of clips; two streams a clip on average.

    Args:
        seed: of the corpus.
        block: number of the block.
        clips: of the block.
    """
    rng = generator(seed, "corpus", "procedural", block)
    # As many streams in each block: one compiled program serves them all.
    counts = np.ones(clips, int)
    while counts.sum() < 2 * clips:
        clip = int(rng.integers(clips))
        counts[clip] += counts[clip] < MOST_STREAMS
    streams = [new_stream(rng) for _ in range(2 * clips)]
    mix = np.zeros((clips, 2 * clips), "float32")
    mix[np.repeat(np.arange(clips), counts), np.arange(2 * clips)] = 1.0
    return stack(streams) | {"mix": mix}
