"""SpecAugment, mixup and pooling against their definitions in NumPy."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_axlstm.layers import Mixup, SequencePooling, SpecAugment
from tests.support.tolerances import SAME_FORMULA, relative_error


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def stripes(covered):
    """Lengths of the runs of True in a vector."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], covered.astype(int), [0]])))
    return edges[1::2] - edges[::2]


@settings(max_examples=15)
@given(
    time=st.integers(1, 60),
    real=st.integers(1, 60),
    time_masks=st.integers(0, 3),
    frequency_masks=st.integers(0, 2),
    fraction=st.floats(0, 1),
)
def test_spec_augment_covers_what_it_may(time, real, time_masks, frequency_masks, fraction):
    real = min(real, time)
    x, mask = normal(3, time, 10), np.arange(time) < np.array([[real], [time], [1]])
    layer = SpecAugment(time_masks, fraction, frequency_masks, fraction, seed=1)
    y = numpy(layer(x, mask=mask, training=True))
    np.testing.assert_array_equal(numpy(layer(x, mask=mask, training=False)), x)
    for before, after, frames in zip(x, y, mask.sum(axis=1), strict=True):
        changed = before != after
        assert not changed[frames:].any()
        mean = before[:frames].mean()
        np.testing.assert_allclose(after[changed], mean, atol=1e-5)
        # What is covered is whole rows and columns of the real frames.
        rows, columns = changed[:frames].all(axis=1), changed[:frames].all(axis=0)
        if not rows.all():
            np.testing.assert_array_equal(
                changed[:frames], rows[:, None] | (columns[None, :] & np.ones_like(rows)[:, None])
            )
            # Stripes may touch or overlap.
            assert stripes(rows).sum() <= time_masks * fraction * frames
            assert len(stripes(rows)) <= time_masks
            assert columns.sum() <= frequency_masks * fraction * 10


def test_spec_augment_draws_anew_for_each_clip_and_call():
    x = np.repeat(normal(1, 200, 80), 8, axis=0)
    layer = SpecAugment(seed=0)
    first, second = (numpy(layer(x, training=True)) for _ in range(2))
    assert len({clip.tobytes() for clip in (*first, *second)}) == 16
    covered = (first != x).mean()
    # Twice 5 % of the time and twice 10 % of the bands in the mean.
    assert 0.1 < covered < 0.45


def test_mixup_mixes_with_the_batch_reversed():
    x, real = normal(5, 20, 8), np.arange(20) < np.array([[20], [3], [9], [14], [1]])
    layer = Mixup(0.4, seed=2)
    ratios = []
    for _ in range(3):
        mixed, either = layer(x, real, training=True)
        ratio = float(numpy(layer.ratio))
        ratios.append(ratio)
        assert relative_error(numpy(mixed), ratio * x + (1 - ratio) * x[::-1]) <= SAME_FORMULA
        np.testing.assert_array_equal(numpy(either), real | real[::-1])
    assert len(set(ratios)) == 3
    same, mask = layer(x, real, training=False)
    np.testing.assert_array_equal(numpy(same), x)
    np.testing.assert_array_equal(numpy(mask), real)


def test_mixup_ratios_are_of_the_beta_distribution():
    from scipy import stats

    # The table the layer draws from: the distance is below 1.36 / sqrt(4096) in 95 % of cases.
    assert stats.kstest(Mixup(0.4)._ratios, stats.beta(0.4, 0.4).cdf).statistic < 0.022


def test_mixed_loss_is_the_cross_entropy_of_mixed_labels():
    layer = Mixup(seed=2)
    layer(normal(4, 6, 8), np.ones((4, 6), bool), training=True)
    ratio = float(numpy(layer.ratio))
    scores = np.exp(normal(4, 3))
    scores /= scores.sum(axis=1, keepdims=True)
    labels, weights = np.array([0, 1, 2, 1]), np.array([1, 2, 3, 4], "float32")
    cross_entropy = keras.losses.SparseCategoricalCrossentropy()
    convert = keras.ops.convert_to_tensor

    def loss(y, weight):
        return cross_entropy(y, convert(scores), sample_weight=weight)

    one_hot = np.eye(3)[labels]
    mixed = ratio * one_hot + (1 - ratio) * one_hot[::-1]
    expected = -(mixed * np.log(scores)).sum(axis=1).mean()
    found = float(numpy(layer.mixed_loss(loss, convert(labels))))
    assert found == pytest.approx(expected, rel=1e-5)
    own, partner = (weights[:, None] * one_hot), (weights[:, None] * one_hot)[::-1]
    mixed = ratio * own + (1 - ratio) * partner
    expected = -(mixed * np.log(scores)).sum(axis=1).mean()
    found = float(numpy(layer.mixed_loss(loss, convert(labels), convert(weights))))
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("class_token", (True, False))
def test_pooling_of_real_frames(class_token):
    frames, bands, steps = 10, 3, 3
    tokens = normal(2, class_token + bands * steps, 4)
    real = np.arange(frames) < np.array([[frames], [5]])  # 3 and 2 time steps of 4 frames
    vectors = tokens[:, int(class_token) :].reshape(2, steps, bands * 4).astype("float64")
    arguments = {"bands": bands, "patch_frames": 4, "use_class_token": class_token}
    mean = SequencePooling("mean", **arguments)
    expected = np.stack([vectors[0].mean(axis=0), vectors[1, :2].mean(axis=0)])
    assert relative_error(numpy(mean(tokens, real)), expected) <= SAME_FORMULA

    attention = SequencePooling("attention", **arguments)
    assert relative_error(numpy(attention(tokens, real)), expected) <= SAME_FORMULA
    query = 3 * normal(bands * 4, seed=1)
    attention.query.assign(query)
    weights = np.exp(vectors @ query / np.sqrt(bands * 4)) * [[1, 1, 1], [1, 1, 0]]
    weights /= weights.sum(axis=1, keepdims=True)
    expected = np.einsum("bt,btd->bd", weights, vectors)
    assert relative_error(numpy(attention(tokens, real)), expected) <= SAME_FORMULA


def test_bad_arguments():
    with pytest.raises(ValueError, match="`alpha` must be above 0. Received: 0"):
        Mixup(0)
    with pytest.raises(ValueError, match="`time_masks` .* Received: -1"):
        SpecAugment(time_masks=-1)
    with pytest.raises(ValueError, match="`frequency_fraction` .* Received: 1.5"):
        SpecAugment(frequency_fraction=1.5)
    with pytest.raises(ValueError, match="`pooling` must be one of"):
        SequencePooling("last")
