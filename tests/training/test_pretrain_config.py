"""The configuration of a run: values, files, what is refused."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_axlstm.training import PretrainConfig
from keras_axlstm.training.pretrain_config import override, read_config

pytestmark = pytest.mark.any_backend


def config(**values):
    return PretrainConfig(**{"source": "sounds", "output": "preset", **values})


VALUES = st.fixed_dictionaries(
    {
        "source": st.text(st.characters(exclude_categories=["Cs"])),
        "output": st.text("abc é\"'\\\n"),
    },
    optional={
        "model": st.just("axlstm"),
        "size": st.sampled_from(["tiny", "base"]),
        "patch_size": st.tuples(st.integers(1, 8), st.integers(1, 80)),
        "flip": st.booleans(),
        "expansion_factor": st.sampled_from([2, 3, 4]),
        "mask_ratio": st.floats(0, 1, exclude_max=True),
        "steps": st.integers(1, 2**40),
        "learning_rate": st.floats(1e-300, 1e300),
        "seed": st.integers(0, 2**32 - 1),
        "tensorboard": st.booleans(),
    },
)


@given(values=VALUES, ending=st.sampled_from(["toml", "json"]))
def test_a_file_gives_the_configuration_back(tmp_path_factory, values, ending):
    path = tmp_path_factory.mktemp("config") / f"pretrain.{ending}"
    written = config(**values)
    written.save(path)
    assert PretrainConfig.load(path) == written


def test_the_defaults_are_the_papers_recipe():
    recipe = config()
    assert recipe.batch_size == 1024
    assert recipe.peak_learning_rate == 1.5e-4 * 1024 / 256
    assert recipe.total_steps(steps_per_epoch=7) == 700
    assert (recipe.warmup, recipe.weight_decay, recipe.mask_ratio) == (0.1, 0.05, 0.5)


@pytest.mark.parametrize(
    ("values", "peak"),
    [
        ({"batch_size": 32}, 1.5e-4 * 32 / 256),
        ({"steps": 200, "batch_size": 4}, 1e-3),
        ({"steps": 200, "learning_rate": 0.01}, 0.01),
        ({"learning_rate": 1}, 1.0),
        ({"base_learning_rate": 0.016, "steps": 5, "batch_size": 32}, 0.002),
    ],
)
def test_learning_rate(values, peak):
    assert config(**values).peak_learning_rate == pytest.approx(peak)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stepz": 5, "sizes": 1}, "Unknown fields of PretrainConfig: stepz, sizes. Known: source"),
        ({"steps": "5"}, "`steps` must be an integer. Received: '5'"),
        ({"steps": True}, "`steps` must be an integer. Received: True"),
        ({"steps": 0}, "`steps` must be finite and at least 1. Received: 0"),
        ({"steps": 1.0}, "`steps` must be an integer"),
        ({"learning_rate": 0}, "`learning_rate` must be finite and greater than 0. Received: 0"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be finite"),
        ({"weight_decay": float("inf")}, "`weight_decay` must be finite"),
        ({"mask_ratio": 1}, "`mask_ratio` must be finite and less than 1. Received: 1"),
        ({"batch_size": None}, "`batch_size` must be an integer. Received: None"),
        ({"size": "huge"}, "`size` must be one of 'tiny', 'small', 'base'. Received: 'huge'"),
        ({"expansion_factor": 5}, "`expansion_factor` must be one of 2, 3, 4. Received: 5"),
        ({"flip": 1}, "`flip` must be true or false. Received: 1"),
        ({"patch_size": [4]}, "`patch_size` must be 2 integers"),
        ({"patch_size": [4, 0]}, "`patch_size` must be finite and at least 1"),
        ({"source": 5}, "`source` must be a text"),
        ({"steps": 5, "epochs": 5}, "`epochs` and `steps` exclude each other"),
        ({"learning_rate": 1, "base_learning_rate": 1}, "exclude each other"),
        ({"model": "ssast", "flip": True, "input_gate": "exp"}, "flip, input_gate: only for model"),
        ({"batch_size": 8, "gradient_accumulation": 3}, "must divide batch_size=8. Received: 3"),
    ],
)
def test_wrong_values_are_named(values, message):
    with pytest.raises(ValueError) as error:
        PretrainConfig.from_dict({"source": "sounds", "output": "preset", **values})
    assert message in str(error.value)


def test_missing_fields_are_named():
    with pytest.raises(ValueError, match="needs values of: source, output"):
        PretrainConfig.from_dict({"steps": 5})


def test_one_of_two_alternatives_removes_the_other():
    assert override({"epochs": 5, "seed": 1}, {"steps": 7}) == {"steps": 7, "seed": 1}
    assert override({"epochs": 5}, {"seed": 1}) == {"epochs": 5, "seed": 1}
    assert override({"epochs": 5}, {"epochs": 6}) == {"epochs": 6}


def test_what_does_not_touch_the_weights_is_no_difference():
    assert config(output="a", progress=False, keep_checkpoints=3).differences(config()) == []
    assert config(seed=1, flip=True).differences(config()) == [
        "flip (True, not None)",
        "seed (1, not 0)",
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("config.yaml", "", r"ends in \.toml or \.json"),
        ("config.json", "{", "cannot be read"),
        ("config.json", "[1]", "expected names and values. Received: list"),
        ("config.toml", "a = ", "cannot be read"),
    ],
)
def test_unreadable_files(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        read_config(tmp_path / name)


def test_every_field_is_explained():
    for field in dataclasses.fields(PretrainConfig):
        assert field.metadata["option"].help
