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
from tests.unit.auditing.audit_data import library, word_encoder
from tests.unit.auditing.audit_evidence import evidence_of


@pytest.fixture(scope="module")
def data():
    return library()


@pytest.fixture(scope="module")
def cells(data, tmp_path_factory):
    return evidence_of(data, tmp_path_factory.mktemp("evidence"))


def cell(data, cells, query, document):
    row, col = data.row_ids.index(query), data.col_ids.index(document)
    (place,) = np.flatnonzero((cells.row == row) & (cells.col == col))
    return cells.lines(np.array([place]))[0]


def test_every_judged_cell_is_there_once_with_its_grade(data, cells):
    judged = cells.judged()
    rows, cols, grades = data.labels.cells()
    assert judged.row.tolist() == rows.tolist() and judged.col.tolist() == cols.tolist()
    assert judged.column("grade").tolist() == grades.tolist()
    assert len(cells.positives()) == 6
    keys = cells.row * data.n_cols + cells.col
    assert len(np.unique(keys)) == len(keys)


def test_an_unjudged_twin_is_there_and_marked(data, cells):
    twin = cell(data, cells, "about-apples", "apple-twin")
    assert twin["twin"] and twin["grade"] is None and twin["cosine"] == pytest.approx(1, abs=1e-6)
    assert cells.column("twin").sum() == 2  # of about-apples and of silent, whose positive is the same


def test_scores_are_those_of_the_encoder_and_of_bm25(data, cells):
    queries = word_encoder().encode(data.row_texts, "query")
    documents = word_encoder().encode(data.col_texts, "document")
    known = data.rows_with_content[cells.row] & data.cols_with_content[cells.col]
    expected = np.einsum("ij,ij->i", queries[cells.row], documents[cells.col])
    assert cells.column("dense")[known] == pytest.approx(expected[known], abs=1e-6)
    assert np.isnan(cells.column("dense")[~known]).all() and (~known).any()
    bm25 = BM25Miner().scores(data, np.arange(data.n_rows))
    assert cells.column("bm25")[known] == pytest.approx(bm25[cells.row, cells.col][known])
    best = bm25.max(1)[cells.row][known]
    assert cells.column("bm25_share")[known] == pytest.approx(cells.column("bm25")[known] / np.maximum(best, 1e-9))


def test_ranks_of_judged_cells_count_what_scores_higher(data, cells, monkeypatch):
    documents = word_encoder().encode(data.col_texts, "document")
    bm25 = BM25Miner().scores(data, np.arange(data.n_rows))
    judged = cells.judged()
    for place, (row, col) in enumerate(zip(judged.row, judged.col, strict=True)):
        if not (data.rows_with_content[row] and data.cols_with_content[col]):
            assert np.isnan(judged.column("dense_rank")[place])
            continue
        scores = documents @ word_encoder().encode([data.row_texts[row]], "query")[0]
        above = (scores[data.cols_with_content] > scores[col] + 1e-6).sum()
        assert judged.column("dense_rank")[place] == 1 + above
        rank = judged.column("bm25_rank")[place]
        assert np.isnan(rank) if bm25[row, col] == 0 else rank == 1 + (bm25[row] > bm25[row, col] + 1e-6).sum()
    monkeypatch.setattr(module, "_BLOCK_SCORES", 1)
    again = Evidence(data, word_encoder()).scores(cells.row, cells.col)
    for name in ("bm25", "bm25_share", "bm25_rank", "dense_rank"):
        assert np.array_equal(again[name], cells.column(name), equal_nan=True), name


def test_a_positive_is_compared_with_the_other_positives_only(data, cells):
    assert cell(data, cells, "about-apples", "apple")["nearest"] is None
    ocean = cell(data, cells, "about-oceans", "ocean")
    assert data.col_ids[ocean["nearest"]] == "zebra"


def test_what_miners_and_judges_said_is_kept(data, cells):
    near = cell(data, cells, "about-apples", "apple-near")
    assert near["rank.dense"] == near["rank.bm25"] == near["rank.neighbours"] == 1
    assert near["judge.document"] == pytest.approx(11 / 12) and 0 < near["trust.document"] < 1
    assert cells.column("no such column").tolist() == pytest.approx([np.nan] * len(cells), nan_ok=True)


def test_gathering_again_makes_nothing_anew(data, tmp_path):
    run = RunFolder.open(tmp_path)
    gather(run, data, word_encoder(), [DocumentJudge()], top=5, shard_rows=2, say=lambda _: None)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    assert len([path for path in before if "evidence" in str(path)]) == 3
    (tmp_path / EVIDENCE / "0001.parquet").unlink()
    gather(RunFolder.open(tmp_path), data, word_encoder(), [DocumentJudge()], top=5, shard_rows=2, say=lambda _: None)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")} == before


def test_evidence_of_other_judges_is_refused_until_forced(data, tmp_path):
    judges = [DocumentJudge()]
    gather(RunFolder.open(tmp_path), data, word_encoder(), judges, top=5, say=lambda _: None)
    judges.append(MarginJudge(encoder=word_encoder()))
    with pytest.raises(StaleError, match="judgements/margin differs. Use another --out, or gather again with --force"):
        gather(RunFolder.open(tmp_path), data, word_encoder(), judges, top=5, say=lambda _: None)
    found = gather(RunFolder.open(tmp_path), data, word_encoder(), judges, top=5, force=True, say=lambda _: None)
    assert not np.isnan(found.column("judge.margin")).all()


def test_evidence_needs_no_judge(data, tmp_path):
    found = gather(RunFolder.open(tmp_path), data, word_encoder("dot"), [], top=3, say=lambda _: None)
    assert np.nanmax(found.column("dense")) <= 1 + 1e-6  # cosines, whatever the encoder compares by
    assert evidence_into(RunFolder.open(tmp_path), data, word_encoder("dot")).done


def test_a_margin_is_suspicious_where_it_is_small():
    assert [sign_of(judge) for judge in (DocumentJudge(), MarginJudge(encoder=word_encoder()))] == [1, -1]
