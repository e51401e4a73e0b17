"""The evidence on cells: scores and ranks against the slow way, what is there of whom, and what it was made from."""

import numpy as np
import pytest

from litotes.auditing import evidence as module
from litotes.auditing.evidence import EVIDENCE, Evidence, evidence_into
from litotes.auditing.gathering import gather, sign_of
from litotes.core import RunFolder
from litotes.core.errors import StaleError
from litotes.judging import DocumentJudge, MarginJudge
from litotes.mining.bm25 import BM25Miner
from tests.unit.auditing.audit_data import word_encoder


def cell(audited, evidence, query, document):
    row, col = audited.row_ids.index(query), audited.col_ids.index(document)
    (place,) = np.flatnonzero((evidence.row == row) & (evidence.col == col))
    return evidence.lines(np.array([place]))[0]


def test_every_judged_cell_is_there_once_with_its_grade(audited, evidence):
    judged = evidence.judged()
    rows, cols, grades = audited.labels.cells()
    assert judged.row.tolist() == rows.tolist() and judged.col.tolist() == cols.tolist()
    assert judged.column("grade").tolist() == grades.tolist()
    assert len(evidence.positives()) == 7
    keys = evidence.row * audited.n_cols + evidence.col
    assert len(np.unique(keys)) == len(keys)


def test_an_unjudged_twin_is_there_and_marked(audited, evidence):
    twin = cell(audited, evidence, "about-apples", "apple-twin")
    assert twin["twin"] and twin["grade"] is None and twin["cosine"] == pytest.approx(1, abs=1e-6)
    assert evidence.column("twin").sum() == 2  # of about-apples and of silent, whose positive is the same


def test_scores_are_those_of_the_encoder_and_of_bm25(audited, evidence):
    queries = word_encoder().encode(audited.row_texts, "query")
    documents = word_encoder().encode(audited.col_texts, "document")
    known = audited.rows_with_content[evidence.row] & audited.cols_with_content[evidence.col]
    expected = np.einsum("ij,ij->i", queries[evidence.row], documents[evidence.col])
    assert evidence.column("dense")[known] == pytest.approx(expected[known], abs=1e-6)
    assert np.isnan(evidence.column("dense")[~known]).all() and (~known).any()
    bm25 = BM25Miner().scores(audited, np.arange(audited.n_rows))
    assert evidence.column("bm25")[known] == pytest.approx(bm25[evidence.row, evidence.col][known])
    best = bm25.max(1)[evidence.row][known]
    assert evidence.column("bm25_share")[known] == pytest.approx(
        evidence.column("bm25")[known] / np.maximum(best, 1e-9)
    )


def test_ranks_count_what_scores_higher_and_labelled_documents_take_up_none(audited, evidence, monkeypatch):
    documents = word_encoder().encode(audited.col_texts, "document")
    by_words = BM25Miner().scores(audited, np.arange(audited.n_rows))
    starts, labelled = audited.never_negative()
    for place, (row, col) in enumerate(zip(evidence.row, evidence.col, strict=True)):
        found = {
            name: evidence.column(name)[place] for name in ("dense_rank", "dense_place", "bm25_rank", "bm25_place")
        }
        if not (audited.rows_with_content[row] and audited.cols_with_content[col]):
            assert np.isnan(list(found.values())).all()
            continue
        scores = documents @ word_encoder().encode([audited.row_texts[row]], "query")[0]
        scores[~audited.cols_with_content] = -np.inf
        others = np.setdiff1d(np.arange(audited.n_cols), labelled[starts[row] : starts[row + 1]])
        assert found["dense_place"] == 1 + (scores > scores[col] + 1e-6).sum()
        assert found["dense_rank"] == 1 + (scores[others] > scores[col] + 1e-6).sum()
        if by_words[row, col] == 0:
            assert np.isnan(found["bm25_place"]) and np.isnan(found["bm25_rank"])
            continue
        assert found["bm25_place"] == 1 + (by_words[row] > by_words[row, col] + 1e-6).sum()
        assert found["bm25_rank"] == 1 + (by_words[row, others] > by_words[row, col] + 1e-6).sum()
    assert (evidence.column("dense_rank") < evidence.column("dense_place")).any()
    monkeypatch.setattr(module, "_BLOCK_SCORES", 1)
    again = Evidence(audited, word_encoder()).scores(evidence.row, evidence.col)
    for name in ("bm25", "bm25_share", "bm25_rank", "dense_rank", "bm25_place", "dense_place"):
        assert np.array_equal(again[name], evidence.column(name), equal_nan=True), name


