"""How a run divides into rows, steps and batches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_axlstm.training.run_length import RunLength

pytestmark = pytest.mark.any_backend

LENGTHS = st.builds(
    RunLength,
    steps=st.integers(1, 60),
    steps_per_epoch=st.integers(1, 9),
    steps_per_row=st.integers(1, 70),
    batches_per_step=st.integers(1, 3),
)


@given(length=LENGTHS, every=st.integers(1, 70))
def test_rows_cover_every_step_once(length, every):
    ends = [length.step_after_row(row) for row in range(length.rows)]
    assert ends[-1] == length.steps and ends == sorted(set(ends))
    batches = range(1, length.steps * length.batches_per_step + 1)
    ending = [batch for batch in batches if length.ends_row(batch)]
    assert ending == [end * length.batches_per_step for end in ends]
    assert [length.rows_until(end) for end in ends] == list(range(1, length.rows + 1))


@given(length=LENGTHS, every=st.integers(1, 70))
def test_what_is_due_comes_at_the_first_row_end_after_it(length, every):
    due = [length.step_after_row(row) for row in range(length.rows) if length.is_due(row, every)]
    ends = [length.step_after_row(row) for row in range(length.rows)]
    expected = {min(end for end in ends if end >= at) for at in range(every, length.steps, every)}
    assert due == sorted(expected | {length.steps})


def test_steps_are_counted_from_one_over_rows_and_batches():
    length = RunLength(steps=10, steps_per_epoch=3, steps_per_row=4, batches_per_step=2)
    assert [length.step_of_batch(1, batch) for batch in range(8)] == [5, 5, 6, 6, 7, 7, 8, 8]
