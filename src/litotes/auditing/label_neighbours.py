r"""What the nearest rows say of a label: shares of classes among them, and who of them speaks against it.

Of the k nearest rows j of i, itself left out, at distances :math:`d_{ij}`:

.. math::
    s_{ic} = \frac{\sum_{j: y_j = c} w_{ij} + \pi_c}{\sum_j w_{ij} + 1}, \qquad
    w_{ij} = \exp(-d_{ij}^2 / d_{ik}^2)

:math:`d_{ik}` is the distance of the farthest of the k, so that weights go from 1 (the same place) to 1/e, whatever the
scale of the data. :math:`\pi_c` is the share of class c in the data: one vote of somebody who does not look, which
tells apart rows whose neighbours are all of one mind.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from litotes.mining.nearest import Neighbours, nearest

__all__ = ["Against", "neighbour_shares", "neighbours_of", "speaking_against"]


class Against(NamedTuple):
    """One of the nearest rows that holds another label: its position, and how far it is."""

    row: int
    distance: float


def neighbour_shares(
    features: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
    k: int = 20,
    reference: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """The shares of the classes among the k nearest rows, float64 ``[n, n_classes]``.

    Args:
        features, labels: numbers ``[n, d]`` and classes ``[n]``.
        reference: numbers and classes of other rows, which are asked instead.

    >>> neighbour_shares(np.array([[0.0], [0.0], [9.0]]), np.array([0, 0, 1]), 2, k=1).round(2).tolist()
    [[0.83, 0.17], [0.83, 0.17], [0.76, 0.24]]
    """
    found = neighbours_of(features, np.arange(len(features)), k, None if reference is None else reference[0])
    theirs = labels if reference is None else reference[1]
    farthest = np.where(found.keep, found.distances, 0.0).max(axis=1, keepdims=True)
    scale = np.where(farthest > 0, farthest, 1.0)
    weights = np.where(found.keep, np.exp(-np.square(np.where(found.keep, found.distances, 0.0) / scale)), 0.0)
    rows = np.broadcast_to(np.arange(len(features))[:, None], weights.shape)
    cells = (rows * n_classes + theirs[found.cols]).ravel()
    weighed = np.bincount(cells, weights=weights.ravel(), minlength=len(features) * n_classes)
    prior = np.bincount(theirs, minlength=n_classes) / len(theirs)
    votes = weighed.reshape(len(features), n_classes) + prior
    return votes / votes.sum(axis=1, keepdims=True)


def neighbours_of(features: np.ndarray, rows: np.ndarray, k: int, reference: np.ndarray | None = None) -> Neighbours:
    """The k nearest of all rows, or of the reference, for some rows; no row is its own neighbour."""
    if reference is not None:
        return nearest(features[rows], reference, k)
    return nearest(features[rows], features, k, own=rows)


def speaking_against(
    found: Neighbours, given: np.ndarray, theirs: np.ndarray, predicted: np.ndarray, most: int = 3
) -> list[list[Against]]:
    """For each row the nearest neighbours with another label; those with the predicted label first.

    Args:
        found: the neighbours of m rows.
        given, predicted: classes of those m rows.
        theirs: classes of the rows that neighbours are taken from.
        most: how many are named.
    """
    against = []
    for cols, distances, keep, own, better in zip(*found, given.tolist(), predicted.tolist(), strict=True):
        others = [
            (theirs[col] != better, place, Against(int(col), float(distance)))
            for place, (col, distance, there) in enumerate(zip(cols, distances, keep, strict=True))
            if there and theirs[col] != own
        ]
        against.append([one for _, _, one in sorted(others)[:most]])
    return against
