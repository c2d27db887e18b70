from typing import Any

import keras

from keras_axlstm.training.layer_decay_adam_w import LayerDecayAdamW
from keras_axlstm.training.schedule_by_updates import ScheduleByUpdates

# Biases and other one-dimensional weights, by the ends of their names; TensorFlow adds ":0".
NOT_DECAYED = r"(bias|gamma|beta|scale|skip|query)(:0)?$"


def pretraining_optimizer(
    steps_per_epoch: int,
    *,
    batch_size: int = 1024,
    epochs: float = 100,
    warmup_epochs: float = 10,
    base_learning_rate: float = 1.5e-4,
    weight_decay: float = 0.05,
    beta_1: float = 0.9,
    beta_2: float = 0.95,
    gradient_accumulation_steps: int | None = None,
    **kwargs: Any,
) -> keras.optimizers.AdamW:
    """Optimizer and schedule of the paper: AdamW, linear warm-up, then a cosine to zero.

    The peak learning rate is `base_learning_rate * batch_size / 256`. Weight decay leaves biases
    and other one-dimensional weights alone.

    Args:
        steps_per_epoch: int. Optimizer steps of an epoch.
        batch_size: int. Clips of a step, over all devices.
        epochs: length of training.
        warmup_epochs: length of the warm-up, part of `epochs`.
        base_learning_rate: peak learning rate at batch size 256.
        weight_decay: decoupled weight decay.
        beta_1: decay of the first moment.
        beta_2: decay of the second moment.
        gradient_accumulation_steps: batches whose gradients are averaged for one step of the
            schedule and the weights. `steps_per_epoch` and `batch_size` are those of such steps.
        **kwargs: further arguments of `keras.optimizers.AdamW`.

    Raises:
        ValueError: a length that is not positive, or a warm-up longer than the training.

    Source: https://arxiv.org/abs/2408.16568, section 3.2, and the authors' configuration.

    Example:

    ```python
    from keras_axlstm.training import pretraining_optimizer

    optimizer = pretraining_optimizer(steps_per_epoch=2000)  # 100 epochs of AudioSet
    ```
    """
    if steps_per_epoch < 1 or epochs <= 0 or batch_size < 1:
        raise ValueError(
            "`steps_per_epoch`, `epochs` and `batch_size` must be positive. Received: "
            f"steps_per_epoch={steps_per_epoch}, epochs={epochs}, batch_size={batch_size}"
        )
    if not 0 <= warmup_epochs <= epochs:
        raise ValueError(
            f"`warmup_epochs` must be between 0 and epochs={epochs}. Received: {warmup_epochs}"
        )
    schedule = pretraining_schedule(
        max(1, round(steps_per_epoch * epochs)),
        round(steps_per_epoch * warmup_epochs),
        base_learning_rate * batch_size / 256,
    )
    if gradient_accumulation_steps is not None:
        schedule = ScheduleByUpdates(schedule, gradient_accumulation_steps)
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=weight_decay,
        beta_1=beta_1,
        beta_2=beta_2,
        gradient_accumulation_steps=gradient_accumulation_steps,
        **kwargs,
    )
    optimizer.exclude_from_weight_decay(var_names=[NOT_DECAYED])
    return optimizer


def fine_tuning_optimizer(
    steps: int,
    num_layers: int,
    *,
    learning_rate: float = 1e-3,
    layer_decay: float = 0.75,
    warmup_fraction: float = 0.1,
    weight_decay: float = 0.05,
    **kwargs: Any,
) -> LayerDecayAdamW:
    """Optimizer and schedule to fine-tune a whole encoder.

    AdamW with lower learning rates near the input, a linear warm-up, then a cosine to zero. Weight
    decay leaves biases and other one-dimensional weights alone.

    Args:
        steps: int. Batches of the whole training.
        num_layers: int. Blocks of the encoder, `classifier.backbone.num_layers`.
        learning_rate: the peak, of the new layers.
        layer_decay: factor of the learning rate from a block to the one before; 1: the same.
        warmup_fraction: part of `steps` that is warm-up, in [0, 1].
        weight_decay: decoupled weight decay.
        **kwargs: further arguments of `keras.optimizers.AdamW`.

    Raises:
        ValueError: a number of steps that is not positive, or a fraction out of range.

    Example:

    ```python
    from keras_axlstm.training import fine_tuning_optimizer

    optimizer = fine_tuning_optimizer(steps=300, num_layers=12)
    ```
    """
    if steps < 1:
        raise ValueError(f"`steps` must be positive. Received: {steps}")
    if not 0 <= warmup_fraction <= 1:
        raise ValueError(f"`warmup_fraction` must be in [0, 1]. Received: {warmup_fraction}")
    optimizer = LayerDecayAdamW(
        pretraining_schedule(steps, round(steps * warmup_fraction), learning_rate),
        layer_decay=layer_decay,
        num_layers=num_layers,
        weight_decay=weight_decay,
        **kwargs,
    )
    optimizer.exclude_from_weight_decay(var_names=[NOT_DECAYED])
    return optimizer


def pretraining_schedule(
    steps: int, warmup_steps: int, peak: float
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Linear from 0 to `peak` in the warm-up, then a cosine to 0 at the last of all `steps`."""
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup_steps else peak,
        decay_steps=max(1, steps - warmup_steps),
        warmup_target=peak if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
