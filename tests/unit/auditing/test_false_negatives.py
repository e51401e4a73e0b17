"""Suspected false negatives: the order, the reasons, what stands in a row."""

import numpy as np
import pytest

from litotes.auditing.false_negatives import false_negatives, first_suspects, scores_of
from litotes.auditing.gathering import gather
from litotes.core import RunFolder
from litotes.judging import DocumentJudge, MarginJudge
from tests.unit.auditing.audit_data import word_encoder


def ids(rows):
    return [(row["query_id"], row["document_id"]) for row in rows]


def test_twins_stand_first_then_what_is_most_alike(audited, evidence):
    rows = false_negatives(audited, evidence, 100).rows
    assert set(ids(rows[:2])) == {("about-apples", "apple-twin"), ("silent", "apple-twin")}
    assert ("about-apples", "apple-near") in ids(rows[2:4])
    assert ("about-oceans", "tide") in ids(rows[:6]) and ("oceans-again", "ocean") in ids(rows[:6])
    scores = [row["score"] for row in rows[2:]]
    assert scores == sorted(scores, reverse=True)


def test_what_was_judged_is_never_in_it(audited, evidence):
    rows = false_negatives(audited, evidence, 10_000).rows
    judged = {("about-engines", "engine"), ("about-oceans", "zebra"), ("about-apples", "apple")}
    assert not judged & set(ids(rows))
    assert len(set(ids(rows))) == len(rows)


def test_the_list_is_cut_and_says_how_many_there_were(audited, evidence):
    found = false_negatives(audited, evidence, 3)
    assert len(found.rows) == 3 < found.total == len(evidence.unjudged())
    facts = found.facts()  # they were looked at and put in order; nobody says that they are all suspects
    assert facts["ordered"] == found.total and "found" not in facts
    assert ids(found.rows) == ids(false_negatives(audited, evidence, 100).rows[:3])


def test_the_reason_in_words(audited, evidence):
    found = false_negatives(audited, evidence, 10_000).rows
    rows = dict(zip(ids(found), found, strict=True))
    near = rows["about-apples", "apple-near"]
    assert near["reason"].startswith("like the labelled apple (cosine 0.97); 92% of the word triples shared; ")
    assert near["reason"].endswith("ranked 1 by dense and 1 by bm25")  # the labelled one is nearer: none is beaten
    assert rows["about-apples", "apple-twin"]["reason"] == "has the very text of a labelled document"
    tide = rows["about-oceans", "tide"]["reason"]
    assert tide.endswith("nearer to the query than 2 of 3 labelled")  # zebra is not near at all, surf a little


def test_numbers_of_a_row(audited, evidence):
    row = next(r for r in false_negatives(audited, evidence, 100).rows if r["document_id"] == "apple-near")
    assert (row["labelled_id"], row["dense_rank"], row["bm25_rank"]) == ("apple", 1, 1)
    assert row["query"] == "red apple fruit" and row["labelled"].startswith("red apple fruit sweet")
    assert 0 < row["trust"] < 1 and row["words"] == pytest.approx(11 / 12)
    assert row["key"].startswith("fn-") and len(row["key"]) == 15


def test_the_score_is_that_of_the_module(audited, evidence):
    cells = evidence.unjudged()
    scores = scores_of(cells, {})
    row = next(r for r in false_negatives(audited, evidence, 100).rows if r["document_id"] == "apple-near")
    place = np.flatnonzero(
        (cells.row == audited.row_ids.index("about-apples")) & (cells.col == audited.col_ids.index("apple-near"))
    )
    assert row["score"] == scores[place[0]]
    by_hand = row["resemblance"] + row["words"] / 2 + (row["dense"] + cells.column("bm25_share")[place[0]]) / 8
    assert row["score"] == pytest.approx(by_hand)


def test_a_query_without_positives_has_suspects_at_the_end(audited, evidence):
    rows = false_negatives(audited, evidence, 10_000).rows
    places = [i for i, row in enumerate(rows) if row["query_id"] in ("about-engines", "about-nothing")]
    assert places and min(places) > len(rows) / 2
    assert rows[places[0]]["labelled_id"] is None


def test_the_first_suspect_of_each_query_that_has_something_to_resemble(audited, evidence):
    rows = false_negatives(audited, evidence, 10_000).rows
    first = {}
    for query, document in ids(rows):
        first.setdefault(query, document)
    suspects = first_suspects(evidence)
    found = [(audited.row_ids[r], audited.col_ids[c]) for r, c in zip(suspects.row, suspects.col, strict=True)]
    queries = ("about-apples", "about-oceans", "oceans-again", "silent")  # the other two have nothing labelled
    assert found == [(query, first[query]) for query in queries]
    assert first["about-apples"] == "apple-twin"


def test_a_further_judge_has_a_column_and_a_say(audited, tmp_path):
    judges = [DocumentJudge(), MarginJudge(encoder=word_encoder())]
    evidence = gather(RunFolder.open(tmp_path), audited, word_encoder(), judges, top=10, say=lambda _: None)
    plain, asked = false_negatives(audited, evidence, 100), false_negatives(audited, evidence, 100, {"margin": -1})
    assert "margin" in asked.table().column_names and "margin" not in plain.table().column_names
    tide = [next(r for r in f.rows if ids([r]) == [("about-oceans", "tide")]) for f in (plain, asked)]
    assert tide[1]["score"] - tide[0]["score"] > 0.1  # far above what the margin rule allows: near the end of 1/8
    assert tide[1]["margin"] < 0
