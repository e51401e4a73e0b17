"""Suspected false positives: far by every measure, and only then."""

import numpy as np
import pyarrow as pa
import pytest

from litotes.auditing.evidence_table import EvidenceTable
from litotes.auditing.false_positives import _share_better, false_positives
from litotes.auditing.gathering import gather
from litotes.core import Collection, LabelMatrix, RunFolder
from tests.unit.auditing.audit_data import word_encoder


def test_finds_the_zebra_and_nothing_else(audited, evidence):
    found = false_positives(audited, evidence, 10, reach=2)
    (row,) = found.rows
    assert (row["query_id"], row["document_id"], row["given"]) == ("about-oceans", "zebra", 1.0)
    assert found.total == 1 and row["bm25_rank"] is None
    assert "no word in common; of the others labelled nearest to ocean (cosine 0.00)" in row["reason"]
    assert row["reason"].startswith(f"behind {row['dense_rank'] - 1} unlabelled documents by dense; no word")


def test_beyond_a_wide_reach_nothing_is_suspected(audited, evidence):
    assert false_positives(audited, evidence, 10, reach=28).rows == []


def made(data, lines):
    """Evidence on positives with these (row, col, dense rank, BM25 rank, resemblance)."""
    names = ("row", "col", "dense_rank", "bm25_rank", "resemblance")
    columns = {name: [line[i] for line in lines] for i, name in enumerate(names)}
    whole = {"grade": 1.0, "dense": 0.5, "bm25": 1.0, "cosine": None, "nearest": None}
    table = pa.table(
        {**columns, **{name: pa.array([value] * len(lines), pa.float64()) for name, value in whole.items()}}
    )
    return EvidenceTable(table, 1.0)


NEAR_ONES = [(3, col, 1, 1, 0.5) for col in range(6)]  # most of what is labelled lies near by every measure


def test_a_far_one_that_is_close_to_its_siblings_is_not_suspected(audited):
    lines = [(0, 0, 20, 20, 0.9), (0, 1, 20, 20, -1.0), *NEAR_ONES]
    (row,) = false_positives(audited, made(audited, lines), 10, reach=10).rows
    assert (row["document_id"], row["score"]) == ("apple-twin", 0.75)


def test_half_of_the_labelled_must_be_nearer_by_every_measure(audited):
    far = [(0, col, 20, 20, -1.0) for col in range(4)]
    near = [(1, col, 1, 1, 0.5) for col in range(5)]
    assert len(false_positives(audited, made(audited, far + near[:4]), 10, reach=10)) == 4
    assert len(false_positives(audited, made(audited, [*far, (2, 9, 20, 20, -1.0), *near[:4]]), 10, reach=10)) == 0


def test_a_query_with_more_positives_than_reach_is_not_flagged_for_that(tmp_path):
    """Thirty relevant documents of one query rank behind one another, and behind nothing else."""
    cols = {f"d{i}": " ".join(["red apple", *(f"w{j}" for j in range(i))]) for i in range(30)} | {
        f"e{i}": f"other text{i}" for i in range(5)
    }
    cols |= {f"f{i}": f"blue ocean{i}" for i in range(40)}
    rows = {"q": "red apple", "r": "blue"}
    judged = [("q", name, 1) for name in cols if name[0] == "d"] + [("r", name, 1) for name in cols if name[0] == "f"]
    labels = LabelMatrix.from_qrels(judged, rows=list(rows), cols=list(cols))
    data = Collection(labels, *(pa.table({"id": list(s), "text": list(s.values())}) for s in (rows, cols)))
    cells = gather(RunFolder.open(tmp_path), data, word_encoder(), [], top=5, say=lambda _: None)
    assert false_positives(data, cells, 100, reach=10).rows == []
    positives = cells.positives()
    assert positives.column("dense_rank").max() == positives.column("bm25_rank").max() == 1
    assert positives.column("dense_place").max() == positives.column("bm25_place").max() == 30


def test_the_score_is_the_smallest_share_that_does_better(audited):
    lines = [(0, 0, 20, 20, None), (1, 1, 30, 25, -0.5), (2, 2, 1, 1, 0.3), (3, 3, 2, 2, 0.1)]
    rows = false_positives(audited, made(audited, lines), 10, reach=10).rows
    assert [row["document_id"] for row in rows] == ["apple-twin", "apple"]
    assert [row["score"] for row in rows] == pytest.approx([2 / 3, 0.5])


def test_one_retriever_that_finds_it_clears_it(audited):
    lines = [(0, 0, 20, 3, -1.0), (1, 1, 3, 20, -1.0), (2, 2, 20, 20, -1.0), *NEAR_ONES]
    assert [row["query_id"] for row in false_positives(audited, made(audited, lines), 10, reach=10).rows] == [
        "about-nothing"
    ]


def test_shares_by_hand():
    assert _share_better(np.array([1.0, 2.0, 2.0, np.nan])) == pytest.approx([2 / 3, 0, 0, np.nan], nan_ok=True)


def test_the_list_is_cut(audited):
    lines = [(0, col, 20 + col, 20, None) for col in range(5)] + [(1, col, 1, 1, None) for col in range(9)]
    found = false_positives(audited, made(audited, lines), 2, reach=10)
    assert (len(found.rows), found.total) == (2, 5)
    assert found.rows[0]["dense_rank"] == 24  # equal scores by BM25 rank alone: the farther one first
