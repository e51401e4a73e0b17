"""Blocks of a run: together they are the run, and an unfinished one is refused."""

import numpy as np
import pytest

from litotes.auditing.run_blocks import run_blocks
from litotes.core import Candidates, RunFolder
from litotes.core.errors import LitotesError
from tests.unit.auditing.conftest import Says, every_cell


def test_together_they_are_the_run(data, make_run):
    row, col, score, rank = every_cell(data)
    half = (row, (col + 1) % data.n_cols, score, rank)
    half = tuple(values[half[1] != half[0]] for values in half)  # the positive is no candidate
    run = make_run(data, {"a": (row, col, score, rank), "b": half}, {"j": Says("x", judge=lambda cells: cells.col / 2)})
    found = list(run_blocks(run))
    assert len(found) == 2
    assert found[0].merge(found[1]).table.equals(Candidates.load(run.path).table)
    assert set(found[0].row).isdisjoint(found[1].row)


def test_counts_add_up(data, make_run):
    run = make_run(data, {"a": every_cell(data)})
    assert sum(block.counts["a"]["short_rows"] for block in run_blocks(run)) == 2


def test_an_empty_run_is_refused(tmp_path):
    run = RunFolder.open(tmp_path / "empty")
    with pytest.raises(LitotesError, match="no candidates here yet. Run: litotes mine DATA --out"):
        next(run_blocks(run))


def test_an_unfinished_stage_is_refused(data, make_run):
    run = make_run(data, {"a": every_cell(data)})
    run.stages["candidates/a"]["done"] = False
    with pytest.raises(LitotesError, match="candidates/a is not finished. Run: litotes resume"):
        next(run_blocks(run))


def test_a_damaged_shard_is_refused(data, make_run):
    run = make_run(data, {"a": every_cell(data)})
    shard = run.path / "candidates" / "a" / "0001.parquet"
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(LitotesError, match=r"0001\.parquet"):
        list(run_blocks(run))
    assert np.all([block.miners == ["a"] for block in [next(run_blocks(run))]])
