"""Static lists of negatives: given and trusted, or mined exactly as deep as asked."""

import numpy as np
import pyarrow as pa
import pytest

from litotes.core import Candidates, RunFolder
from litotes.core.errors import DataError, StaleError
from litotes.mining import RandomMiner
from litotes.training.negative_lists import given_list, mined_list, suspected_cells
from tests.unit.training.small_world import candidates_of


def judged(data):
    found = candidates_of(data)
    return found.with_columns({"trust.j": np.where(found.col % 3 == 0, 0.2, np.where(found.col % 3 == 1, 0.9, np.nan))})


def test_given_candidates_are_cut_after_the_distrusted_are_gone(data):
    found = given_list(judged(data), data, top=2, min_trust=0.5)
    assert (found.col % 3 == 1).all() and np.bincount(found.row).max() == 2
    assert len(given_list(judged(data), data, top=2)) == 2 * data.n_rows


def test_suspected_cells_are_those_a_judge_doubted_not_those_nobody_judged(data):
    found = judged(data)
    cells = suspected_cells(found, data, below=0.5)
    doubted = found.col % 3 == 0
    assert cells.tolist() == sorted((found.row[doubted] * data.n_cols + found.col[doubted]).tolist())


def test_an_assumed_positive_is_suspected_when_judges_agree_that_it_is_one(data):
    found = judged(data)
    flipped = found.table.set_column(2, "assumed", pa.array(np.ones(len(found)), pa.int8()))
    positives = Candidates(flipped, made_from=found.made_from)
    trusted = found.col % 3 == 1
    expected = sorted((found.row[trusted] * data.n_cols + found.col[trusted]).tolist())
    assert suspected_cells(positives, data, below=0.5).tolist() == expected


def test_candidates_of_other_data_are_refused(data):
    with pytest.raises(StaleError, match="made from other data"):
        given_list(candidates_of(data), data.select_rows(range(5)), top=2)


def test_a_mined_list_is_exact_or_an_error(data, tmp_path):
    run, rows = RunFolder.open(tmp_path), np.arange(data.n_rows)
    found = mined_list(RandomMiner(top=30, name="static"), data, rows, run, top=30)
    assert (np.bincount(found.row) == 30).all() and not data.is_positive(found.row, found.col).any()
    with pytest.raises(DataError, match=r"list of 'q0' has 37 documents, not top=39.*Choose top=37 or less"):
        mined_list(RandomMiner(top=39, name="deep"), data, rows, run, top=39)
    assert len(mined_list(RandomMiner(top=39, name="deep"), data, np.array([5]), run, top=39)) > 0  # other rows
