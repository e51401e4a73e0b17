"""Suspected false positives: far by every measure, and only then."""

import numpy as np
import pyarrow as pa
import pytest

from litotes.auditing.evidence_table import EvidenceTable
from litotes.auditing.false_positives import _share_better, false_positives
from tests.unit.auditing.audit_data import library
from tests.unit.auditing.audit_evidence import evidence_of


@pytest.fixture(scope="module")
def data():
    return library()


@pytest.fixture(scope="module")
def evidence(data, tmp_path_factory):
    return evidence_of(data, tmp_path_factory.mktemp("evidence"))


def test_finds_the_zebra_and_nothing_else(data, evidence):
    found = false_positives(data, evidence, 10, reach=2)
    (row,) = found.rows
    assert (row["query_id"], row["document_id"], row["given"]) == ("about-oceans", "zebra", 1.0)
    assert found.found == 1 and row["bm25_rank"] is None
    assert "no word in common; of the others labelled nearest to ocean (cosine 0.00)" in row["reason"]
    assert row["reason"].startswith(f"ranked {row['dense_rank']} of 28 by dense")


def test_beyond_a_wide_reach_nothing_is_suspected(data, evidence):
    assert false_positives(data, evidence, 10, reach=28).rows == []


def made(data, lines):
    """Evidence on positives with these (row, col, dense rank, BM25 rank, resemblance)."""
    names = ("row", "col", "dense_rank", "bm25_rank", "resemblance")
    columns = {name: [line[i] for line in lines] for i, name in enumerate(names)}
    whole = {"grade": 1.0, "dense": 0.5, "bm25": 1.0, "cosine": None, "nearest": None}
    table = pa.table(
        {**columns, **{name: pa.array([value] * len(lines), pa.float64()) for name, value in whole.items()}}
    )
    return EvidenceTable(table, 1.0)


def test_the_score_is_the_smallest_share_that_does_better(data):
    lines = [(0, 0, 20, 20, None), (1, 1, 30, 25, -0.5), (2, 2, 1, 1, 0.3), (3, 3, 2, 2, 0.1)]
    rows = false_positives(data, made(data, lines), 10, reach=10).rows
    assert [row["document_id"] for row in rows] == ["apple-twin", "apple"]
    assert [row["score"] for row in rows] == pytest.approx([2 / 3, 0.5])


def test_one_retriever_that_finds_it_clears_it(data):
    lines = [(0, 0, 20, 3, -1.0), (1, 1, 3, 20, -1.0), (2, 2, 20, 20, -1.0)]
    assert [row["query_id"] for row in false_positives(data, made(data, lines), 10, reach=10).rows] == ["about-nothing"]


def test_shares_by_hand():
    assert _share_better(np.array([1.0, 2.0, 2.0, np.nan])) == pytest.approx([2 / 3, 0, 0, np.nan], nan_ok=True)


def test_the_list_is_cut(data):
    lines = [(0, col, 20 + col, 20, None) for col in range(5)]
    found = false_positives(data, made(data, lines), 2, reach=10)
    assert (len(found.rows), found.found) == (2, 5)
    assert found.rows[0]["dense_rank"] == 24  # equal scores by BM25 rank alone: the farther one first
