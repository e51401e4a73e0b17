"""Which labels the nearest neighbours speak against: Parekh et al. 2023 (arXiv 2311.12298), as Litotes reads it.

Labels are class codes; one of them, the negative class, is huge and full of positives that nobody marked.

- *Intrinsic*: positives are taken to be right. A positive that its own model predicts negative lies among negatives
  that look like it; its k nearest negatives are flagged. The positives that selected a negative vote on its new label.
- *Extrinsic*: a clean set is at hand. An example is flagged when more than half of its k nearest clean examples hold
  another label; a label held by more than half of them is the new one, so what gets a new label is a part of what is
  flagged.

The paper's selection code was never published; the vote rules are this project's reading, and options::

    majority   intrinsic: most votes, then the smallest distance, then the lowest label; extrinsic: more than half
    unanimous  a new label only where all voters agree
    nearest    the label of the closest voter
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from litotes.core.checks import check_choice, check_float, check_int
from litotes.core.errors import ArrayError
from litotes.mining.cell_distances import as_rows
from litotes.mining.nearest import nearest

__all__ = ["NeighbourFlags", "Vote", "Votes", "extrinsic_flags", "false_negatives", "intrinsic_flags"]

Vote = Literal["majority", "unanimous", "nearest"]
VOTES = ("majority", "unanimous", "nearest")


class Votes(NamedTuple):
    """Who spoke about whom, one line a vote, by example and then nearest first.

    Attributes:
        row: the example spoken about, int64 ``[votes]``.
        by: the voter, int64 ``[votes]``: intrinsic a row of the same set, extrinsic a row of the clean one.
        label: what the voter holds, int64 ``[votes]``.
        distance: float64 ``[votes]``.
    """

    row: np.ndarray
    by: np.ndarray
    label: np.ndarray
    distance: np.ndarray


@dataclass(frozen=True)
class NeighbourFlags:
    """What a strategy thinks of n examples.

    Attributes:
        flagged: bool ``[n]``, what elimination removes.
        new_label: int64 ``[n]``, what reannotation writes; -1 where it writes nothing (not examined, not flagged, or
            flagged without a label that the vote rule lets win).
        examined: bool ``[n]``, what could have been flagged.
        votes: on what grounds.
        false_negatives: the positives predicted negative, ascending; None for the extrinsic strategy.
    """

    flagged: np.ndarray
    new_label: np.ndarray
    examined: np.ndarray
    votes: Votes
    false_negatives: np.ndarray | None = None

    @property
    def rows(self) -> np.ndarray:
        """The flagged examples, ascending; int64."""
        return np.flatnonzero(self.flagged)


def false_negatives(labels: Any, predictions: Any, *, negative: int = 0) -> np.ndarray:
    """The positives that are predicted negative, ascending; int64.

    >>> false_negatives([0, 1, 2, 0], [0, 0, 2, 1])
    array([1])
    """
    labels, predictions = _codes(labels, "labels"), _codes(predictions, "predictions")
    if len(labels) != len(predictions):
        raise ArrayError(f"There are {len(predictions)} predictions for {len(labels)} labels.")
    return np.flatnonzero((labels != negative) & (predictions == negative))


def intrinsic_flags(
    vectors: Any,
    labels: Any,
    predictions: Any,
    k: int = 3,
    *,
    negative: int = 0,
    vote: Vote = "majority",
    metric: str = "euclidean",
    max_distance: float | None = None,
    chunk: int | None = None,
) -> NeighbourFlags:
    """The negatives nearest to the false negatives; nobody else's labels are needed.

    Args:
        vectors: ``[n, width]``, from a model trained on these labels; see :func:`litotes.mining.nearest.nearest`.
        labels: class codes ``[n]``.
        predictions: class codes ``[n]``. A model that has memorised its labels has no false negatives: take those of an
            early epoch or of cross-validation.
        k: neighbours of each false negative.
        negative: the code of the negative class.
        vote: how a flagged negative gets its new label.
        max_distance: neighbours farther away are not selected.
        chunk: false negatives looked at together; changes memory and nothing else.
    """
    _check_options("intrinsic_flags", k, vote, max_distance)
    vectors, labels = _labelled(vectors, labels, "vectors", "labels")
    asked = false_negatives(labels, predictions, negative=negative)
    negatives = np.flatnonzero(labels == negative)
    found = nearest(vectors[asked], vectors[negatives], k, metric=metric, chunk=chunk)
    found = found.within(max_distance)
    place, rank = np.nonzero(found.keep)
    voters = asked[place]
    votes = _sorted(negatives[found.cols[place, rank]], voters, labels[voters], found.distances[place, rank])
    flagged, new_label = np.zeros(len(labels), dtype=bool), np.full(len(labels), -1, dtype=np.int64)
    flagged[votes.row] = True
    rows, winners = _winners(votes, vote)
    new_label[rows] = winners
    return NeighbourFlags(flagged, new_label, labels == negative, votes, asked)


def extrinsic_flags(
    vectors: Any,
    labels: Any,
    clean_vectors: Any,
    clean_labels: Any,
    k: int = 3,
    *,
    negative: int | None = 0,
    with_positives: bool = False,
    vote: Vote = "majority",
    metric: str = "euclidean",
    max_distance: float | None = None,
    chunk: int | None = None,
) -> NeighbourFlags:
    """The examples that most of their nearest clean examples speak against.

    Args:
        vectors, labels: the set to be cleaned, ``[n, width]`` and class codes ``[n]``.
        clean_vectors, clean_labels: examples whose labels are known to be right, none of which is in the set.
        k: neighbours of each example; where fewer are at hand, more than half of those.
        negative: the code of the negative class, whose members are examined; None examines every example.
        with_positives: examine the others too; one of them may get another positive label, or the negative one.
        vote: how a flagged example gets its new label; it does not change what is flagged.
        max_distance: clean examples farther away do not vote.
        chunk: examples looked at together; changes memory and nothing else.
    """
    _check_options("extrinsic_flags", k, vote, max_distance)
    vectors, labels = _labelled(vectors, labels, "vectors", "labels")
    clean_vectors, clean_labels = _labelled(clean_vectors, clean_labels, "clean vectors", "clean labels")
    examined = np.ones(len(labels), dtype=bool) if negative is None or with_positives else labels == negative
    asked = np.flatnonzero(examined)
    found = nearest(vectors[asked], clean_vectors, k, metric=metric, chunk=chunk).within(max_distance)
    place, rank = np.nonzero(found.keep)
    by = found.cols[place, rank]
    votes = _sorted(asked[place], by, clean_labels[by], found.distances[place, rank])
    voters = np.bincount(votes.row, minlength=len(labels))
    against = np.bincount(votes.row[votes.label != labels[votes.row]], minlength=len(labels))
    flagged = 2 * against > voters
    new_label = np.full(len(labels), -1, dtype=np.int64)
    rows, winners = _winners(votes, vote, more_than_half=True)
    new_label[rows] = winners
    new_label[~flagged | (new_label == labels)] = -1
    return NeighbourFlags(flagged, new_label, examined, votes)


def _winners(votes: Votes, rule: Vote, more_than_half: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The examples that get a label by the rule, and the label."""
    rows, first, voters = np.unique(votes.row, return_index=True, return_counts=True)
    if rule == "nearest":
        return rows, votes.label[first]
    order = np.lexsort((votes.label, votes.row))
    row, label, distance = votes.row[order], votes.label[order], votes.distance[order]
    is_first = np.r_[True, (row[1:] != row[:-1]) | (label[1:] != label[:-1])][: len(row)]
    starts = np.flatnonzero(is_first)
    counts = np.diff(np.append(starts, len(row)))
    closest = np.minimum.reduceat(distance, starts) if len(starts) else distance
    row, label = row[starts], label[starts]
    best = np.lexsort((label, closest, -counts, row))
    best = best[np.unique(row[best], return_index=True)[1]]
    wins = np.ones(len(best), dtype=bool)
    if rule == "unanimous":
        wins = counts[best] == voters
    elif more_than_half:
        wins = 2 * counts[best] > voters
    return row[best][wins], label[best][wins]


