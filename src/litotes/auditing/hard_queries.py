"""Queries that no system can be measured by: those that cannot be answered, and those that cannot be told apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from litotes.auditing.evidence_table import EvidenceTable
from litotes.auditing.findings import Findings, key_of, shortened
from litotes.auditing.near_duplicates import near_duplicates
from litotes.core import Collection
from litotes.core.text import normalise

__all__ = ["INDISTINCT", "UNANSWERABLE", "indistinct_queries", "unanswerable_queries"]

_ALIKE = 0.8  # of the words of two queries: from here on they ask the same, as far as words tell

UNANSWERABLE = Findings(
    name="unanswerable-queries",
    title="Queries that cannot be answered",
    says="Every system gets these wrong, so they add noise and no knowledge: nothing relevant is there, or it lies "
    "beyond reach of every retriever. The score is 1 where it is certain, else 1 - reach / best rank.",
    columns={
        "key": pa.string(),
        "score": pa.float64(),
        "reason": pa.string(),
        "query_id": pa.string(),
        "query": pa.string(),
        "positives": pa.int64(),
        "best_dense_rank": pa.int64(),
        "best_bm25_rank": pa.int64(),
    },
    verdicts={
        "drop": "all judgements of the query in this split are taken out",
        "keep": "changes nothing",
        "unsure": "changes nothing",
    },
)

INDISTINCT = Findings(
    name="indistinct-queries",
    title="Queries that cannot be told apart",
    says="The same question, or nearly, with different documents labelled relevant: each lacks the other's answers. "
    "The score is the share of words in common (Jaccard).",
    columns={
        "key": pa.string(),
        "score": pa.float64(),
        "reason": pa.string(),
        "query_id": pa.string(),
        "other_id": pa.string(),
        "query": pa.string(),
        "other": pa.string(),
        "positives_shared": pa.int64(),
        "positives_of_one": pa.int64(),
    },
    verdicts={
        "duplicate": "both get the judgements of both; the higher grade where they differ",
        "different": "changes nothing",
        "unsure": "changes nothing",
    },
)


def unanswerable_queries(data: Collection, evidence: EvidenceTable, limit: int, reach: int) -> Findings:
    """The list: certain cases first, then the queries whose best positive ranks lowest, beyond ``reach`` everywhere."""
    cells = evidence.positives()
    best = {name: _best(cells, name, data.n_rows) for name in ("dense_rank", "bm25_rank")}
    count = data.labels.positive_counts()
    with_text = np.bincount(cells.row[data.cols_with_content[cells.col]], minlength=data.n_rows)
    nearest = np.fmin(best["dense_rank"], best["bm25_rank"])
    certain = [_certain(data, row, int(count[row]), int(with_text[row])) for row in range(data.n_rows)]
    score = np.where([reason is not None for reason in certain], 1.0, 1 - reach / nearest)
    found = np.flatnonzero(score > 0)
    rows = []
    for row in found[np.argsort(-score[found], kind="stable")][:limit].tolist():
        reason, ranks = certain[row], {name: None if np.isnan(of[row]) else int(of[row]) for name, of in best.items()}
        rows.append(
            {
                "key": key_of("query", data.row_ids[row]),
                "score": float(score[row]),
                "reason": reason or _beyond(ranks, int(count[row])),
                "query_id": data.row_ids[row],
                "query": shortened(data.row_texts[row]),
                "positives": int(count[row]),
                **{f"best_{name}": rank for name, rank in ranks.items()},
            }
        )
    return replace(UNANSWERABLE, rows=rows, total=len(found))


def indistinct_queries(data: Collection, limit: int) -> Findings:
    """The list: pairs of queries that share most of their words and not all of their positives.

    Queries of equal text are text twins, a list of their own.
    """
    pairs = []
    for i, j, alike in zip(
        *(part.tolist() for part in near_duplicates(data.row_texts, n=1, threshold=_ALIKE)), strict=True
    ):
        ours, theirs = set(data.labels.positives(i).tolist()), set(data.labels.positives(j).tolist())
        if ours != theirs and normalise(data.row_texts[i] or "") != normalise(data.row_texts[j] or ""):
            pairs.append((i, j, alike, len(ours & theirs), len(ours ^ theirs)))
    pairs.sort(key=lambda pair: (-pair[2], pair[3]))
    return replace(INDISTINCT, rows=[_pair(data, *pair) for pair in pairs[:limit]], total=len(pairs))


def _pair(data: Collection, i: int, j: int, alike: float, shared: int, apart: int) -> dict[str, Any]:
    same = "the same words" if alike == 1 else f"{int(100 * alike + 1e-9)}% of the words in common"
    return {
        "key": key_of("pair", data.row_ids[i], data.row_ids[j]),
        "score": alike,
        "reason": f"{same}; {shared:,} positives in common, {apart:,} of one only",
        "query_id": data.row_ids[i],
        "other_id": data.row_ids[j],
        "query": shortened(data.row_texts[i]),
        "other": shortened(data.row_texts[j]),
        "positives_shared": shared,
        "positives_of_one": apart,
    }


def _best(cells: EvidenceTable, name: str, n_rows: int) -> np.ndarray:
    """The best rank of any positive of each row, NaN where none has one."""
    best = np.full(n_rows, np.nan)
    np.fmin.at(best, cells.row, cells.column(name))
    return best


def _certain(data: Collection, row: int, positives: int, with_text: int) -> str | None:
    """Why a query cannot be answered whoever tries, or None."""
    if not data.rows_with_content[row]:
        return "the query has no text"
    if not positives:
        return "nothing is labelled relevant"
    if not with_text:
        return f"{'the one positive has' if positives == 1 else f'all {positives:,} positives have'} no text"
    return None


def _beyond(ranks: dict[str, int | None], positives: int) -> str:
    dense, bm25 = ranks["dense_rank"], ranks["bm25_rank"]
    who = "its positive" if positives == 1 else f"the best of its {positives:,} positives"
    return f"{who} ranks {dense:,} by dense, " + ("shares no word with it" if bm25 is None else f"{bm25:,} by bm25")
