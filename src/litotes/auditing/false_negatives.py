"""Suspected false negatives: unjudged documents that look like the positives of a query, the likeliest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from litotes.auditing.evidence_table import EvidenceTable
from litotes.auditing.findings import Findings, key_of, shortened
from litotes.auditing.suspicion import places, suspicion
from litotes.core import Collection
from litotes.judging.document import DocumentJudge

__all__ = ["EMPTY", "false_negatives", "first_suspects", "scores_of", "surest_first"]

_DOCUMENT = "document"  # the judge that every audit asks
_SAID = 0.1  # what the document judge has to say is told from here on

EMPTY = Findings(
    name="false-negatives",
    title="Suspected false negatives",
    says="Nobody judged these documents for these queries, and they look like what is labelled relevant. The score "
    "only orders them; it is not a probability.",
    columns={
        "key": pa.string(),
        "score": pa.float64(),
        "reason": pa.string(),
        "query_id": pa.string(),
        "document_id": pa.string(),
        "query": pa.string(),
        "document": pa.string(),
        "labelled_id": pa.string(),
        "labelled": pa.string(),
        "resemblance": pa.float64(),
        "cosine_to_labelled": pa.float64(),
        "words": pa.float64(),
        "trust": pa.float64(),
        "dense": pa.float64(),
        "dense_rank": pa.int64(),
        "bm25": pa.float64(),
        "bm25_rank": pa.int64(),
    },
    verdicts={
        "relevant": "becomes a judgement of the lowest positive grade, or of the one in 'grade'",
        "duplicate": "is the labelled document over again, and gets its grade",
        "not relevant": "becomes a judged 0, or the grade below it in 'grade'",
        "unsure": "changes nothing",
    },
    graded=True,
    counted="ordered",
)


def false_negatives(
    data: Collection, evidence: EvidenceTable, limit: int, further: Mapping[str, int] | None = None
) -> Findings:
    """The list.

    Args:
        evidence: on all cells of the audit.
        limit: rows at most.
        further: judges besides ``document``, and whether more of their value is more suspicious (1) or less (-1).
    """
    cells = evidence.unjudged()
    score = scores_of(cells, further or {})
    order = surest_first(cells, score)[:limit]
    judge = DocumentJudge(calibration=None)
    farther = _positives_farther(evidence.positives(), cells.row[order], cells.column("dense")[order])
    rows = [
        _row(data, line, float(score[at]), judge, counts)
        for line, at, counts in zip(cells.lines(order), order, farther, strict=True)
    ]
    columns = {**EMPTY.columns, **{name: pa.float64() for name in further or {}}}
    return replace(EMPTY, columns=columns, rows=rows, total=len(cells))


def scores_of(cells: EvidenceTable, further: Mapping[str, int]) -> np.ndarray:
    """The suspicion of unjudged cells, float64 ``[cells]``; a twin of a positive shares all its words."""
    document = cells.column(f"judge.{_DOCUMENT}")
    document = np.where((cells.column("twin") > 0) & np.isnan(document), 1.0, document)
    others = tuple(places(sign * cells.column(f"judge.{name}")) for name, sign in further.items())
    return suspicion(cells.column("resemblance"), document, cells.column("dense"), cells.column("bm25_share"), others)


def surest_first(cells: EvidenceTable, score: np.ndarray) -> np.ndarray:
    """The order of the list: twins of positives, then by falling score, then by row and column."""
    return np.lexsort((cells.col, cells.row, -score, ~(cells.column("twin") > 0)))


def first_suspects(evidence: EvidenceTable, further: Mapping[str, int] | None = None) -> EvidenceTable:
    """The surest cell of each query that has something labelled to resemble, by query."""
    cells = evidence.unjudged()
    order = surest_first(cells, scores_of(cells, further or {}))
    order = order[~np.isnan(cells.column("resemblance")[order])]
    return cells.at(order[np.unique(cells.row[order], return_index=True)[1]])


def _row(
    data: Collection, line: dict[str, Any], score: float, judge: DocumentJudge, farther: tuple[int, int]
) -> dict[str, Any]:
    row, col, nearest = line["row"], line["col"], line["nearest"]
    query_id, document_id = data.row_ids[row], data.col_ids[col]
    found: dict[str, Any] = {
        "key": key_of("fn", query_id, document_id),
        "score": score,
        "reason": _reason(data, line, judge, farther),
        "query_id": query_id,
        "document_id": document_id,
        "query": shortened(data.row_texts[row]),
        "document": shortened(data.col_texts[col]),
        "labelled_id": None if nearest is None else data.col_ids[nearest],
        "labelled": None if nearest is None else shortened(data.col_texts[nearest]),
        "cosine_to_labelled": line["cosine"],
        "words": line.get(f"judge.{_DOCUMENT}"),
        "trust": min((v for k, v in line.items() if k.startswith("trust.") and v is not None), default=None),
        **{name: line[name] for name in ("resemblance", "dense", "bm25")},
        **{f"{name}_rank": _whole(line.get(f"rank.{name}")) for name in ("dense", "bm25")},
    }
    for name, value in line.items():
        if name.startswith("judge.") and name != f"judge.{_DOCUMENT}":
            found[name.removeprefix("judge.")] = value
    return found


def _reason(data: Collection, line: dict[str, Any], judge: DocumentJudge, farther: tuple[int, int]) -> str:
    """Why the cell is suspected, in words, the strongest evidence first."""
    said = []
    nearest = line["nearest"]
    if line["twin"]:
        said.append("has the very text of a labelled document")
    elif nearest is not None:
        said.append(f"like the labelled {data.col_ids[nearest]} (cosine {line['cosine']:.2f})")
        if (line.get(f"judge.{_DOCUMENT}") or 0) >= _SAID:
            said.append(
                judge.explain(data, line["row"], line["col"]).removesuffix(f" (positive {data.col_ids[nearest]})")
            )
    ranks = [f"{_whole(line[f'rank.{name}'])} by {name}" for name in ("dense", "bm25") if line.get(f"rank.{name}")]
    if ranks:
        said.append(f"of the unlabelled documents ranked {' and '.join(ranks)}")
    elif not line["twin"]:
        said.append("found by neither retriever, only beside what is labelled")
    beaten, labelled = farther
    if beaten:
        said.append(f"nearer to the query than {beaten} of {labelled} labelled")
    return "; ".join(said)


def _positives_farther(positives: EvidenceTable, rows: np.ndarray, dense: np.ndarray) -> list[tuple[int, int]]:
    """For each cell: how many positives of its row lie farther from the query by vectors, and of how many."""
    row, own = positives.row, positives.column("dense")
    known = ~np.isnan(own)
    keys = np.sort(row[known] * 4.0 + own[known])  # cosines take up a width of 2, so rows stay apart
    first, last = np.searchsorted(keys, rows * 4.0 - 2), np.searchsorted(keys, rows * 4.0 + 2)
    place = np.searchsorted(keys, rows * 4.0 + np.nan_to_num(dense, nan=-2))
    return list(zip((place - first).tolist(), (last - first).tolist(), strict=True))


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
