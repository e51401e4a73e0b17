"""A miner whose candidates must score well below the positive: what may be a false negative is left out."""

from __future__ import annotations

from typing import Any

import numpy as np

from litotes.core import Candidates, Collection
from litotes.judging.margin import MarginJudge
from litotes.mining.named import Miner

__all__ = ["GuardedMiner"]


class GuardedMiner:
    """What ``miner`` proposes, without the cells that the margin drops; it follows the weights if miner and margin do.

    Args:
        miner: proposes; its ``encoder`` is this miner's, so a refresh knows the model in training.
        margin: a cell with a margin below 0 is left out; one whose row has no positive to compare with stays.
    """

    def __init__(self, miner: Miner, margin: MarginJudge) -> None:
        self.miner, self.margin = miner, margin
        self.name = miner.name
        self.kind: str = getattr(miner, "kind", miner.name)
        self.encoder: Any = getattr(miner, "encoder", None)

    def mine(self, data: Collection, rows: np.ndarray | None = None) -> Candidates:
        """The miner's cells of ``rows`` that the margin leaves."""
        found = self.miner.mine(data, rows)
        margin = self.margin.judge(found, data).column(f"judge.{self.margin.name}")
        return found.filter(~(margin < 0))

    def fingerprint(self, data: Collection) -> dict[str, str]:
        """The miner's parts and the margin's."""
        guard = {f"guard {part}": value for part, value in self.margin.fingerprint().items()}
        return {**self.miner.fingerprint(data), **guard}
