"""Documents that stand in the corpus twice, word for word or nearly, and what was judged of the one and the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from litotes.auditing.findings import Findings, key_of, shortened
from litotes.auditing.near_duplicates import near_duplicates
from litotes.core import Collection
from litotes.core.text import normalise

__all__ = ["NEAR", "TWINS", "JudgedApart", "near_duplicate_documents", "text_twins"]

_VERDICTS = {
    "duplicate": "what is judged of the one is judged of the other too; the higher grade where they differ",
    "different": "changes nothing",
    "unsure": "changes nothing",
}

NEAR = Findings(
    name="near-duplicates",
    title="Near-duplicate documents",
    says="Two documents that share most of their word triples. Where one of them is labelled relevant and the other is "
    "not, a system is punished for finding the wrong copy. The score is the share of triples in common (Jaccard).",
    columns={
        "key": pa.string(),
        "score": pa.float64(),
        "reason": pa.string(),
        "document_id": pa.string(),
        "other_id": pa.string(),
        "judged_apart": pa.int64(),
        "document": pa.string(),
        "other": pa.string(),
    },
    verdicts=_VERDICTS,
)

TWINS = Findings(
    name="text-twins",
    title="Text twins",
    says="The same text under two ids, but for case and blanks: documents, and queries. For queries, 'duplicate' "
    "unites their judgements.",
    columns={
        "key": pa.string(),
        "score": pa.float64(),
        "reason": pa.string(),
        "side": pa.string(),
        "first_id": pa.string(),
        "other_id": pa.string(),
        "judged_apart": pa.int64(),
        "text": pa.string(),
    },
    verdicts=_VERDICTS,
)


def near_duplicate_documents(data: Collection, threshold: float, limit: int) -> Findings:
    """Pairs of documents of unequal text that share at least ``threshold`` of their word triples."""
    is_first = data.first_twin == np.arange(data.n_cols)  # the others are text twins, a list of their own
    texts = [text if first else None for text, first in zip(data.col_texts, is_first, strict=True)]
    a, b, alike = near_duplicates(texts, threshold=threshold)
    apart = JudgedApart(data, np.concatenate([a, b]))
    counts = np.array([apart.count(i, j) for i, j in zip(a.tolist(), b.tolist(), strict=True)], dtype=np.int64)
    shown = np.lexsort((-counts, -alike))[:limit]
    rows = [
        {
            "key": key_of("dup", data.col_ids[i], data.col_ids[j]),
            "score": float(share),
            "reason": f"{int(100 * share + 1e-9)}% of the word triples in common{apart.words(i, j)}",
            "document_id": data.col_ids[i],
            "other_id": data.col_ids[j],
            "judged_apart": apart.count(i, j),
            "document": shortened(data.col_texts[i]),
            "other": shortened(data.col_texts[j]),
        }
        for i, j, share in zip(a[shown].tolist(), b[shown].tolist(), alike[shown].tolist(), strict=True)
    ]
    judged_apart = int((counts > 0).sum())
    says = f"{NEAR.says} {judged_apart:,} of the pairs are judged apart for some query." if rows else NEAR.says
    return replace(NEAR, says=says, rows=rows, total=len(a))


def text_twins(data: Collection, limit: int) -> Findings:
    """Pairs (first, other) of documents and of queries with equal normalised texts; those judged apart first."""
    others = np.flatnonzero(data.first_twin != np.arange(data.n_cols))
    pairs = [(int(data.first_twin[other]), int(other)) for other in others]
    apart = JudgedApart(data, np.array(pairs, dtype=np.int64).ravel())
    found = [("document", i, j, apart.count(i, j)) for i, j in pairs]
    for i, j in _equal_queries(data):
        differ = len(set(data.labels.positives(i).tolist()) ^ set(data.labels.positives(j).tolist()))
        found.append(("query", i, j, differ))
    found.sort(key=lambda pair: -pair[3])
    rows = [_twin(data, *pair, apart) for pair in found[:limit]]
    return replace(TWINS, rows=rows, total=len(found))


class JudgedApart:
    """For pairs of columns: how many queries have one of them among their positives and not the other.

    Args:
        cols: the columns that will be asked for.
    """

    def __init__(self, data: Collection, cols: np.ndarray) -> None:
        rows, positive = data.labels.positive_cells()
        wanted = np.isin(positive, cols)
        self._queries: dict[int, set[int]] = {}
        for row, col in zip(rows[wanted].tolist(), positive[wanted].tolist(), strict=True):
            self._queries.setdefault(col, set()).add(row)

    def count(self, i: int, j: int) -> int:
        """Queries for which exactly one of the two is labelled relevant."""
        return len(self._queries.get(i, set()) ^ self._queries.get(j, set()))

    def words(self, i: int, j: int) -> str:
        """The same as the end of a sentence; nothing where there are none."""
        count = self.count(i, j)
        return f"; for {count:,} {'query' if count == 1 else 'queries'} only one of them is labelled" if count else ""


def _twin(data: Collection, side: str, i: int, j: int, differ: int, apart: JudgedApart) -> dict[str, Any]:
    if side == "document":
        ids, text, words = data.col_ids, data.col_texts[i], apart.words(i, j)
    else:
        ids, text = data.row_ids, data.row_texts[i]
        words = f"; {differ:,} documents are relevant to one of them only" if differ else "; the same documents"
    first, other = ids[i], ids[j]
    return {
        "key": key_of("twin", side, first, other),
        "score": 1.0,
        "reason": f"the same text{words}",
        "side": side,
        "first_id": first,
        "other_id": other,
        "judged_apart": differ,
        "text": shortened(text),
    }


def _equal_queries(data: Collection) -> Iterable[tuple[int, int]]:
    seen: dict[str, int] = {}
    for row, text in enumerate(data.row_texts):
        if text is not None and (first := seen.setdefault(normalise(text), row)) != row:
            yield first, row
