"""Shuffled batches: every row once an epoch, a pure function of (seed, epoch), true length."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litotes.core.errors import LitotesError
from litotes.training.batches import ShuffledBatches


@given(st.integers(1, 60), st.integers(1, 20), st.booleans(), st.integers(0, 5))
def test_every_row_once_an_epoch_and_the_length_is_true(n, size, drop_last, epoch):
    if drop_last and n < size:
        with pytest.raises(LitotesError, match="too few for one batch"):
            ShuffledBatches(np.arange(n), size, drop_last=drop_last)
        return
    batches = ShuffledBatches(np.arange(n) + 100, size, seed=3, drop_last=drop_last)
    batches.set_epoch(epoch)
    found = list(batches)
    rows = [row for batch in found for row in batch]
    assert len(found) == len(batches) and all(len(batch) == size for batch in found[: n // size])
    assert len(rows) == len(set(rows)) == (n // size * size if drop_last else n)
    assert set(rows) <= set(range(100, 100 + n))


def test_the_order_is_a_function_of_seed_and_epoch_alone():
    def order(seed, epoch):
        batches = ShuffledBatches(np.arange(50), 7, seed=seed)
        batches.set_epoch(epoch)
        return list(batches)

    resumed = ShuffledBatches(np.arange(50), 7, seed=0)
    resumed.load_state_dict({"epoch": 2})
    assert order(0, 2) == order(0, 2) == list(resumed)
    assert order(0, 2) != order(0, 1) and order(0, 2) != order(1, 2)
