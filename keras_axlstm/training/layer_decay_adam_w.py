import re
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_axlstm")
class LayerDecayAdamW(keras.optimizers.AdamW):
    """AdamW whose learning rate is lower the nearer a block is to the input.

    The learning rate of block i of N, counted from 0, is that of the schedule times
    `layer_decay ** (N - i)`; of the patch embedding and the class token `layer_decay ** (N + 1)`;
    all other weights (the final norm, pooling and the dense layer) take the whole. Weight decay is
    scaled alike.

    Args:
        learning_rate: float or schedule.
        layer_decay: float in (0, 1]. 1: no decay over the layers.
        num_layers: int. Blocks of the encoder.
        **kwargs: further arguments of `keras.optimizers.AdamW`.

    Raises:
        ValueError: `layer_decay` or `num_layers` out of range.

    Source: Clark et al., "ELECTRA", ICLR 2020, https://arxiv.org/abs/2003.10555, section 3.1; Bao
    et al., "BEiT", ICLR 2022, https://arxiv.org/abs/2106.08254.

    Example:

    ```python
    from keras_axlstm.training import LayerDecayAdamW

    optimizer = LayerDecayAdamW(1e-3, layer_decay=0.75, num_layers=12)
    ```
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        layer_decay: float = 0.75,
        num_layers: int = 12,
        **kwargs: Any,
    ):
        if not 0 < layer_decay <= 1:
            raise ValueError(f"`layer_decay` must be in (0, 1]. Received: {layer_decay}")
        if isinstance(num_layers, bool) or not isinstance(num_layers, int) or num_layers < 1:
            raise ValueError(f"`num_layers` must be a positive integer. Received: {num_layers!r}")
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.layer_decay = layer_decay
        self.num_layers = num_layers

    def learning_rate_scale(self, path: str) -> float:
        """What the learning rate of the variable with this path is multiplied by."""
        block = re.search(r"(?:^|/)block_(\d+)/", path)
        if block:
            return self.layer_decay ** (self.num_layers - int(block[1]))
        if re.search(r"(?:^|/)(patch_embedding|class_token)/", path):
            return self.layer_decay ** (self.num_layers + 1)
        return 1.0

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        # TensorFlow hands over a variable of its own, which has no path.
        known = self._trainable_variables[self._get_variable_index(variable)]
        learning_rate = learning_rate * self.learning_rate_scale(known.path)
        if self.weight_decay is not None and self._use_weight_decay(known):
            decay = ops.cast(learning_rate * self.weight_decay, variable.dtype)
            self.assign_sub(variable, ops.multiply(variable, decay))
        super().update_step(gradient, variable, learning_rate)

    def _apply_weight_decay(self, variables: Any) -> None:
        # Keras would take one learning rate for all: `update_step` decays weights here.
        pass

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().get_config()
        config.update({"layer_decay": self.layer_decay, "num_layers": self.num_layers})
        return config
