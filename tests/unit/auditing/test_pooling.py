"""Pooling bias: shares by hand, their intervals, and what is said of them."""

import numpy as np
import pyarrow as pa
import pytest

from litotes.auditing import pooling as module
from litotes.auditing.evidence_table import EvidenceTable
from litotes.auditing.pooling import PARTS, pooling
from litotes.auditing.retrieval_page import _pool
from litotes.core import Collection, LabelMatrix


def collection(n_rows, n_cols=50):
    rows, cols = [f"q{i}" for i in range(n_rows)], [f"d{i}" for i in range(n_cols)]
    labels = LabelMatrix(rows, cols, range(n_rows), [0] * n_rows)
    tables = [pa.table({"id": side, "text": ["t"] * len(side)}) for side in (rows, cols)]
    return Collection(labels, *tables)


def made(lines):
    """Evidence of (row, col, grade, BM25 rank, dense rank[, BM25 place, dense place among all])."""
    names = ("row", "col", "grade", "bm25_rank", "dense_rank", "bm25_place", "dense_place")
    lines = [(*line, *line[3:5])[:7] for line in lines]
    return EvidenceTable(pa.table({n: pa.array([line[i] for line in lines]) for i, n in enumerate(names)}), 1.0)


NONE = made([(0, 0, 1.0, 1, 1)]).unjudged()


def shares(facts):
    return {part: facts["parts"][part]["share"] for part in PARTS}


def test_by_hand():
    lines = [
        (0, 0, 1.0, 1, 2),  # both
        (0, 1, 1.0, 10, 11),  # BM25 only, at the edge
        (1, 0, 2.0, 40, 3),  # dense only
        (1, 1, 1.0, None, 30),  # neither
        (1, 2, 0.0, 2, 2),  # judged not relevant: no positive, but judged
        (1, 3, 1.0, 9, 9, 11, 11),  # both, behind other positives: among all documents it is not that high
        (0, 2, None, 1, None),
        (0, 3, None, 2, 1),
        (1, 4, None, None, 12),
    ]
    facts = pooling(collection(2), made(lines), NONE, depth=10)
    assert shares(facts["labelled"]) == {"both": 0.4, "bm25 only": 0.2, "dense only": 0.2, "neither": 0.2}
    assert facts["labelled"]["cells"] == 5 and facts["unjudged"]["cells"] == 2
    assert shares(facts["unjudged"]) == {"both": 0.5, "bm25 only": 0.5, "dense only": 0.0, "neither": 0.0}
    assert facts["judged"]["bm25"]["share"] == 3 / 20 and facts["judged"]["dense"]["share"] == 3 / 20
    assert facts["labelled"]["lean"]["share"] == 0 and facts["unjudged"]["lean"]["share"] == 0.5
    assert "lean to neither by more than chance" in facts["says"] and facts["suspects"]["cells"] == 0


def leaning(bm25, dense, n=60):
    return made([(row, 0, 1.0, bm25, dense) for row in range(n)])


@pytest.mark.parametrize(
    ("bm25", "dense", "said"),
    [
        (1, 40, "Of the 60 labelled positives 100% stand with BM25 alone and 0% with the dense encoder alone"),
        (1, 40, "The labels lean to word matching: it is the better retriever here, or the labels were made of what"),
        (1, 40, "a system that finds documents by meaning brings up more that nobody judged"),
        (40, 1, "The labels lean to this encoder"),
        (40, 1, "a system that finds documents by words brings up"),
        (40, 40, "Most of the labelled (100%) stand with neither: they were found some other way."),
    ],
)
def test_what_it_says(bm25, dense, said):
    assert said in pooling(collection(60), leaning(bm25, dense), NONE, depth=10)["says"]


def test_suspects_stand_beside_the_labelled():
    suspects = made([(0, 0, None, 11, 1), (1, 0, None, 1, None)])
    facts = pooling(collection(60), leaning(1, 40), suspects, depth=10)
    assert shares(facts["suspects"]) == {"both": 0.0, "bm25 only": 0.5, "dense only": 0.5, "neither": 0.0}
    assert "Of the 2 first suspects, one of each query, 50% stand with BM25 alone and 50% with the" in facts["says"]


def test_nothing_labelled():
    facts = pooling(collection(2), made([(0, 0, None, 1, 1), (0, 1, 0.0, 1, 1)]), NONE, depth=10)
    assert facts["labelled"]["parts"]["both"] == {"share": None, "low": None, "high": None}
    assert "no pool to speak of" in facts["says"]


