"""The lists of an audit of labels: rows, reasons, near-duplicates apart, and the noise matrix."""

import numpy as np

from litotes.auditing.findings import key_of
from litotes.auditing.label_detectors import LabelScores
from litotes.auditing.label_lists import (
    against_words,
    conflicting_duplicates,
    example_of,
    noise_pairs,
    reasons,
    suspected_labels,
)
from litotes.auditing.label_neighbours import Against
from litotes.auditing.label_ranking import Ranking
from litotes.data.labelled_table import LabelledTable

CLASSES = ["a", "b", "c"]


def made(shares, labels):
    shares, labels = np.array(shares), np.array(labels)
    return LabelScores.of_shares(shares, labels)


def ranking(labels, predicted, issue):
    n = len(labels)
    return Ranking(np.linspace(0, 1, n), np.array(predicted), np.array(issue), np.zeros((n, 3)))


def test_reasons_say_what_each_detector_gives():
    labels = np.array([0, 1])
    found = {"elr": made([[0.1, 0.7, 0.2], [0.0, 0.9, 0.1]], labels), "mine": made([[0.3, 0.2, 0.5]] * 2, labels)}
    said = reasons(found, ranking(labels, [1, 1], [True, False]), labels, CLASSES, [0, 1])
    assert said[0] == (
        "looks like 'b': the memory of early learning gives 0.70 to 'b' and 0.10 to 'a'; "
        "mine 0.20 to 'b' and 0.30 to 'a'"
    )
    assert said[1] == (
        "its own label is the likeliest: the memory of early learning gives 0.10 to 'c' and 0.90 to 'b'; "
        "mine 0.50 to 'c' and 0.20 to 'b'"
    )


def test_rows_of_the_list():
    table = LabelledTable.from_arrays(["a", "b", "a"], texts=["one", "two", "three"])
    order = ranking([0, 1, 0], [1, 1, 2], [True, False, True])
    found = suspected_labels(table, order, {2: "why", 0: "so"}, {2: "them"}, CLASSES, [2, 0])
    assert [row["id"] for row in found.rows] == ["2", "0"] and found.total == 3
    assert found.rows[0] == {
        "key": key_of("label", "2"),
        "is_label_issue": True,
        "label_score": 1.0,
        "given_label": "a",
        "predicted_label": "c",
        "reason": "why",
        "id": "2",
        "place": "table:2",
        "example": "three",
        "against": "them",
    }
    assert (
        found.to_csv().splitlines()[0].startswith("key,verdict,new_label,note,is_label_issue,label_score,given_label")
    )


def test_near_duplicates_with_different_labels_alone():
    texts = ["the red fox ran over the hill at night", "The red fox ran over the hill at  night", "a b c d e f g", "x"]
    table = LabelledTable.from_arrays(["a", "b", "a", "a"], texts=[*texts[:3], texts[2]])
    found = conflicting_duplicates(table, 0.7, 10)
    assert found.total == 1 and found.rows[0]["key"] == key_of("pair", "0", "1")
    assert found.rows[0]["reason"] == "100% of the word triples in common; one is 'a', the other 'b'"


def test_equal_numbers_with_different_labels():
    table = LabelledTable.from_arrays(["a", "b", "a", "b"], features=[[1, 0.0], [1, -0.0], [2, 0], [3, 0]])
    found = conflicting_duplicates(table, 0.7, 10)
    assert [(row["id"], row["other_id"]) for row in found.rows] == [("0", "1")]
    assert found.rows[0]["reason"].startswith("100% of the numbers in common")


def test_a_list_of_duplicates_is_cut_and_counted():
    table = LabelledTable.from_arrays(["a", "b", "c"], features=np.zeros((3, 2)))
    found = conflicting_duplicates(table, 0.7, 1)
    assert (len(found), found.total) == (1, 2)


def test_the_noise_matrix_counts_issues_alone():
    labels = np.array([0, 0, 0, 1, 2])
    found = noise_pairs(labels, ranking(labels, [1, 1, 2, 0, 2], [True, True, False, True, False]), CLASSES)
    assert found == [
        {"given_label": "a", "predicted_label": "b", "rows": 2, "share": 2 / 3},
        {"given_label": "b", "predicted_label": "a", "rows": 1, "share": 1.0},
    ]


def test_examples_in_words():
    texts = LabelledTable.from_arrays(["a"], texts=["word " * 200])
    assert example_of(texts, 0, 20) == "word word word …"
    table = LabelledTable.from_arrays(["a"], features=[[1.0, 2.5]])
    assert example_of(table, 0) == "0 1, 1 2.5"
    assert example_of(LabelledTable.from_arrays(["a"]), 0) == ""
    assert against_words(texts, table, [Against(0, 0.25)]) == "a (table:0, 0.25 away): 0 1, 1 2.5"
