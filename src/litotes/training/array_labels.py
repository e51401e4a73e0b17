"""Labels in memory that no classifier can learn from or be watched on, said in the words of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from litotes.core.errors import ArrayError

__all__ = ["check_labels", "check_watched_labels"]

_SHOWN = 8  # classes that a message lists


def check_labels(owner: str, y: Any) -> None:
    """Refuse missing labels: NaN, None, pandas' NA.

    Raises:
        ArrayError: names the first such row.
    """
    if y is None or np.asarray(y).ndim != 1:  # scikit-learn says what is wrong with those
        return
    values = np.asarray(y)
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
    if values.dtype.kind == "O":
        missing = np.array([value is None or _is_nan(value) for value in values], dtype=bool)
    if missing.any():
        row = int(missing.argmax())
        raise ArrayError(
            f"{owner}: the label of row {row} is {values[row]}; {int(missing.sum()):,} of {len(values):,} rows have no "
            "label. Leave those rows out: X[keep], y[keep]."
        )


def check_watched_labels(owner: str, what: str, y: Any, n_rows: int, classes: np.ndarray) -> np.ndarray:
    """The labels of a set to watch as positions in ``classes``, int64.

    Raises:
        ArrayError: another number of labels than rows, or a label that no training row has.
    """
    check_labels(f"{owner}: {what}", y)
    values = np.asarray(y)
    if values.shape != (n_rows,):
        raise ArrayError(f"{owner}: {what} has {n_rows} rows and labels of shape {values.shape}. Give one label a row.")
    place = {label: number for number, label in enumerate(classes.tolist())}
    found = np.array([place.get(label, -1) for label in values.tolist()], dtype=np.int64)
    if (found < 0).any():
        row = int((found < 0).argmax())
        known = ", ".join(repr(label) for label in classes[:_SHOWN].tolist())
        more = f" and {len(classes) - _SHOWN} more" if len(classes) > _SHOWN else ""
        raise ArrayError(
            f"{owner}: row {row} of {what} has the label {values.tolist()[row]!r}, which no training row has. Classes "
            f"of the training rows: {known}{more}. Leave such rows out of {what}, or add examples of the class to X."
        )
    return found


def _is_nan(value: Any) -> bool:
    try:
        return bool(value != value)
    except TypeError:  # pandas' NA answers neither yes nor no
        return True
