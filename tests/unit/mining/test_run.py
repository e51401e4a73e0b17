"""Mining into a run folder: shards, resume, what is refused."""

import json

import numpy as np
import pytest

from litotes.core import Candidates, LitotesError, RunFolder
from litotes.core.errors import StaleError
from litotes.mining.bm25 import BM25Miner
from litotes.mining.popularity import PopularityMiner
from litotes.mining.random import RandomMiner
from litotes.mining.run import mine_into, settings
from litotes.mining.trec_run import RunMiner
from tests.unit.mining.small_data import random_collection


@pytest.fixture
def data():
    return random_collection(7)


@pytest.fixture
def run(tmp_path):
    return RunFolder.open(tmp_path / "run")


def files(run):
    return {str(path.relative_to(run.path)): path.read_bytes() for path in sorted(run.path.rglob("*.parquet"))}


class Interrupted(BM25Miner):
    """Stops like a killed program when it reaches one row."""

    def mine(self, data, rows=None):
        if 30 in rows:
            raise KeyboardInterrupt
        return super().mine(data, rows)


def test_the_run_holds_what_the_miner_found(run, data):
    said = []
    summary = mine_into(run, BM25Miner(top=5), data, 8, say=said.append)
    direct = BM25Miner(top=5).mine(data)
    loaded = Candidates.load(run.path)
    assert loaded.table.equals(direct.table) and loaded.counts == direct.counts and loaded.made_from == direct.made_from
    assert summary == {"rows": 50, "cells": len(direct), "counts": direct.counts["bm25"]}
    assert len(files(run)) == 7
    assert said[-1].startswith("bm25: 250 candidates for 50 rows; ") and "text twins of positives left out" in said[-1]
    record = json.loads((run.path / "run.json").read_text())["stages"]["candidates/bm25"]
    assert record["config"]["top"] == 5 and record["config"]["shard_rows"] == 8 and record["config"]["kind"] == "bm25"
    assert {"ids", "judgements", "texts of rows", "texts of columns", "k1", "miner"} <= set(record["fingerprints"])


def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(run, data, tmp_path):
    whole = RunFolder.open(tmp_path / "whole")
    mine_into(whole, BM25Miner(top=5), data, 8)
    with pytest.raises(KeyboardInterrupt):
        mine_into(run, Interrupted(top=5), data, 8)
    made = files(run)
    assert 0 < len(made) < 7
    times = {path: (run.path / path).stat().st_mtime_ns for path in made}
    again = RunFolder.open(run.path)
    mine_into(again, BM25Miner(top=5), data, 8)
    assert files(again) == files(whole)
    assert all((run.path / path).stat().st_mtime_ns == time for path, time in times.items())


def test_a_half_written_shard_is_made_again(run, data):
    mine_into(run, BM25Miner(top=5), data, 8)
    before = files(run)
    shard = run.path / "candidates/bm25/0003.parquet"
    shard.write_bytes(shard.read_bytes()[:100])
    mine_into(RunFolder.open(run.path), BM25Miner(top=5), data, 8)
    assert files(run) == before


def test_a_part_that_is_there_is_not_mined_again(run, data, monkeypatch):
    first = mine_into(run, BM25Miner(top=5), data, 8)
    monkeypatch.setattr(BM25Miner, "mine", None)
    said = []
    assert mine_into(RunFolder.open(run.path), BM25Miner(top=5), data, 8, say=said.append) == first
    assert said == ["bm25: already mined, 250 candidates."]


def test_a_second_miner_adds_its_cells_and_is_cut_like_the_first(run, data):
    mine_into(run, BM25Miner(top=5), data, 8)
    mine_into(run, RandomMiner(top=5), data, 100)
    assert sum(path.startswith("candidates/random") for path in files(run)) == 7
    merged = Candidates.load(run.path)
    assert merged.table.equals(BM25Miner(top=5).mine(data).merge(RandomMiner(top=5).mine(data)).table)


