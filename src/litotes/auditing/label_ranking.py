r"""One order out of several detectors, and from where on a label is called an issue.

Of the shares :math:`s^{(d)}_{ic}` that detectors d give class c of row i, the combination is their geometric mean, made
to sum to 1 over the classes, and the score is what the given label :math:`y_i` has, less a quarter of what its best
rival has:

.. math::
    P_{ic} \propto \exp \operatorname{mean}_d \log(s^{(d)}_{ic} + 10^{-3}), \qquad
    \mathrm{score}_i = \tfrac45 \bigl(P_{iy_i} + \tfrac14 - \tfrac14 \max_{c \ne y_i} P_{ic}\bigr)

The default asks two detectors that see different things, the memory of early learning and the nearest rows. The pair,
their options, the mean and the quarter were fixed on a few draws of noise in TREC-6 and scikit-learn's digits, before
anything was measured on other data. A product trusts whoever says a clear no. The rival tells a label that is mistaken
for another from one that is merely uncertain; it matters where noise goes from class to class, and does harm where it
goes everywhere, so that a small part of it is taken.

A label is an *issue* where another class has the largest P, at least as large as that class has, on average, among the
rows that carry it: the rule of confident learning (Northcutt et al. 2021). It needs no rate of noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from litotes.auditing.label_detectors import LabelScores

__all__ = ["DEFAULT", "Ranking", "combined", "is_issue", "ranked"]

DEFAULT = ("elr", "neighbours")
_FLOOR = 1e-3  # no detector alone can rule a class out
_RIVAL = 0.25


class Ranking(NamedTuple):
    """The verdict on n labels.

    Attributes:
        score: float64 ``[n]`` in [0, 1], low where the label is suspicious.
        predicted: int64 ``[n]``.
        issue: bool ``[n]``.
        shares: float64 ``[n, classes]``, rows sum to 1.
    """

    score: np.ndarray
    predicted: np.ndarray
    issue: np.ndarray
    shares: np.ndarray

    @property
    def order(self) -> np.ndarray:
        """Rows, the most suspicious first; of equal scores issues first, then by position."""
        return np.lexsort((np.arange(len(self.score)), ~self.issue, self.score))


def ranked(found: Sequence[LabelScores], labels: np.ndarray) -> Ranking:
    """The order of one detector by its own score, or that of several by their combination."""
    if len(found) == 1:
        shares = found[0].shares.astype(np.float64)
        return Ranking(found[0].score, found[0].predicted, is_issue(shares, labels), shares)
    shares = combined([each.shares for each in found])
    return Ranking(_less_rival(shares, labels), shares.argmax(axis=1), is_issue(shares, labels), shares)


def combined(shares: Sequence[np.ndarray]) -> np.ndarray:
    """The geometric mean of several detectors' shares, rows summing to 1; float64 ``[n, classes]``.

    >>> combined([np.array([[0.9, 0.1]]), np.array([[0.5, 0.5]])]).round(2).tolist()
    [[0.75, 0.25]]
    """
    mean = np.exp(np.mean([np.log(each.astype(np.float64) + _FLOOR) for each in shares], axis=0))
    return mean / mean.sum(axis=1, keepdims=True)


def is_issue(shares: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Where another class is the likeliest, and as likely as that class usually is for its own rows; bool ``[n]``."""
    n_classes = shares.shape[1]
    rows, predicted = np.arange(len(labels)), shares.argmax(axis=1)
    own = shares[rows, labels]
    counts = np.bincount(labels, minlength=n_classes)
    usual = np.bincount(labels, weights=own, minlength=n_classes) / np.maximum(counts, 1)
    return (predicted != labels) & (shares[rows, predicted] >= usual[predicted])


def _less_rival(shares: np.ndarray, labels: np.ndarray) -> np.ndarray:
    rows, others = np.arange(len(labels)), shares.copy()
    others[rows, labels] = -1.0
    found = (shares[rows, labels] + _RIVAL - _RIVAL * others.max(axis=1)) / (1 + _RIVAL)
    return np.clip(found, 0.0, 1.0)
