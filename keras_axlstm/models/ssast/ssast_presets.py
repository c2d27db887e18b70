"""Built-in presets of SSAST; each has a folder of this name under `keras_axlstm/presets`."""

SSAST_PRESETS = {
    "ssast_tiny": "SSAST tiny: 12 transformer blocks of 192 channels, 3 heads.",
    "ssast_small": "SSAST small: 12 transformer blocks of 384 channels, 6 heads.",
    "ssast_base": "SSAST base: 12 transformer blocks of 768 channels, 12 heads.",
}
