"""Wrong class labels on purpose, with the truth at hand: symmetric, by pairs, by a matrix, into one background class.

    symmetric    a share of the rows gets a class drawn uniformly, from the others or (``include_true``) from all C
    pairs        a share of each class c becomes to[c]: the next class, or the one that people confuse it with
    matrix       every row of true class c draws its label from row c of a matrix of shares
    background   a share of the positives becomes the one negative class: false negatives

What is asked for and what comes out differ: where the true class may be drawn again, the share of wrong labels is
rate (C - 1) / C, and a share of n rows is rounded. So each generator also gives the *effective* rate: wrong labels
among all labels. With one seed the rows that are wrong at a smaller rate are wrong at a larger one too, with the same
labels (``matrix_noise`` has no rate, and draws each row by itself).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from litotes.core.checks import check_choice, check_float, check_int
from litotes.core.errors import DataError
from litotes.core.seeds import rng

__all__ = [
    "NoisyLabels",
    "background_noise",
    "human_noise_matrix",
    "matrix_noise",
    "pair_noise",
    "symmetric_noise",
]

_ANNOTATIONS = {
    "worse": "worse_label",
    "aggregate": "aggre_label",
    "random1": "random_label1",
    "random2": "random_label2",
    "random3": "random_label3",
}
_SUM = 1e-6  # how far the shares of a row may sum from 1: matrices are often printed with few digits


class NoisyLabels(NamedTuple):
    """Labels of which a part is wrong.

    Attributes:
        labels: int64 ``[n]``.
        wrong: bool ``[n]``: where ``labels`` differ from the truth.
        rate: the effective rate: the mean of ``wrong``.
    """

    labels: np.ndarray
    wrong: np.ndarray
    rate: float


def symmetric_noise(
    labels: Any,
    rate: float,
    *,
    n_classes: int | None = None,
    include_true: bool = False,
    per_class: bool = False,
    seed: int = 0,
) -> NoisyLabels:
    """``round(rate * n)`` rows get a class that is drawn uniformly.

    Args:
        labels: the truth, whole numbers 0 .. C - 1, ``[n]``.
        rate: the share of rows that are drawn anew.
        n_classes: C; by default the largest label and one.
        include_true: draw from all C classes, so that the effective rate is about ``rate * (C - 1) / C``; otherwise
            from the C - 1 others, so that it is ``rate``.
        per_class: ``round(rate * n_c)`` rows of every class, instead of rows wherever they fall.

    Raises:
        LitotesError: a label that is no class, or a single class, which leaves no other to draw.

    >>> symmetric_noise([0, 1, 2, 0, 1, 2], 0.5, seed=1).rate
    0.5
    """
    owner = "symmetric_noise"
    truth, classes = _truth(owner, labels, n_classes)
    check_float(owner, "rate", rate, at_least=0.0, at_most=1.0)
    check_int(owner, "n_classes", classes, at_least=1 if include_true else 2)
    generator = rng(seed, "symmetric noise")
    groups = truth if per_class else np.zeros(len(truth), dtype=np.int64)
    chosen = _chosen(groups, rate, generator)
    steps = generator.integers(0 if include_true else 1, classes, size=len(truth))
    return _noisy(truth, np.where(chosen, (truth + steps) % classes, truth))


def pair_noise(
    labels: Any,
    rate: float,
    *,
    to: Mapping[int, int] | Sequence[int] | np.ndarray | None = None,
    n_classes: int | None = None,
    seed: int = 0,
) -> NoisyLabels:
    """``round(rate * n_c)`` rows of every class c become class ``to[c]``.

    Args:
        labels: the truth, whole numbers 0 .. C - 1, ``[n]``.
        to: the class that each is mistaken for, an array ``[C]`` or a mapping; a class that the mapping does not name
            keeps its labels. None: the next class, and the first after the last.

    Raises:
        LitotesError: a label or a target that is no class.
    """
    owner = "pair_noise"
    truth, classes = _truth(owner, labels, n_classes)
    check_float(owner, "rate", rate, at_least=0.0, at_most=1.0)
    targets = _targets(to, classes)
    chosen = _chosen(truth, rate, rng(seed, "pair noise"))
    return _noisy(truth, np.where(chosen, targets[truth], truth))


def matrix_noise(labels: Any, matrix: Any, *, seed: int = 0) -> NoisyLabels:
    """Each row of true class c draws its label from ``matrix[c]``, on its own.

    Args:
        labels: the truth, whole numbers 0 .. C - 1, ``[n]``.
        matrix: ``[C, C]``, ``matrix[c, d]``: the share of class c that is labelled d; the rows sum to 1.

    Raises:
        LitotesError: a label that the matrix has no row for.
        DataError: the matrix is not square, holds a negative share, or a row does not sum to 1.
    """
    shares = _shares(matrix)
    truth, _ = _truth("matrix_noise", labels, len(shares))
    drawn = rng(seed, "matrix noise").random(len(truth))
    noisy = np.empty_like(truth)
    for label in np.unique(truth):
        rows, cumulative = truth == label, np.cumsum(shares[label])
        found = np.searchsorted(cumulative / cumulative[-1], drawn[rows], side="right")  # a share of 0 is never drawn
        noisy[rows] = found
    return _noisy(truth, noisy)


def background_noise(labels: Any, rate: float, *, background: int = 0, seed: int = 0) -> NoisyLabels:
    """``round(rate * m)`` of the m positives become the background class; the background itself stays.

    Args:
        labels: the truth, whole numbers 0 .. C - 1, ``[n]``; all classes but ``background`` are positive.
    """
    owner = "background_noise"
    truth, _ = _truth(owner, labels, None)
    check_float(owner, "rate", rate, at_least=0.0, at_most=1.0)
    check_int(owner, "background", background, at_least=0)
    positives = np.flatnonzero(truth != background)
    flipped = rng(seed, "background noise").permutation(positives)[: round(rate * len(positives))]
    noisy = truth.copy()
    noisy[flipped] = background
    return _noisy(truth, noisy)


def human_noise_matrix(path: str | os.PathLike[str], annotation: str = "worse") -> np.ndarray:
    """How people mistook the ten classes of CIFAR-10 (CIFAR-10N): shares, float64 ``[10, 10]``, rows the true class.

    Args:
        path: the file ``cifar10n_labels.npz``, or the folder that it lies in.
        annotation: ``"worse"`` (a wrong label of the three where there is one: 40.2 % wrong), ``"aggregate"`` (the
            majority: 9.0 %), ``"random1"``, ``"random2"``, ``"random3"`` (one annotator each: 17.2 to 18.1 %).

    Raises:
        DataError: there is no such file, or it does not hold these labels.
    """
    column = _ANNOTATIONS[check_choice("human_noise_matrix", "annotation", annotation, _ANNOTATIONS)]
    file = Path(path)
    file = file / "cifar10n_labels.npz" if file.is_dir() else file
    try:
        with np.load(file) as arrays:
            truth, given = (np.asarray(arrays[name], dtype=np.int64) for name in ("clean_label", column))
    except FileNotFoundError:
        raise DataError(f"{file}: no such file. It is cifar10n_labels.npz of the public set cifar10n-labels.") from None
    except (KeyError, ValueError, OSError, AttributeError, TypeError) as error:
        raise DataError(f"{file}: does not hold the labels of CIFAR-10N ({str(error).splitlines()[0]}).") from None
    counts = np.bincount(truth * 10 + given, minlength=100).reshape(10, 10)
    return counts / counts.sum(axis=1, keepdims=True)


def _noisy(truth: np.ndarray, noisy: np.ndarray) -> NoisyLabels:
    wrong = noisy != truth
    return NoisyLabels(noisy, wrong, float(wrong.mean()))


def _chosen(groups: np.ndarray, rate: float, generator: np.random.Generator) -> np.ndarray:
    """True for ``round(rate * n_g)`` rows of each group g: its first ones in one order of all rows."""
    order = generator.permutation(len(groups))
    chosen = np.zeros(len(groups), dtype=bool)
    for group in np.unique(groups):
        rows = order[groups[order] == group]
        chosen[rows[: round(rate * len(rows))]] = True
    return chosen


def _truth(owner: str, labels: Any, n_classes: int | None) -> tuple[np.ndarray, int]:
    """The labels as int64, and the number of classes."""
    given = np.asarray(labels)
    if given.ndim != 1 or not len(given):
        raise DataError(f"{owner} takes a list of labels, one a row. Got an array of shape {given.shape}.")
    if given.dtype.kind not in "iub":
        bad = given[np.isnan(given)] if given.dtype.kind == "f" else given[:1]
        what = f"{bad[0]!r}" if len(bad) else f"labels of type {given.dtype}"
        raise DataError(f"{owner} takes whole numbers 0, 1, ... as labels. Got {what}. Number the classes first.")
    truth = given.astype(np.int64)
    classes = int(truth.max()) + 1 if n_classes is None else check_int(owner, "n_classes", n_classes, at_least=1)
    outside = np.flatnonzero((truth < 0) | (truth >= classes))
    if len(outside):
        row = int(outside[0])
        raise DataError(f"{owner}: the label {truth[row]} of row {row} is none of the classes 0 to {classes - 1}.")
    return truth, classes


def _targets(to: Mapping[int, int] | Sequence[int] | np.ndarray | None, classes: int) -> np.ndarray:
    """The class that each one becomes, int64 ``[C]``; itself where nothing is said."""
    targets = np.arange(classes)
    if to is None:
        return (targets + 1) % classes
    if not isinstance(to, Mapping) and len(to) != classes:
        raise DataError(f"pair_noise: 'to' names {len(to)} classes, and there are {classes}. Give one for each.")
    for label, target in to.items() if isinstance(to, Mapping) else enumerate(to):
        check_int("pair_noise", "to", label, at_least=0, at_most=classes - 1)
        targets[label] = check_int("pair_noise", "to", target, at_least=0)
    return targets


def _shares(matrix: Any) -> np.ndarray:
    shares = np.asarray(matrix, dtype=np.float64)
    if shares.ndim != 2 or shares.shape[0] != shares.shape[1] or not len(shares):
        raise DataError(f"matrix_noise takes a square matrix, a row for each class. Got the shape {shares.shape}.")
    bad = np.flatnonzero(~((shares >= 0).all(axis=1) & (np.abs(shares.sum(axis=1) - 1) <= _SUM)))  # NaN is bad too
    if len(bad):
        row = int(bad[0])
        raise DataError(
            f"matrix_noise: row {row} of the matrix sums to {shares[row].sum():.6g}, with {shares[row].min():.6g} as "
            "its smallest share. The shares of a class are at least 0 and sum to 1."
        )
    return shares
