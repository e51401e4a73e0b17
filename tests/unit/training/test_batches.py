"""Shuffled batches: every row once an epoch, a pure function of (seed, epoch), true length, resumed where they stood.

``test_contracts.py`` holds them to what every batch sampler promises.
"""

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


def order(seed, epoch):
    batches = ShuffledBatches(np.arange(50), 7, seed=seed)
    batches.set_epoch(epoch)
    return list(batches)


def test_the_order_is_a_function_of_seed_and_epoch_alone():
    assert order(0, 2) == order(0, 2)
    assert order(0, 2) != order(0, 1) and order(0, 2) != order(1, 2)


@given(st.integers(0, 8), st.integers(0, 3))
def test_the_state_is_the_epoch_and_the_batches_that_were_given(n_given, epoch):
    batches = ShuffledBatches(np.arange(50), 7)
    batches.set_epoch(epoch)
    for _, _ in zip(range(n_given), batches, strict=False):
        pass
    assert batches.state_dict() == {"epoch": epoch, "batches": n_given}
    resumed = ShuffledBatches(np.arange(50), 7)
    resumed.load_state_dict({"epoch": epoch, "batches": n_given})
    assert resumed.state_dict() == {"epoch": epoch, "batches": n_given}
    assert list(resumed) == order(0, epoch)[n_given:]
    assert list(resumed) == order(0, epoch)  # once the epoch is through, the next iteration is whole


def test_an_iteration_that_was_broken_off_begins_anew_and_another_epoch_is_never_resumed():
    batches = ShuffledBatches(np.arange(50), 7)
    next(iter(batches))
    assert list(batches) == order(0, 0)
    batches.load_state_dict({"epoch": 1, "batches": 3})
    batches.set_epoch(2)
    assert batches.state_dict() == {"epoch": 2, "batches": 0}
    assert list(batches) == order(0, 2)