def test_a_rank_is_that_of_the_miner_up_to_ties(evidence):
    for name in ("dense", "bm25"):
        mined, ours = evidence.column(f"rank.{name}"), evidence.column(f"{name}_rank")
        both = ~np.isnan(mined) & ~np.isnan(ours)
        assert both.sum() >= 5 and (ours[both] <= mined[both]).all()
        values = evidence.column(name)
        alone = [np.isclose(values[evidence.row == r], v).sum() == 1 for r, v in zip(evidence.row, values, strict=True)]
        assert (ours == mined)[both & np.array(alone)].all() and (both & np.array(alone)).any()


def test_a_positive_is_compared_with_the_other_positives_only(audited, evidence):
    assert cell(audited, evidence, "about-apples", "apple")["nearest"] is None
    ocean = cell(audited, evidence, "about-oceans", "ocean")
    assert audited.col_ids[ocean["nearest"]] == "surf"


def test_what_miners_and_judges_said_is_kept(audited, evidence):
    near = cell(audited, evidence, "about-apples", "apple-near")
    assert near["rank.dense"] == near["rank.bm25"] == near["rank.neighbours"] == 1
    assert near["judge.document"] == pytest.approx(11 / 12) and 0 < near["trust.document"] < 1
    assert evidence.column("no such column").tolist() == pytest.approx([np.nan] * len(evidence), nan_ok=True)


def test_gathering_again_makes_nothing_anew(audited, tmp_path):
    run = RunFolder.open(tmp_path)
    gather(run, audited, word_encoder(), [DocumentJudge()], top=5, shard_rows=2, say=lambda _: None)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    assert len([path for path in before if "evidence" in str(path)]) == 3
    (tmp_path / EVIDENCE / "0001.parquet").unlink()
    gather(
        RunFolder.open(tmp_path), audited, word_encoder(), [DocumentJudge()], top=5, shard_rows=2, say=lambda _: None
    )
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")} == before


def test_evidence_of_other_judges_is_refused_until_forced(audited, tmp_path):
    judges = [DocumentJudge()]
    gather(RunFolder.open(tmp_path), audited, word_encoder(), judges, top=5, say=lambda _: None)
    judges.append(MarginJudge(encoder=word_encoder()))
    with pytest.raises(StaleError, match="judgements/margin differs. Use another --out, or gather again with --force"):
        gather(RunFolder.open(tmp_path), audited, word_encoder(), judges, top=5, say=lambda _: None)
    found = gather(RunFolder.open(tmp_path), audited, word_encoder(), judges, top=5, force=True, say=lambda _: None)
    assert not np.isnan(found.column("judge.margin")).all()


def test_evidence_needs_no_judge(audited, tmp_path):
    found = gather(RunFolder.open(tmp_path), audited, word_encoder("dot"), [], top=3, say=lambda _: None)
    assert np.nanmax(found.column("dense")) <= 1 + 1e-6  # cosines, whatever the encoder compares by
    assert evidence_into(RunFolder.open(tmp_path), audited, word_encoder("dot")).done


def test_a_margin_is_suspicious_where_it_is_small():
    assert [sign_of(judge) for judge in (DocumentJudge(), MarginJudge(encoder=word_encoder()))] == [1, -1]
