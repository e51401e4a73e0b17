"""One pass over a run's candidates, a block of rows at a time: counts, curves, agreement, precision and recall.

Nothing here grows with the run: a block is added up and forgotten, and of the cells only the most suspicious are kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from litotes.auditing.agreement import Agreement
from litotes.auditing.quality import Quality, Truth
from litotes.auditing.shares import Curve, margin_edges, rank_edges, wilson
from litotes.auditing.suspects import Suspects
from litotes.auditing.verdicts import Verdict
from litotes.core import Candidates

__all__ = ["Survey"]


class Survey:
    """What a run's candidates add up to. Feed it blocks with :meth:`add`, then read :meth:`facts`.

    Args:
        verdicts: how each judge's values are read.
        margin: the verdict whose raw value is the margin to the positive, if a margin judge has spoken.
        truth: which cells are known to be false negatives, where that is known.
        deepest: the deepest rank any miner was asked for.
        examples: how many of the most suspicious cells to keep.
    """

    def __init__(
        self, verdicts: list[Verdict], *, margin: Verdict | None, truth: Truth | None, deepest: int, examples: int = 50
    ) -> None:
        self.verdicts, self.margin, self.deepest = verdicts, margin, deepest
        self.cells = self.rows = self.suspects = self.rows_with_suspects = 0
        self.miners: dict[str, dict[str, int]] = {}
        self.counts: dict[str, dict[str, int]] = {}
        self.judged = {verdict.name: [0, 0] for verdict in verdicts}  # cells judged, cells flagged
        self.agreement = Agreement([verdict.name for verdict in verdicts if verdict.flags_cells])
        self.quality = None if truth is None else Quality(truth, verdicts)
        self.most = Suspects(verdicts, examples)
        self.by_rank: dict[tuple[str, str], Curve] = {}
        self.by_margin: dict[tuple[str, str], Curve] = {}
        self._margin_edges: np.ndarray | None = None

    def add(self, cells: Candidates) -> None:
        """One more block: all candidates of some rows."""
        if not len(cells):
            return
        flags = {verdict.name: verdict.flags(cells) for verdict in self.verdicts}
        suspect = np.zeros(len(cells), dtype=bool)
        for verdict in self.verdicts:
            if verdict.gives_trust or not any(other.gives_trust for other in self.verdicts):
                suspect |= flags[verdict.name] == 1
        self.cells += len(cells)
        self.rows += len(np.unique(cells.row))
        self.suspects += int(suspect.sum())
        self.rows_with_suspects += len(np.unique(cells.row[suspect]))
        for verdict in self.verdicts:
            given = flags[verdict.name] if verdict.flags_cells else verdict.values(cells)
            self.judged[verdict.name][0] += int((~np.isnan(given)).sum())
            self.judged[verdict.name][1] += int((flags[verdict.name] == 1).sum())
        self._add_miners(cells)
        self._add_curves(cells, flags)
        self.agreement.add(flags)
        if self.quality is not None:
            self.quality.add(cells, flags)
        self.most.add(cells, flags)

    def facts(self) -> dict[str, Any]:
        """The numbers, as ``report.json`` holds them."""
        return {
            "cells": {
                "candidates": self.cells,
                "rows_with_candidates": self.rows,
                "suspected": self.suspects if any(verdict.flags_cells for verdict in self.verdicts) else None,
                "rows_with_suspects": self.rows_with_suspects,
            },
            "miners": [
                {"miner": miner, **found, "left_out": self.counts.get(miner, {})}
                for miner, found in self.miners.items()
            ],
            "judges": [self._judge_facts(verdict) for verdict in self.verdicts],
            "curves": {"rank": self._curve_facts(self.by_rank), "margin": self._curve_facts(self.by_margin)},
            "agreement": self.agreement.facts(),
            "quality": None if self.quality is None else self.quality.facts(),
        }

    def _judge_facts(self, verdict: Verdict) -> dict[str, Any]:
        judged, flagged = self.judged[verdict.name]
        facts: dict[str, Any] = {
            "judge": verdict.name,
            "reading": verdict.reading,
            "judged": judged,
            "calibration": verdict.calibration,
            "not_seen": list(verdict.not_seen),
        }
        if verdict.flags_cells:
            low, high = wilson(flagged, judged)
            facts |= {"flagged": flagged, "share": flagged / judged if judged else None, "low": low, "high": high}
        return facts

    def _add_miners(self, cells: Candidates) -> None:
        proposed = {miner: ~np.isnan(cells.column(f"rank.{miner}")) for miner in cells.miners}
        by_how_many = np.sum(list(proposed.values()), axis=0)
        for miner, found in proposed.items():
            total = self.miners.setdefault(miner, {"cells": 0, "only_this_miner": 0, "rows": 0})
            total["cells"] += int(found.sum())
            total["only_this_miner"] += int((found & (by_how_many == 1)).sum())
            total["rows"] += len(np.unique(cells.row[found]))
        for miner, counts in cells.counts.items():
            sums = self.counts.setdefault(miner, {})
            for reason, number in counts.items():
                sums[reason] = sums.get(reason, 0) + number

    def _add_curves(self, cells: Candidates, flags: dict[str, np.ndarray]) -> None:
        margins = np.full(len(cells), np.nan) if self.margin is None else self.margin.values(cells)
        if self._margin_edges is None and np.isfinite(margins).any():
            self._margin_edges = margin_edges(margins)  # of the first block that has any; the ends are open
        for verdict in self.verdicts:
            seen = flags[verdict.name] if verdict.flags_cells else verdict.values(cells)
            for miner in cells.miners:
                key, ranks = (verdict.name, miner), cells.column(f"rank.{miner}")
                by_rank = self.by_rank.setdefault(key, Curve(rank_edges(self.deepest), verdict.flags_cells))
                by_rank.add(ranks, seen)
                if self._margin_edges is None or verdict is self.margin:
                    continue
                by_margin = self.by_margin.setdefault(key, Curve(self._margin_edges, verdict.flags_cells))
                by_margin.add(np.where(np.isnan(ranks), np.nan, margins), seen)

    def _curve_facts(self, curves: dict[tuple[str, str], Curve]) -> list[dict[str, Any]]:
        return [
            {
                "judge": judge,
                "miner": miner,
                "what": "share suspected" if curve.is_share else "mean judge value",
                "points": [point.facts() for point in curve.points()],
            }
            for (judge, miner), curve in curves.items()
        ]
