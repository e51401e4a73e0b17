"""Random draws: without replacement, fair, the same whatever the blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litotes.core.errors import LitotesError
from litotes.mining import random
from litotes.mining.random import RandomMiner, _permuted
from tests.unit.mining.small_data import make_collection, random_collection


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**40), row=st.integers(0, 10**9), n=st.integers(1, 300))
def test_every_row_has_a_permutation_of_its_own(seed, row, n):
    assert sorted(_permuted(seed, np.full(n, row), np.arange(n), n)) == list(range(n))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), top=st.integers(1, 30), skip=st.integers(0, 5))
def test_draws_are_distinct_allowed_and_as_many_as_there_can_be(seed, top, skip):
    data = random_collection(seed, n_rows=8, n_cols=20, n_positives=40)
    found = RandomMiner(top=top, skip=skip, seed=seed).mine(data)
    assert not data.is_positive(found.row, found.col).any()
    assert data.cols_with_content[found.col].all()
    cells = set(zip(found.row.tolist(), found.col.tolist(), strict=True))
    assert len(cells) == len(found)
    rows, cols = np.divmod(np.arange(8 * 20), 20)
    free = np.bincount(rows[~data.is_positive(rows, cols) & data.cols_with_content[cols]], minlength=8)
    expected = np.clip(free - skip, 0, top)
    np.testing.assert_array_equal(np.bincount(found.row, minlength=8), expected)
    assert found.counts["random"]["short_rows"] == int((expected < top).sum())


def test_each_column_is_equally_likely_at_every_place():
    data = make_collection(None, None, positives=[(row, 3) for row in range(4000)], shape=(4000, 11))
    found = RandomMiner(top=10, seed=5).mine(data)
    places = found.column("rank.random").astype(int) - 1
    table = np.zeros((10, 11))
    np.add.at(table, (places, found.col), 1)
    assert (table[:, 3] == 0).all()
    expected = 4000 / 10
    chi_square = ((np.delete(table, 3, axis=1) - expected) ** 2 / expected).sum(axis=1)
    assert (chi_square < 33.7).all()  # 9 degrees of freedom: one in 10,000


def test_pairs_of_draws_are_independent():
    data = make_collection(None, None, shape=(12_000, 5))
    _, cols, _ = RandomMiner(top=2).mine(data).padded(2)
    table = np.zeros((5, 5))
    np.add.at(table, (cols[:, 0], cols[:, 1]), 1)
    assert (np.diag(table) == 0).all()
    expected = 12_000 / 20
    chi_square = ((table - expected) ** 2 / expected)[~np.eye(5, dtype=bool)].sum()
    assert chi_square < 50.8  # 19 degrees of freedom: one in 10,000


def test_the_seed_decides_and_blocks_do_not(monkeypatch):
    data = random_collection(4)
    whole = RandomMiner(top=7, seed=1).mine(data)
    assert RandomMiner(top=7, seed=1).mine(data).table.equals(whole.table)
    assert not RandomMiner(top=7, seed=2).mine(data).table.equals(whole.table)
    parts = [RandomMiner(top=7, seed=1).mine(data, np.arange(s, min(s + 9, 50))) for s in range(0, 50, 9)]
    assert parts[0].merge(*parts[1:]).table.equals(whole.table)
    monkeypatch.setattr(random, "_BLOCK_ROWS", 4)
    assert RandomMiner(top=7, seed=1).mine(data).table.equals(whole.table)


def test_skip_goes_on_in_the_same_order():
    data = random_collection(4)
    first, both = RandomMiner(top=3).mine(data), RandomMiner(top=6).mine(data)
    second = RandomMiner(top=3, skip=3).mine(data)
    together = sorted(zip([*first.row, *second.row], [*first.col, *second.col], strict=True))
    assert together == sorted(zip(both.row, both.col, strict=True))


def test_the_seed_is_checked():
    with pytest.raises(LitotesError, match="The 'seed' parameter of RandomMiner must be an int"):
        RandomMiner(seed=0.5)


def test_the_fingerprint_holds_the_seed():
    data = random_collection(4)
    assert RandomMiner(seed=1).fingerprint(data) != RandomMiner(seed=2).fingerprint(data)
    assert RandomMiner(seed=1).fingerprint(data) == RandomMiner(seed=1, name="other").fingerprint(data)
