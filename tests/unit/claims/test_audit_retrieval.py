"""The audit's claims: metrics by hand, what each ranker does, and that a cell runs from end to end."""

from pathlib import Path

import numpy as np
import pytest

from litotes.claims import audit_retrieval as module
from litotes.claims import hidden_judgements, visible_cross_encoder
from litotes.claims.audit_retrieval import CLAIMS, run
from litotes.claims.hidden_judgements import hidden
from litotes.claims.suspect_metrics import METRICS, metrics_of
from litotes.evaluation.claim import Arm
from litotes.evaluation.experiment import Cell
from litotes.judging.cross_encoder import CrossEncoderScorer
from tests.unit.auditing.audit_data import library, word_encoder


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(hidden_judgements, "_taken", lambda name: (library(), 9))
    monkeypatch.setattr(hidden_judgements, "encoder", word_encoder)
    hidden.cache_clear()
    yield hidden("library", 0)
    hidden.cache_clear()


@pytest.mark.parametrize("command", [name for name in module._RANKERS if name != "cross-encoder"])
def test_a_cell_runs(small, command):
    outcome = run(Cell("library", Arm(command), 0, "test", Path("unused"), None))
    assert set(outcome.metrics) == set(METRICS) == set(outcome.per_query)
    assert all(len(values) == 6 for values in outcome.per_query.values())
    assert outcome.facts["missing"] == 1 and outcome.facts["suspects"] == len(small.evidence)
    assert outcome.facts["data"]["fingerprint"] == small.fingerprint
    for metric, values in outcome.per_query.items():
        assert np.mean(list(values.values())) == pytest.approx(outcome.metrics[metric], abs=1e-12)
    assert (outcome.facts["queries"], outcome.facts["queries of the whole set"]) == (6, 9)
    assert outcome.facts["queries with missing positives"] == 1
    assert outcome.facts["ceiling"] == outcome.facts["missing among the suspects"] / outcome.facts["missing"]


