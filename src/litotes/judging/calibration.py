r"""From a judge's raw values to trust: logistic regression on cells of known truth.

.. math:: P(\text{positive} \mid x) = \frac{1}{1 + e^{-(w \cdot x + b)}}

(Platt 1999, "Probabilistic outputs for support vector machines", eq. 1, for one or several raw values x.) Trust is the
probability that a cell's assumed label is right: 1 - P where it is taken to be a negative, P where a positive.

A calibration holds for cells like those it was fitted on; it carries their fingerprint and says when others come.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.core.errors import DataError, LitotesError
from litotes.core.files import read_json, write_json
from litotes.core.fingerprint import digest

if TYPE_CHECKING:
    from litotes.core import Collection

__all__ = ["Calibration"]

_FORMAT = 1
_STRENGTH = 100.0  # inverse of the L2 penalty on standardised values; with some, perfect separation stays finite
_FOLDS = 5
_BINS = 10


@dataclass(frozen=True)
class Calibration:
    """A fitted map from raw values to P(cell is positive), with what it was fitted on and how well it did there.

    ``judge`` is the fingerprint of the judge whose values these are. ``log_loss``, ``brier`` and ``bins`` (lower bound
    of P, cells, mean P, share of positives) are of cells held out in folds of whole rows where ``measured`` says so,
    else of the fitted cells themselves. ``is_monotone``: from no bin to the next does the share of positives fall by
    more than two standard errors; it is reported, not enforced.
    """

    features: tuple[str, ...]
    coefficients: tuple[float, ...]
    intercept: float
    judge: Mapping[str, str] = field(default_factory=dict)
    data_name: str = ""
    data_fingerprint: str = ""
    n_cells: int = 0
    n_positives: int = 0
    measured: str = "on the fitted cells"
    log_loss: float | None = None
    brier: float | None = None
    bins: tuple[tuple[float, int, float, float], ...] = ()
    is_monotone: bool = True
    note: str = ""

    def __post_init__(self) -> None:
        numbers = [*self.coefficients, self.intercept]
        if not self.features or len(self.features) != len(self.coefficients) or not np.isfinite(numbers).all():
            raise DataError(
                f"A calibration needs one finite coefficient a feature. Got features {list(self.features)}, "
                f"coefficients {list(self.coefficients)}, intercept {self.intercept}."
            )

    @classmethod
    def fit(
        cls,
        values: np.ndarray,
        is_positive: np.ndarray,
        *,
        features: Sequence[str] = ("value",),
        rows: np.ndarray | None = None,
        data: Collection | None = None,
        judge: Mapping[str, str] | None = None,
        note: str = "",
    ) -> Calibration:
        """Fit on cells of known truth.

        Args:
            values: raw values, float ``[cells]`` or ``[cells, features]``; cells with a NaN are left out.
            is_positive: bool ``[cells]``.
            features: a name for each value.
            rows: the row of each cell, int ``[cells]``; with it, the figures come from cells of held-out rows.
            data: what the cells were taken from; judge: the fingerprint of the judge that gave the values.

        Raises:
            LitotesError: shapes that do not fit, infinite values, no cells, or only one kind of cell.
        """
        values = _as_table(values, len(features))
        truth = np.asarray(is_positive)
        if truth.dtype != bool or truth.shape != (len(values),):
            raise LitotesError(f"is_positive must be {len(values)} booleans. Got {truth.dtype} of shape {truth.shape}.")
        known = ~np.isnan(values).any(axis=1)
        values, truth = values[known], truth[known]
        if np.isinf(values).any():
            raise LitotesError("A calibration cannot be fitted to infinite values.")
        if truth.all() or not truth.any():
            raise LitotesError(
                f"A calibration needs cells of both kinds. Got {int(truth.sum())} positives and {int((~truth).sum())} "
                "others among the cells with a value; judge more cells, or name known ones of the other kind."
            )
        weights, intercept = _regression(values, truth)
        held_out = None if rows is None else _held_out(values, truth, np.asarray(rows)[known])
        chance = _sigmoid(values @ weights + intercept) if held_out is None else held_out
        bins = _bins(chance, truth)
        return cls(
            features=tuple(features),
            coefficients=tuple(weights.tolist()),
            intercept=intercept,
            judge=dict(judge or {}),
            data_name=data.name if data is not None else "",
            data_fingerprint=data.fingerprint if data is not None else "",
            n_cells=len(truth),
            n_positives=int(truth.sum()),
            measured="on the fitted cells" if held_out is None else f"on held-out rows, {_FOLDS} folds",
            log_loss=float(-np.log(np.clip(np.where(truth, chance, 1 - chance), 1e-12, 1)).mean()),
            brier=float(((chance - truth) ** 2).mean()),
            bins=tuple(bins),
            is_monotone=not any(_falls(low, high) for low, high in itertools.pairwise(bins)),
            note=note,
        )

    def apply(self, values: np.ndarray) -> np.ndarray:
        """P(positive) of raw values ``[cells]`` or ``[cells, features]``; float64 ``[cells]``, NaN where one is."""
        return _sigmoid(_as_table(values, len(self.features)) @ np.array(self.coefficients) + self.intercept)

    def trust(self, values: np.ndarray, assumed: np.ndarray) -> np.ndarray:
        """P(the assumed label is right), where ``assumed`` is -1 or +1; float64 ``[cells]``."""
        chance = self.apply(values)
        return np.where(np.asarray(assumed) > 0, chance, 1 - chance)

    def is_foreign(self, data: Collection) -> bool:
        """Whether these are other data than it was fitted on; another part of the same built-in set is not foreign."""
        built_in = data.notes.get("built_in")
        return data.fingerprint != self.data_fingerprint and (built_in is None or built_in != self.data_name)

    def says(self, data: Collection) -> str:
        """In words, whether it holds for ``data``."""
        if data.fingerprint == self.data_fingerprint:
            return "calibrated on these data"
        if self.is_foreign(data):
            return f"calibrated on {self.data_name or 'other data'}, not on your data"
        return f"calibrated on another part of {self.data_name}"

    @property
    def fingerprint(self) -> str:
        """Digest of what decides the probabilities, and of the data they hold for."""
        return digest(self.features, self.coefficients, self.intercept, dict(self.judge), self.data_fingerprint)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write as JSON."""
        write_json(path, {"format": _FORMAT, **asdict(self)})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Calibration:
        """Read what :meth:`save` wrote."""
        return cls.from_dict(read_json(path), Path(path).name)

    @classmethod
    def from_dict(cls, value: Any, origin: str) -> Calibration:
        """The calibration in a JSON object; ``origin`` names it in errors."""
        names = {item.name for item in fields(cls)}
        if not isinstance(value, dict) or value.get("format") != _FORMAT or set(value) - {"format"} != names:
            raise DataError(f"{origin}: not a calibration of format {_FORMAT}; fit one with litotes judge --calibrate.")
        lists = {name: tuple(value[name]) for name in ("features", "coefficients")}
        bins = tuple(tuple(line) for line in value["bins"])
        return cls(**{name: value[name] for name in names} | lists | {"bins": bins})


