"""Pool bias: do labelled positives stand higher in a weak retriever than relevant documents that nobody labelled?

Where labels were made from what a weak retriever found, they do. The measure is the probability that a labelled
positive of a query ranks above an unlabelled relevant document of the same query, ties counting half: 1/2 where the
labelled are a fair draw of the relevant, as far as this retriever can tell.

Both are placed among all documents. Ranks as miners count them, where labelled documents take up none, would set the
labelled behind unlabelled ones that they stand next to, and a fair draw would come out below 1/2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from litotes.core import Collection
from litotes.core.errors import LitotesError
from litotes.core.seeds import rng

__all__ = ["WITHIN", "compare_ranks", "places", "pool_bias"]

WITHIN = (1, 3, 10, 30, 100)
"""Depths at which shares are given."""

_QUANTILES = (0.25, 0.5, 0.75)
_RESAMPLES = 1000


def pool_bias(data: Collection, miner: Any = None, *, seed: int = 0) -> dict[str, Any] | None:
    """:func:`compare_ranks` of the labelled positives of ``data`` and of those that only ``data.truth`` knows.

    Args:
        data: a collection with its truth.
        miner: the weak retriever, anything with ``scores(data, rows)`` over all columns; None is BM25.
        seed: of the bootstrap.

    Returns:
        None where the truth is not known.
    """
    if data.truth is None:
        return None
    if miner is None:
        from litotes.mining import BM25Miner

        miner = BM25Miner()
    rows, cols = data.truth.positive_cells()
    missing = ~data.is_positive(rows, cols) & data.cols_with_content[cols] & data.rows_with_content[rows]
    unlabelled = rows[missing], cols[missing]
    rows, cols = data.labels.positive_cells()
    there = data.cols_with_content[cols] & data.rows_with_content[rows]
    labelled = rows[there], cols[there]
    ranks = [places(data, miner, *cells) for cells in (labelled, unlabelled)]
    return compare_ranks((labelled[0], ranks[0]), (unlabelled[0], ranks[1]), seed=seed)


def places(data: Collection, miner: Any, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """1 + how many documents of the collection score higher than each cell, labelled or not; int64 ``[cells]``."""
    found = np.empty(len(rows), dtype=np.int64)
    order = np.argsort(rows, kind="stable")
    asked, starts = np.unique(rows[order], return_index=True)
    for row, cells in zip(asked.tolist(), np.split(order, starts)[1:], strict=True):
        scores = miner.scores(data, np.array([row]))[0]
        all_scores = np.sort(scores[data.cols_with_content])
        found[cells] = 1 + len(all_scores) - np.searchsorted(all_scores, scores[cols[cells]], side="right")
    return found


def compare_ranks(
    labelled: tuple[np.ndarray, np.ndarray],
    unlabelled: tuple[np.ndarray, np.ndarray],
    *,
    called: str = "an unlabelled relevant document",
    seed: int = 0,
) -> dict[str, Any]:
    """Two groups of ranks, each as (query, rank) of its cells; a rank may be infinite.

    Args:
        called: what a cell of the second group is, in words.
        seed: of the bootstrap.

    Returns:
        ``labelled`` and ``unlabelled``: ``cells``, ``quartiles`` of the ranks (None for infinity) and the share
        ``within`` each depth; ``above``: the probability that a labelled cell ranks above an unlabelled one of the same
        query, with its 95 % bootstrap interval over queries, and the ``queries`` that have both; ``says``.
    """
    groups = {"labelled": labelled, "unlabelled": unlabelled}
    for name, (rows, ranks) in groups.items():
        if len(rows) != len(ranks) or np.isnan(ranks).any() or (np.asarray(ranks) < 1).any():
            raise LitotesError(f"compare_ranks takes a rank from 1 on for each {name} cell.")
    facts: dict[str, Any] = {name: _spread(np.asarray(ranks, dtype=np.float64)) for name, (_, ranks) in groups.items()}
    facts["above"] = _above(labelled, unlabelled, seed)
    return {**facts, "says": _says(facts, called)}


def _spread(ranks: np.ndarray) -> dict[str, Any]:
    if not len(ranks):
        return {"cells": 0, "quartiles": None, "within": {str(depth): None for depth in WITHIN}}
    quartiles = np.quantile(ranks, _QUANTILES, method="inverted_cdf").tolist()
    return {
        "cells": len(ranks),
        "quartiles": [rank if np.isfinite(rank) else None for rank in quartiles],
        "within": {str(depth): float((ranks <= depth).mean()) for depth in WITHIN},
    }


def _above(
    labelled: tuple[np.ndarray, np.ndarray], unlabelled: tuple[np.ndarray, np.ndarray], seed: int
) -> dict[str, Any]:
    """The mean over queries that have both of how often a labelled cell ranks above an unlabelled one."""
    ours, theirs = (_by_query(*group) for group in (labelled, unlabelled))
    wins = []
    for row in ours.keys() & theirs.keys():
        higher, equal = ours[row][:, None] < theirs[row][None, :], ours[row][:, None] == theirs[row][None, :]
        wins.append(float((higher + 0.5 * equal).mean()))
    wins.sort()  # whatever order the queries came in
    if not wins:
        return {"share": None, "low": None, "high": None, "queries": 0}
    drawn = rng(seed, "pool bias").integers(0, len(wins), size=(_RESAMPLES, len(wins)))
    low, high = np.quantile(np.array(wins)[drawn].mean(axis=1), [0.025, 0.975]).tolist()
    return {"share": float(np.mean(wins)), "low": low, "high": high, "queries": len(wins)}


def _by_query(rows: np.ndarray, ranks: np.ndarray) -> dict[int, np.ndarray]:
    """The ranks of each query."""
    order = np.argsort(rows, kind="stable")
    found, starts = np.unique(np.asarray(rows)[order], return_index=True)
    return dict(zip(found.tolist(), np.split(np.asarray(ranks)[order], starts[1:]), strict=True)) if len(rows) else {}


def _says(facts: dict[str, Any], called: str) -> str:
    share, low, high, queries = (facts["above"][name] for name in ("share", "low", "high", "queries"))
    if share is None:
        return f"No query has both a labelled positive and {called}, so nothing can be compared."
    said = f"A labelled positive ranks above {called} of its query in {share:.0%} of pairs "
    said += f"({low:.0%} to {high:.0%}, {queries} queries): "
    if low > 0.5:
        return said + "the labels lean to what this retriever ranks high."
    if high < 0.5:
        return said + "the labels were found some other way; this retriever ranks the others higher."
    return said + "by this retriever the two cannot be told apart."
