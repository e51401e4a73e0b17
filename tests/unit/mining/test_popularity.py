"""Popular columns: by count, by weighted draws, never the row's own positives."""

import numpy as np
import pytest

from litotes.core.errors import LitotesError
from litotes.mining import blocks
from litotes.mining.popularity import PopularityMiner
from litotes.training.negative_table import NegativeTable
from tests.unit.mining.small_data import cells_of, double_loop, make_collection, random_collection


def test_top_equals_the_double_loop_over_columns_that_are_anyones_positive():
    data = random_collection(7)
    counts = np.bincount(data.labels.positive_cells()[1], minlength=50)
    popular = double_loop(lambda row, col: float(counts[col]), data, 50)
    expected = [cell for cell in popular if cell[2] > 0 and 2 < cell[3] <= 8]
    assert cells_of(PopularityMiner(top=6, skip=2).mine(data), "popularity") == expected


def test_bounds_are_on_the_count():
    data = make_collection(None, None, [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (0, 2)], shape=(4, 4))
    found = PopularityMiner(top=4, min_score=2, max_score=2).mine(data, np.array([3]))
    assert cells_of(found, "popularity") == [(3, 1, 2.0, 1)]
    counts = found.counts["popularity"]
    assert (counts["above_max_score"], counts["below_min_score"], counts["short_rows"]) == (1, 1, 1)
    assert len(PopularityMiner(max_score=0).mine(data)) == 0


def test_a_column_that_is_nobodys_positive_is_never_popular():
    data = make_collection(None, None, [(0, 0)], negatives=[(1, 1)], shape=(2, 3))
    for draw in ("top", "sample"):
        assert cells_of(PopularityMiner(draw=draw).mine(data), "popularity") == [(1, 0, 1.0, 1)]


@pytest.mark.parametrize("power", [0.0, 0.75, 1.0])
def test_first_draws_follow_the_powered_counts(power):
    sizes = [40, 20, 10, 5]
    positives = [(row, col) for col, size in enumerate(sizes) for row in range(size)]
    data = make_collection(None, None, positives, shape=(8040, 5))
    rows = np.arange(40, 8040)
    found = PopularityMiner(top=2, draw="sample", power=power, seed=3).mine(data, rows)
    first = found.filter(found.column("rank.popularity") == 1)
    weights = np.array(sizes, dtype=float) ** power
    expected = 8000 * weights / weights.sum()
    chi_square = ((np.bincount(first.col, minlength=4) - expected) ** 2 / expected).sum()
    assert chi_square < 21.1  # 3 degrees of freedom: one in 10,000
    assert (np.bincount(found.row)[40:] == 2).all() and len(set(zip(found.row, found.col, strict=True))) == 16_000


def test_a_sample_is_independent_of_the_draws_that_training_makes_from_it_with_the_same_seed():
    sizes = 2000 // np.arange(1, 41)
    positives = [(row, col) for col, size in enumerate(sizes) for row in range(size)]
    data = make_collection(None, None, positives, shape=(4000, 40))
    rows = np.arange(2000, 4000)
    found = PopularityMiner(top=8, draw="sample", seed=0).mine(data, rows)
    drawn = NegativeTable(found, data.n_rows).draw(rows, 1, seed=0, epoch=0)[:, 0]
    offered = sizes[found.col]
    assert abs(sizes[drawn].mean() - offered.mean()) < 5 * offered.std() / np.sqrt(len(rows))


def test_samples_do_not_depend_on_blocks(monkeypatch):
    data = random_collection(4)
    miner = PopularityMiner(top=4, draw="sample", seed=9)
    whole = miner.mine(data)
    assert not data.is_positive(whole.row, whole.col).any()
    parts = [miner.mine(data, np.arange(s, min(s + 9, 50))) for s in range(0, 50, 9)]
    assert parts[0].merge(*parts[1:]).table.equals(whole.table)
    monkeypatch.setattr(blocks, "_BLOCK_CELLS", 100)
    assert miner.mine(data).table.equals(whole.table)


def test_parameters_are_checked():
    with pytest.raises(LitotesError, match="must be one of 'top', 'sample'. Got 'tops' instead. Did you mean 'top'?"):
        PopularityMiner(draw="tops")
    with pytest.raises(LitotesError, match="The 'power' parameter of PopularityMiner must be a float in the range"):
        PopularityMiner(power=-1)


def test_the_seed_counts_only_where_something_is_drawn():
    data = random_collection(4)
    assert PopularityMiner(seed=1).fingerprint(data) == PopularityMiner(seed=2).fingerprint(data)
    one, two = (PopularityMiner(draw="sample", seed=seed).fingerprint(data) for seed in (1, 2))
    assert one != two
