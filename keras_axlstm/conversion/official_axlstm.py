"""The authors' AxLSTM checkpoints: names, layouts and sizes."""

from collections.abc import Mapping

from keras_axlstm.conversion.name_table import Layout, Weight, taps_first, transposed
from keras_axlstm.models.axlstm.axlstm_encoder import AxLSTMEncoder

# D hidden, ED inner channels (E the expansion), G groups of four channels, NH heads. Up projection:
# rows [u, z]. Gates: columns [q, k, v].
BLOCK_WEIGHTS = (
    Weight("norm.weight", ("D",), "norm.scale"),
    Weight("layer.proj_up.weight", ("2ED", "D"), "up_projection.kernel", transposed),
    Weight("layer.conv1d.conv.weight", ("ED", 1, 4), "convolution.kernel", taps_first),
    Weight("layer.conv1d.conv.bias", ("ED",), "convolution.bias"),
    Weight("layer.q_proj.weight", ("G", 4, 4), "mlstm.query_projection.kernel", transposed),
    Weight("layer.k_proj.weight", ("G", 4, 4), "mlstm.key_projection.kernel", transposed),
    Weight("layer.v_proj.weight", ("G", 4, 4), "mlstm.value_projection.kernel", transposed),
    Weight("layer.mlstm_cell.igate.weight", ("NH", "3ED"), "mlstm.input_gate_kernel", transposed),
    Weight("layer.mlstm_cell.igate.bias", ("NH",), "mlstm.input_gate_bias"),
    Weight("layer.mlstm_cell.fgate.weight", ("NH", "3ED"), "mlstm.forget_gate_kernel", transposed),
    Weight("layer.mlstm_cell.fgate.bias", ("NH",), "mlstm.forget_gate_bias"),
    Weight("layer.mlstm_cell.outnorm.weight", ("ED",), "mlstm.norm.scale"),
    Weight("layer.learnable_skip", ("ED",), "skip"),
    Weight("layer.proj_down.weight", ("D", "ED"), "down_projection.kernel", transposed),
)


def _derived_sizes(sizes: Mapping[str, int]) -> dict[str, int]:
    """The sizes that follow from D and the inner width."""
    if not {"D", "inner"} <= sizes.keys():
        return {}
    expansion = max(1, sizes["inner"] // sizes["D"])
    inner = expansion * sizes["D"]
    return {"E": expansion, "ED": inner, "2ED": 2 * inner, "3ED": 3 * inner, "G": inner // 4}


AXLSTM = Layout(
    model="AxLSTM",
    mark=".layer.",
    block_weights=BLOCK_WEIGHTS,
    sizes_read_off={
        "inner": ("blocks.0.layer.learnable_skip", 0),
        "NH": ("blocks.0.layer.mlstm_cell.igate.bias", 0),
    },
    derived_sizes=_derived_sizes,
)


def new_encoder(
    sizes: Mapping[str, int],
    num_layers: int,
    spectrogram_shape: tuple[int, int],
    use_class_token: bool,
    flip: bool,
) -> AxLSTMEncoder:
    return AxLSTMEncoder(
        spectrogram_shape=spectrogram_shape,
        patch_size=(sizes["PT"], sizes["PF"]),
        hidden_dim=sizes["D"],
        num_layers=num_layers,
        num_heads=sizes["NH"],
        expansion_factor=sizes["E"],
        flip=flip,
        use_class_token=use_class_token,
    )
