"""``inspect``: every count against a set that was counted by hand."""

import json

import pytest

from litotes.data.inspect import inspect
from litotes.data.load import load

CORPUS = (
    {"_id": "d1", "title": "Owls", "text": "hunt at night"},
    {"_id": "d2", "text": "owls  HUNT at night"},  # twin of d1
    {"_id": "d3", "text": "larks sing"},
    {"_id": "d4", "text": "larks sing"},  # twin of d3
    {"_id": "d5", "text": " "},
    {"_id": "d6", "text": "Night Birds"},  # equal to q1
    {"_id": "d7", "text": "word " * 401},
)
QUERIES = (
    {"_id": "q1", "text": "night birds"},
    {"_id": "q2", "text": "Night  birds"},
    {"_id": "q3", "text": "morning"},
    {"_id": "q4", "text": ""},
)
QRELS = "q1\td1\t1\nq1\td3\t0\nq2\td3\t2\nq2\td4\t1\nq2\td1\t1\nq3\td7\t0\nq3\td5\t0\nq4\td9\t1\nq9\td1\t1\n"


@pytest.fixture
def found(beir):
    return inspect(load(beir(CORPUS, QUERIES, QRELS)))


def test_counts(found):
    assert (found.queries, found.documents, found.judgements) == (5, 8, 9)
    assert (found.positives, found.explicit_negatives) == (6, 3)
    assert found.grades == {"0": 3, "1": 5, "2": 1}
    assert found.positives_a_query["median"] == 1 and found.positives_a_query["max"] == 3
    assert found.positives_a_query["mean"] == 1.2 and found.queries_without_positive == 1
    assert (found.queries_without_text, found.documents_without_text) == (2, 2)
    assert found.judgements_without_text == 3
    assert found.repeated_query_texts == 1 and found.queries_equal_to_a_document == 2
    assert found.text_twins == 2 and found.long_documents == 1
    assert (found.positive_twins, found.queries_with_positive_twins) == (3, 3)  # d2 for q1, q2 and q9
    assert found.query_words == {"min": 1, "p05": 1.1, "median": 2, "mean": 1.67, "p95": 2, "max": 2}
    assert found.document_words["max"] == 401


def test_what_looks_wrong_is_said_in_sentences(found):
    said = "\n".join(found.warnings)
    for start in (
        "Queries without a positive: 1;",
        "Queries without text: 2;",
        "Documents without text: 2;",
        "Judgements of a query or document without text: 3;",
        "Queries that repeat another's text: 1;",
        "Unlabelled documents with the very text of a positive: 3, in 3 queries;",
        "Documents that repeat another's text: 2 of 8;",
        "Queries that are word for word a document: 2;",
    ):
        assert start in said
    assert len(found.warnings) == 8


def test_nothing_wrong(beir):
    found = inspect(load(beir()))
    assert found.warnings == [] and found.lines()[-1] == "Nothing looks wrong."


def test_no_positive_at_all(beir):
    found = inspect(load(beir(), min_grade=3))
    assert found.positives == 0 and "No positive at all: check min_grade" in found.warnings[0]


def test_skipped_lines_look_wrong(beir):
    found = inspect(load(beir(qrels="q1\td1\t1\nnonsense\n"), skip_bad_lines=True))
    assert found.warnings == ["Lines that could not be read: 1."]


def test_as_json_and_as_lines(found):
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["documents"] == 8
    lines = found.lines()
    assert lines[0] == "set, split train (BEIR)"
    assert all(len(line) < 200 and "\n" not in line for line in lines)
    assert any("6 positives, 3 explicit negatives; grades 0: 3, 1: 5, 2: 1" in line for line in lines)


def test_equal_to_a_document_is_exact_over_composed_characters(beir):
    corpus = ({"_id": "d1", "text": "E\u0301TE\u0301 rouge"}, {"_id": "d2", "text": "\u00e9t\u00e9 bleu"})
    queries = ({"_id": "q1", "text": "\u00e9t\u00e9  ROUGE"}, {"_id": "q2", "text": "\u00e9t\u00e9"})
    assert inspect(load(beir(corpus, queries, "q1\td1\t1\nq2\td2\t1\n"))).queries_equal_to_a_document == 1


def test_one_document_and_no_query_text(beir):
    found = inspect(load(beir(({"_id": "d", "text": "x"},), ({"_id": "q", "text": ""},), "q\td\t1\n")))
    assert found.query_words == {} and "none" in "\n".join(found.lines())
