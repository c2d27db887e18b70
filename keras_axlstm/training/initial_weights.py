from keras_axlstm.models import MaskedSpectrogramModel
from keras_axlstm.models.architecture import architecture
from keras_axlstm.models.front_end import front_end_of
from keras_axlstm.models.presets import check_preset


def initial_dynamic_range(preset: str) -> float | None:
    """The `dynamic_range` of a preset's front end, None if it has no front end.

    Raises:
        ValueError: there is no such preset.
    """
    check_preset(preset, load_weights=True)
    front_end = front_end_of(preset)
    return None if front_end is None else front_end.dynamic_range


def load_initial_weights(model: MaskedSpectrogramModel, preset: str) -> None:
    """Give a new model the weights of a preset, mask token and reconstruction head included.

    Args:
        model: to be pretrained.
        preset: name of a preset, or path of its directory.

    Raises:
        ValueError: there is no such preset, it is an encoder alone, or of another architecture.
            Names what differs.
    """
    initial = MaskedSpectrogramModel.from_preset(preset)
    expected, received = architecture(model.encoder), architecture(initial.encoder)
    if different := [
        f"{name} {received.get(name)!r}, not {value!r}"
        for name, value in expected.items()
        if received.get(name) != value
    ]:
        raise ValueError(
            f"Expected `initial_preset` to be of the architecture to be trained. {preset} has "
            f"{'; '.join(different)}: name another preset, or choose its architecture "
            "(model, size, expansion_factor, patch_size, flip, input_gate, forget_gate)."
        )
    for weight, value in zip(model.trainable_weights, initial.trainable_weights, strict=True):
        weight.assign(value)
