"""Noise on purpose: a share of the positives of a retrieval set is replaced by random documents.

What a noisy crawl of (query, positive) pairs looks like to a trainer, with the truth at hand: which judgement is wrong,
and which document was right. Used to ask of a filter or a loss what it is worth where a known share of pairs is noise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from litotes.core import Collection
from litotes.core.checks import check_float
from litotes.core.errors import DataError
from litotes.core.seeds import rng

__all__ = ["NoisyPositives", "noisy_positives"]

_TRIES = 200


class NoisyPositives(NamedTuple):
    """A collection with wrong positives.

    Attributes:
        data: the same texts under other labels.
        taken: the positives that were taken away; int64 ``[cells, 2]``, row and column.
        put: the random document that each was replaced by; int64 ``[cells, 2]``.
        rate: the effective share of noise: wrong positives among all positives with texts, after replacing.
    """

    data: Collection
    taken: np.ndarray
    put: np.ndarray
    rate: float


def noisy_positives(data: Collection, share: float, seed: int = 0) -> NoisyPositives:
    """Replace ``round(share * n)`` of the n positives with texts on both sides; the same seed, the same noise.

    A random document is never one that was judged for the query before, nor a text twin of one of its positives, so
    each replacement is wrong as far as the labels know. The number of positives stays, and so do their grades.

    Raises:
        DataError: a query has been judged against so many documents that no other one is left for it.
    """
    check_float("noisy_positives", "share", share, at_least=0.0, at_most=1.0)
    rows, cols = data.labels.positive_cells()
    there = data.rows_with_content[rows] & data.cols_with_content[cols]
    rows, cols = rows[there], cols[there]
    generator = rng(seed, "noisy positives")
    chosen = np.sort(generator.permutation(len(rows))[: round(share * len(rows))])
    taken = np.stack([rows[chosen], cols[chosen]], axis=1)
    put = np.stack([taken[:, 0], _free_documents(data, taken[:, 0], generator)], axis=1)
    grades = data.labels.grades_at(*taken.T)
    labels = data.labels.without_cells(*taken.T).with_cells(*put.T, grades)
    return NoisyPositives(data.with_labels(labels), taken, put, len(put) / max(len(rows), 1))


def _free_documents(data: Collection, rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """For each entry of ``rows`` a document with a text, unjudged, no twin of a positive, no document twice a row."""
    usable = np.flatnonzero(data.cols_with_content)
    found = np.full(len(rows), -1, dtype=np.int64)
    for _ in range(_TRIES):
        settled, waiting = np.flatnonzero(found >= 0), np.flatnonzero(found < 0)
        if not len(waiting):
            return found
        of, drawn = rows[waiting], usable[generator.integers(len(usable), size=len(waiting))]
        keys = np.concatenate([rows[settled] * data.n_cols + found[settled], of * data.n_cols + drawn])
        is_new = np.zeros(len(keys), dtype=bool)
        is_new[np.unique(keys, return_index=True)[1]] = True  # the first of equal keys: what is settled comes first
        right = is_new[len(settled) :] & ~data.is_positive(of, drawn) & ~data.labels.is_observed(of, drawn)
        found[waiting[right]] = drawn[right]
    row = data.row_ids[int(rows[np.flatnonzero(found < 0)[0]])]
    raise DataError(f"The query {row!r} has hardly a document left that it was not judged against. Lower the share.")
