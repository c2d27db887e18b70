"""The authors' SSAST checkpoints: names, layouts and sizes."""

from collections.abc import Callable, Mapping

import numpy as np

from keras_axlstm.conversion.errors import CheckpointError
from keras_axlstm.conversion.name_table import Layout, Weight, transposed
from keras_axlstm.models.ssast.ssast_encoder import SSASTEncoder


def part(index: int) -> Callable[[np.ndarray], np.ndarray]:
    """One of the three linear layers stacked in `qkv_layer`."""
    return lambda weight: np.split(weight, 3)[index].T


# D hidden, MD hidden units of the MLP.
BLOCK_WEIGHTS = (
    Weight("norm1.weight", ("D",), "attention_norm.gamma"),
    Weight("norm1.bias", ("D",), "attention_norm.beta"),
    Weight("attn.qkv_layer.weight", ("3D", "D"), "attention.query.kernel", part(0)),
    Weight("attn.qkv_layer.weight", ("3D", "D"), "attention.key.kernel", part(1)),
    Weight("attn.qkv_layer.weight", ("3D", "D"), "attention.value.kernel", part(2)),
    Weight("attn.qkv_layer.bias", ("3D",), "attention.query.bias", part(0)),
    Weight("attn.qkv_layer.bias", ("3D",), "attention.key.bias", part(1)),
    Weight("attn.qkv_layer.bias", ("3D",), "attention.value.bias", part(2)),
    Weight("attn.proj_layer.weight", ("D", "D"), "attention.output_projection.kernel", transposed),
    Weight("attn.proj_layer.bias", ("D",), "attention.output_projection.bias"),
    Weight("norm2.weight", ("D",), "mlp_norm.gamma"),
    Weight("norm2.bias", ("D",), "mlp_norm.beta"),
    Weight("mlp.layer1.weight", ("MD", "D"), "mlp_hidden.kernel", transposed),
    Weight("mlp.layer1.bias", ("MD",), "mlp_hidden.bias"),
    Weight("mlp.layer2.weight", ("D", "MD"), "mlp_output.kernel", transposed),
    Weight("mlp.layer2.bias", ("D",), "mlp_output.bias"),
)


def _derived_sizes(sizes: Mapping[str, int]) -> dict[str, int]:
    """The sizes that follow from D and the width of the MLP."""
    if "D" not in sizes:
        return {}
    derived = {"3D": 3 * sizes["D"]}
    if "mlp" in sizes:
        derived["M"] = max(1, sizes["mlp"] // sizes["D"])
        derived["MD"] = derived["M"] * sizes["D"]
    return derived


SSAST = Layout(
    model="SSAST",
    mark=".attn.",
    block_weights=BLOCK_WEIGHTS,
    sizes_read_off={"mlp": ("blocks.0.mlp.layer1.bias", 0)},
    derived_sizes=_derived_sizes,
)


def new_encoder(
    sizes: Mapping[str, int],
    num_layers: int,
    spectrogram_shape: tuple[int, int],
    use_class_token: bool,
    num_heads: int | None,
) -> SSASTEncoder:
    hidden_dim = sizes["D"]
    if num_heads is None:
        if hidden_dim % 64:
            raise CheckpointError(
                "The weights of SSAST do not tell the number of heads, and the authors' rule, "
                f"hidden_dim // 64, does not fit hidden_dim {hidden_dim}: pass `num_heads` to "
                "from_official_state_dict."
            )
        num_heads = hidden_dim // 64
    return SSASTEncoder(
        spectrogram_shape=spectrogram_shape,
        patch_size=(sizes["PT"], sizes["PF"]),
        hidden_dim=hidden_dim,
        num_layers=num_layers,
        num_heads=num_heads,
        mlp_ratio=sizes["M"],
        use_class_token=use_class_token,
    )