def _as_table(values: np.ndarray, width: int) -> np.ndarray:
    table = np.asarray(values, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or table.shape[1] != width:
        raise LitotesError(f"Values must be of shape [cells, {width}]. Got {np.shape(values)}.")
    return table


def _regression(values: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and intercept for the values as they come; fitted to standardised ones."""
    from sklearn.linear_model import LogisticRegression

    mean, spread = values.mean(axis=0), values.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    model = LogisticRegression(C=_STRENGTH, max_iter=1000).fit((values - mean) / spread, truth)
    weights = model.coef_[0] / spread
    return weights, float(model.intercept_[0] - weights @ mean)


def _held_out(values: np.ndarray, truth: np.ndarray, rows: np.ndarray) -> np.ndarray | None:
    """P of each cell by a fit that has not seen its row; None where a fold would leave one kind of cell."""
    fold = np.unique(rows, return_inverse=True)[1] % _FOLDS
    chance = np.zeros(len(truth))
    for number in range(_FOLDS):
        seen = fold != number
        if truth[seen].all() or not truth[seen].any():
            return None
        weights, intercept = _regression(values[seen], truth[seen])
        chance[~seen] = _sigmoid(values[~seen] @ weights + intercept)
    return chance


def _falls(low: tuple[float, int, float, float], high: tuple[float, int, float, float]) -> bool:
    """Whether the share of positives is lower in the higher bin by more than chance explains."""
    (_, n, _, p), (_, m, _, q) = low, high
    return p - q > 2 * np.sqrt(p * (1 - p) / n + q * (1 - q) / m)


def _bins(chance: np.ndarray, truth: np.ndarray) -> list[tuple[float, int, float, float]]:
    """Reliability: for each tenth of P that has cells, (lower bound, cells, mean P, share of positives)."""
    place = np.minimum((chance * _BINS).astype(int), _BINS - 1)
    filled = [(number, place == number) for number in range(_BINS)]
    return [
        (number / _BINS, int(inside.sum()), float(chance[inside].mean()), float(truth[inside].mean()))
        for number, inside in filled
        if inside.any()
    ]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), finite for every x."""
    return 0.5 * (1 + np.tanh(0.5 * x))
