"""Judging a run folder: all miners' cells, resume, stale judgements."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from litotes.core import Candidates, LitotesError, RunFolder
from litotes.core.errors import StaleError
from litotes.judging.calibrate import CalibratedJudge
from litotes.judging.calibration import Calibration
from litotes.judging.cross_encoder import CrossEncoderJudge
from litotes.judging.document import DocumentJudge
from litotes.judging.margin import MarginJudge
from litotes.judging.run import judge_into, mined
from litotes.mining.bm25 import BM25Miner
from litotes.mining.random import RandomMiner
from litotes.mining.run import mine_into
from tests.unit.mining.small_data import random_collection


@pytest.fixture
def run(tmp_path, data):
    run = RunFolder.open(tmp_path / "run")
    mine_into(run, BM25Miner(top=5), data, 8, say=[].append)
    mine_into(run, RandomMiner(top=5), data, say=[].append)
    return run


def files(run, below="judgements"):
    return {
        str(path.relative_to(run.path)): path.read_bytes() for path in sorted((run.path / below).rglob("*.parquet"))
    }


class Interrupted(MarginJudge):
    """Stops like a killed program when it reaches one row."""

    def judge(self, candidates, data):
        if 30 in candidates.row:
            raise KeyboardInterrupt
        return super().judge(candidates, data)


def test_all_miners_cells_are_judged_and_nothing_else_is_written(run, data):
    said = []
    before = files(run, "candidates")
    summary = judge_into(run, MarginJudge(scorer="bm25"), data, say=said.append)
    both = BM25Miner(top=5).mine(data).merge(RandomMiner(top=5).mine(data))
    loaded = Candidates.load(run.path)
    assert loaded.table.equals(MarginJudge(scorer="bm25").judge(both, data).table)
    assert loaded.counts == both.counts
    assert files(run, "candidates") == before
    assert pq.read_table(run.path / "judgements/margin/0000.parquet").column_names == ["row", "col", "assumed", "judge"]
    judged = int(np.isfinite(loaded.column("judge.margin")).sum())
    assert summary == {"cells": len(both), "judged": judged, "trusted": 0}
    assert said == [
        f"margin: {judged} candidates judged; {len(both) - judged} without a value; raw values only, no trust."
    ]


def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(run, data):
    judge_into(run, MarginJudge(scorer="bm25", name="whole"), data, say=[].append)
    whole = {path.replace("whole", "margin"): content for path, content in files(run).items()}
    with pytest.raises(KeyboardInterrupt):
        judge_into(run, Interrupted(scorer="bm25"), data, say=[].append)
    made = [path for path in files(run) if "margin" in path]
    assert 0 < len(made) < 7
    again = RunFolder.open(run.path)
    judge_into(again, MarginJudge(scorer="bm25"), data, say=[].append)
    assert {path: content for path, content in files(again).items() if "margin" in path} == {
        path: content.replace(b"whole", b"margin") for path, content in whole.items()
    }


def test_what_is_judged_is_not_judged_again(run, data, monkeypatch):
    first = judge_into(run, MarginJudge(scorer="bm25"), data, say=[].append)
    monkeypatch.setattr(MarginJudge, "judge", None)
    said = []
    assert judge_into(RunFolder.open(run.path), MarginJudge(scorer="bm25"), data, say=said.append) == first
    assert said == [f"margin: already judged, {first['judged']} candidates."]


def test_after_another_miner_the_part_that_differs_is_named(run, data):
    judge_into(run, MarginJudge(scorer="bm25"), data, say=[].append)
    mine_into(run, RandomMiner(top=3, seed=1, name="other"), data, say=[].append)
    with pytest.raises(StaleError) as error:
        judge_into(run, MarginJudge(scorer="bm25"), data)
    assert "was made from other candidates: the candidates/other differs. Judge them all again with --force." in str(
        error.value
    )
    judge_into(run, MarginJudge(scorer="bm25"), data, force=True, say=[].append)
    loaded = Candidates.load(run.path)
    assert len(loaded.miners) == 3 and len(files(run)) == 7
    assert loaded.table.equals(MarginJudge(scorer="bm25").judge(loaded, data).table)


def test_another_judge_of_that_name_is_refused_with_the_words_to_type(run, data):
    judge_into(run, MarginJudge(scorer="bm25"), data, say=[].append)
    with pytest.raises(StaleError) as error:
        judge_into(run, MarginJudge(scorer="bm25", relative_margin=0.1), data)
    assert "the relative_margin (0.05 there, 0.1 now) differs." in str(error.value)
    assert "with --by margin:name=NAME, or judge again with --force" in str(error.value)


def test_other_data_no_candidates_and_unfinished_miners_are_refused(run, data, tmp_path):
    with pytest.raises(StaleError, match="candidates/bm25 was made from another data set or split"):
        judge_into(run, MarginJudge(scorer="bm25"), random_collection(8))
    empty = RunFolder.open(tmp_path / "empty")
    with pytest.raises(LitotesError, match="no candidates here yet. Run: litotes mine DATA --out"):
        judge_into(empty, MarginJudge(scorer="bm25"), data)
    (run.path / "candidates/random/0002.parquet").unlink()
    with pytest.raises(LitotesError, match="mining with random is not finished. Run: litotes resume"):
        judge_into(run, MarginJudge(scorer="bm25"), data)


def test_a_trust_is_written_and_its_calibration_said(run, data):
    said = []
    judge = CalibratedJudge(MarginJudge(scorer="bm25"), Calibration(("value",), (-1.0,), 0.0, data_name="pydocs"))
    summary = judge_into(run, judge, data, say=said.append)
    assert (
        summary["trusted"] == summary["judged"] and summary["calibration"] == "calibrated on pydocs, not on your data"
    )
    assert said[0].endswith("with a trust; calibrated on pydocs, not on your data.")
    loaded = Candidates.load(run.path)
    assert loaded.trusted_by == ["margin"] and np.nanmax(loaded.trust) <= 1
    table = pq.read_table(run.path / "judgements/margin/0000.parquet")
    assert table.column_names == ["row", "col", "assumed", "judge", "trust"]


def test_a_cross_encoder_judges_a_run(run, data, cross_encoder_folder):
    summary = judge_into(run, CrossEncoderJudge(cross_encoder_folder), data, say=[].append)
    assert summary["judged"] == summary["cells"]
    record = json.loads((run.path / "run.json").read_text())["stages"]["judgements/cross-encoder"]
    assert record["config"]["model"] == cross_encoder_folder and "weights" in record["fingerprints"]
    assert {"candidates/bm25", "candidates/random"} <= set(record["fingerprints"])


def test_mined_candidates_are_read_however_far_a_judge_is(run, data):
    both = BM25Miner(top=5).mine(data).merge(RandomMiner(top=5).mine(data))
    with pytest.raises(KeyboardInterrupt):
        judge_into(run, Interrupted(scorer="bm25"), data, say=[].append)
    assert mined(run).table.equals(both.table) and mined(run).counts == both.counts
    with pytest.raises(LitotesError, match="judgements/margin is not finished"):
        Candidates.load(run.path)


def test_force_goes_on_with_judgements_that_were_begun_from_the_same_things(run, data):
    with pytest.raises(KeyboardInterrupt):
        judge_into(run, Interrupted(scorer="bm25"), data, force=True, say=[].append)
    made = {path: (run.path / path).stat().st_mtime_ns for path in files(run)}
    judge_into(run, MarginJudge(scorer="bm25"), data, force=True, say=[].append)
    assert made and all((run.path / path).stat().st_mtime_ns == time for path, time in made.items())


def test_a_run_without_a_single_candidate_is_judged_too(tmp_path, data, cross_encoder_folder):
    run = RunFolder.open(tmp_path / "none")
    mine_into(run, BM25Miner(min_score=1e6), data, say=[].append)
    for judge in (MarginJudge(scorer="bm25", percentile=50), CrossEncoderJudge(cross_encoder_folder), DocumentJudge()):
        assert judge_into(run, judge, data, say=[].append)["cells"] == 0
    assert len(Candidates.load(run.path)) == 0
