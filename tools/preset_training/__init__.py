"""Training the built-in presets in pieces."""
