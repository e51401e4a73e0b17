"""Miners that pass over what may be a false negative: the best ranks, and what scores too near the positive."""

from __future__ import annotations

from typing import Any

import numpy as np

from litotes.core import Candidates, Collection
from litotes.core.errors import DataError
from litotes.judging.margin import MarginJudge
from litotes.mining import miner_from_spec
from litotes.mining.named import Miner

__all__ = ["GuardedMiner", "check_window", "window_miner"]


def window_miner(
    spec: str, encoder: Any, *, over: int, down_to: int, relative_margin: float | None = None, **options: Any
) -> Miner:
    """A miner of the ranks ``over + 1 .. down_to`` of the non-positives.

    Args:
        spec: which miner, such as ``"dense:name=window"``.
        encoder: what it, and the margin, read with.
        relative_margin: leave out what scores above the positive less this share of it.
        options: of the miner; ``dtype`` and ``batch_size`` of the margin too.
    """
    miner = miner_from_spec(spec, top=down_to - over, skip=over, encoder=encoder, **options)
    if relative_margin is None:
        return miner
    reading = {name: options[name] for name in ("dtype", "batch_size") if name in options}
    return GuardedMiner(miner, MarginJudge(relative_margin=relative_margin, encoder=encoder, **reading))


def check_window(owner: str, data: Collection, *, over: int, down_to: int, needed: int) -> None:
    """Whether the corpus is deep enough for :func:`window_miner`, before anything is spent on it.

    Args:
        owner: who mines, for the message.
        needed: how many of the ranks must exist for a row with one positive.

    Raises:
        DataError: fewer exist.
    """
    documents = int(data.cols_with_content.sum())
    ranks = max(0, min(down_to, documents - 1) - over)  # one document at least is a positive
    if ranks < needed:
        raise DataError(
            f"{owner} needs {needed} of the ranks {over + 1} to {down_to} (range_min + 1 to range_max), and the corpus "
            f"has {documents:,} documents: {ranks} of these ranks exist. Lower range_min or num_negatives, or raise "
            "range_max."
        )


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
