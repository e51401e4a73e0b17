"""Noise on purpose is of the share that was asked for, wrong as far as the labels know, and the same for one seed."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litotes.core import Collection, LabelMatrix
from litotes.core.errors import DataError, LitotesError
from litotes.data import noisy_positives


def collection(n_rows=10, n_cols=25, per_row=3, seed=0, twins=()):
    """Random positives of grades 1 to 3, a judged 0 beside each row's; the last column has no text."""
    rng = np.random.default_rng(seed)
    cells = [(row, col) for row in range(n_rows) for col in rng.permutation(n_cols - 1)[: per_row + 1]]
    grades = np.where(np.arange(len(cells)) % (per_row + 1) == per_row, 0, rng.integers(1, 4, len(cells)))
    rows, cols = [f"q{i}" for i in range(n_rows)], [f"d{j}" for j in range(n_cols)]
    texts = [f"text {j}" for j in range(n_cols - 1)] + [None]
    for copy, original in twins:
        texts[copy] = texts[original]
    return Collection(
        LabelMatrix(rows, cols, *np.array(cells).T, grades.astype(float)),
        pa.table({"id": rows, "text": [f"ask {i}" for i in range(n_rows)]}),
        pa.table({"id": cols, "text": texts}),
    )


def cells_of(labels):
    return set(zip(*(x.tolist() for x in labels.positive_cells()), strict=True))


@settings(max_examples=25)
@given(share=st.floats(0, 1), seed=st.integers(0, 3), per_row=st.integers(1, 6))
def test_what_was_replaced_is_wrong_and_the_rest_is_as_it_was(share, seed, per_row):
    data = collection(per_row=per_row, seed=seed, twins=[(5, 6), (7, 8)])
    made = noisy_positives(data, share, seed)
    before, after = cells_of(data.labels), cells_of(made.data.labels)
    taken, put = (set(map(tuple, cells.tolist())) for cells in (made.taken, made.put))
    assert after == (before - taken) | put and taken <= before and len(put) == len(taken) == round(share * len(before))
    assert made.rate == len(put) / len(before) == pytest.approx(share, abs=0.5 / len(before) + 1e-9)
    assert not data.is_positive(*made.put.T).any() and not data.labels.is_observed(*made.put.T).any()
    assert data.cols_with_content[made.put[:, 1]].all() and (made.put[:, 0] == made.taken[:, 0]).all()


def test_grades_numbers_and_judged_zeros_stay():
    data = collection()
    made = noisy_positives(data, 0.5)
    assert sorted(made.data.labels.grades) == sorted(data.labels.grades)
    assert (made.data.labels.positive_counts() == data.labels.positive_counts()).all()
    assert [*made.data.labels.negatives(3)] == [*data.labels.negatives(3)]
    np.testing.assert_array_equal(made.data.labels.grades_at(*made.put.T), data.labels.grades_at(*made.taken.T))


def test_the_same_seed_gives_the_same_noise_and_another_does_not():
    data = collection()
    same, other = noisy_positives(data, 0.4, 1), noisy_positives(data, 0.4, 2)
    np.testing.assert_array_equal(noisy_positives(data, 0.4, 1).put, same.put)
    assert same.taken.tolist() != other.taken.tolist()


def test_documents_are_drawn_from_all_of_the_corpus_alike():
    data = collection(n_rows=2000, n_cols=12, per_row=1)
    counts = np.bincount(noisy_positives(data, 1.0).put[:, 1], minlength=12)
    assert counts[11] == 0 and counts[:11].min() > 120 and counts[:11].max() < 245  # 2000 / 11 = 182


def test_texts_and_truth_stay_what_they_were():
    data = collection()
    data = Collection(data.labels, data.rows.table, data.cols.table, truth=data.labels)
    made = noisy_positives(data, 0.4).data
    assert made.truth is data.labels and made.cols.fingerprint == data.cols.fingerprint
    assert made.fingerprint != data.fingerprint


def test_a_positive_without_a_text_is_neither_replaced_nor_counted():
    data = collection(per_row=1)
    labels = data.labels.with_cells(np.arange(10), np.full(10, 24))
    made = noisy_positives(data.with_labels(labels), 1.0)
    assert made.rate == 1.0 and len(made.taken) == 10 and 24 not in made.taken[:, 1]


def test_a_query_that_was_judged_against_everything_is_refused():
    with pytest.raises(DataError, match="The query 'q0' has hardly a document left that it was not judged against"):
        noisy_positives(collection(n_rows=1, n_cols=8, per_row=6), 1.0)
    with pytest.raises(LitotesError, match="'share' parameter of noisy_positives must be a float in the range"):
        noisy_positives(collection(), 1.1)
