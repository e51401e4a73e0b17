"""What training files hold: each query's positives and negatives, and what was left out."""

import numpy as np
import pytest

from litotes.core.candidates import Candidates
from litotes.core.errors import LitotesError, StaleError
from litotes.data.load import load
from litotes.data.training_rows import TrainingRow, TrainingRows


def candidates(data, cells, assumed=-1):
    rows, cols = (np.array(side) for side in zip(*cells, strict=True))
    ranks = np.arange(1, len(cells) + 1)
    return Candidates.build(rows, cols, miner="m", score=1 / ranks, rank=ranks, data=data, assumed=assumed)


def rows_of(rows):
    return [(row.row, row.positives, row.negatives) for row in rows], dict(rows.left_out)


def test_without_candidates_the_negatives_are_the_explicit_ones(beir):
    rows = TrainingRows(load(beir()))
    assert list(rows) == [TrainingRow(0, "night birds", [0], [2]), TrainingRow(1, "morning birds", [1], [])]
    assert rows.left_out == {}
    assert len(list(rows)) == 2  # it can be walked again


def test_with_candidates_only_the_mined_ones(beir):
    data = load(beir())
    assert rows_of(TrainingRows(data, candidates(data, [(0, 1), (1, 2), (1, 0)]))) == (
        [(0, [0], [1]), (1, [1], [2, 0])],
        {},
    )
    found = TrainingRows(data, candidates(data, [(0, 1)]))
    assert rows_of(found) == ([(0, [0], [1])], {"queries_without_negative": 1, "documents_not_used": 1})


def test_a_cell_assumed_positive_is_a_positive(beir):
    data = load(beir(qrels="q1\td1\t1\nq2\td2\t0\n"))
    both = candidates(data, [(0, 1), (1, 2)]).merge(candidates(data, [(1, 0)], assumed=1))
    assert rows_of(TrainingRows(data, both))[0] == [(0, [0], [1]), (1, [0], [2])]


def test_candidates_of_other_data_are_refused(beir):
    data = load(beir())
    found = candidates(data, [(0, 1)])
    with pytest.raises(StaleError):
        list(TrainingRows(load(beir(qrels="q1\td2\t1\n")), found))


def test_what_has_no_text_is_left_out_and_counted(beir):
    data = load(beir(qrels="q1\td1\t1\nq1\tdx\t0\nqx\td2\t1\n"))
    assert rows_of(TrainingRows(data)) == (
        [(0, [0], [])],
        {"cells_without_text": 1, "queries_without_text": 1, "documents_not_used": 2},
    )


def test_where_texts_are_ids_a_positive_text_is_no_negative(beir):
    corpus = [{"_id": f"d{i}", "text": text} for i, text in enumerate(("same", "same", "other"))]
    queries = [{"_id": "q1", "text": "one"}, {"_id": "q2", "text": "one"}]
    data = load(beir(corpus, queries, "q1\td0\t1\nq1\td1\t0\nq1\td2\t0\nq2\td2\t1\nq2\td0\t0\n"))
    assert rows_of(TrainingRows(data))[0] == [(0, [0], [1, 2]), (1, [2], [0])]
    rows, left_out = rows_of(TrainingRows(data, one_id_a_text=True))
    assert rows == [(0, [0], []), (1, [2], [])]
    assert left_out == {"negatives_equal_to_a_positive": 3, "documents_not_used": 1}


def test_nothing_left_is_an_error(beir):
    data = load(beir(qrels="q1\tdx\t1\n"))
    with pytest.raises(LitotesError, match="Not a single query with text has a positive with text"):
        list(TrainingRows(data))
