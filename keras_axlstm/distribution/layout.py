"""How the weights of the encoders are spread over devices that share a model."""

import keras

MODEL = "model"
# By path: what is wide inside a block (expanded channels, heads, hidden channels of an MLP) is
# spread, and what runs through all blocks is not, so that devices exchange sums once a block and
# part.
SPREAD: dict[str, tuple[str | None, ...]] = {
    r"up_projection/kernel": (None, MODEL),
    r"down_projection/kernel": (MODEL, None),
    r"(query|key|value)_projection/kernel": (MODEL, None, None),
    r"attention/(query|key|value)/kernel": (None, MODEL),
    r"attention/(query|key|value)/bias": (MODEL,),
    r"attention/output/kernel": (MODEL, None),
    r"mlp_hidden/kernel": (None, MODEL),
    r"mlp_hidden/bias": (MODEL,),
    r"mlp_output/kernel": (MODEL, None),
}


def encoder_layout(mesh: keras.distribution.DeviceMesh) -> keras.distribution.LayoutMap:
    """The layout of AxLSTM and SSAST encoders; what it does not name is on every device.

    Args:
        mesh: the devices, with a dimension `"model"`.
    """
    layout = keras.distribution.LayoutMap(mesh)
    for path, axes in SPREAD.items():
        layout[path] = axes
    return layout
