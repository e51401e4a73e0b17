"""``inspect``: what a data set holds before anything is done with it, and what looks wrong, each as a sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from litotes.core.collection import Collection
from litotes.core.text import normalise
from litotes.data.writing import grade_text

__all__ = ["Inspection", "inspect"]

Quantiles = dict[str, float]

_LONG = 400  # words; beyond about so many a 512-token encoder no longer sees the end
_MANY_TWINS = 0.01  # share of documents


@dataclass(frozen=True)
class Inspection:
    """Counts of a collection. Lengths are in words (runs between blanks) of texts that are not empty.

    ``text_twins`` are documents whose normalised text an earlier document has; ``positive_twins`` are cells that hold a
    twin of one of the query's positives and are not labelled. ``queries_equal_to_a_document`` counts normalised texts.
    """

    name: str
    split: str | None
    format: str
    queries: int
    documents: int
    judgements: int
    positives: int
    explicit_negatives: int
    grades: dict[str, int]
    positives_a_query: Quantiles
    queries_without_positive: int
    queries_without_text: int
    documents_without_text: int
    repeated_query_texts: int
    text_twins: int
    positive_twins: int
    queries_with_positive_twins: int
    queries_equal_to_a_document: int
    judgements_without_text: int
    query_words: Quantiles
    document_words: Quantiles
    long_documents: int
    notes: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The report for people, line by line."""
        grades = ", ".join(f"{grade}: {count:,}" for grade, count in self.grades.items())
        notes = [f"{name.replace('_', ' ')}: {value}" for name, value in self.notes.items() if name != "format"]
        return [
            f"{self.name}{f', split {self.split}' if self.split else ''} ({self.format})",
            f"  queries              {self.queries:,} ({self.queries_without_text:,} without text)",
            f"  documents            {self.documents:,} ({self.documents_without_text:,} without text)",
            f"  judgements           {self.judgements:,} ({self.positives:,} positives, "
            f"{self.explicit_negatives:,} explicit negatives; grades {grades})",
            f"  positives a query    {_spread(self.positives_a_query)}; "
            f"{self.queries_without_positive:,} queries have none",
            f"  text twins           {self.text_twins:,} documents repeat another's text; "
            f"{self.positive_twins:,} unlabelled cells repeat a positive's",
            f"  words a query        {_spread(self.query_words)}",
            f"  words a document     {_spread(self.document_words)}; {self.long_documents:,} have more than {_LONG}",
            *(f"  reader               {note}" for note in notes),
            *(["What looks wrong:", *(f"  - {warning}" for warning in self.warnings)] if self.warnings else []),
            *([] if self.warnings else ["Nothing looks wrong."]),
        ]


def inspect(data: Collection) -> Inspection:
    """Count what is in a collection; nothing is written, and its truth, where known, is not read."""
    labels = data.labels
    rows, cols, grades = labels.cells()
    positive_counts = labels.positive_counts()
    values, counts = np.unique(grades, return_counts=True)
    queries = [None if text is None else normalise(text) for text in data.row_texts]
    known_queries = {text for text in queries if text is not None}
    twin = data.first_twin
    twin_counts = data.twin_counts()
    document_words = _words(data.col_texts)
    found: dict[str, Any] = {
        "name": data.name or "unnamed",
        "split": data.split,
        "format": str(data.notes.get("format", "in memory")),
        "queries": data.n_rows,
        "documents": data.n_cols,
        "judgements": len(labels),
        "positives": int(positive_counts.sum()),
        "explicit_negatives": len(labels) - int(positive_counts.sum()),
        "grades": {grade_text(value): int(count) for value, count in zip(values, counts, strict=True)},
        "positives_a_query": _quantiles(positive_counts),
        "queries_without_positive": int((positive_counts == 0).sum()),
        "queries_without_text": int((~data.rows_with_content).sum()),
        "documents_without_text": int((~data.cols_with_content).sum()),
        "repeated_query_texts": sum(text is not None for text in queries) - len(known_queries),
        "text_twins": int((twin != np.arange(data.n_cols)).sum()),
        "positive_twins": int(twin_counts.sum()),
        "queries_with_positive_twins": int((twin_counts > 0).sum()),
        "queries_equal_to_a_document": _equal_to_a_document(queries, known_queries, data),
        "judgements_without_text": int((~(data.rows_with_content[rows] & data.cols_with_content[cols])).sum()),
        "query_words": _quantiles(_words(data.row_texts)),
        "document_words": _quantiles(document_words),
        "long_documents": int((document_words > _LONG).sum()),
        "notes": dict(data.notes),
    }
    return Inspection(**found, warnings=_warnings(found, data))


