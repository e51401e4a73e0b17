"""Training data as sentence-transformers lays it out: training columns only, in the order its losses expect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from litotes.core.candidates import Candidates
from litotes.core.checks import check_choice
from litotes.core.errors import LitotesError, require
from litotes.core.progress import say

if TYPE_CHECKING:
    import datasets

    from litotes.core.collection import Collection

__all__ = ["FORMATS", "candidates_dataset", "pairs_dataset"]

FORMATS = ("triplet", "n-tuple", "labeled-pair", "labeled-list")


def pairs_dataset(data: Collection) -> datasets.Dataset:
    """One line a positive cell whose row and column have text: ``anchor``, ``positive``, ``label = [row, col]``."""
    require("datasets", extra="retrieval")
    import datasets

    rows, cols = _positive_cells(data)
    queries, documents = data.row_texts, data.col_texts
    return datasets.Dataset.from_dict(
        {
            "anchor": [queries[row] for row in rows],
            "positive": [documents[col] for col in cols],
            "label": np.stack([rows, cols], axis=1).tolist(),
        }
    )


def candidates_dataset(
    found: Candidates, format: Literal["triplet", "n-tuple", "labeled-pair", "labeled-list"], data: Collection
) -> datasets.Dataset:
    """The candidates assumed negative beside the observed positives.

    - ``triplet``: anchor, positive, negative; one line a positive and candidate.
    - ``n-tuple``: anchor, positive, negative_1 ... negative_k, k being the most that a row with a positive has
      (``found.top(k)`` first); rows with fewer are left out, and how many is said.
    - ``labeled-pair``: anchor, document, label (1 or 0); a positive is listed once.
    - ``labeled-list``: anchor, documents, labels; one line a row.

    Rows without positives, or whose positives have no text, give no lines.
    """
    check_choice("to_dataset", "format", format, FORMATS)
    require("datasets", extra="retrieval")
    import datasets

    found.check_data(data)
    trained = np.isin(found.row, _positive_cells(data)[0])
    negatives = found.filter((found.assumed < 0) & data.cols_with_content[found.col] & trained)
    if not len(negatives):
        raise LitotesError(
            "There is no candidate to train on: all were filtered out, or have no text, or belong to rows that have "
            "no positive with a text."
        )
    layout = {
        "triplet": _triplets,
        "n-tuple": _tuples,
        "labeled-pair": _labelled_pairs,
        "labeled-list": _labelled_lists,
    }
    return datasets.Dataset.from_dict(layout[format](negatives, data))


def _positive_cells(data: Collection) -> tuple[np.ndarray, np.ndarray]:
    rows, cols = data.labels.positive_cells()
    usable = data.rows_with_content[rows] & data.cols_with_content[cols]
    return rows[usable], cols[usable]


def _by_row(rows: np.ndarray, cols: np.ndarray) -> dict[int, np.ndarray]:
    """Columns of each row, in their order; ``rows`` ascend."""
    found, starts = np.unique(rows, return_index=True)
    return dict(zip(found.tolist(), np.split(cols, starts[1:]), strict=True)) if len(rows) else {}


def _triplets(found: Candidates, data: Collection) -> dict[str, list]:
    queries, documents = data.row_texts, data.col_texts
    negatives = _by_row(found.row, found.col)
    lines = [(row, pos, neg) for row, pos in zip(*_positive_cells(data), strict=True) for neg in negatives.get(row, ())]
    return {
        "anchor": [queries[row] for row, _, _ in lines],
        "positive": [documents[pos] for _, pos, _ in lines],
        "negative": [documents[neg] for _, _, neg in lines],
    }


def _tuples(found: Candidates, data: Collection) -> dict[str, list]:
    queries, documents = data.row_texts, data.col_texts
    negatives = _by_row(found.row, found.col)
    k = max(map(len, negatives.values()))
    lines = [
        (row, pos, negatives[row])
        for row, pos in zip(*_positive_cells(data), strict=True)
        if len(negatives.get(row, ())) == k
    ]
    short = sum(len(cols) < k for cols in negatives.values())
    if short:
        say(f"n-tuple: {short} of {len(negatives)} rows have fewer than {k} candidates and are left out.")
    return {
        "anchor": [queries[row] for row, _, _ in lines],
        "positive": [documents[pos] for _, pos, _ in lines],
        **{f"negative_{i + 1}": [documents[cols[i]] for _, _, cols in lines] for i in range(k)},
    }


def _labelled_pairs(found: Candidates, data: Collection) -> dict[str, list]:
    queries, documents = data.row_texts, data.col_texts
    lines = [
        (row, col, label)
        for row, cols, labels in _labelled_rows(found, data)
        for col, label in zip(cols, labels, strict=True)
    ]
    return {
        "anchor": [queries[row] for row, _, _ in lines],
        "document": [documents[col] for _, col, _ in lines],
        "label": [label for _, _, label in lines],
    }


def _labelled_lists(found: Candidates, data: Collection) -> dict[str, list]:
    queries, documents = data.row_texts, data.col_texts
    rows = _labelled_rows(found, data)
    return {
        "anchor": [queries[row] for row, _, _ in rows],
        "documents": [[documents[col] for col in cols] for _, cols, _ in rows],
        "labels": [labels for _, _, labels in rows],
    }


def _labelled_rows(found: Candidates, data: Collection) -> list[tuple[int, list[int], list[int]]]:
    """Each row that has positives and candidates: its columns, positives first, and their labels."""
    positives, negatives = _by_row(*_positive_cells(data)), _by_row(found.row, found.col)
    return [
        (row, [*positives[row], *cols], [1] * len(positives[row]) + [0] * len(cols))
        for row, cols in negatives.items()
        if row in positives
    ]
