import os


class AudioFileError(ValueError):
    """An audio file that cannot be used.

    Args:
        path: the file.
        reason: what is wrong with it and, where there is a way, how to mend it.

    Example:

    ```python
    from keras_axlstm.audio import AudioFileError, read_audio

    try:
        read_audio("missing.wav")
    except AudioFileError as error:
        print(error.path, error.reason)
    ```
    """

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"Cannot read the audio file {os.fspath(path)}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple:
        # The default calls the class with the message alone, so a data worker could not send it.
        return type(self), (self.path, self.reason)
