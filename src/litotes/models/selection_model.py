r"""A model of what was put before the annotators, beside one of what is relevant (CET; Cai et al. 2022).

With r relevance, s selection into the pool and l = r s the observed label, rho = P(r = 1) and lambda = P(s = 1):

.. math:: P(r = 1 \mid l = 0) = \frac{\rho (1 - \lambda)}{1 - \lambda \rho}

which in logits is :math:`\mathrm{logit}\,\rho + \log(1 - \lambda)`. An unlabelled document that the pool would surely
have held (lambda near 1) is a reliable negative; one that it would never have held tells little.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from litotes.core import Collection
from litotes.core.checks import check_float
from litotes.core.errors import DataError, LitotesError
from litotes.core.files import make_folder, read_json, write_json
from litotes.models.cell_model import CellModel, cell_scores, load_cell_model

__all__ = [
    "IdenticalInputsWarning",
    "SelectionModel",
    "false_negative_logit",
    "false_negative_posterior",
    "load_selection_model",
    "warn_if_not_identifiable",
]

SELECTION_FILE = "selection.json"


class IdenticalInputsWarning(UserWarning):
    """The selection model sees what the relevance model sees."""


class SelectionModel(CellModel):
    """S: any cell model, with the temperature that makes probabilities of its logits: lambda = sigmoid(o / T).

    Args:
        model: gives the logits o.
        temperature: T of the weights 1 / (1 - lambda) that it was trained with.
    """

    def __init__(self, model: CellModel, *, temperature: float = 10.0) -> None:
        super().__init__()
        self.model = model
        self.temperature = check_float("SelectionModel", "temperature", temperature, above=0.0)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Those of its model."""
        return self.model.inputs

    def forward(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> Float[Tensor, " cells"]:
        """Raw logits o."""
        return self.model(data, rows, cols)

    def probability(self, data: Collection, rows: np.ndarray, cols: np.ndarray, *, batch_size: int = 64) -> np.ndarray:
        """lambda of cells, float64 ``[cells]``. Its order means something; its size only after a calibration."""
        return torch.sigmoid(torch.from_numpy(self.logits(data, rows, cols, batch_size=batch_size))).numpy()

    def logits(self, data: Collection, rows: np.ndarray, cols: np.ndarray, *, batch_size: int = 64) -> np.ndarray:
        """logit lambda = o / T, float64 ``[cells]``."""
        return cell_scores(self.model, data, rows, cols, batch_size=batch_size) / self.temperature

    def prepare(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> None:
        """As its model does."""
        self.model.prepare(data, rows, cols)

    def sizes(self, data: Collection, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """As its model says."""
        return self.model.sizes(data, rows, cols)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """The model as it saves itself, and ``selection.json`` beside it."""
        self.model.save(make_folder(folder))
        write_json(Path(folder) / SELECTION_FILE, {"temperature": self.temperature})

    def fingerprint(self) -> dict[str, str]:
        """Those of its model, and the temperature."""
        return {**self.model.fingerprint(), "temperature": str(self.temperature)}


def load_selection_model(folder: str | os.PathLike[str], *, device: str = "auto") -> SelectionModel:
    """What :meth:`SelectionModel.save` wrote.

    Raises:
        LitotesError: no selection model lies there; the message says where one would be.
    """
    path = Path(folder)
    if not (path / SELECTION_FILE).is_file():
        hint = f" One lies in {path / 'selection'}." if (path / "selection" / SELECTION_FILE).is_file() else ""
        raise LitotesError(f"{path}: no selection model here.{hint} Make one with: litotes train cet DATA --out DIR")
    found = read_json(path / SELECTION_FILE)
    if not isinstance(found, dict) or not isinstance(found.get("temperature"), int | float):
        raise DataError(f"{path / SELECTION_FILE}: no temperature in it; train the model again.")
    return SelectionModel(load_cell_model(path, device=device), temperature=float(found["temperature"])).eval()


def false_negative_posterior(relevance: np.ndarray, selection: np.ndarray) -> np.ndarray:
    """P(r = 1 | l = 0) from rho and lambda, of any one shape; 0 where both are 1, where no label can be missing.

    >>> false_negative_posterior(np.array([0.5, 0.5]), np.array([0.0, 1.0])).tolist()
    [0.5, 0.0]
    """
    rho, lam = np.asarray(relevance, dtype=np.float64), np.asarray(selection, dtype=np.float64)
    missed, unlabelled = rho * (1 - lam), 1 - lam * rho
    return np.divide(missed, unlabelled, out=np.zeros_like(missed), where=unlabelled > 0)


def false_negative_logit(relevance: np.ndarray, selection: np.ndarray) -> np.ndarray:
    """logit P(r = 1 | l = 0) from logit rho and logit lambda: logit rho + log(1 - lambda), finite where they are."""
    return np.asarray(relevance, dtype=np.float64) - np.logaddexp(0.0, np.asarray(selection, dtype=np.float64))


def warn_if_not_identifiable(relevance: CellModel, selection: CellModel) -> None:
    """Warn where the two models look at the same of a cell: nothing then tells relevance from selection."""
    import warnings

    if set(selection.inputs) != set(relevance.inputs):
        return
    warnings.warn(
        f"The selection model sees what the relevance model sees ({', '.join(relevance.inputs)}). The system is then "
        "symmetric: exchanging the two models turns solutions into solutions, and from equal starts without dropout "
        "they stay identical for ever, which weights each negative by the model's own score and so up-weights false "
        "negatives. Give the selection model its own view: selection_model='features' (--selection-model features), "
        "with selection_inputs='lexical' or names of features that differ.",
        IdenticalInputsWarning,
        stacklevel=3,
    )
