"""Where a classifier with a huge negative class goes wrong: is the noise in the negatives? Parekh et al. 2023, part 1.

Errors are of three kinds: *false negatives* (positives predicted negative), *false positives* (negatives predicted
positive) and *confusions* (one positive class for another). The share of errors that involve the negative class says
where to look; the same counts by attributes of the examples say which ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from litotes.core.errors import ArrayError

__all__ = ["ErrorCounts", "ErrorReport", "changed_labels", "error_report"]

_BINS = 4


@dataclass(frozen=True)
class ErrorCounts:
    """How many examples, and how many of each kind of error.

    Attributes:
        value: what these examples have in common, in words; empty for all.
    """

    examples: int
    positives: int
    false_negatives: int
    false_positives: int
    confusions: int
    value: str = ""

    @property
    def errors(self) -> int:
        """All three kinds."""
        return self.false_negatives + self.false_positives + self.confusions

    @property
    def share_with_negative(self) -> float | None:
        """The share of errors that involve the negative class; None without errors."""
        return (self.false_negatives + self.false_positives) / self.errors if self.errors else None

    @property
    def error_rate(self) -> float | None:
        """Errors an example; None without examples."""
        return self.errors / self.examples if self.examples else None

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        counts = {"examples": self.examples, "positives": self.positives, "false_negatives": self.false_negatives}
        counts |= {"false_positives": self.false_positives, "confusions": self.confusions, "errors": self.errors}
        return {"value": self.value, **counts, "share_with_negative": self.share_with_negative}


@dataclass(frozen=True)
class ErrorReport:
    """The counts of a set.

    Attributes:
        counts: of all.
        by_attribute: by the name of the attribute, one entry a value or stretch of values, in their order.
        wrong_labels: where the truth is known, ``changed_labels`` of it.
    """

    counts: ErrorCounts
    by_attribute: dict[str, list[ErrorCounts]] = field(default_factory=dict)
    wrong_labels: dict[Any, dict[str, Any]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        by = {name: [one.to_dict() for one in counts] for name, counts in self.by_attribute.items()}
        wrong = {str(label): found for label, found in self.wrong_labels.items()}
        return {"counts": self.counts.to_dict(), "by_attribute": by, "wrong_labels": wrong}


def error_report(
    labels: Any,
    predictions: Any,
    negative: Any,
    *,
    attributes: Mapping[str, Sequence[Any]] | None = None,
    reference: Any = None,
) -> ErrorReport:
    """Characterise the errors of one model on one set; call it for every split and for two models at least.

    Args:
        labels: as given, ``[n]``.
        predictions: of a model that has not memorised them, ``[n]``.
        negative: the label of the negative class.
        attributes: by name, a value an example: numbers with more than a handful of values are cut at their quartiles,
            a missing one is None or NaN; see :func:`litotes.auditing.sentence_attributes.sentence_attributes`.
        reference: labels by somebody who looked again, ``[n]``, None where nobody did.
    """
    given, guess = np.asarray(labels, dtype=object), np.asarray(predictions, dtype=object)
    if given.ndim != 1 or given.shape != guess.shape:
        raise ArrayError(f"Labels and predictions must be of one length [n]. Got {given.shape} and {guess.shape}.")
    by = {}
    for name, values in (attributes or {}).items():
        if len(values) != len(given):
            raise ArrayError(f"The attribute {name!r} has {len(values)} values for {len(given)} examples.")
        by[name] = [_counts(given[rows], guess[rows], negative, value) for value, rows in _groups(values)]
    wrong = {} if reference is None else changed_labels(given, reference)
    return ErrorReport(_counts(given, guess, negative), by, wrong)


def changed_labels(labels: Any, reference: Any) -> dict[Any, dict[str, Any]]:
    """What became of each class when somebody looked again.

    Returns:
        By given label, the most changed first: ``examples`` that were looked at, ``changed``, ``share``, and ``to``,
        the new labels by how often they were given.

    >>> changed_labels(["no", "no", "born"], ["no", "born", "born"])["no"]
    {'examples': 2, 'changed': 1, 'share': 0.5, 'to': {'born': 1}}
    """
    given, truth = np.asarray(labels, dtype=object), np.asarray(reference, dtype=object)
    if given.shape != truth.shape:
        raise ArrayError(f"Labels and reference must be of one length. Got {given.shape} and {truth.shape}.")
    seen = np.array([not _is_missing(value) for value in truth], dtype=bool)
    found: dict[Any, dict[str, Any]] = {}
    for label in sorted(set(given[seen].tolist()), key=str):
        new = truth[seen & (given == label)]
        changed = [value for value in new.tolist() if value != label]
        to = {value: changed.count(value) for value in sorted(set(changed), key=lambda v: (-changed.count(v), str(v)))}
        found[label] = {"examples": len(new), "changed": len(changed), "share": len(changed) / len(new), "to": to}
    return dict(sorted(found.items(), key=lambda item: (-item[1]["share"], str(item[0]))))


def _counts(given: np.ndarray, guess: np.ndarray, negative: Any, value: str = "") -> ErrorCounts:
    is_positive, says_positive = given != negative, guess != negative
    return ErrorCounts(
        examples=len(given),
        positives=int(is_positive.sum()),
        false_negatives=int((is_positive & ~says_positive).sum()),
        false_positives=int((~is_positive & says_positive).sum()),
        confusions=int((is_positive & says_positive & (given != guess)).sum()),
        value=value,
    )


def _groups(values: Sequence[Any]) -> list[tuple[str, np.ndarray]]:
    """The values in words, and the rows of each: quartiles of many numbers, else each value."""
    column = np.asarray(values, dtype=object)
    missing = np.array([_is_missing(value) for value in column], dtype=bool)
    there = column[~missing].tolist()
    groups = [("missing", np.flatnonzero(missing))] if missing.any() else []
    numbers = all(isinstance(value, int | float | np.number) and not isinstance(value, bool) for value in there)
    if not numbers or len(set(there)) <= 2 * _BINS:
        kinds = sorted(set(there), key=(lambda v: v) if numbers else str)
        return [(f"{kind:g}" if numbers else str(kind), np.flatnonzero(column == kind)) for kind in kinds] + groups
    known = np.array([np.nan if gone else float(value) for value, gone in zip(column, missing, strict=True)])
    edges = np.unique(np.quantile(known[~missing], np.linspace(0, 1, _BINS + 1)))
    bins = np.clip(np.searchsorted(edges, known, side="right") - 1, 0, len(edges) - 2)
    cut = []
    for place, (low, high) in enumerate(pairwise(edges)):
        last = place == len(edges) - 2
        cut.append((f"{low:g} to {'' if last else 'below '}{high:g}", np.flatnonzero(~missing & (bins == place))))
    return cut + groups


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))