def _sorted(row: np.ndarray, by: np.ndarray, label: np.ndarray, distance: np.ndarray) -> Votes:
    order = np.lexsort((by, distance, row))
    return Votes(row[order], by[order], label[order], distance[order])


def _check_options(owner: str, k: int, vote: Any, max_distance: float | None) -> None:
    check_int(owner, "k", k, at_least=1)
    check_choice(owner, "vote", vote, VOTES)
    if max_distance is not None:
        check_float(owner, "max_distance", max_distance, at_least=0.0)


def _labelled(vectors: Any, labels: Any, name: str, labels_name: str) -> tuple[Any, np.ndarray]:
    rows, codes = as_rows(vectors, name), _codes(labels, labels_name)
    if rows.shape[0] != len(codes):
        raise ArrayError(f"There are {rows.shape[0]} {name} and {len(codes)} {labels_name}.")
    return rows, codes


def _codes(labels: Any, name: str) -> np.ndarray:
    """Class codes, int64 ``[n]``, none below 0."""
    labels = np.asarray(labels.detach().cpu() if hasattr(labels, "detach") else labels)
    if labels.ndim != 1 or (labels.dtype.kind not in "iu" and len(labels)):
        raise ArrayError(f"The {name} must be class codes of shape [n]. Got {labels.dtype} of shape {labels.shape}.")
    labels = labels.astype(np.int64)
    if labels.min(initial=0) < 0:
        row = int(np.flatnonzero(labels < 0)[0])
        raise ArrayError(f"The {name} must be class codes from 0 on. Row {row} (from 0) holds {labels[row]}.")
    return labels
