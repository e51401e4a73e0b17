"""Popular negatives: columns that are positives of many rows (Mikolov et al. 2013; Rendle and Freudenthaler 2014).

A column that everybody likes and this row does not have says more than a random one, and a model that never sees
popular columns as negatives learns to recommend them to everybody. The price: they are also the likeliest missing
positives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from litotes.core import Candidates, Collection
from litotes.core.checks import check_choice, check_float, check_int
from litotes.core.seeds import rng, uniform_hash
from litotes.mining.blocks import best_of_blocks
from litotes.mining.exclusion import Allowed, Window, propose, row_positions
from litotes.mining.named import check_name

__all__ = ["PopularityMiner"]


@dataclass(frozen=True)
class PopularityMiner:
    """Columns by the number of rows whose observed positive they are, the row's own positives and twins left out.

    ``draw="top"`` takes the most popular ones, equal counts by column index: nearly the same columns for every row.
    ``draw="sample"`` draws without replacement with probability proportional to ``count ** power``; the score is still
    the count, the rank is the place in the draw. A column that is nobody's positive is proposed by neither.

    Args:
        top: candidates a row; skip: first ones to pass over.
        min_score, max_score: bounds on the count, both included.
        draw: ``"top"`` or ``"sample"``; power: flattens (below 1) or sharpens the sampling; 0.75 is word2vec's.
        seed: another seed, another sample.
        name: what the candidates' columns and the run's folder are called.
    """

    top: int = 50
    skip: int = 0
    min_score: float | None = None
    max_score: float | None = None
    draw: Literal["top", "sample"] = "top"
    power: float = 0.75
    seed: int = 0
    name: str = "popularity"
    kind: ClassVar[str] = "popularity"

    def __post_init__(self) -> None:
        check_name("PopularityMiner", self.name)
        check_choice("PopularityMiner", "draw", self.draw, ["top", "sample"])
        check_float("PopularityMiner", "power", self.power, at_least=0)
        check_int("PopularityMiner", "seed", self.seed)
        self._window()

    def fingerprint(self, data: Collection) -> dict[str, str]:
        """What decides the choice, by part. The counts come from the labels."""
        sampling = {"power": str(self.power), "seed": str(self.seed)} if self.draw == "sample" else {}
        parts = {"miner": self.kind, **self._window().parts(), "draw": self.draw, **sampling}
        return {**parts, "judgements": data.labels.fingerprint}

    def mine(self, data: Collection, rows: np.ndarray | None = None) -> Candidates:
        """Popular columns of ``rows`` (positions; None for all)."""
        rows = row_positions(data, rows)
        counts = np.bincount(data.labels.positive_cells()[1], minlength=data.n_cols).astype(np.float64)
        allowed = Allowed.of(data, rows)
        usable = allowed.usable & (counts > 0)
        below = usable & (counts < (-np.inf if self.min_score is None else self.min_score))
        above = usable & (counts > (np.inf if self.max_score is None else self.max_score))
        score = self._sampled(counts) if self.draw == "sample" else lambda block: np.tile(counts, (len(block), 1))
        within = Allowed(allowed.indptr, allowed.cols, usable & ~below & ~above)
        chosen = best_of_blocks(score, data, rows, within, Window(self.top, self.skip))
        excluded = {"below_min_score": int(below.sum()) * len(rows), "above_max_score": int(above.sum()) * len(rows)}
        popular = chosen.with_scores(counts[chosen.col])
        return propose(popular, rows, self.name, data, {**allowed.counts, **excluded})

    def _window(self) -> Window:
        return Window.checked("PopularityMiner", self.top, self.skip, self.min_score, self.max_score)

    def _sampled(self, counts: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Keys whose order is a weighted draw without replacement: log weight plus Gumbel noise (Efraimidis 2006)."""
        cols = np.arange(len(counts))
        weights = self.power * np.log(np.maximum(counts, 1))
        seed = int(rng(self.seed, "popular columns").integers(2**63))  # training draws from these cells by its own seed

        def keys(rows: np.ndarray) -> np.ndarray:
            uniform = ((uniform_hash(seed, 0, rows[:, None], cols[None, :]) >> np.uint64(12)) + 0.5) / 2.0**52
            return weights - np.log(-np.log(uniform))

        return keys
