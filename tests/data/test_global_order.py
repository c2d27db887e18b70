import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_axlstm.data.batch_plan import BatchPlan
from keras_axlstm.data.global_order import GlobalOrder

pytestmark = pytest.mark.any_backend


def clip(order: GlobalOrder, position: int) -> int:
    return next(order.clips(position))


@given(st.integers(1, 300), st.integers(0, 2**32 - 1), st.integers(0, 10**6))
def test_an_epoch_has_each_clip_once(num_clips, seed, epoch):
    order = GlobalOrder(num_clips, seed, shuffle=True)
    positions = range(epoch * num_clips, (epoch + 1) * num_clips)
    assert sorted(clip(order, position) for position in positions) == list(range(num_clips))


def test_seeds_and_epochs_have_orders_of_their_own():
    orders = {
        tuple(clip(GlobalOrder(40, seed, True), epoch * 40 + i) for i in range(40))
        for seed in range(10)
        for epoch in range(10)
    }
    assert len(orders) == 100


def test_without_shuffle():
    order = GlobalOrder(3, 0, shuffle=False)
    assert [clip(order, position) for position in range(7)] == [0, 1, 2, 0, 1, 2, 0]


@given(st.integers(1, 50), st.integers(0, 1000), st.booleans())
def test_every_clip_may_stand_in(num_clips, position, shuffle):
    order = GlobalOrder(num_clips, 5, shuffle)
    candidates = list(order.clips(position))
    assert sorted(candidates) == list(range(num_clips))
    if (position + 1) % num_clips:
        assert candidates[1] == clip(order, position + 1)


def test_places_are_spread_evenly():
    order = GlobalOrder(1, 1, shuffle=True)
    counts = [0] * 10
    for position in range(10_000):
        counts[order.draw(position, 10)] += 1
    assert all(900 < count < 1100 for count in counts)


def test_the_order_stays_as_it_is():
    """A run that goes on after an update must find the same order."""
    order = GlobalOrder(1000, 7, shuffle=True)
    assert [clip(order, position) for position in (0, 1, 999, 1000)] == [407, 354, 322, 598]
    assert [order.draw(position, 801) for position in (0, 1, 10**9)] == [489, 769, 54]


@given(
    rows=st.integers(1, 100),
    process_count=st.integers(1, 9),
    num_crops=st.none() | st.integers(1, 3000),
)
def test_the_parts_of_all_processes_are_the_batch(rows, process_count, num_crops):
    batch_size = rows * process_count
    batches = 3 if num_crops is None else -(-num_crops // batch_size)
    positions = []
    for batch in range(batches):
        for index in range(process_count):
            plan = BatchPlan(batch_size, num_crops, index, process_count)
            for chunk in range(plan.chunks):
                positions += plan.positions(batch, chunk)
            if num_crops is None:
                assert plan.num_batches * plan.chunks < 2**63
            else:
                assert plan.num_batches == batches
    assert positions == list(range(num_crops or 3 * batch_size))