def test_intervals_are_of_queries_not_of_cells():
    """Two hundred positives of four queries say as little as four; the interval must know."""
    lines = [(row, col, 1.0, 1 if row < 2 else 40, 40) for row in range(4) for col in range(50)]
    share = pooling(collection(4), made(lines), NONE, depth=10)["labelled"]["parts"]["bm25 only"]
    assert share == {"share": 0.5, "low": 0.0, "high": 1.0}


def test_queries_with_many_positives_weigh_more_in_part_and_whole():
    """Where all positives are found by both, no draw of queries says otherwise, however uneven their numbers."""
    lines = [(row, col, 1.0, 1, 1) for row in range(9) for col in range(row + 1)]
    both = pooling(collection(9), made(lines), NONE, depth=10)["labelled"]["parts"]["both"]
    assert both == {"share": 1.0, "low": 1.0, "high": 1.0}


def test_the_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(100):
        found = rng.random(80) < 0.3
        lines = [(row, 0, 1.0, 1 if hit else 40, 40) for row, hit in enumerate(found)]
        share = pooling(collection(80), made(lines), NONE, depth=10)["labelled"]["parts"]["bm25 only"]
        inside += share["low"] <= 0.3 <= share["high"]
    assert inside >= 88  # 95 expected; fewer than 88 would happen once in 400 such tests


def test_the_seed_decides_the_interval():
    rng = np.random.default_rng(1)
    cells = [(row, col) for row in range(30) for col in range(rng.integers(1, 9))]  # uneven, so that shares are many
    lines = [(row, col, 1.0, int(rng.integers(1, 20)), 40) for row, col in cells]
    one, same, other = (pooling(collection(30), made(lines), NONE, 10, seed) for seed in (1, 1, 2))
    assert one == same != other


def test_queries_are_drawn_once_for_all_shares(monkeypatch):
    seeded = []
    monkeypatch.setattr(module, "rng", lambda *key: seeded.append(key) or np.random.default_rng(0))
    pooling(collection(60), leaning(1, 40), NONE, depth=10)
    assert len(seeded) == 1


def test_blocks_of_draws_change_nothing(monkeypatch):
    rng = np.random.default_rng(2)
    lines = [(row, col, 1.0, int(rng.integers(1, 20)), 5) for row in range(30) for col in range(rng.integers(1, 9))]
    whole = pooling(collection(30), made(lines), NONE, depth=10)
    monkeypatch.setattr(module, "_BLOCK", 7 * 30)
    assert pooling(collection(30), made(lines), NONE, depth=10) == whole


def test_ranks_by_the_weak_retriever_are_compared_with_the_suspects():
    suspects = made([(row, 1, None, 20 if row < 50 else None, 1) for row in range(60)])
    ranks = pooling(collection(60), leaning(3, 40), suspects, depth=10)["ranks"]
    assert ranks["others"] == "first suspects" and ranks["above"]["share"] == 1
    assert ranks["labelled"]["within"] == {"1": 0.0, "3": 1.0, "10": 1.0, "30": 1.0, "100": 1.0}
    assert ranks["unlabelled"]["within"]["30"] == pytest.approx(50 / 60), "no word in common is no rank"
    assert "A labelled positive ranks above the first suspect of its query in 100% of pairs" in ranks["says"]


def test_places_are_compared_not_ranks_that_the_labelled_do_not_count_in():
    labelled = made([(row, 0, 1.0, 1, 1, 1, 1) for row in range(60)])
    suspects = made([(row, 1, None, 1, 1, 2, 2) for row in range(60)])  # right behind the labelled one
    above = pooling(collection(60), labelled, suspects, depth=10)["ranks"]["above"]
    assert above["share"] == 1, "equal ranks, yet the labelled one stands above"


def test_where_the_truth_is_known_it_stands_in_place_of_suspects():
    plain = collection(3)
    rows, cols = [0, 1, 2, 0], [0, 0, 0, 7]
    truth = LabelMatrix(plain.row_ids, plain.col_ids, rows, cols)
    texts = pa.table({"id": plain.col_ids.values, "text": [f"t {i}" for i in range(50)]})
    known = Collection(plain.labels, plain.rows.table, texts, truth=truth)
    facts = pooling(known, leaning(3, 40, n=3), NONE, depth=10)
    ranks = facts["ranks"]
    assert ranks["others"] == "relevant and not labelled" and ranks["unlabelled"]["cells"] == 1
    shown = _pool(facts)["ranks"]
    assert shown["heads"] == ["labelled (3)", "relevant and not labelled (1)"] and shown["says"] == ranks["says"]
    assert [row[0] for row in shown["rows"]] == ["1", "3", "10", "30", "100"] and shown["rows"][-1][1:] == (
        "100.0%",
    ) * 2