def test_what_is_found_is_the_missing_cells_and_no_others(small, monkeypatch):
    cells = np.stack([small.evidence.row, small.evidence.col], axis=1)
    missing = cells[[3, len(cells) // 2, -2]]
    monkeypatch.setattr(module, "hidden", lambda data, seed: small._replace(missing=missing))
    order = order_of("random", small)
    found = [tuple(cell) in set(map(tuple, missing.tolist())) for cell in cells[order].tolist()]
    outcome = run(Cell("library", Arm("random"), 0, "test", Path("unused"), None))
    assert sum(found) == 3 == outcome.facts["missing among the suspects"]
    assert outcome.metrics == metrics_of(np.array(found), 3)
    hit = {small.data.row_ids[row] for row in missing[:, 0]}
    assert outcome.facts["queries with missing positives"] == len(hit)
    assert len(hit) > 1 and max(outcome.per_query["AP"], key=outcome.per_query["AP"].__getitem__) in hit


def order_of(command, known, seed=0):
    return module._RANKERS[command](known, seed)


def test_every_ranker_orders_the_same_cells_once(small):
    for command in module._RANKERS:
        if command != "cross-encoder":
            assert sorted(order_of(command, small).tolist()) == list(range(len(small.evidence))), command


def test_the_audit_has_its_own_order_which_begins_with_twins(small):
    order = order_of("audit", small)
    assert small.evidence.column("twin")[order[:2]].tolist() == [1, 1]
    assert order.tolist() == order_of("audit", small, seed=9).tolist()


def test_retrievers_take_the_first_of_every_query_before_the_second_of_any(small):
    for command in ("bm25", "dense"):
        order = order_of(command, small)
        scores = np.nan_to_num(small.evidence.column(command), nan=-1)[order]
        queries = small.evidence.row[order]
        first = len(np.unique(queries))
        assert len(set(queries[:first].tolist())) == first
        assert (np.diff(scores[:first]) <= 0).all()


def test_the_margin_rule_begins_with_the_cell_that_exceeds_its_limit_most(small):
    margins = small.evidence.column("judge.margin")[order_of("margin", small)]
    known = margins[~np.isnan(margins)]
    assert (np.diff(known) >= 0).all() and np.isnan(margins[len(known) :]).all()


def test_random_orders_follow_their_seed(small):
    assert order_of("random", small, 1).tolist() == order_of("random", small, 1).tolist()
    assert order_of("random", small, 1).tolist() != order_of("random", small, 2).tolist()


def test_both_is_the_reciprocal_rank_fusion_of_bm25_and_dense(small):
    order, cells = order_of("both", small), small.evidence
    ranks = np.stack([cells.column("bm25_rank"), cells.column("dense_rank")], axis=1)
    fused = np.array([sum(1 / (60 + rank) for rank in each if not np.isnan(rank)) for each in ranks])
    for row in np.unique(cells.row):
        own = order[cells.row[order] == row]
        assert (np.diff(fused[own]) <= 0).all()
    first = len(np.unique(cells.row))
    assert len(np.unique(cells.row[order[:first]])) == first and (np.diff(fused[order[:first]]) <= 0).all()
    assert order.tolist() not in (order_of("audit", small).tolist(), order_of("dense", small).tolist())


def test_a_cross_encoder_learns_from_what_is_visible_and_reads_every_suspect(small, monkeypatch):
    monkeypatch.setattr(visible_cross_encoder, "STEPS", 2)
    monkeypatch.setattr(visible_cross_encoder, "BATCH", 4)
    rows = visible_cross_encoder._training_rows(small, 0)
    cells = small.data.labels.positive_cells()
    visible = {(small.data.row_texts[r], small.data.col_texts[c]) for r, c in zip(*cells, strict=True)}
    assert [row["label"] for row in rows] == [1.0] * 4 + [0.0] * 4
    assert {(row["query"], row["document"]) for row in rows[:4]} <= visible
    read = []
    real = CrossEncoderScorer.score
    monkeypatch.setattr(CrossEncoderScorer, "score", lambda self, pairs: read.extend(pairs) or real(self, pairs))
    scores = visible_cross_encoder.cross_encoder_scores(small, 0)
    assert len(read) == len(scores) == len(small.evidence) and np.isfinite(scores).all()
    assert len(np.unique(scores)) > len(scores) / 2
    assert np.array_equal(scores, visible_cross_encoder.cross_encoder_scores(small, 0))


def pairs_of(small, steps, batch, monkeypatch):
    """Positives and negatives of training, as cells; texts of the library tell their cells apart."""
    monkeypatch.setattr(visible_cross_encoder, "STEPS", steps)
    monkeypatch.setattr(visible_cross_encoder, "BATCH", batch)
    data, rows = small.data, visible_cross_encoder._training_rows(small, 0)
    row_of = {text: row for row, text in enumerate(data.row_texts)}
    col_of = {text: col for col, text in enumerate(data.col_texts)}
    cells = [(row_of[row["query"]], col_of[row["document"]]) for row in rows]
    return cells[: len(cells) // 2], cells[len(cells) // 2 :]


def test_negatives_are_candidates_of_their_own_query(small, monkeypatch):
    monkeypatch.setattr(visible_cross_encoder, "HARD", 1.0)
    positives, negatives = pairs_of(small, 20, 10, monkeypatch)
    assert [row for row, _ in positives] == [row for row, _ in negatives]
    assert set(negatives) <= set(zip(small.evidence.row.tolist(), small.evidence.col.tolist(), strict=True))
    assert len(set(negatives)) > 20  # and not the same one again and again


def test_negatives_are_half_candidates_half_any_documents(small, monkeypatch):
    candidates = set(zip(small.evidence.row.tolist(), small.evidence.col.tolist(), strict=True))
    _, negatives = pairs_of(small, 40, 20, monkeypatch)
    documents = np.flatnonzero(small.data.cols_with_content).tolist()
    by_chance = np.mean([(row, col) in candidates for row, _ in negatives for col in documents])
    share = np.mean([cell in candidates for cell in negatives])
    assert share == pytest.approx(0.5 + 0.5 * by_chance, abs=0.08)  # 400 draws: a standard deviation is 0.025
    assert {col for _, col in negatives} == set(documents)


def test_each_set_has_a_claim_for_each_ranker_and_one_for_the_best():
    assert len(CLAIMS) == 24 and len({claim.name for claim in CLAIMS}) == 24
    for claim in CLAIMS:
        assert {arm.command for arm in claim.arms.values()} <= set(module._RANKERS)
        assert claim.metric == "AP" and len(set(claim.seeds)) == 5
        is_bound = "lower bound" in claim.note
        assert is_bound == (claim.data in ("nfcorpus", "pydocs")), claim.name
        assert "queries" in claim.note and "counts as never found" in claim.note
        assert ("developed on other parts of pydocs" in claim.note) == (claim.data == "pydocs")
        small = "a small cross-encoder (120 steps, lower half frozen, 64 tokens)"
        assert (small in claim.note) == (small in claim.says) == ("cross-encoder" in claim.arms)


def test_the_audit_is_held_against_chance_the_margin_rule_and_every_other_order():
    for data in module.DATA:
        claims = {claim.name: claim for claim in CLAIMS if claim.data == data}
        assert claims[f"{data}-audit"].holds == [("audit", ">", "random"), ("audit", ">", "margin")]
        others = ("bm25", "dense", "both", "cross-encoder")
        assert claims[f"{data}-best"].holds == [("audit", ">", other) for other in others]