def test_another_miner_of_that_name_is_refused_with_the_words_to_type(run, data, tmp_path):
    mine_into(run, BM25Miner(top=5), data, 8)
    before = files(run)
    with pytest.raises(StaleError) as error:
        mine_into(run, BM25Miner(top=6, k1=0.9), data, 8)
    assert "the top (5 there, 6 now), the k1 (1.2 there, 0.9 now) differ." in str(error.value)
    assert "with --miner bm25:name=NAME, or make it again with --force" in str(error.value)
    assert files(run) == before
    mine_into(run, BM25Miner(top=6, name="six"), data, 8)
    assert Candidates.load(run.path).miners == ["bm25", "six"]


def test_another_run_file_is_refused_with_its_path(run, data, tmp_path):
    for name, score in (("a.trec", 1), ("b.trec", 2)):
        (tmp_path / name).write_text(f"q0 Q0 d1 1 {score} x\n")
    mine_into(run, RunMiner(tmp_path / "a.trec"), data)
    with pytest.raises(StaleError, match=r"the run file differs. .*--miner run:.*b.trec,name=NAME"):
        mine_into(run, RunMiner(tmp_path / "b.trec"), data)


def test_force_makes_a_part_again_and_drops_what_was_said_of_it(run, data):
    mine_into(run, BM25Miner(top=5), data, 8)
    mine_into(run, RandomMiner(top=5), data, 8)
    judged = run.stage("judgements/j", verb="judge", config={}, fingerprints={}, shards=0)
    judged.finish()
    said = []
    mine_into(run, BM25Miner(top=3), data, 8, force=True, say=said.append)
    assert "judgements/j spoke of the old candidates and is gone; judge again." in said
    assert list(RunFolder.open(run.path).stages) == ["candidates/random", "candidates/bm25"]
    assert Candidates.load(run.path).table.equals(
        RandomMiner(top=5).mine(data).merge(BM25Miner(top=3).mine(data)).table
    )


def test_other_data_are_refused_also_by_force(run, data):
    mine_into(run, BM25Miner(top=5), data, 8)
    before = files(run)
    other = random_collection(8)
    for miner, force in ((RandomMiner(), False), (RandomMiner(), True), (BM25Miner(top=5), False)):
        with pytest.raises(
            StaleError, match="candidates/bm25 was made from another data set or split: the judgements and"
        ):
            mine_into(run, miner, other, 8, force=force)
    assert files(run) == before
    mine_into(run, BM25Miner(top=5), other, 8, force=True)  # the only part may be made again from other data
    assert Candidates.load(run.path).table.equals(BM25Miner(top=5).mine(other).table)


def test_another_cut_goes_on_with_the_cut_that_was_begun(run, data):
    with pytest.raises(KeyboardInterrupt):
        mine_into(run, Interrupted(top=5), data, 8)
    mine_into(run, BM25Miner(top=5), data, 7)
    assert Candidates.load(run.path).table.equals(BM25Miner(top=5).mine(data).table)
    assert run.stages["candidates/bm25"]["config"]["shard_rows"] == 8


def test_the_shard_size_is_checked(run, data):
    with pytest.raises(LitotesError, match="The 'shard_rows' parameter of mine_into must be an int"):
        mine_into(run, BM25Miner(), data, 0)


def test_settings_are_json():
    class Live:
        kind = "live"

        def __init__(self, encoder, top=3, sizes=(1, 2)):
            self.encoder, self.top, self.sizes = encoder, top, sizes

    found = settings(Live(np.zeros(3)))
    assert json.loads(json.dumps(found)) == {"kind": "live", "encoder": "ndarray", "top": 3, "sizes": [1, 2]}


def test_a_folder_without_rows_is_whole(run):
    data = random_collection(7).select_rows([])
    for miner in (BM25Miner(), RandomMiner(), PopularityMiner()):
        assert mine_into(run, miner, data)["cells"] == 0
    assert len(Candidates.load(run.path)) == 0


def test_force_goes_on_with_a_part_that_was_begun_from_the_same_things(run, data):
    with pytest.raises(KeyboardInterrupt):
        mine_into(run, Interrupted(top=5), data, 8, force=True)
    made = {path: (run.path / path).stat().st_mtime_ns for path in files(run)}
    mine_into(run, BM25Miner(top=5), data, 8, force=True)
    assert made and all((run.path / path).stat().st_mtime_ns == time for path, time in made.items())
