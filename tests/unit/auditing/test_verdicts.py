"""How judges are read: by trust, by a margin rule, raw."""

import numpy as np
import pytest

from litotes.auditing.verdicts import Verdict, verdicts_of
from tests.unit.auditing.conftest import Says, every_cell, is_alias


def trust_of_aliases(cells):
    return np.where(is_alias(cells), 0.1, 0.9)


DOCUMENT = Says("document", judge=is_alias, trust=trust_of_aliases, summary={"calibration": "calibrated on x"})
MARGIN = Says("margin", judge=lambda cells: np.where(cells.col % 2 == 0, -0.1, 0.1))
RAW = Says("cross-encoder", judge=lambda cells: cells.col / 10)


def test_each_kind_is_read_in_its_way(data, make_run):
    run = make_run(data, {"m": every_cell(data)}, {"margin": MARGIN, "ce": RAW, "document": DOCUMENT})
    found = verdicts_of(run, data)
    assert [(verdict.name, verdict.reading) for verdict in found] == [
        ("document", "trust"),
        ("ce", "raw"),
        ("margin", "rule"),
    ]
    assert found[0].calibration == "calibrated on x"


def test_a_judge_that_has_not_seen_a_later_miner_says_so(data, make_run):
    run = make_run(data, {"m": every_cell(data)}, {"document": DOCUMENT})
    run.stages["candidates/late"] = {**run.stages["candidates/m"]}
    assert verdicts_of(run, data)[0].not_seen == ("late",)


def test_a_calibrated_margin_is_read_by_its_trust_and_still_a_margin(data, make_run):
    calibrated = Says("margin", judge=lambda cells: cells.col / 10 - 0.5, trust=trust_of_aliases)
    [verdict] = verdicts_of(make_run(data, {"m": every_cell(data)}, {"margin": calibrated}), data)
    assert (verdict.reading, verdict.is_margin) == ("trust", True)


def test_flags(data, make_run):
    from litotes.core import Candidates

    run = make_run(data, {"m": every_cell(data)}, {"margin": MARGIN, "ce": RAW, "document": DOCUMENT})
    cells = Candidates.load(run.path)
    document, raw, margin = (verdict.flags(cells) for verdict in verdicts_of(run, data))
    assert (document == is_alias(cells)).all()
    assert (margin == (cells.col % 2 == 0)).all()
    assert np.isnan(raw).all()


@pytest.mark.parametrize("reading", ["trust", "rule"])
def test_a_cell_that_was_not_judged_is_neither(data, make_run, reading):
    cells = make_run(data, {"m": every_cell(data)})
    from litotes.core import Candidates

    found = Candidates.load(cells.path)
    found = found.with_columns({"judge.j": np.full(len(found), np.nan), "trust.j": np.full(len(found), np.nan)})
    assert np.isnan(Verdict("j", reading).flags(found)).all()


def test_the_document_judge_explains(data, make_run):
    run = make_run(data, {"m": every_cell(data)}, {"document": DOCUMENT})
    assert "shared" in verdicts_of(run, data)[0].explain(0, 4)
