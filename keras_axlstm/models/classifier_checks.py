"""What an encoder must have for a classifier on it."""


def check_bands(backbone, preprocessor):
    """Refuse a front end of other bands than the encoder's."""
    converter = getattr(preprocessor, "audio_converter", None)
    bands = backbone.spectrogram_shape[1]
    if converter is not None and converter.num_mel_bins != bands:
        raise ValueError(
            f"The encoder reads {bands} mel bands. Received: a preprocessor with "
            f"num_mel_bins={converter.num_mel_bins}"
        )


def check_class_token(backbone, pooling):
    """Refuse the class token of an encoder that never reads from the end."""
    reads_from_the_end = any(getattr(block, "reverse", True) for block in backbone.blocks)
    if pooling == "class_token" and not reads_from_the_end:
        raise ValueError(
            '`pooling="class_token"` needs blocks that read from the end (`flip=True`): the token '
            "comes first, and every block of this encoder reads from the beginning, so it is the "
            'same for all clips. Received: flip=False. Use pooling="mean" or "attention".'
        )
