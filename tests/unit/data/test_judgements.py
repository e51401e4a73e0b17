"""Judgements become a matrix over the ids of the texts, and with the texts a collection."""

from pathlib import Path

import pytest

from litotes.core.errors import DataError
from litotes.data.judgements import Gathered


def gathered(cells, queries=("q1", "q2"), documents=("d1", "d2")):
    found = Gathered("test", titles=True)
    for name in queries:
        found.queries.add(name, f"text of {name}", Path("q"), 1)
    for name in documents:
        found.documents.add(name, f"text of {name}", Path("d"), 1)
    for line, (row, col, grade) in enumerate(cells, start=1):
        found.judgements.add(row, col, grade, Path("a.tsv" if line < 3 else "b.tsv"), line)
    return found


def collection(found, **options):
    return found.collection(name="set", origin="here", split="train", **options)


def test_rows_and_columns_stand_in_the_order_of_their_texts():
    data = collection(gathered([("q2", "d2", 1), ("q1", "d1", 0), ("qx", "dx", 2)]))
    assert data.row_ids.values == ["q1", "q2", "qx"] and data.col_ids.values == ["d1", "d2", "dx"]
    cells = {(data.row_ids[r], data.col_ids[c]): g for r, c, g in zip(*data.labels.cells(), strict=True)}
    assert cells == {("q1", "d1"): 0, ("q2", "d2"): 1, ("qx", "dx"): 2}
    assert data.row_texts == ["text of q1", "text of q2", None]
    assert data.notes == {"format": "test", "queries_without_text": 1, "documents_without_text": 1}


def test_queries_without_judgement_are_counted_and_left_out_or_kept():
    found = gathered([("q2", "d2", 1)])
    assert collection(found).row_ids.values == ["q1", "q2"]
    data = collection(gathered([("q2", "d2", 1)]), every_query=False)
    assert data.row_ids.values == ["q2"] and data.row_texts == ["text of q2"]
    assert data.notes["queries_without_judgement"] == 1


def test_contradictions_name_both_places():
    cells = [("q1", "d1", 1), ("q2", "d2", 1), ("q1", "d1", 0)]
    with pytest.raises(DataError, match=r"\('q1', 'd1'\) was judged 1 and 0 \(lines a\.tsv:1 and b\.tsv:3\)"):
        collection(gathered(cells))
    data = collection(gathered(cells), duplicates="max")
    assert data.labels.positive_counts().tolist() == [1, 1]


def test_equal_judgements_merge_and_are_counted():
    data = collection(gathered([("q1", "d1", 1), ("q1", "d1", 1)]))
    assert len(data.labels) == 1 and data.notes["repeated_judgements"] == 1


def test_min_grade_speaks_only_where_there_are_grades():
    cells = [("q1", "d1", 1), ("q2", "d2", 2)]
    assert collection(gathered(cells), min_grade=2).labels.positive_counts().tolist() == [0, 1]
    found = gathered(cells)
    found.graded = False
    assert collection(found, min_grade=2).labels.positive_counts().tolist() == [1, 1]


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(DataError, match="here: the corpus is empty"):
        collection(gathered([("q1", "d1", 1)], documents=()))
    with pytest.raises(DataError, match="here: there is not a single judgement"):
        collection(gathered([]))
