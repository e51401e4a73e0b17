"""What verdicts do to judgements: cells, duplicates, queries; in what order; and which grades are refused."""

import itertools
import re

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


def said(list_, verdict, grade=None, place="reviewed.csv:7", **found):
    return ReviewedRow(place, f"{list_}-{'-'.join(map(str, found.values()))}", list_, found, verdict, grade, "")


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


def pair(one, other, verdict="duplicate", line=7):
    return said("near-duplicates", verdict, place=f"reviewed.csv:{line}", document_id=one, other_id=other)


def in_every_order(*rows, labels):
    """The changes, which must not depend on the order of the rows."""
    made = [changes(*order, labels=labels) for order in itertools.permutations(rows)]
    assert all(each == made[0] for each in made)
    return made[0]


def test_a_chain_of_duplicates_is_one_family_whatever_the_order_of_its_rows():
    labels = LabelMatrix.from_qrels([("q1", "a", 1), ("q2", "d", 2)], rows=["q1", "q2"], cols=["a", "b", "c", "d"])
    found = in_every_order(pair("a", "b"), pair("b", "c"), pair("c", "d"), labels=labels)
    assert sorted(found) == [
        ("q1", "b", None, 1.0),
        ("q1", "c", None, 1.0),
        ("q1", "d", None, 1.0),
        ("q2", "a", None, 2.0),
        ("q2", "b", None, 2.0),
        ("q2", "c", None, 2.0),
    ]


def test_a_change_by_a_family_is_told_by_a_row_that_names_the_document():
    labels = LabelMatrix.from_qrels([("q1", "a", 1)], cols=["a", "b", "c"])
    first, second = pair("a", "b"), pair("b", "c")
    assert {labels.col_ids[c.col]: c.by.key for c in changes_of(labels, [first, second])} == {
        "b": first.key,
        "c": second.key,
    }


def test_families_of_documents_and_of_queries_meet():
    labels = LabelMatrix.from_qrels([("q1", "a", 1)], rows=["q1", "q2"], cols=["a", "b"])
    queries = said("text-twins", "duplicate", side="query", first_id="q1", other_id="q2")
    assert {(q, d) for q, d, _, _ in in_every_order(queries, pair("a", "b"), labels=labels)} == {
        ("q1", "b"),
        ("q2", "a"),
        ("q2", "b"),
    }


def test_two_verdicts_on_one_pair_are_refused_with_both_lines():
    twin = said("text-twins", "different", place="reviewed.csv:3", side="query", first_id="q2", other_id="q1")
    same = said("indistinct-queries", "duplicate", place="reviewed.csv:9", query_id="q1", other_id="q2")
    for rows in ((twin, same), (same, twin)):
        with pytest.raises(DataError) as refused:
            changes(*rows)
        assert {"reviewed.csv:3", "reviewed.csv:9"} <= set(re.findall(r"reviewed.csv:\d", str(refused.value)))
        assert "'different'" in str(refused.value) and "'duplicate'" in str(refused.value)


def test_what_is_said_to_be_different_and_is_one_by_way_of_others_is_refused():
    rows = pair("a", "b", line=2), pair("b", "c", line=3), pair("a", "c", "different", line=4)
    with pytest.raises(DataError, match=r"reviewed.csv:4: 'a' and 'c' are said to be different here, .*:2, .*:3. Mend"):
        changes(*rows)
    assert changes(rows[0], rows[2]) == changes(rows[0])
