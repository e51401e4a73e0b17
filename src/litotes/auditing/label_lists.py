"""What an audit of class labels writes down: suspected labels, equal rows with unequal labels, and a noise matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from litotes.auditing.findings import Findings, key_of, shortened
from litotes.auditing.label_detectors import LabelScores
from litotes.auditing.label_neighbours import Against
from litotes.auditing.label_ranking import Ranking
from litotes.auditing.near_duplicates import near_duplicates

if TYPE_CHECKING:
    from litotes.data.labelled_table import LabelledTable

__all__ = [
    "CONFLICTS",
    "ISSUES",
    "against_words",
    "conflicting_duplicates",
    "example_of",
    "noise_pairs",
    "reasons",
    "suspected_labels",
]

_SHOWN_NUMBERS = 6  # of a row without a text

ISSUES = Findings(
    name="label-issues",
    title="Suspected labels",
    says="The given labels, the most suspicious first. The score orders them and is not a probability; is_label_issue "
    "says where another class is likelier, and as likely as that class usually is for its own rows.",
    columns={
        "key": pa.string(),
        "is_label_issue": pa.bool_(),
        "label_score": pa.float64(),
        "given_label": pa.string(),
        "predicted_label": pa.string(),
        "reason": pa.string(),
        "id": pa.string(),
        "place": pa.string(),
        "example": pa.string(),
        "against": pa.string(),
    },
    verdicts={
        "wrong": "the row gets the label in 'new_label', or the predicted one where that is empty",
        "right": "the label stays, and that a person looked is recorded",
        "drop": "the row is left out",
        "unsure": "changes nothing",
    },
    relabels=True,
    counted="ordered",
)

CONFLICTS = Findings(
    name="conflicting-duplicates",
    title="Near-duplicates with different labels",
    says="Two rows that are the same, or share most of their word triples, and hold different labels. At most one of "
    "them is right, unless the label hangs on what differs. The score is the share in common.",
    columns={
        "key": pa.string(),
        "score": pa.float64(),
        "reason": pa.string(),
        "id": pa.string(),
        "place": pa.string(),
        "given_label": pa.string(),
        "example": pa.string(),
        "other_id": pa.string(),
        "other_place": pa.string(),
        "other_label": pa.string(),
        "other": pa.string(),
    },
    verdicts={
        "first": "the other row gets the label of the first",
        "other": "the first row gets the label of the other",
        "different": "both labels stay",
        "unsure": "changes nothing",
    },
)


def suspected_labels(
    table: LabelledTable,
    ranking: Ranking,
    why: Mapping[int, str],
    against: Mapping[int, str],
    classes: Sequence[str],
    rows: Sequence[int],
) -> Findings:
    """The list of suspected labels.

    Args:
        why, against: in words, by row.
        classes: the labels in the order of the codes.
        rows: those that are listed, the most suspicious first.
    """
    found = [
        {
            "key": key_of("label", table.ids[row]),
            "is_label_issue": bool(ranking.issue[row]),
            "label_score": float(ranking.score[row]),
            "given_label": table.labels[row],
            "predicted_label": classes[ranking.predicted[row]],
            "reason": why[row],
            "id": table.ids[row],
            "place": table.places[row],
            "example": example_of(table, row),
            "against": against.get(row, ""),
        }
        for row in rows
    ]
    return replace(ISSUES, rows=found, total=len(table))


def conflicting_duplicates(table: LabelledTable, threshold: float, limit: int) -> Findings:
    """Pairs of rows that are nearly the same and labelled differently, the most alike first."""
    if table.texts is not None:
        a, b, alike = near_duplicates(table.texts, threshold=threshold)
    else:
        a, b, alike = _equal_rows(table.features)
    labels = np.array(table.labels, dtype=object)
    apart = labels[a] != labels[b]
    a, b, alike = a[apart], b[apart], alike[apart]
    what = "of the word triples in common" if table.texts is not None else "of the numbers in common"
    found = [
        {
            "key": key_of("pair", table.ids[i], table.ids[j]),
            "score": float(share),
            "reason": f"{int(100 * share + 1e-9)}% {what}; one is {table.labels[i]!r}, the other {table.labels[j]!r}",
            "id": table.ids[i],
            "place": table.places[i],
            "given_label": table.labels[i],
            "example": example_of(table, i),
            "other_id": table.ids[j],
            "other_place": table.places[j],
            "other_label": table.labels[j],
            "other": example_of(table, j),
        }
        for i, j, share in zip(a[:limit].tolist(), b[:limit].tolist(), alike[:limit].tolist(), strict=True)
    ]
    return replace(CONFLICTS, rows=found, total=len(a))


def noise_pairs(labels: np.ndarray, ranking: Ranking, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Given and predicted class of the issues, counted, the most frequent first; ``share`` is of the given class."""
    n_classes = len(classes)
    issues = np.flatnonzero(ranking.issue)
    cells = np.bincount(labels[issues] * n_classes + ranking.predicted[issues], minlength=n_classes**2)
    sizes = np.bincount(labels, minlength=n_classes)
    order = np.argsort(-cells, kind="stable")[: int((cells > 0).sum())]
    return [
        {
            "given_label": classes[cell // n_classes],
            "predicted_label": classes[cell % n_classes],
            "rows": int(cells[cell]),
            "share": float(cells[cell] / sizes[cell // n_classes]),
        }
        for cell in order.tolist()
    ]


def reasons(
    found: Mapping[str, LabelScores], ranking: Ranking, labels: np.ndarray, classes: Sequence[str], rows: Sequence[int]
) -> dict[int, str]:
    """Why a row stands where it does: what each detector gives the given label, and the best other one."""
    said = {}
    for row in rows:
        own, best = int(labels[row]), int(ranking.predicted[row])
        parts = []
        for name, scores in found.items():
            shares = scores.shares[row].astype(np.float64)
            others = np.where(np.arange(len(shares)) == own, -1.0, shares)
            rival = int(others.argmax()) if best == own else best
            parts.append(
                f"{_WORDS.get(name, name)} {shares[rival]:.2f} to {classes[rival]!r} and {shares[own]:.2f} to "
                f"{classes[own]!r}"
            )
        doubt = f"looks like {classes[best]!r}" if best != own else "its own label is the likeliest"
        said[row] = f"{doubt}: {'; '.join(parts)}"
    return said


def against_words(table: LabelledTable, speakers: LabelledTable, found: Sequence[Against]) -> str:
    """The rows that speak against a label, on one line."""
    return "; ".join(
        f"{speakers.labels[one.row]} ({speakers.places[one.row]}, {one.distance:.3g} away): "
        f"{example_of(speakers, one.row, 120)}"
        for one in found
    )


def example_of(table: LabelledTable, row: int, length: int = 300) -> str:
    """The text of a row, or its first numbers."""
    if table.texts is not None:
        return shortened(table.texts[row], length)
    if table.features is None:
        return ""
    values = table.features[row, :_SHOWN_NUMBERS].tolist()
    names = table.feature_columns or tuple(str(place) for place in range(table.features.shape[1]))
    shown = ", ".join(f"{name} {value:.4g}" for name, value in zip(names, values, strict=False))
    return f"{shown}, …" if table.features.shape[1] > _SHOWN_NUMBERS else shown


_WORDS = {
    "elr": "the memory of early learning gives",
    "small-loss": "two networks give",
    "neighbours": "the nearest rows give",
    "pred-probs": "the model gives",
    "cleanlab": "the model that cleanlab reads gives",
}


def _equal_rows(features: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs (first, other) of rows with the same numbers."""
    seen: dict[bytes, int] = {}
    pairs = []
    for row, values in enumerate(() if features is None else features + np.float32(0)):  # -0 is 0
        if (first := seen.setdefault(values.tobytes(), row)) != row:
            pairs.append((first, row))
    a, b = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return a, b, np.ones(len(a))
