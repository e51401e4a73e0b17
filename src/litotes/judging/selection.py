r"""Whether an unlabelled document would have been put before an annotator, by a trained selection model (CET).

``judge.<name>`` is lambda = sigmoid(o / T). It is no trust: a document that nobody would have looked at may be relevant
or not. Trust needs the relevance model beside it, and a calibration on cells of known truth:

.. math:: \mathrm{trust} = 1 - \frac{\rho (1 - \lambda)}{1 - \lambda \rho}

is what the two models say of a cell that is taken to be a negative, were their probabilities right. Both are trained on
pairs, which leaves their level and scale open; so the calibration is fitted to the logit of that fraction.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from litotes.core import Candidates, Collection
from litotes.core.checks import check_int
from litotes.core.errors import LitotesError
from litotes.mining.named import check_name
from litotes.models.cell_model import CellModel, cell_scores, load_cell_model
from litotes.models.selection_model import SELECTION_FILE, false_negative_logit, load_selection_model

__all__ = ["SelectionJudge"]


class SelectionJudge:
    """``judge.<name>`` is lambda, the probability that the document would have been selected; null without texts.

    Args:
        model: the folder that ``litotes train cet`` made. Its part ``selection`` alone gives lambda, and cannot be
            calibrated.
        batch_size: cells scored at once.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        name: what the columns are called.

    Raises:
        LitotesError: no selection model lies there.
    """

    kind = "selection"

    def __init__(self, model: str, batch_size: int = 64, device: str = "auto", name: str = "selection") -> None:
        self.name = check_name("SelectionJudge", name)
        self.batch_size = check_int("SelectionJudge", "batch_size", batch_size, at_least=1)
        self.model, self.device = os.fspath(model), device
        folder = Path(model)
        is_whole = (folder / "selection" / SELECTION_FILE).is_file()
        self.selection = load_selection_model(folder / "selection" if is_whole else folder, device=device)
        self.relevance: CellModel | None = load_cell_model(folder, device=device).eval() if is_whole else None
        self._parts: dict[str, str] | None = None

    def judge(self, candidates: Candidates, data: Collection) -> Candidates:
        """The candidates with the column ``judge.<name>``; none is dropped.

        Raises:
            StaleError: the candidates were made from other data.
        """
        candidates.check_data(data)
        logits = self._logits(self.selection, candidates, data) / self.selection.temperature
        return candidates.with_columns({f"judge.{self.name}": 0.5 * (1 + np.tanh(0.5 * logits))})

    def to_calibrate(self, found: Candidates, data: Collection) -> np.ndarray:
        """logit of rho (1 - lambda) / (1 - lambda rho), which a calibration turns into trust; float64 ``[cells]``.

        Raises:
            LitotesError: the relevance model is not at hand.
        """
        if self.relevance is None:
            raise LitotesError(
                f"{self.model} is a selection model alone; its trust needs the relevance model beside it. Name the "
                "folder above, which litotes train cet made."
            )
        T = self.selection.temperature
        lam, rho = (self._logits(model, found, data) / T for model in (self.selection, self.relevance))
        return false_negative_logit(rho, lam)

    def fingerprint(self) -> dict[str, str]:
        """What decides the columns, by part."""
        if self._parts is None:
            parts = {f"selection {part}": of for part, of in self.selection.fingerprint().items()}
            if self.relevance is not None:
                parts |= {f"relevance {part}": of for part, of in self.relevance.fingerprint().items()}
            self._parts = {"judge": self.kind, **parts}
        return self._parts

    def _logits(self, model: Any, cells: Candidates, data: Collection) -> np.ndarray:
        """Raw logits, NaN where a side has no text."""
        found = np.full(len(cells), np.nan)
        there = data.rows_with_content[cells.row] & data.cols_with_content[cells.col]
        rows, cols = cells.row[there], cells.col[there]
        found[there] = cell_scores(model, data, rows, cols, batch_size=self.batch_size)
        return found