def _warnings(found: dict[str, Any], data: Collection) -> list[str]:
    """What looks wrong, as sentences with what to do."""
    skipped = data.notes.get("skipped_lines", 0)
    checks = (
        (found["positives"] == 0, "No positive at all: check min_grade against the grades that occur."),
        (
            0 < found["queries_without_positive"] < found["queries"],
            f"Queries without a positive: {found['queries_without_positive']:,}; they teach and measure nothing.",
        ),
        (found["queries_without_text"], f"Queries without text: {found['queries_without_text']:,}; they are skipped."),
        (
            found["documents_without_text"],
            f"Documents without text: {found['documents_without_text']:,}; never searched, mined or trained on.",
        ),
        (
            found["judgements_without_text"],
            f"Judgements of a query or document without text: {found['judgements_without_text']:,}; "
            "do the judgements belong to these texts?",
        ),
        (
            found["repeated_query_texts"],
            f"Queries that repeat another's text: {found['repeated_query_texts']:,}; where their positives "
            "differ, each one's are false negatives of the other.",
        ),
        (
            found["positive_twins"],
            f"Unlabelled documents with the very text of a positive: {found['positive_twins']:,}, in "
            f"{found['queries_with_positive_twins']:,} queries; never mined, but evaluation takes them for wrong.",
        ),
        (
            found["text_twins"] > _MANY_TWINS * found["documents"],
            f"Documents that repeat another's text: {found['text_twins']:,} of {found['documents']:,}; consider "
            "removing them.",
        ),
        (
            found["queries_equal_to_a_document"],
            f"Queries that are word for word a document: {found['queries_equal_to_a_document']:,}; such pairs teach "
            "nothing and inflate measures.",
        ),
        (skipped, f"Lines that could not be read: {skipped:,}."),
    )
    return [sentence for holds, sentence in checks if holds]


def _equal_to_a_document(queries: list[str | None], known: set[str], data: Collection) -> int:
    """How many queries have the normalised text of a document.

    Normalising a large corpus again is the slow part: a document is only looked at if its first word, normalised,
    begins a query.
    """
    first_words = {text.split(" ", 1)[0] for text in known}
    equal: set[str] = set()
    for text in data.col_texts:
        if text is not None and normalise(text.split(None, 1)[0]) in first_words:
            whole = normalise(text)
            if whole in known:
                equal.add(whole)
    return sum(text in equal for text in queries)


def _words(texts: list[str | None]) -> np.ndarray:
    return np.array([len(text.split()) for text in texts if text is not None], dtype=np.int64)


def _quantiles(values: np.ndarray) -> Quantiles:
    if not len(values):
        return {}
    low, p05, median, p95, high = np.quantile(values, (0.0, 0.05, 0.5, 0.95, 1.0)).tolist()
    mean = round(float(values.mean()), 2)
    return {"min": low, "p05": p05, "median": median, "mean": mean, "p95": p95, "max": high}


def _spread(found: Quantiles) -> str:
    if not found:
        return "none"
    return f"median {found['median']:g}, mean {found['mean']:g}, from {found['min']:g} to {found['max']:g}"
