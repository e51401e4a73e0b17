"""The example collections hold what they are said to hold; without it, checks would pass on nothing."""

import numpy as np
import pytest

from litotes.core.errors import LitotesError
from litotes.testing import example_candidates, example_collection
from litotes.testing.double_loop import double_loop
from litotes.testing.examples import FULL_ROW, every_example
from litotes.testing.snapshot import changed_parts, snapshot, with_truth
from tests.unit.testing.wrong_miners import common_words


@pytest.mark.parametrize("data", [data for data in every_example() if data.name == "mixed"], ids=["0", "1", "2"])
def test_mixed_has_all_that_goes_wrong(data):
    counts = data.labels.positive_counts()
    assert counts[0] >= 19 and counts[1] == 0 and (counts[8:] > 0).all()
    assert (data.twin_counts() > 0).sum() >= 3
    assert (~data.rows_with_content).sum() == 1 and (~data.cols_with_content).sum() == 2
    assert sum(len(data.labels.negatives(row)) for row in range(data.n_rows)) >= 1
    full, cols = data.row_ids.index(FULL_ROW), np.arange(data.n_cols)
    assert not (~data.is_positive(np.full(data.n_cols, full), cols) & data.cols_with_content).any()
    assert len({data.col_texts[col] for col in range(30, 34)}) == 1 and len(set(data.first_twin[30:34])) == 1
    rows, cols = data.labels.positive_cells()
    assert sum(data.row_texts[row] == data.col_texts[col] for row, col in zip(rows, cols, strict=True)) >= 5
    assert not data.cols_with_content[data.labels.positives(7)].all()


def test_ties_and_tiny():
    ties, tiny = example_collection("ties"), example_collection("tiny")
    for row in range(ties.n_rows):
        scores = {common_words(ties, row, col) for col in range(12) if col not in (3, 7)}
        assert len(scores) == 1 and set(ties.labels.positives(row)) <= {3, 7}
    assert (tiny.n_rows, tiny.n_cols) == (3, 4)
    with pytest.raises(LitotesError, match="'name' parameter of example_collection must be one of 'mixed'"):
        example_collection("miXed")


def test_examples_are_the_same_every_time_and_their_own():
    first, second = example_collection(), example_collection()
    assert first is not second and first.fingerprint == second.fingerprint
    assert len({data.fingerprint for data in every_example()}) == 5
    one, two = (example_candidates(data) for data in (first, second))
    assert one.to_table().equals(two.to_table(), check_metadata=True)


def test_candidates_are_of_two_miners_of_both_labels_and_never_positive():
    data = example_collection()
    found = example_candidates(data)
    found.check_data(data)
    assert (found.miners, found.judges, found.trusted_by) == (["one", "two"], ["earlier"], ["earlier"])
    assert {"one", "two", "one+two"} == set(found.source)
    assert set(found.assumed.tolist()) == {-1, 1}
    assert not data.is_positive(found.row, found.col).any()
    assert not data.cols_with_content[found.col].all() and not data.rows_with_content[found.row].all()
    assert np.isnan(found.column("trust.earlier")).any()


def test_the_double_loop_by_hand():
    data = example_collection("tiny")  # rows river stone, iron, red cloud; columns the same three, then blue cat
    found = double_loop(lambda row, col: common_words(data, row, col), data, top=2)
    assert found == [(0, 1, 0.0, 1), (0, 2, 0.0, 2), (1, 0, 0.0, 1), (1, 2, 0.0, 2), (2, 0, 0.0, 1), (2, 1, 0.0, 2)]
    assert double_loop(lambda row, col: float(col), data, top=1, skip=1, max_score=2.0)[:1] == [(0, 1, 1.0, 2)]


CHANGES = {
    "texts of rows": lambda data: data.row_texts.__setitem__(0, "other"),
    "texts of columns": lambda data: data.col_texts.append("other"),
    "notes": lambda data: data.notes.update(seen=1),
    "content of columns": lambda data: data.cols_with_content.__setitem__(0, False),
    "twins": lambda data: data.first_twin.__setitem__(40, 40),
    "labels": lambda data: setattr(
        data, "labels", data.labels.without_cells(*(x[:1] for x in data.labels.cells()[:2]))
    ),
}


@pytest.mark.parametrize("part", CHANGES)
def test_a_change_of_the_data_shows(part):
    data = example_collection()
    before = snapshot(data)
    assert changed_parts(before, data) == []
    CHANGES[part](data)
    assert part in changed_parts(before, data)


def test_a_truth_is_added_and_nothing_else():
    data = example_collection()
    other = with_truth(data)
    assert other.fingerprint == data.fingerprint and data.truth is None
    assert len(other.truth.positive_cells()[0]) == data.n_rows * data.n_cols
