"""Precision and recall, by hand; what is unknown stays out."""

import numpy as np
import pytest

from litotes.auditing import judges_against
from litotes.auditing.quality import Quality, Truth
from litotes.auditing.verdicts import Verdict
from litotes.core import Candidates, LabelMatrix
from litotes.core.errors import LitotesError
from tests.unit.auditing.conftest import Says, every_cell, is_alias


@pytest.fixture
def cells(data):
    row, col, score, rank = every_cell(data)
    return Candidates.build(row, col, miner="m", score=score, rank=rank, data=data)


def of(quality, ranks="all"):
    return next(line for line in quality.facts()["judges"] if line["ranks"] == ranks)


def test_by_hand(data, cells):
    flags = np.zeros(len(cells))
    flags[np.flatnonzero(is_alias(cells))[:3]] = 1  # three of four aliases
    flags[np.flatnonzero(~is_alias(cells))[:2]] = 1  # and two false alarms
    quality = Quality(Truth.of(data, data.truth), [Verdict("j", "trust")])
    quality.add(cells, {"j": flags})
    line = of(quality)
    assert (line["false_negatives"], line["flagged"], line["hits"]) == (4, 5, 3)
    assert (line["precision"], line["recall"]) == (3 / 5, 3 / 4)
    assert line["precision_low"] < 3 / 5 < line["precision_high"]
    assert line["cells"] == len(cells)


def test_the_first_ten_ranks_are_counted_apart(data):
    row, col = np.zeros(11, dtype=int), np.arange(1, 12)
    cells = Candidates.build(row, col, miner="m", score=-col, rank=np.arange(1, 12), data=data)
    quality = Quality(Truth.of(data, data.truth), [Verdict("j", "trust")])
    quality.add(cells, {"j": np.ones(11)})
    assert of(quality, "1 to 10")["cells"] == 10
    assert of(quality, "all")["cells"] == 11


def test_a_judge_that_flags_nothing_has_no_precision(data, cells):
    quality = Quality(Truth.of(data, data.truth), [Verdict("j", "trust")])
    quality.add(cells, {"j": np.zeros(len(cells))})
    assert of(quality)["precision"] is None
    assert of(quality)["recall"] == 0


def test_cells_without_a_word_of_the_judge_are_left_out(data, cells):
    quality = Quality(Truth.of(data, data.truth), [Verdict("j", "trust")])
    quality.add(cells, {"j": np.full(len(cells), np.nan)})
    assert of(quality)["cells"] == 0


def test_truth_with_judged_negatives_knows_nothing_of_the_rest(data, cells):
    judged = LabelMatrix(["q0", "other"], ["d4", "d5", "elsewhere"], [0, 0, 1], [0, 1, 2], [1, 0, 1])
    truth = Truth.of(data, judged)
    known = truth.of_cells(cells.row, cells.col)
    assert not truth.is_complete
    assert np.nansum(known) == 1
    assert (~np.isnan(known)).sum() == 2


def test_truth_of_positives_alone_is_complete(data, cells):
    known = Truth.of(data, data.truth).of_cells(cells.row, cells.col)
    assert (known == is_alias(cells)).all()


def test_truth_about_other_ids_is_refused(data):
    with pytest.raises(
        LitotesError, match="None of the 1 judgements of the truth is about a query and document of this data"
    ):
        Truth.of(data, LabelMatrix(["x"], ["y"], [0], [0]))


def test_of_a_run(data, make_run):
    says = Says("document", judge=is_alias, trust=lambda cells: np.where(is_alias(cells), 0.1, 0.9))
    run = make_run(data, {"m": every_cell(data)}, {"document": says})
    facts = judges_against(run, data, data.truth)
    assert {line["precision"] for line in facts["judges"]} == {1.0}
    assert {line["recall"] for line in facts["judges"]} == {1.0}
