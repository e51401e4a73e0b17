"""F1 of relations, without the negative class: how relation extraction is scored (TACRED, SemEval).

With g gold positives, p predicted ones and c of them right (the same relation): precision c / p, recall c / g, and F1
their harmonic mean. A negative that is predicted negative counts nowhere, so predicting negative throughout gives 0.
Nothing predicted has precision 1 and nothing to find has recall 0, by convention; F1 is 0 in both cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from litotes.core.errors import ArrayError

__all__ = ["RelationChange", "RelationF1", "relation_changes", "relation_f1"]


class RelationF1(NamedTuple):
    """Scores, and the counts they are made of: gold positives, predicted positives, right ones."""

    precision: float
    recall: float
    f1: float
    gold: int
    predicted: int
    right: int


class RelationChange(NamedTuple):
    """One relation before and after: ``change`` is ``improved``, ``declined`` or ``same``."""

    relation: Any
    support: int
    before: float
    after: float
    change: str


def relation_f1(
    labels: Sequence[Any] | np.ndarray, predictions: Sequence[Any] | np.ndarray, negative: Any
) -> RelationF1:
    """Micro-averaged over all classes but ``negative``.

    >>> relation_f1(["no", "born", "died"], ["no", "born", "born"], "no").f1
    0.5
    >>> relation_f1(["no", "born"], ["no", "no"], "no")[:3]
    (1.0, 0.0, 0.0)
    """
    gold, found = _pair(labels, predictions)
    return _scores(gold != negative, found != negative, gold == found)


def relation_changes(
    labels: Sequence[Any] | np.ndarray,
    before: Sequence[Any] | np.ndarray,
    after: Sequence[Any] | np.ndarray,
    negative: Any,
    *,
    within: float = 0.0,
) -> list[RelationChange]:
    """F1 of every relation that has gold examples, under two sets of predictions; the largest gain first.

    Args:
        labels: gold labels ``[n]``.
        before, after: predictions ``[n]`` of the two models.
        negative: left out.
        within: differences up to this count as ``same``.
    """
    gold, first = _pair(labels, before)
    _, second = _pair(labels, after)
    found = []
    for relation in sorted(set(gold.tolist()) - {negative}, key=str):
        is_it = gold == relation
        old, new = (_scores(is_it, guess == relation, is_it & (guess == relation)).f1 for guess in (first, second))
        change = "same" if abs(new - old) <= within else "improved" if new > old else "declined"
        found.append(RelationChange(relation, int(is_it.sum()), old, new, change))
    return sorted(found, key=lambda one: (one.before - one.after, str(one.relation)))


def _scores(is_gold: np.ndarray, is_predicted: np.ndarray, is_same: np.ndarray) -> RelationF1:
    gold, predicted, right = int(is_gold.sum()), int(is_predicted.sum()), int((is_gold & is_predicted & is_same).sum())
    precision = right / predicted if predicted else 1.0
    recall = right / gold if gold else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return RelationF1(precision, recall, f1, gold, predicted, right)


def _pair(labels: Sequence[Any] | np.ndarray, predictions: Sequence[Any] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gold, found = np.asarray(labels), np.asarray(predictions)
    if gold.ndim != 1 or gold.shape != found.shape:
        raise ArrayError(f"Labels and predictions must be of one length [n]. Got {gold.shape} and {found.shape}.")
    return gold, found
