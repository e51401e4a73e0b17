"""Negative samplers, beyond what ``test_contracts.py`` holds them to: exactness on any data, and what they refuse."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litotes.core import Candidates, Collection
from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.mining import (
    MinedNegativeSampler,
    PopularityNegativeSampler,
    RandomMiner,
    UniformNegativeSampler,
    free_columns,
)
from litotes.mining.free_columns import FreeColumns
from tests.unit.mining.small_data import make_collection, random_collection


@given(seed=st.integers(0, 10**6), n_positives=st.integers(0, 300), power=st.sampled_from([0.0, 0.75, 3.0]))
def test_never_a_positive_a_twin_or_an_empty_column(seed, n_positives, power):
    data = random_collection(seed, n_rows=8, n_cols=20, n_positives=n_positives)
    for sampler in (UniformNegativeSampler(data), PopularityNegativeSampler(data, power)):
        rows = np.flatnonzero(sampler._free.room)
        drawn = sampler.sample(rows, np.zeros_like(rows), 40, np.random.default_rng(seed))
        assert not data.is_positive(rows[:, None], drawn).any()
        assert data.cols_with_content[drawn].all()


def of_lengths(data: Collection, lengths: np.ndarray) -> FreeColumns:
    """The line on which each column is as long as given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(free_columns, "_whole", lambda weights: weights.astype(np.int64))
        return FreeColumns(data, lengths)


@given(seed=st.integers(0, 10**6))
def test_every_place_of_the_line_is_one_free_column_in_order(seed):
    rng = np.random.default_rng(seed)
    data = random_collection(seed, n_rows=6, n_cols=15, n_positives=30)
    weights = rng.integers(0, 4, size=15)
    line = of_lengths(data, weights)
    for row in range(6):
        free = ~data.is_positive(np.full(15, row), np.arange(15)) & data.cols_with_content
        expected = np.repeat(np.arange(15), weights * free)
        assert line.room[row] == len(expected)
        if len(expected):
            middles = (np.arange(len(expected)) + 0.5) / len(expected)
            np.testing.assert_array_equal(line.at(np.array([row]), middles[None, :])[0], expected)


def test_equal_weights_are_the_uniform_draw():
    data = random_collection(3)
    uniform = np.random.default_rng(0).random((50, 8))
    one, other = (FreeColumns(data, weights).at(np.arange(50), uniform) for weights in (None, np.full(50, 7.3)))
    assert (one == other).mean() > 0.999  # up to rounding at the borders


def test_the_smallest_weight_is_drawn_and_the_last_number_is_inside():
    data = make_collection(None, None, shape=(1, 3))
    line = FreeColumns(data, np.array([1e-300, 1.0, 0.0]))
    assert line.at(np.array([0]), np.array([[0.0, 1e-15, 1 - 2**-53]])).tolist() == [[0, 1, 1]]


def test_popular_columns_by_count_to_a_power():
    data = make_collection(None, None, [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1)], shape=(5, 3))
    drawn = PopularityNegativeSampler(data, power=1.0).sample(
        np.array([4]), np.array([0]), 5000, np.random.default_rng(0)
    )
    counts = np.bincount(drawn.ravel(), minlength=3)
    assert counts[2] == 0 and counts[0] / 5000 == pytest.approx(0.8, abs=0.03)
    flat = PopularityNegativeSampler(data, power=0).sample(np.array([4]), np.array([0]), 5000, np.random.default_rng(0))
    assert np.bincount(flat.ravel())[0] / 5000 == pytest.approx(0.5, abs=0.03)


def test_mined_candidates_of_the_row_without_those_assumed_positive():
    data = random_collection(1)
    found = RandomMiner(top=4).mine(data)
    turned = (found.row == 7) & (found.column("rank.random") == 2)
    assumed = pa.array(np.where(turned, 1, -1).astype(np.int8))
    table = found.table.set_column(found.table.column_names.index("assumed"), "assumed", assumed)
    sampler = MinedNegativeSampler(Candidates(table, made_from=found.made_from), data)
    drawn = sampler.sample(np.array([7, 7]), np.array([0, 1]), 60, np.random.default_rng(0))
    assert drawn.shape == (2, 60)
    assert set(drawn.ravel().tolist()) == set(found.col[(found.row == 7) & ~turned].tolist())
    assert UniformNegativeSampler(data).sample([7], [0], 2, np.random.default_rng(0)).dtype == np.int64


