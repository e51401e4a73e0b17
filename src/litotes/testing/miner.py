"""The contract suite of a miner: :func:`check_miner`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from litotes.core import Collection
from litotes.core.checks import check_float
from litotes.testing.check import Check
from litotes.testing.making import Making
from litotes.testing.miner_checks import SUITE, MinerCase

__all__ = ["check_miner"]


def check_miner(
    make: Callable[..., Any],
    *,
    other_blocks: Callable[..., Any] | None = None,
    score: Callable[[Collection, int, int], float] | None = None,
    recall: float = 1.0,
    expected_failures: Mapping[str, str] | None = None,
) -> list[Check]:
    """Checks of a miner: ``mine(data, rows=None) -> Candidates``, never an observed positive, whatever the blocks.

    They run on the collections of :func:`~litotes.testing.example_collection`, whose texts are a few common words.

    Args:
        make: ``make()`` gives a new miner; or ``make(data)``, where it is prepared on the data (an index, a run file).
        other_blocks: makes the same miner with another block or batch size, if it has one.
        score: the score of one cell, ``score(data, row, col)``, slow and obvious; with it, the miner is compared with
            the double loop over all cells. ``top``, ``skip``, ``min_score`` and ``max_score`` are read from the miner.
        recall: the share of the double loop's cells that an approximate miner is sure to find.
        expected_failures: the checks that fail, and shall: name and written reason. One that holds is a failure.

    Raises:
        LitotesError: an expected failure without a reason, or that no check is called.
    """
    check_float("check_miner", "recall", recall, above=0.0, at_most=1.0)
    other = None if other_blocks is None else Making(other_blocks, "miner", "mine")
    case = MinerCase(Making(make, "miner", "mine"), other, score, recall)
    without = [name for name, given in (("other_blocks", other_blocks), ("finds_the_best", score)) if given is None]
    return SUITE.over(case, without=without, expected_failures=expected_failures)
