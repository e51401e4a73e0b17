"""Suspected false positives: judged relevant, and far from everything that is.

A judgement is suspected when no retriever brings its document near the query *and* the document is far from the other
positives of the query. Its score is the smallest, over these measures (rank by vectors, rank by words, resemblance to
the others, where there are others), of the share of all labelled positives that do better by it: 0.98 says that by
every measure 98 % of what is labelled relevant lies nearer. Below one half nothing is suspected.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from litotes.auditing.evidence_table import EvidenceTable
from litotes.auditing.findings import Findings, key_of, shortened
from litotes.core import Collection

__all__ = ["EMPTY", "false_positives"]

LEAST = 0.5  # of what is labelled relevant lies nearer, by every measure

EMPTY = Findings(
    name="false-positives",
    title="Suspected false positives",
    says="These documents are labelled relevant, no retriever ranks them high, and they are far from what else is "
    "labelled for their query. The score is the share of labelled positives that lie nearer by every measure, at "
    "least half; it is not a probability. A judgement that asks for knowledge beyond the text looks the same.",
    columns={
        "key": pa.string(),
        "score": pa.float64(),
        "reason": pa.string(),
        "query_id": pa.string(),
        "document_id": pa.string(),
        "given": pa.float64(),
        "query": pa.string(),
        "document": pa.string(),
        "dense": pa.float64(),
        "dense_rank": pa.int64(),
        "bm25": pa.float64(),
        "bm25_rank": pa.int64(),
        "resemblance": pa.float64(),
    },
    verdicts={
        "relevant": "stays as it is, or gets the grade in 'grade'; that a person looked is recorded",
        "not relevant": "becomes a judged 0, or the lower grade in 'grade'",
        "unsure": "changes nothing",
    },
    graded=True,
)


def false_positives(data: Collection, evidence: EvidenceTable, limit: int, reach: int) -> Findings:
    """The list, ``limit`` rows at most: positives with a text that every retriever ranks below ``reach``, the other
    positives of the query left out, and than which at least half of all positives lie nearer by every measure.
    """
    cells = evidence.positives()
    dense, bm25 = cells.column("dense_rank"), cells.column("bm25_rank")
    with_texts = ~np.isnan(cells.column("dense"))
    bm25 = np.where(np.isnan(bm25), data.n_cols, bm25)  # no word in common: behind everything
    likeness = cells.column("resemblance")
    score = np.full(len(cells), np.nan)
    score[with_texts] = np.fmin.reduce(
        [
            _share_better(-dense[with_texts]),
            _share_better(-bm25[with_texts]),
            _share_better(likeness[with_texts]),
        ]
    )
    far = np.flatnonzero((dense > reach) & (bm25 > reach) & (score >= LEAST))
    order = far[np.lexsort((cells.col[far], cells.row[far], -dense[far], -score[far]))]
    lines = cells.lines(order[:limit])
    rows = [_row(data, line, float(score[at])) for line, at in zip(lines, order, strict=False)]
    return replace(EMPTY, rows=rows, total=len(order))


def _share_better(values: np.ndarray) -> np.ndarray:
    """Of each value: the share of all (NaN apart) that are larger; NaN stays NaN."""
    known = np.sort(values[~np.isnan(values)])
    larger = len(known) - np.searchsorted(known, values, side="right")
    return np.where(np.isnan(values), np.nan, larger / max(len(known), 1))


def _row(data: Collection, line: dict[str, Any], score: float) -> dict[str, Any]:
    row, col = line["row"], line["col"]
    return {
        "key": key_of("fp", data.row_ids[row], data.col_ids[col]),
        "score": score,
        "reason": _reason(data, line),
        "query_id": data.row_ids[row],
        "document_id": data.col_ids[col],
        "given": line["grade"],
        "query": shortened(data.row_texts[row]),
        "document": shortened(data.col_texts[col]),
        "dense_rank": int(line["dense_rank"]),
        "bm25_rank": None if line["bm25_rank"] is None else int(line["bm25_rank"]),
        **{name: line[name] for name in ("dense", "bm25", "resemblance")},
    }


def _reason(data: Collection, line: dict[str, Any]) -> str:
    said = [f"behind {int(line['dense_rank']) - 1:,} unlabelled documents by dense"]
    said.append("no word in common" if line["bm25_rank"] is None else f"{int(line['bm25_rank']) - 1:,} by bm25")
    if line["nearest"] is None:
        said.append("the only document labelled for this query")
    else:
        said.append(f"of the others labelled nearest to {data.col_ids[line['nearest']]} (cosine {line['cosine']:.2f})")
    return "; ".join(said)
