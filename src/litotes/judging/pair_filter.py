"""A filter of noisy pairs: judged positives that an encoder finds neither near the top nor similar enough.

It looks at observed cells, ``assumed = +1``, as any judge looks at candidates. Training pairs are dropped, labels are
not: a document that was left out as a positive of its query is not thereby a negative of it, so masks and miners should
go on to read the labels as they are.

A filter drops hard pairs together with wrong ones. What it is worth is a question to ask of the data at hand, for
which :func:`litotes.data.noisy_positives.noisy_positives` makes noise of a known share.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from litotes.core import Candidates, Collection
from litotes.core.candidates import data_parts
from litotes.core.checks import check_float
from litotes.core.errors import LitotesError
from litotes.judging.rank import RankJudge

__all__ = ["FilteredPairs", "filter_pairs", "observed_pairs"]


class FilteredPairs(NamedTuple):
    """The judged pairs, and which of them stay.

    Attributes:
        pairs: every positive cell with texts, ``assumed`` +1, with ``judge.rank`` and ``judge.score``.
        keep: which stay; bool ``[cells]``.
    """

    pairs: Candidates
    keep: np.ndarray

    def kept(self, cells: np.ndarray) -> np.ndarray:
        """Which of ``cells`` (int64 ``[n, 2]``, row and column) are pairs that stay; bool ``[n]``."""
        width = int(max(self.pairs.col.max(initial=0), cells[:, 1].max(initial=0))) + 1
        return np.isin(cells[:, 0] * width + cells[:, 1], (self.pairs.row * width + self.pairs.col)[self.keep])


def observed_pairs(data: Collection, rows: np.ndarray | None = None) -> Candidates:
    """The positive cells that have texts, of ``rows`` (positions; None for all), as cells assumed positive."""
    row, col = data.labels.positive_cells()
    there = data.rows_with_content[row] & data.cols_with_content[col]
    if rows is not None:
        there &= np.isin(row, rows)
    row, col = row[there], col[there]
    table = pa.table({"row": row, "col": col, "assumed": np.ones(len(row), dtype=np.int8)})
    return Candidates(table, made_from=data_parts(data))


def filter_pairs(
    data: Collection,
    encoder: Any,
    *,
    top: int | None = None,
    min_score: float | None = None,
    rows: np.ndarray | None = None,
) -> FilteredPairs:
    """Judge the pairs of ``rows``; those stay that the encoder ranks within ``top`` and scores at least ``min_score``.

    Args:
        encoder: anything that embeds; the model after its warm-up, in PEG.
        top: a pair stays if fewer than ``top`` documents that are no positives of its query score above its own.
        min_score: a pair stays if its two vectors have at least this product (the cosine, for encoders that compare by
            it).

    Raises:
        LitotesError: neither ``top`` nor ``min_score`` is given.
    """
    if top is None and min_score is None:
        raise LitotesError("filter_pairs needs top, min_score, or both: without a rule nothing is dropped.")
    if min_score is not None:
        check_float("filter_pairs", "min_score", min_score)
    judge = RankJudge(encoder, top=1 if top is None else top)
    pairs = observed_pairs(data, rows)
    scores = judge.scores(data, pairs.row, pairs.col)
    pairs = (pairs if top is None else judge.judge(pairs, data)).with_columns({"judge.score": scores})
    keep = np.ones(len(pairs), dtype=bool)
    if top is not None:
        keep &= pairs.column("judge.rank") <= top
    if min_score is not None:
        keep &= scores >= min_score
    return FilteredPairs(pairs, keep)
