"""Built-in presets of AxLSTM; each has a folder of this name under `keras_axlstm/presets`."""

AXLSTM_PRESETS = {
    "axlstm_tiny": "AxLSTM tiny: 12 blocks of 192 channels, expansion factor 3, no flip.",
    "axlstm_small": "AxLSTM small: 12 blocks of 384 channels, expansion factor 3, no flip.",
    "axlstm_base": "AxLSTM base: 12 blocks of 768 channels, expansion factor 3, no flip.",
}
