"""The parts of `AudioEmbedder`: waveforms in, pieces through the encoder, files out."""
