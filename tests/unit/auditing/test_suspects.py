"""The most suspicious cells: the lowest trust first, equals by rank, whatever the blocks."""

import numpy as np
import pytest

from litotes.auditing.suspects import Suspects
from litotes.auditing.verdicts import Verdict
from litotes.core import Candidates
from tests.unit.auditing.conftest import every_cell

TRUST = Verdict("j", "trust")


@pytest.fixture
def cells(data):
    row, col, score, rank = every_cell(data)
    found = Candidates.build(row, col, miner="m", score=score, rank=rank, data=data)
    trust = np.random.default_rng(0).choice([0.1, 0.2, 0.4, 0.6, np.nan], len(found))
    return found.with_columns({"judge.j": 1 - trust, "trust.j": trust})


def blocks(cells, limit, cuts, verdict=TRUST):
    suspects = Suspects([verdict], limit)
    for part in np.array_split(np.arange(4), cuts):
        block = cells.filter(np.isin(cells.row, part))
        suspects.add(block, {verdict.name: verdict.flags(block)})
    return suspects.found()


def test_lowest_trust_first_then_rank_row_column(cells):
    found = blocks(cells, 50, 1)
    order = [(1 - suspect.suspicion, suspect.best_rank, suspect.row, suspect.col) for suspect in found]
    assert order == sorted(order)
    assert len(found) == (cells.column("trust.j") < 0.5).sum()


@pytest.mark.parametrize("cuts", [2, 3, 4])
def test_blocks_change_nothing(cells, cuts):
    assert blocks(cells, 5, cuts) == blocks(cells, 5, 1)


def test_trusted_and_unjudged_cells_are_never_shown(cells):
    assert all(suspect.trust["j"] < 0.5 for suspect in blocks(cells, 50, 1))


def test_values_of_a_cell_are_its_own(cells):
    suspect = blocks(cells, 1, 1)[0]
    at = np.flatnonzero((cells.row == suspect.row) & (cells.col == suspect.col))[0]
    assert suspect.values == {"j": cells.column("judge.j")[at]}
    assert suspect.ranks == {"m": cells.column("rank.m")[at]}


def test_without_trust_the_margin_rule_chooses(cells):
    rule = Verdict("j", "rule")
    ruled = cells.with_columns({"judge.j": np.where(cells.col == 5, -1.0, 1.0)})
    assert {suspect.col for suspect in blocks(ruled, 50, 2, rule)} == {5}


def test_raw_values_alone_choose_the_highest(cells):
    raw = cells.with_columns({"judge.j": cells.col.astype(float)})
    assert blocks(raw, 1, 2, Verdict("j", "raw"))[0].col == cells.col.max()


def test_without_judges_nothing_is_suspicious(cells):
    suspects = Suspects([], 5)
    suspects.add(cells, {})
    assert suspects.found() == []
