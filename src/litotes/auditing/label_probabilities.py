"""Class probabilities that rows did not help to make: one's own, checked, or those of a cross-validated regression."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from litotes.core.checks import check_int
from litotes.core.errors import ArrayError

__all__ = ["check_pred_probs", "cross_probabilities"]

_SUM = 1e-3  # how far the probabilities of a row may sum from 1: they are often kept in half precision


def check_pred_probs(pred_probs: Any, n_rows: int, n_classes: int) -> np.ndarray:
    """Probabilities as float64 ``[n_rows, n_classes]``, rows summing to 1 exactly.

    Raises:
        ArrayError: another shape, NaN, a number below 0 or above 1, a row that does not sum to 1; the first is named.
    """
    try:
        found = np.asarray(pred_probs, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArrayError("pred_probs holds something that is no number. Give the probability of each class.") from None
    if found.shape != (n_rows, n_classes):
        raise ArrayError(
            f"pred_probs has the shape {found.shape}. Expected ({n_rows}, {n_classes}): a row for each of the "
            f"{n_rows:,} rows, a column for each of the {n_classes:,} classes, in their order."
        )
    checks = [
        (np.isnan(found).any(axis=1), "holds NaN. Leave such rows out, or predict them too."),
        ((found < -_SUM).any(axis=1) | (found > 1 + _SUM).any(axis=1), "holds a number outside of 0 to 1."),
    ]
    for bad, what in checks:
        if bad.any():
            row = int(bad.argmax())
            raise ArrayError(f"pred_probs: row {row} (from 0) {what} {int(bad.sum()):,} of {n_rows:,} rows do.")
    sums = found.sum(axis=1)
    bad = np.abs(sums - 1) > _SUM
    if bad.any():
        row = int(bad.argmax())
        raise ArrayError(
            f"pred_probs: row {row} (from 0) sums to {sums[row]:.4g}, not to 1; {int(bad.sum()):,} of {n_rows:,} rows "
            "do not. Give probabilities, not logits or one-against-rest scores."
        )
    found = np.clip(found, 0.0, 1.0)
    return found / found.sum(axis=1, keepdims=True)


def cross_probabilities(
    features: Any, labels: np.ndarray, n_classes: int, *, folds: int = 5, seed: int = 0, strength: float = 1.0
) -> np.ndarray:
    """Probabilities of each row by a logistic regression of the other folds, float64 ``[n, n_classes]``.

    Folds hold the classes in proportion; a class that a fold's other rows do not have gets 0 there.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    folds = min(check_int("PredProbsDetector", "folds", folds, at_least=2), int(np.bincount(labels).max()))
    if folds < 2:
        raise ArrayError(f"Cross-validation needs two rows of some class. Got {len(labels)} rows, all different.")
    found = np.zeros((len(labels), n_classes))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        warnings.filterwarnings("ignore", message="lbfgs failed to converge")
        parts = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(len(labels)), labels))
        for train, held in parts:
            known = np.unique(labels[train])
            if len(known) == 1:
                found[held, known[0]] = 1.0
                continue
            model = LogisticRegression(C=strength, max_iter=200).fit(features[train], labels[train])
            found[np.ix_(held, model.classes_)] = model.predict_proba(features[held])
    return found
