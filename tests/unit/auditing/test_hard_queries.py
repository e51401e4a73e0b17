"""Queries that cannot be answered, and those that cannot be told apart."""

import pyarrow as pa

from litotes.auditing import hard_queries as module
from litotes.auditing.evidence_table import EvidenceTable
from litotes.auditing.hard_queries import indistinct_queries, unanswerable_queries
from litotes.auditing.repeated_texts import text_twins
from litotes.core import Collection, LabelMatrix


def test_what_is_certain_comes_first_with_its_reason(audited, evidence):
    rows = unanswerable_queries(audited, evidence, 10, reach=5).rows
    assert {row["query_id"]: (row["score"], row["reason"]) for row in rows} == {
        "about-nothing": (1.0, "the one positive has no text"),
        "about-engines": (1.0, "nothing is labelled relevant"),
        "silent": (1.0, "the query has no text"),
    }


def made(lines):
    """Evidence on positives (row, col, dense rank, BM25 rank)."""
    names = ("row", "col", "dense_rank", "bm25_rank")
    columns = {name: pa.array([line[i] for line in lines]) for i, name in enumerate(names)}
    return EvidenceTable(pa.table({**columns, "grade": [1.0] * len(lines)}), 1.0)


def test_beyond_reach_of_every_retriever_by_the_best_positive():
    cols = {f"d{i}": "some text" for i in range(6)}
    rows = {f"q{i}": "some query" for i in range(4)}
    judged = [("q0", "d0", 1), ("q0", "d1", 1), ("q1", "d2", 1), ("q2", "d3", 1), ("q3", "d4", 1)]
    labels = LabelMatrix.from_qrels(judged, rows=list(rows), cols=list(cols))
    data = Collection(labels, *(pa.table({"id": list(s), "text": list(s.values())}) for s in (rows, cols)))
    lines = [(0, 0, 400, 900), (0, 1, 800, 200), (1, 2, 500, None), (2, 3, 500, 80), (3, 4, 99, None)]
    found = unanswerable_queries(data, made(lines), 10, reach=100).rows
    assert [(row["query_id"], row["score"]) for row in found] == [("q1", 0.8), ("q0", 0.5)]
    assert found[0]["reason"] == "its positive ranks 500 by dense, shares no word with it"
    assert found[1]["reason"] == "the best of its 2 positives ranks 400 by dense, 200 by bm25"
    assert (found[1]["best_dense_rank"], found[1]["best_bm25_rank"], found[1]["positives"]) == (400, 200, 2)
    cut = unanswerable_queries(data, made(lines), 1, reach=100)
    assert (len(cut.rows), cut.total) == (1, 2)


def test_queries_of_the_same_words_with_different_positives(audited):
    (row,) = indistinct_queries(audited, 10).rows
    assert (row["query_id"], row["other_id"], row["score"]) == ("about-oceans", "oceans-again", 1.0)
    assert row["reason"] == "the same words; 0 positives in common, 4 of one only"


def test_queries_with_the_same_positives_are_no_finding():
    rows = {"a": "who sang the red song", "b": "who sang the red song then", "c": "who sang a blue tune"}
    labels = LabelMatrix.from_qrels([("a", "x", 1), ("b", "x", 1), ("c", "x", 1)], rows=list(rows), cols=["x", "y"])
    tables = [pa.table({"id": list(rows), "text": list(rows.values())}), pa.table({"id": ["x"], "text": ["t"]})]
    assert indistinct_queries(Collection(labels, *tables), 10).rows == []
    labels = labels.with_cells([1], [1])
    (row,) = indistinct_queries(Collection(labels, *tables), 10).rows
    assert (row["positives_shared"], row["positives_of_one"]) == (1, 1)
    assert row["reason"] == "83% of the words in common; 1 positives in common, 1 of one only"


def test_queries_of_equal_text_are_text_twins_and_stand_in_one_list_only():
    rows = {"a": "who sang the red song", "b": " Who sang the RED song", "c": "the red song sang who"}
    labels = LabelMatrix.from_qrels([("a", "x", 1), ("b", "y", 1), ("c", "y", 1)], rows=list(rows), cols=["x", "y"])
    texts = pa.table({"id": ["x", "y"], "text": ["t", "u"]})
    data = Collection(labels, pa.table({"id": list(rows), "text": list(rows.values())}), texts)
    assert [(row["query_id"], row["other_id"]) for row in indistinct_queries(data, 10).rows] == [("a", "c")]
    assert [(row["first_id"], row["other_id"]) for row in text_twins(data, 10).rows] == [("a", "b")]


def test_rows_are_made_of_what_is_shown_only(monkeypatch):
    """A list of many pairs is cut before texts are cut to length for it."""
    rows = {f"q{i}": f"one and the same question {'again ' * i}" for i in range(3)}
    labels = LabelMatrix.from_qrels([(name, f"d{i}", 1) for i, name in enumerate(rows)], rows=list(rows))
    texts = pa.table({"id": [f"d{i}" for i in range(3)], "text": [f"text {i} of three" for i in range(3)]})
    data = Collection(labels, pa.table({"id": list(rows), "text": list(rows.values())}), texts)
    made = []
    monkeypatch.setattr(module, "shortened", lambda text: made.append(text) or "")
    found = indistinct_queries(data, 1)
    assert (len(found.rows), found.total, len(made)) == (1, 3, 2)
