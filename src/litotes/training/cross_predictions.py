"""What a classifier predicts for rows that it has not seen: each row by a model of the other folds."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from litotes.core.errors import ArrayError

__all__ = ["cross_predictions"]


def cross_predictions(X: Any, y: np.ndarray, estimator: Any = None, *, folds: int = 5, seed: int = 0) -> np.ndarray:
    """A predicted label for each row, in y's type.

    Folds hold the classes in proportion. A class with fewer rows than folds is missing in some; a fold whose training
    rows are of one class predicts that class.

    Args:
        X, y: numbers ``[n, d]``, dense or CSR, and labels ``[n]``.
        estimator: cloned for every fold; None is a logistic regression on standardised columns (sparse ones as they
            are).
    """
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold

    folds = min(folds, int(np.unique(y, return_counts=True)[1].max()))
    if folds < 2:
        raise ArrayError(
            f"Predictions by cross-validation need two rows of some class. Got {len(y)} rows, all different."
        )
    estimator = _logistic_regression(hasattr(X, "tocsr")) if estimator is None else estimator
    predicted = np.empty_like(y)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        parts = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(len(y)), y))
    for train, test in parts:
        known = np.unique(y[train])
        predicted[test] = known[0] if len(known) == 1 else clone(estimator).fit(X[train], y[train]).predict(X[test])
    return predicted


def _logistic_regression(is_sparse: bool) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    regression = LogisticRegression(max_iter=1000)
    return regression if is_sparse else make_pipeline(StandardScaler(), regression)