REFUSED = {
    "row": (lambda s, g: s.sample([99], [0], 1, g), r"rows must lie in \[0, 3\). Got array"),
    "column": (lambda s, g: s.sample([0], [-1], 1, g), r"cols must lie in \[0, 4\)"),
    "lengths": (lambda s, g: s.sample([0, 1], [0], 1, g), "two lists of positions of one length"),
    "a table": (lambda s, g: s.sample([[0]], [[0]], 1, g), "two lists of positions of one length"),
    "floats": (lambda s, g: s.sample([0.5], [0], 1, g), "two lists of positions"),
    "k": (
        lambda s, g: s.sample([0], [0], 0, g),
        r"'k' parameter of UniformNegativeSampler must be an int in the range \[1",
    ),
    "nothing left": (
        lambda s, g: s.sample([1, 0, 1], [0, 0, 1], 1, g),
        "UniformNegativeSampler has nothing to draw for row 'q1': every column is a positive of it, the text of one, "
        "or empty. Leave such rows out of the batch; it has 1 of them.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_sentence(name):
    attempt, message = REFUSED[name]
    data = make_collection(None, None, [(0, 0), (1, 0), (1, 1), (1, 2), (1, 3)], shape=(3, 4))
    with pytest.raises(LitotesError, match=message):
        attempt(UniformNegativeSampler(data), np.random.default_rng(0))


def test_each_sampler_says_why_nothing_is_left():
    data = make_collection(None, None, [(0, 0)], shape=(2, 3))
    with pytest.raises(LitotesError, match="Popularity.* row 'q0': every column is .* or nobody's positive"):
        PopularityNegativeSampler(data).sample([0], [0], 1, np.random.default_rng(0))
    only_row_1 = RandomMiner(top=2).mine(data, np.array([1]))
    with pytest.raises(
        LitotesError, match="MinedNegativeSampler has nothing to draw for row 'q0': it has no candidate"
    ):
        MinedNegativeSampler(only_row_1, data).sample([1, 0], [0, 0], 1, np.random.default_rng(0))


def test_candidates_of_other_data_or_that_are_positives_are_refused():
    data = make_collection(["x", "y"], ["1", "2", "2 "], [(0, 1)])
    found = RandomMiner(top=3).mine(make_collection(["x", "y"], ["1", "2", "2 "], [(1, 0)]))
    with pytest.raises(StaleError, match="made from other data"):
        MinedNegativeSampler(found, data)
    found.made_from.clear()
    with pytest.raises(
        DataError, match="2 candidates are observed positives or have the text of one, .*'d[12]' for 'q0'"
    ):
        MinedNegativeSampler(found, data)


def test_power_is_checked():
    with pytest.raises(LitotesError, match="'power' parameter of PopularityNegativeSampler must be a float"):
        PopularityNegativeSampler(random_collection(0), power=-1.0)


@pytest.mark.parametrize("power", [20.0, 400.0, 1e5, 1e308])
def test_any_power_keeps_what_may_be_drawn(power):
    data = make_collection(None, None, [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (2, 1)], shape=(5, 3))
    sampler = PopularityNegativeSampler(data, power=power)
    drawn = sampler.sample(np.array([1, 3, 4]), np.zeros(3, dtype=np.int64), 200, np.random.default_rng(0))
    assert np.unique(drawn[:2]).tolist() == [1], (
        "column 0 is a positive, column 2 nobody's; what is rare is still there"
    )
    assert (drawn[2] == 0).mean() > 0.99


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([1.0, np.nan, 1.0], "weight nan for column 1"),
        ([np.inf, 0.0, 1.0], "weight inf for column 0"),
        ([1.0, 1.0, -0.5], "weight -0.5 for column 2"),
        ([1e308, 1e308, 1e308], "weights that add up to inf"),
    ],
)
def test_weights_that_are_no_weights_are_refused(weights, said):
    with pytest.raises(LitotesError, match=f"finite, not negative, and have a finite sum. Got {said}"):
        FreeColumns(make_collection(None, None, shape=(1, 3)), np.array(weights))
