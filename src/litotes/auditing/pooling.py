"""Pooling bias: do the labelled positives come from one kind of retriever?

Judgements are made of what some system found. Where that was word matching, documents that say the same in other words
were never looked at, and a system that finds them is measured too low. A sign of it: among the labelled positives many
stand in the first ranks of BM25 alone and few in those of the dense encoder alone. A better retriever gives the same
sign, so two others stand beside it: the unjudged documents in those ranks, which are split about evenly whoever is
better, and the first suspected false negatives, found by likeness to what is labelled rather than by rank. Where labels
lean to one retriever and suspects do not, or to the other, the labels may be biased.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from litotes.auditing.evidence_table import EvidenceTable
from litotes.core import Collection
from litotes.core.seeds import rng

__all__ = ["pooling"]

PARTS = ("both", "bm25 only", "dense only", "neither")
_RESAMPLES = 2000
_BLOCK = 1 << 22  # query numbers drawn at once


def pooling(
    data: Collection, evidence: EvidenceTable, suspects: EvidenceTable, depth: int, seed: int = 0
) -> dict[str, Any]:
    """What ``report.json`` says under ``pooling``.

    Args:
        suspects: the first suspected false negatives.

    Returns:
        ``depth``; ``labelled``, ``unjudged`` and ``suspects``: how many, the share of each of :data:`PARTS`, and as
        ``lean`` the share of BM25 only minus that of dense only, each with its 95 % bootstrap interval over queries
        (unjudged: of the documents in the first ``depth`` unlabelled ones of either); ``judged``: what share of each
        retriever's first ``depth`` was judged; ``says``: what it means.
    """
    positives, judged, rest = evidence.positives(), evidence.judged(), evidence.unjudged()
    labelled = _counts(positives, "bm25_rank", "dense_rank", depth, data.n_rows)
    unjudged = _counts(rest, "rank.bm25", "rank.dense", depth, data.n_rows)
    unjudged[:, PARTS.index("neither")] = 0
    drawn = _Resampled(data.n_rows, seed)
    asked = np.where(data.rows_with_content, min(depth, data.n_cols), 0)
    facts: dict[str, Any] = {
        "depth": depth,
        "labelled": _shares(labelled, drawn),
        "unjudged": _shares(unjudged, drawn),
        "suspects": _shares(_counts(suspects, "rank.bm25", "rank.dense", depth, data.n_rows), drawn),
        "judged": {
            name: drawn.share(
                np.bincount(judged.row[judged.column(f"{name}_rank") <= depth], minlength=data.n_rows), asked
            )
            for name in ("bm25", "dense")
        },
    }
    return {**facts, "says": _says(facts)}


def _counts(cells: EvidenceTable, bm25: str, dense: str, depth: int, n_rows: int) -> np.ndarray:
    """Cells of each query in each of the parts, int64 ``[n_rows, 4]``."""
    by_words, by_vector = cells.column(bm25) <= depth, cells.column(dense) <= depth  # NaN compares false
    part = np.where(by_words, np.where(by_vector, 0, 1), np.where(by_vector, 2, 3))
    return np.bincount(cells.row * 4 + part, minlength=4 * n_rows).reshape(n_rows, 4)


def _shares(counts: np.ndarray, drawn: _Resampled) -> dict[str, Any]:
    """How many cells, the share of each part, and how far the shares lean to BM25."""
    whole = counts.sum(1)
    return {
        "cells": int(whole.sum()),
        "parts": {part: drawn.share(counts[:, at], whole) for at, part in enumerate(PARTS)},
        "lean": drawn.share(counts[:, PARTS.index("bm25 only")] - counts[:, PARTS.index("dense only")], whole),
    }


class _Resampled:
    """Shares over queries, and their percentile intervals over queries drawn with replacement."""

    def __init__(self, n_rows: int, seed: int) -> None:
        self._n_rows, self._seed = n_rows, seed

    def share(self, part: np.ndarray, whole: np.ndarray) -> dict[str, float | None]:
        """``sum(part) / sum(whole)`` with its 95 % interval; None of all where there is nothing."""
        if not whole.sum():
            return {"share": None, "low": None, "high": None}
        shares = []
        generator = rng(self._seed, "pooling")
        step = max(1, _BLOCK // max(self._n_rows, 1))
        for start in range(0, _RESAMPLES, step):
            count = min(step, _RESAMPLES - start)
            rows = generator.integers(0, self._n_rows, size=(count, self._n_rows))
            total = whole[rows].sum(1)
            shares.append(np.divide(part[rows].sum(1), total, out=np.full(count, np.nan), where=total > 0))
        low, high = np.nanquantile(np.concatenate(shares), [0.025, 0.975])
        return {"share": float(part.sum() / whole.sum()), "low": float(low), "high": float(high)}


def _says(facts: dict[str, Any]) -> str:
    labelled, suspects, depth = facts["labelled"], facts["suspects"], facts["depth"]
    if not labelled["cells"]:
        return "Nothing is labelled relevant, so there is no pool to speak of."
    said = [f"{_split(labelled, 'labelled positives')}, among the first {depth} documents of either."]
    to, other = ("word matching", "by meaning") if labelled["lean"]["share"] > 0 else ("this encoder", "by words")
    if labelled["lean"]["low"] <= 0 <= labelled["lean"]["high"]:
        said.append("The labels lean to neither by more than chance.")
    else:
        said.append(
            f"The labels lean to {to}: it is the better retriever here, or the labels were made of what such a one "
            f"found. In the second case a system that finds documents {other} brings up more that nobody judged, and "
            "is measured too low."
        )
    if suspects["cells"]:
        said.append(f"{_split(suspects, 'first suspected false negatives')}.")
    most = labelled["parts"]["neither"]["share"]
    if most > 0.5:
        said.append(f"Most of the labelled ({most:.0%}) stand with neither: they were found some other way.")
    return " ".join(said)


def _split(kind: dict[str, Any], words: str) -> str:
    parts = kind["parts"]
    return (
        f"Of the {kind['cells']:,} {words} {parts['bm25 only']['share']:.0%} stand with BM25 alone and "
        f"{parts['dense only']['share']:.0%} with the dense encoder alone"
    )
