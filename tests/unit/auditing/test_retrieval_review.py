"""What verdicts do to judgements: cells, duplicates, queries; in what order; and which grades are refused."""

import pytest

from litotes.auditing.retrieval_review import changes_of
from litotes.auditing.review import ReviewedRow
from litotes.core import LabelMatrix
from litotes.core.errors import DataError

LABELS = LabelMatrix.from_qrels(
    [("q1", "a", 2), ("q1", "b", 0), ("q2", "b", 1), ("q2", "c", 1)],
    rows=["q1", "q2", "q3"],
    cols=["a", "b", "c", "d"],
)


def said(list_, verdict, grade=None, **found):
    return ReviewedRow("reviewed.csv:7", f"{list_}-1", list_, found, verdict, grade, "")


def missing(query, document, verdict, grade=None, labelled=None):
    found = {"query_id": query, "document_id": document, "labelled_id": labelled}
    return said("false-negatives", verdict, grade, **found)


def wrong(query, document, verdict, grade=None):
    return said("false-positives", verdict, grade, query_id=query, document_id=document)


def changes(*rows, labels=LABELS):
    return [
        (labels.row_ids[change.row], labels.col_ids[change.col], change.was, change.now)
        for change in changes_of(labels, rows)
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (missing("q1", "c", "relevant"), ("q1", "c", None, 1.0)),
        (missing("q1", "c", "relevant", 2), ("q1", "c", None, 2)),
        (missing("q1", "c", "not relevant"), ("q1", "c", None, 0.0)),
        (missing("q1", "c", "not relevant", -2), ("q1", "c", None, -2)),
        (missing("q1", "c", "duplicate", labelled="a"), ("q1", "c", None, 2.0)),
        (missing("q3", "c", "duplicate"), ("q3", "c", None, 1.0)),
        (wrong("q2", "c", "not relevant"), ("q2", "c", 1.0, 0.0)),
        (wrong("q1", "a", "relevant"), ("q1", "a", 2.0, 2.0)),
        (wrong("q1", "a", "relevant", 1), ("q1", "a", 2.0, 1)),
    ],
)
def test_a_verdict_on_a_cell(row, expected):
    assert changes(row) == [expected]


@pytest.mark.parametrize("verdict", ["unsure", "different", "keep"])
def test_verdicts_that_change_nothing(verdict):
    assert changes(said("near-duplicates", verdict), said("unanswerable-queries", verdict)) == []


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (missing("q1", "c", "relevant", 0), "'relevant' with the grade 0; relevant is what has 1 or more"),
        (wrong("q1", "a", "not relevant", 1), "'not relevant' with the grade 1"),
    ],
)
def test_a_grade_that_contradicts_its_verdict_is_refused_by_line(row, words):
    with pytest.raises(DataError, match=f"reviewed.csv:7: {words}"):
        changes(row)


def test_what_was_judged_before_is_lifted_only_as_far_as_needed():
    labels = LABELS.with_cells([0], [2], [-1.0])
    assert changes(missing("q1", "c", "not relevant"), labels=labels) == [("q1", "c", -1.0, -1.0)]
    assert changes(missing("q1", "c", "relevant"), labels=labels) == [("q1", "c", -1.0, 1.0)]


def test_the_lowest_positive_grade_is_that_of_the_data():
    labels = LabelMatrix.from_qrels([("q1", "a", 3)], cols=["a", "b"], min_grade=2)
    assert changes(missing("q1", "b", "relevant"), labels=labels) == [("q1", "b", None, 2.0)]
    zero = LabelMatrix.from_qrels([("q1", "a", 0)], cols=["a", "b"], min_grade=0)
    assert changes(missing("q1", "b", "not relevant"), labels=zero) == [("q1", "b", None, -1.0)]


def test_duplicate_documents_share_the_higher_grade():
    row = said("near-duplicates", "duplicate", document_id="a", other_id="b")
    assert changes(row) == [("q1", "b", 0.0, 2.0), ("q2", "a", None, 1.0)]


def test_a_twin_of_documents_and_one_of_queries():
    documents = said("text-twins", "duplicate", side="document", first_id="c", other_id="d")
    queries = said("text-twins", "duplicate", side="query", first_id="q1", other_id="q3")
    assert changes(documents) == [("q2", "d", None, 1.0)]
    assert changes(queries) == [("q3", "a", None, 2.0), ("q3", "b", None, 0.0)]


def test_queries_that_ask_the_same_get_the_judgements_of_both():
    row = said("indistinct-queries", "duplicate", query_id="q1", other_id="q2")
    assert changes(row) == [("q2", "a", None, 2.0), ("q1", "b", 0.0, 1.0), ("q1", "c", None, 1.0)]


def test_a_dropped_query_loses_all_its_judgements():
    assert changes(said("unanswerable-queries", "drop", query_id="q1")) == [
        ("q1", "a", 2.0, None),
        ("q1", "b", 0.0, None),
    ]


def test_the_word_on_a_cell_outweighs_a_duplicate_wherever_it_stands():
    copy = said("near-duplicates", "duplicate", document_id="c", other_id="d")
    assert changes(copy, missing("q2", "d", "not relevant")) == [("q2", "d", None, 0.0)]


def test_a_new_positive_goes_over_to_its_copy():
    copy = said("near-duplicates", "duplicate", document_id="c", other_id="d")
    assert changes(copy, missing("q3", "c", "relevant")) == [
        ("q3", "c", None, 1.0),
        ("q2", "d", None, 1.0),
        ("q3", "d", None, 1.0),
    ]


def test_dropping_comes_last_and_takes_new_judgements_too():
    drop = said("unanswerable-queries", "drop", query_id="q3")
    assert changes(drop, missing("q3", "c", "relevant")) == [("q3", "c", None, 1.0), ("q3", "c", 1.0, None)]
