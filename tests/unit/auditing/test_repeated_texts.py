"""Repeated texts: which pairs, and for how many queries they were judged apart."""

import numpy as np
import pyarrow as pa
import pytest

from litotes.auditing.repeated_texts import JudgedApart, near_duplicate_documents, text_twins
from litotes.core import Collection, LabelMatrix
from tests.unit.auditing.audit_data import library

LONG = "one two three four five six seven eight nine ten eleven twelve"


def collection(rows, cols, judgements):
    labels = LabelMatrix.from_qrels(judgements, rows=list(rows), cols=list(cols))
    tables = [pa.table({"id": list(side), "text": list(side.values())}) for side in (rows, cols)]
    return Collection(labels, *tables)


@pytest.fixture
def data():
    cols = {"a": LONG, "b": f"{LONG} thirteen", "c": LONG.upper(), "d": "something else altogether here"}
    rows = {"q1": "numbers", "q2": "counting", "q3": "Numbers ", "q4": "words"}
    judgements = [("q1", "a", 1), ("q2", "a", 1), ("q2", "b", 1), ("q3", "b", 1), ("q4", "a", 0), ("q4", "d", 1)]
    return collection(rows, cols, judgements)


def test_near_duplicates_leave_twins_to_their_own_list(data):
    (row,) = near_duplicate_documents(data, 0.7, 10).rows
    assert (row["document_id"], row["other_id"], row["judged_apart"]) == ("a", "b", 2)  # q1 and q3
    assert row["score"] == pytest.approx(10 / 11)
    assert row["reason"] == "90% of the word triples in common; for 2 queries only one of them is labelled"


def test_the_list_says_how_many_were_judged_apart(data):
    assert near_duplicate_documents(data, 0.7, 10).says.endswith("1 of the pairs are judged apart for some query.")
    assert near_duplicate_documents(data, 0.95, 10).rows == []


def test_text_twins_of_documents_and_queries(data):
    rows = {row["side"]: row for row in text_twins(data, 10).rows}
    document, query = rows["document"], rows["query"]
    assert (document["first_id"], document["other_id"], document["judged_apart"]) == ("a", "c", 2)
    assert document["reason"] == "the same text; for 2 queries only one of them is labelled"
    assert (query["first_id"], query["other_id"], query["judged_apart"]) == ("q1", "q3", 2)
    assert query["reason"] == "the same text; 2 documents are relevant to one of them only"


def test_twins_judged_alike_come_last_and_say_so():
    cols = {"a": "x y", "b": "X y", "c": "u v", "d": "U V"}
    data = collection({"q1": "k", "q2": "K"}, cols, [("q1", "c", 1), ("q2", "c", 1)])
    rows = text_twins(data, 10).rows
    assert [(row["first_id"], row["judged_apart"]) for row in rows] == [("c", 2), ("a", 0), ("q1", 0)]
    assert rows[2]["reason"] == "the same text; the same documents"
    cut = text_twins(data, 1)
    assert (len(cut.rows), cut.total) == (1, 3)


def test_explicit_negatives_count_as_not_labelled(data):
    apart = JudgedApart(data, np.array([0, 3]))
    assert apart.count(0, 3) == 3  # q1, q2 have a; q4 has d, and a only as a judged 0
    assert apart.words(1, 2) == ""


def test_the_library_has_one_of_each():
    data = library()
    assert [(r["document_id"], r["other_id"]) for r in near_duplicate_documents(data, 0.7, 9).rows] == [
        ("apple", "apple-near")
    ]
    assert [(r["side"], r["first_id"], r["other_id"]) for r in text_twins(data, 9).rows] == [
        ("document", "apple", "apple-twin")
    ]
