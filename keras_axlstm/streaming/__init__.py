"""Embeddings of audio as it comes: the offline numbers, with a memory of fixed size."""

from keras_axlstm.streaming.audio_stream import AudioStream as AudioStream
