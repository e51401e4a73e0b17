"""Precision and recall of a run's judges against labels that are known to be true."""

from __future__ import annotations

from typing import Any

from litotes.auditing.quality import Quality, Truth
from litotes.auditing.run_blocks import run_blocks
from litotes.auditing.verdicts import verdicts_of
from litotes.core import Collection, LabelMatrix, RunFolder

__all__ = ["judges_against"]


def judges_against(run: RunFolder, data: Collection, truth: LabelMatrix) -> dict[str, Any]:
    """How right each judge of a run is: ``{"is_complete": bool, "judges": [...]}``, as in ``report.json``.

    One line a judge, miner and range of ranks, with counts, precision, recall and their 95 % intervals.

    Raises:
        StaleError: the run was made from other data.
    """
    verdicts = verdicts_of(run, data)
    quality = Quality(Truth.of(data, truth), verdicts)
    for block in run_blocks(run):
        block.check_data(data)
        quality.add(block, {verdict.name: verdict.flags(block) for verdict in verdicts})
    return quality.facts()
