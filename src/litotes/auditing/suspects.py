"""The most suspicious cells of a run, found block by block in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from litotes.auditing.verdicts import Verdict
from litotes.core import Candidates

__all__ = ["Suspect", "Suspects"]


@dataclass(frozen=True)
class Suspect:
    """One suspicious cell: positions, how suspicious (larger is more), ranks per miner, values and trust per judge."""

    row: int
    col: int
    suspicion: float
    best_rank: float
    ranks: dict[str, int]
    values: dict[str, float]
    trust: dict[str, float]


class Suspects:
    """Keeps the ``limit`` most suspicious cells.

    Where judges give trust, the smallest trust decides; else how many judges would drop the cell; else the raw value of
    the first judge. Equals are ordered by best rank, row, column.
    """

    def __init__(self, verdicts: list[Verdict], limit: int) -> None:
        self.verdicts, self.limit = verdicts, limit
        self._kept: list[Suspect] = []

    def add(self, cells: Candidates, flags: dict[str, np.ndarray]) -> None:
        """One more block of cells and what each judge says of them."""
        if not self.verdicts:
            return
        suspicion = self._suspicion(cells, flags)
        rank = cells.best_rank
        known = np.flatnonzero(~np.isnan(suspicion))
        order = known[np.lexsort((cells.col[known], cells.row[known], rank[known], -suspicion[known]))][: self.limit]
        table = cells.table.take(order)
        for at, line in zip(order, table.to_pylist(), strict=True):
            named = {kind: _named(line, kind) for kind in ("rank.", "judge.", "trust.")}
            self._kept.append(
                Suspect(
                    line["row"],
                    line["col"],
                    float(suspicion[at]),
                    float(rank[at]),
                    named["rank."],
                    named["judge."],
                    named["trust."],
                )
            )
        self._kept.sort(key=lambda cell: (-cell.suspicion, cell.best_rank, cell.row, cell.col))
        del self._kept[self.limit :]

    def found(self) -> list[Suspect]:
        """The cells, most suspicious first."""
        return list(self._kept)

    def _suspicion(self, cells: Candidates, flags: dict[str, np.ndarray]) -> np.ndarray:
        trusted = [verdict for verdict in self.verdicts if verdict.gives_trust]
        if trusted:
            trust = np.fmin.reduce([cells.column(f"trust.{verdict.name}") for verdict in trusted])
            return np.where(trust < 0.5, 1 - trust, np.nan)
        ruled = [verdict for verdict in self.verdicts if verdict.flags_cells]
        if ruled:
            votes = np.nansum([flags[verdict.name] for verdict in ruled], axis=0)
            return np.where(votes > 0, votes, np.nan)
        return self.verdicts[0].values(cells)


def _named(line: dict[str, float | int | None], prefix: str) -> dict:
    return {
        name.removeprefix(prefix): value
        for name, value in line.items()
        if name.startswith(prefix) and value is not None
    }
