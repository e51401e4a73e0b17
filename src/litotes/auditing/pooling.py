"""Pooling bias: do the labelled positives come from one kind of retriever?

Judgements are made of what some system found. Where that was word matching, documents that say the same in other words
were never looked at, and a system that finds them is measured too low. A sign of it: among the labelled positives many
stand in the first ranks of BM25 alone and few in those of the dense encoder alone. A better retriever gives the same
sign, so two others stand beside it: the unjudged documents in those ranks, which are split about evenly whoever is
better, and the first suspected false negative of each query, found by likeness to what is labelled rather than by rank.
Where labels lean to one retriever and suspects do not, or to the other, the labels may be biased.

The last part asks one retriever alone, BM25, as the weak one that pools are often made with: how high do the labelled
positives stand in it, and how high what is relevant and not labelled? The latter is known where the data come with
their truth; else the first suspects stand for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from litotes.auditing.evidence_table import EvidenceTable
from litotes.core import Collection
from litotes.core.seeds import rng
from litotes.evaluation.pool_bias import compare_ranks, pool_bias

__all__ = ["pooling"]

PARTS = ("both", "bm25 only", "dense only", "neither")
_RESAMPLES = 2000
_BLOCK = 1 << 22  # query numbers drawn at once

_Shares = dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]
"""By kind and name: for each query how many of the part and of the whole it has, int64 ``[n_rows]`` each."""


def pooling(
    data: Collection, evidence: EvidenceTable, suspects: EvidenceTable, depth: int, seed: int = 0
) -> dict[str, Any]:
    """What ``report.json`` says under ``pooling``.

    Shares go by the ranks of miners: positives of the query and their text twins take up none, whatever is ranked. The
    last part compares places among all documents, since such ranks would favour what is not labelled.

    Args:
        suspects: the first suspected false negative of each query.

    Returns:
        ``depth``; ``labelled``, ``unjudged`` and ``suspects``: how many, the share of each of :data:`PARTS`, and as
        ``lean`` the share of BM25 only minus that of dense only, each with its 95 % bootstrap interval over queries
        (unjudged: of the documents in the first ``depth`` unlabelled ones of either); ``judged``: what share of each
        retriever's first ``depth`` of all documents was judged; ``says``: what it means; ``ranks``: what
        :func:`litotes.evaluation.pool_bias.compare_ranks` finds of BM25, and under ``others`` whom it compared with.
    """
    kinds = {"labelled": evidence.positives(), "unjudged": evidence.unjudged(), "suspects": suspects}
    counts = {kind: _counts(cells, depth, data.n_rows) for kind, cells in kinds.items()}
    counts["unjudged"][:, PARTS.index("neither")] = 0
    shares: _Shares = {}
    for kind, of in counts.items():
        whole = of.sum(1)
        shares |= {(kind, part): (of[:, at], whole) for at, part in enumerate(PARTS)}
        shares[kind, "lean"] = of[:, PARTS.index("bm25 only")] - of[:, PARTS.index("dense only")], whole
    judged, asked = evidence.judged(), np.where(data.rows_with_content, min(depth, data.n_cols), 0)
    for name in ("bm25", "dense"):
        high = judged.row[judged.column(f"{name}_place") <= depth]
        shares["judged", name] = np.bincount(high, minlength=data.n_rows), asked
    found = _with_intervals(shares, data.n_rows, seed)
    facts: dict[str, Any] = {"depth": depth}
    for kind, of in counts.items():
        parts = {part: found[kind, part] for part in PARTS}
        facts[kind] = {"cells": int(of.sum()), "parts": parts, "lean": found[kind, "lean"]}
    facts["judged"] = {name: found["judged", name] for name in ("bm25", "dense")}
    return {**facts, "says": _says(facts), "ranks": _ranks(data, evidence.positives(), suspects, seed)}


def _ranks(data: Collection, labelled: EvidenceTable, suspects: EvidenceTable, seed: int) -> dict[str, Any]:
    """How high BM25 ranks the labelled, against the unlabelled relevant where they are known, else the suspects."""
    known = pool_bias(data, seed=seed)
    if known is not None:
        return {"others": "relevant and not labelled", **known}
    groups = [(cells.row, np.nan_to_num(cells.column("bm25_place"), nan=np.inf)) for cells in (labelled, suspects)]
    return {"others": "first suspects", **compare_ranks(*groups, called="the first suspect", seed=seed)}


def _counts(cells: EvidenceTable, depth: int, n_rows: int) -> np.ndarray:
    """Cells of each query in each of the parts, int64 ``[n_rows, 4]``."""
    by_words, by_vector = cells.column("bm25_rank") <= depth, cells.column("dense_rank") <= depth  # NaN is not
    part = np.where(by_words, np.where(by_vector, 0, 1), np.where(by_vector, 2, 3))
    return np.bincount(cells.row * 4 + part, minlength=4 * n_rows).reshape(n_rows, 4)


def _with_intervals(shares: _Shares, n_rows: int, seed: int) -> dict[tuple[str, str], dict[str, float | None]]:
    """``sum(part) / sum(whole)`` of each with its 95 % percentile interval over queries drawn with replacement, the
    same draws for all; None of all three where there is nothing.
    """
    parts, wholes = (np.stack(of, axis=1).astype(np.float64) for of in zip(*shares.values(), strict=True))
    generator, drawn = rng(seed, "pooling"), []
    step = max(1, _BLOCK // max(n_rows, 1))
    for start in range(0, _RESAMPLES, step):
        count = min(step, _RESAMPLES - start)
        rows = generator.integers(0, n_rows, size=(count, n_rows)) + n_rows * np.arange(count)[:, None]
        times = np.bincount(rows.ravel(), minlength=count * n_rows).reshape(count, n_rows).astype(np.float64)
        total = times @ wholes
        drawn.append(np.divide(times @ parts, total, out=np.full_like(total, np.nan), where=total > 0))
    resampled, found = np.concatenate(drawn), {}
    for place, name in enumerate(shares):
        total = wholes[:, place].sum()
        if not total:
            found[name] = dict.fromkeys(("share", "low", "high"))
            continue
        low, high = np.nanquantile(resampled[:, place], [0.025, 0.975])
        found[name] = {"share": float(parts[:, place].sum() / total), "low": float(low), "high": float(high)}
    return found


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
        said.append(f"{_split(suspects, 'first suspects, one of each query,')}.")
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
