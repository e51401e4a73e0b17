"""The label matrix against plain dictionaries and sets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litotes.core import LabelMatrix, LitotesError
from litotes.core import label_matrix as module

N_ROWS, N_COLS = 7, 9
CELLS = st.dictionaries(
    st.tuples(st.integers(0, N_ROWS - 1), st.integers(0, N_COLS - 1)), st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0])
)
ANY_CELLS = st.lists(st.tuples(st.integers(0, N_ROWS - 1), st.integers(0, N_COLS - 1)))


def matrix(cells: dict, **options) -> LabelMatrix:
    rows, cols = (np.array([cell[i] for cell in cells], dtype=np.int64) for i in (0, 1))
    return LabelMatrix(range(N_ROWS), range(N_COLS), rows, cols, list(cells.values()), **options)


def as_dict(labels: LabelMatrix) -> dict:
    return {(int(r), int(c)): float(g) for r, c, g in zip(*labels.cells(), strict=True)}


def arrays(cells) -> tuple[np.ndarray, np.ndarray]:
    return np.array([r for r, _ in cells], dtype=np.int64), np.array([c for _, c in cells], dtype=np.int64)


@given(CELLS, ANY_CELLS)
def test_look_ups_equal_a_dictionary(cells, asked):
    labels = matrix(cells)
    rows, cols = arrays(asked)
    assert labels.is_observed(rows, cols).tolist() == [cell in cells for cell in asked]
    assert labels.is_positive(rows, cols).tolist() == [cells.get(cell, 0) >= 1 for cell in asked]
    expected = [cells.get(cell, np.nan) for cell in asked]
    np.testing.assert_array_equal(labels.grades_at(rows, cols), np.array(expected, dtype=np.float32))


@given(CELLS, st.sampled_from([0.5, 1.0, 2.0]))
def test_positives_and_negatives_of_each_row(cells, min_grade):
    labels = matrix(cells, min_grade=min_grade)
    for row in range(N_ROWS):
        mine = {col: grade for (r, col), grade in cells.items() if r == row}
        assert labels.positives(row).tolist() == sorted(c for c, g in mine.items() if g >= min_grade)
        assert labels.negatives(row).tolist() == sorted(c for c, g in mine.items() if g < min_grade)
    counts = [sum(r == row and g >= min_grade for (r, _), g in cells.items()) for row in range(N_ROWS)]
    assert labels.positive_counts().tolist() == counts


@given(CELLS, CELLS, st.sampled_from(["max", "last", "sum"]))
def test_adding_cells(cells, more, how):
    settle = {"max": max, "last": lambda _, new: new, "sum": lambda old, new: old + new}[how]
    expected = dict(cells)
    for cell, grade in more.items():
        expected[cell] = settle(expected[cell], grade) if cell in expected else grade
    rows, cols = arrays(more)
    before = matrix(cells)
    after = before.with_cells(rows, cols, list(more.values()), duplicates=how)
    assert as_dict(after) == expected
    assert as_dict(before) == cells, "an edit must leave the matrix as it was"


@given(CELLS, ANY_CELLS)
def test_removing_cells(cells, gone):
    after = matrix(cells).without_cells(*arrays(gone))
    assert as_dict(after) == {cell: grade for cell, grade in cells.items() if cell not in set(gone)}


@given(CELLS, st.lists(st.integers(0, N_ROWS - 1), unique=True))
def test_selecting_rows(cells, chosen):
    after = matrix(cells).select_rows(np.array(chosen, dtype=np.int64))
    expected = {(chosen.index(r), c): g for (r, c), g in cells.items() if r in chosen}
    assert as_dict(after) == expected
    assert after.row_ids.values == [str(row) for row in chosen]


@given(CELLS)
def test_more_columns_observe_nothing_new(cells):
    after = matrix(cells).with_columns(["x", "y"])
    assert as_dict(after) == cells
    assert after.col_ids.values[-2:] == ["x", "y"]


@given(CELLS, ANY_CELLS)
def test_blocks_do_not_change_look_ups(cells, asked):
    rows, cols = arrays(asked)
    labels = matrix(cells)
    whole, size = labels.is_observed(rows, cols), module._BLOCK
    module._BLOCK = 3
    try:
        np.testing.assert_array_equal(labels.is_observed(rows, cols), whole)
    finally:
        module._BLOCK = size


@given(CELLS, st.randoms())
def test_order_of_cells_does_not_matter(cells, random):
    shuffled = list(cells.items())
    random.shuffle(shuffled)
    assert matrix(dict(shuffled)).fingerprint == matrix(cells).fingerprint


def test_the_fingerprint_sees_every_part():
    base = matrix({(0, 0): 1.0})
    others = [
        matrix({(0, 1): 1.0}),
        matrix({(0, 0): 2.0}),
        matrix({(0, 0): 1.0}, min_grade=2),
        base.with_columns(["x"]),
        LabelMatrix(["a", *range(1, N_ROWS)], range(N_COLS), [0], [0]),
    ]
    assert len({labels.fingerprint for labels in [base, *others]}) == len(others) + 1


def test_equal_duplicates_merge_and_are_counted():
    labels = LabelMatrix.from_qrels([("q", "d", 1), ("q", "d", 1), ("q", "e", 0)])
    assert labels.n_merged == 1 and len(labels) == 2


def test_contradictions_are_refused_with_both_lines():
    with pytest.raises(LitotesError, match=r"\('q', 'd'\) was judged 1 and 0 \(lines 4 and 9\)"):
        LabelMatrix.from_qrels([("q", "e", 1), ("q", "d", 1), ("q", "d", 0)], lines=[2, 4, 9])


@pytest.mark.parametrize(("how", "grade"), [("max", 2.0), ("last", 1.0), ("sum", 3.0)])
def test_contradictions_settled(how, grade):
    labels = LabelMatrix.from_qrels([("q", "d", 2), ("q", "d", 1)], duplicates=how)
    assert as_dict(labels) == {(0, 0): grade}


def test_interactions_add_up():
    labels = LabelMatrix.from_interactions(["u", "u", "v"], ["i", "i", "j"], [1, 2, 5])
    assert as_dict(labels) == {(0, 0): 3.0, (1, 1): 5.0}


def test_triples_of_both_sides():
    triples = [("a", "likes", "b"), ("c", "likes", "b")]
    both = LabelMatrix.from_triples(triples, side="both")
    assert both.col_ids.values == ["a", "b", "c"]
    tails = {(both.row_ids[r], both.col_ids[c]) for r, c, _ in zip(*both.cells(), strict=True)}
    assert tails == {("a\tlikes", "b"), ("c\tlikes", "b"), ("b\tlikes⁻¹", "a"), ("b\tlikes⁻¹", "c")}
    assert LabelMatrix.from_triples(triples, side="head").n_rows == 1


def test_classes_with_unlabelled_samples_and_unseen_classes():
    labels = LabelMatrix.from_classes(["cat", None, "dog"], classes=["bird", "cat", "dog"])
    assert as_dict(labels) == {(0, 1): 1.0, (2, 2): 1.0} and labels.n_cols == 3
    numbers = LabelMatrix.from_classes(np.array([1.0, np.nan, 0.0]))
    assert numbers.col_ids.values == ["0", "1"] and as_dict(numbers) == {(0, 1): 1.0, (2, 0): 1.0}
    pandas = pytest.importorskip("pandas", reason="needs litotes[retrieval]")
    for missing in (pandas.NA, pandas.NaT):
        assert as_dict(LabelMatrix.from_classes(["cat", missing, "dog"])) == {(0, 0): 1.0, (2, 1): 1.0}


def test_multilabel_dense_and_sparse():
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.array([[1, 0, -1], [0, 1, 0]])
    expected = {(0, 0): 1.0, (0, 2): 0.0, (1, 1): 1.0}
    assert as_dict(LabelMatrix.from_multilabel(dense)) == expected
    assert as_dict(LabelMatrix.from_multilabel(sparse.csr_matrix(dense))) == expected
    judged = LabelMatrix.from_multilabel(dense, zeros="negative")
    assert len(judged) == 6 and judged.negatives(1).tolist() == [0, 2]
    with pytest.raises(LitotesError, match="Sample 0, label 1 holds 5"):
        LabelMatrix.from_multilabel([[0, 5]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LabelMatrix(["a"], ["b"], [1], [0]), r"Row positions must lie in \[0, 1\)"),
        (lambda: LabelMatrix(["a"], ["b"], [0], [-1]), r"Column positions must lie in \[0, 1\)"),
        (lambda: LabelMatrix(["a"], ["b"], [0], [0], [np.nan]), r"grade of cell \('a', 'b'\) is nan"),
        (lambda: LabelMatrix(["a"], ["b"], [0], [0], [1e39]), r"grade of cell \('a', 'b'\) is 1e\+39"),
        (lambda: LabelMatrix(["a"], ["b"], [0], [0], [1, 2]), "1 cells came with 2 grades"),
        (lambda: LabelMatrix(["a"], ["b"], [0.5], [0]), "whole numbers. Got float64"),
        (lambda: LabelMatrix.from_interactions(["a"], ["b"], [1, 2]), "1 users came with 1 items and 2 values"),
        (lambda: LabelMatrix.from_classes(["cat", 1]), "classes are of several types, int and str"),
        (lambda: LabelMatrix(["a", "a"], ["b"], [], []), "'a' stands twice"),
        (lambda: LabelMatrix(["a"], ["b"], [], [], duplicates="first"), "'duplicates' parameter"),
        (lambda: LabelMatrix.from_pairs([("a", "b")], cols=["bb"]), "'b' is not among the 1 ids"),
        (lambda: LabelMatrix(["a"], ["b"], [], []).positives(1), r"Row 1 is outside \[0, 1\)"),
        (lambda: LabelMatrix(["a"], ["b"], [], []).is_observed([0], [1]), r"Column positions must lie"),
    ],
)
def test_refused(make, message):
    with pytest.raises(LitotesError, match=message):
        make()


def test_too_many_cells_for_a_key(monkeypatch):
    monkeypatch.setattr(LabelMatrix, "n_rows", 2**32)
    monkeypatch.setattr(LabelMatrix, "n_cols", 2**32)
    with pytest.raises(LitotesError, match="too many cells"):
        LabelMatrix([], [], [], [])


def test_arrays_cannot_be_written():
    labels = matrix({(0, 0): 1.0})
    with pytest.raises(ValueError, match="read-only"):
        labels.grades[0] = 5


def test_every_edit_keeps_the_smallest_grade_of_a_positive():
    labels = LabelMatrix.from_qrels({"q": {"d": 2, "e": 1}, "r": {"d": 1}}, min_grade=2)
    edits = (
        labels.with_cells([1], [1], [1.0]),
        labels.without_cells([0], [1]),
        labels.select_rows([1, 0]),
        labels.with_columns(["x"]),
    )
    for edit in edits:
        assert edit.min_grade == 2 and edit.positive_counts().sum() == 1


def test_rows_chosen_as_an_empty_list_or_outside_the_matrix():
    labels = matrix({(0, 0): 1.0})
    assert labels.select_rows([]).n_rows == 0
    for wrong in ([0, N_ROWS], [-1, 0], [N_ROWS]):
        with pytest.raises(LitotesError, match=rf"Row positions must lie in \[0, {N_ROWS}\)"):
            labels.select_rows(wrong)


@pytest.mark.parametrize("rows", [[0, N_ROWS], [-1, 0], [2, -1, 3], [3, N_ROWS, 2]])
def test_one_position_outside_is_enough(rows):
    with pytest.raises(LitotesError, match=rf"Row positions must lie in \[0, {N_ROWS}\)"):
        matrix({}).is_observed(rows, [0] * len(rows))


@pytest.mark.parametrize(("rows", "cols"), [([0, 1], [0]), ([[0, 1]], [[0, 1]])])
def test_rows_and_columns_are_two_lists_of_one_length(rows, cols):
    with pytest.raises(LitotesError, match="two lists of one length"):
        matrix({}).is_observed(rows, cols)


def test_the_largest_matrix_and_the_largest_grade(monkeypatch):
    largest = float(np.finfo(np.float32).max)
    assert matrix({(0, 0): largest, (0, 1): -largest}).grades.tolist() == [largest, -largest]
    monkeypatch.setattr(LabelMatrix, "n_cols", 2**32)
    monkeypatch.setattr(LabelMatrix, "n_rows", 2**31)
    with pytest.raises(LitotesError, match="too many cells"):
        LabelMatrix([], [], [], [])


def test_nothing_observed_has_grades_of_the_same_type():
    assert matrix({}).grades_at([0], [0]).dtype == matrix({(0, 0): 1.0}).grades_at([0], [0]).dtype == np.float32


def test_a_matrix_shows_its_size():
    assert repr(matrix({(0, 0): 1.0})) == f"LabelMatrix({N_ROWS} rows x {N_COLS} cols, 1 observed cells)"


def test_sources_say_grades_and_names_as_they_should():
    assert LabelMatrix.from_pairs([("q", "d")]).grades.tolist() == [1.0]
    shop = LabelMatrix.from_interactions(["u", "v"], ["i", "i"], [1, 3], min_grade=2)
    assert shop.min_grade == 2 and shop.positive_counts().tolist() == [0, 1]
    assert LabelMatrix.from_interactions(["u"], ["i"]).positive_counts().tolist() == [1]
    indicator = LabelMatrix.from_multilabel([[0, 1, None], [1, None, 0]])
    assert indicator.row_ids.values == ["0", "1"] and indicator.col_ids.values == ["0", "1", "2"]
    assert LabelMatrix.from_multilabel([[0, None]], zeros="negative").negatives(0).tolist() == [0]
    assert LabelMatrix.from_multilabel([[0, 1]], rows=["a"], cols=["x", "y"]).row_ids.values == ["a"]


def test_sources_refuse_what_they_do_not_know():
    with pytest.raises(LitotesError, match="'side' parameter of LabelMatrix.from_triples"):
        LabelMatrix.from_triples([("a", "r", "b")], side="heads")
    with pytest.raises(LitotesError, match="'zeros' parameter of LabelMatrix.from_multilabel"):
        LabelMatrix.from_multilabel([[0, 1]], zeros="positive")
    with pytest.raises(LitotesError, match=r"two axes, samples and labels. Got shape \(2,\)"):
        LabelMatrix.from_multilabel([0, 1])


def test_a_sparse_matrix_whose_zeros_are_judged():
    sparse = pytest.importorskip("scipy.sparse")
    judged = LabelMatrix.from_multilabel(sparse.csr_matrix(np.array([[1, 0], [0, 1]])), zeros="negative")
    assert len(judged) == 4
    explicit = sparse.coo_matrix((np.array([1, 0]), ([0, 0], [0, 1])), shape=(1, 2))
    assert len(LabelMatrix.from_multilabel(explicit)) == 1, "a zero that is stored is a zero"
