"""Pretrain a tiny encoder for a few steps on a folder of audio, and draw what it reconstructs.

    python examples/pretrain_on_folder.py examples/audio my_preset --steps 50

The folder `my_preset` is then a preset for `keras-axlstm embed`, `finetune` and `evaluate`, and
has the picture `reconstruction.png` (extra `plots`). A training that is worth its name needs hours
of audio, and the options of `keras-axlstm pretrain` in the README.
"""

import argparse
import sys
from pathlib import Path

import numpy as np


def main(arguments: list[str]) -> None:
    """Pretrain, and draw one crop."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("audio", type=Path, metavar="DIR")
    parser.add_argument("output", type=Path, metavar="PRESET_DIR")
    parser.add_argument("--steps", type=int, default=50, metavar="N")
    parser.add_argument("--batch-size", type=int, default=8, metavar="N")
    options = parser.parse_args(arguments)
    # Late, so that --help is quick.
    import keras

    from keras_axlstm.data import random_crops
    from keras_axlstm.models import MaskedSpectrogramModel
    from keras_axlstm.plots import check_matplotlib, plot_reconstruction, save_plot
    from keras_axlstm.training import PretrainConfig, pretrain

    check_matplotlib()
    config = PretrainConfig(
        source=options.audio,
        output=options.output,
        steps=options.steps,
        batch_size=options.batch_size,
    )
    history = pretrain(config).history
    print(f"Loss: {history[0]['loss']:.3f} at first, {history[-1]['loss']:.3f} at the end")

    model = MaskedSpectrogramModel.from_preset(options.output)
    encoder = model.encoder
    frames = encoder.spectrogram_shape[0]
    crop = next(iter(random_crops(options.audio, batch_size=1, num_frames=frames, seed=1)))
    patches = int(np.prod(encoder.grid_size))
    hidden = np.random.default_rng(0).permutation(np.arange(patches) % 2).astype("float32")
    predicted = keras.ops.convert_to_numpy(model.reconstruct(crop, hidden[None]))[0]
    figure = plot_reconstruction(crop[0], hidden, predicted, encoder.patch_size)
    save_plot(figure, options.output / "reconstruction.png")
    print(f"Written: {options.output}, with reconstruction.png")


if __name__ == "__main__":
    main(sys.argv[1:])
