"""How far two judges say the same of the same cells: shares and Cohen's kappa (Cohen 1960).

kappa = (p_o - p_e) / (1 - p_e), where p_o is the share of cells on which both say the same and p_e what two independent
judges with the same habits would reach.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["Agreement", "kappa"]


class Agreement:
    """The 2 x 2 tables of every pair of judges, gathered block by block."""

    def __init__(self, judges: list[str]) -> None:
        self.judges = judges
        self._tables = np.zeros((len(judges), len(judges), 2, 2), dtype=np.int64)

    def add(self, flags: Mapping[str, np.ndarray]) -> None:
        """``flags``: per judge 1 (suspect), 0 (not) or NaN (did not say), float ``[cells]``."""
        for i, first in enumerate(self.judges):
            for j, second in enumerate(self.judges):
                both = ~np.isnan(flags[first]) & ~np.isnan(flags[second])
                code = (flags[first][both] * 2 + flags[second][both]).astype(np.int64)
                self._tables[i, j] += np.bincount(code, minlength=4).reshape(2, 2)

    def facts(self) -> list[dict[str, Any]]:
        """One entry a pair of different judges: cells both looked at, shares flagged by both, one, none; kappa."""
        found = []
        for i, first in enumerate(self.judges):
            for j in range(i + 1, len(self.judges)):
                table = self._tables[i, j]
                n = int(table.sum())
                shares = {
                    "both_flag": int(table[1, 1]),
                    "only_first": int(table[1, 0]),
                    "only_second": int(table[0, 1]),
                    "neither": int(table[0, 0]),
                }
                found.append({"first": first, "second": self.judges[j], "cells": n, **shares, "kappa": kappa(table)})
        return found


def kappa(table: np.ndarray) -> float | None:
    """Cohen's kappa of a 2 x 2 table of counts; None where it has no meaning (no cells, or one answer only)."""
    n = table.sum()
    if n == 0:
        return None
    observed = np.trace(table) / n
    expected = float((table.sum(0) * table.sum(1)).sum() / (n * n))
    return None if expected >= 1 else float((observed - expected) / (1 - expected))
