"""Cranfield with a pool: what is labelled is what BM25 ranks in its first three; what is measured are all judgements.

Cranfield was judged nearly exhaustively. Here a relevant document counts as labelled only if BM25 ranks it among the
first three of its query, and one of those is kept. A ranker is trained with it against the unlabelled documents in the
first 20 of a retriever, and reranks the first of a hybrid retriever (BM25, tf-idf and 100 latent dimensions, each
standardised by query, added). Queries are cut in three parts, each ranked by a model that was trained on the other two.

Retrievers that negatives come from: ``bm25``, ``hybrid``, and ``dense`` (all-MiniLM-L6-v2).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from litotes.core import Collection
from litotes.core.seeds import rng

if TYPE_CHECKING:
    from litotes.models.match_features import MatchFeatures

__all__ = ["FOLDS", "MINED", "Pooled", "pool_of", "pooled", "training_lines"]

POOL, MINED, DEPTH, FOLDS = 3, 20, 100, 3


class Pooled(NamedTuple):
    """The set as a user would have it, and what is known besides.

    Attributes:
        data: Cranfield with the labels that the pool leaves; ``data.truth`` holds all.
        relevant: all judgements, bool ``[queries, documents]``.
        retrievers: scores by name, float64 ``[queries, documents]`` each.
        ranked: the first 100 of the hybrid, best first, int64 ``[queries, 100]``.
        part: which of three each query belongs to, int64 ``[queries]``.
        statistics: what match features of this set share.
    """

    data: Collection
    relevant: np.ndarray
    retrievers: dict[str, np.ndarray]
    ranked: np.ndarray
    part: np.ndarray
    statistics: MatchFeatures

    @property
    def labelled(self) -> np.ndarray:
        """The queries that the pool left a label, ascending; int64 ``[queries with a label]``."""
        return np.unique(self.data.labels.positive_cells()[0])

    def features(self, which: str) -> MatchFeatures:
        """The features ``all`` or ``lexical``, whose statistics are made once for all rankers."""
        from litotes.models.match_features import FEATURE_SETS, MatchFeatures

        return MatchFeatures(FEATURE_SETS[which], beside=self.statistics)

    def first(self, retriever: str, depth: int) -> np.ndarray:
        """The first documents of each query by a retriever, best first; int64 ``[queries, depth]``."""
        return np.argsort(-self.retrievers[retriever], axis=1, kind="stable")[:, :depth]


@lru_cache(maxsize=1)
def pooled() -> Pooled:
    """The set; the same for all seeds."""
    from litotes.data.load import load
    from litotes.data.public import public_folder
    from litotes.models import encode_cols, encode_rows, resolve_encoder

    whole, encoder = load(public_folder("cranfield"), split="all"), resolve_encoder("builtin:minilm")
    return pool_of(whole, encode_rows(whole, encoder).astype(np.float64) @ encode_cols(whole, encoder).T)


def pool_of(whole: Collection, dense: np.ndarray) -> Pooled:
    """What a pool of BM25's first three leaves of a collection with complete judgements.

    Args:
        dense: scores of the encoder, ``[queries, documents]``.
    """
    from litotes.core import LabelMatrix
    from litotes.models.match_features import MatchFeatures

    shape = whole.n_rows, whole.n_cols
    relevant = np.zeros(shape, dtype=bool)
    relevant[whole.labels.positive_cells()] = True
    names = ("bm25", "tfidf", "lsa_100")
    rows, cols = (x.ravel() for x in np.indices(shape))
    statistics = MatchFeatures(names)
    table = statistics.table(whole, rows, cols).astype(np.float64).reshape(*shape, len(names))
    hybrid = sum((_standardised(table[..., place]) for place in range(len(names))), start=np.zeros(shape))
    retrievers = {"bm25": table[..., 0], "hybrid": hybrid, "dense": dense}
    first = np.argsort(-retrievers["bm25"], axis=1, kind="stable")[:, :POOL]
    kept = [(row, next((int(col) for col in first[row] if relevant[row, col]), None)) for row in range(shape[0])]
    labels = LabelMatrix(
        whole.row_ids, whole.col_ids, *np.array([(row, col) for row, col in kept if col is not None]).T
    )
    data = Collection(labels, whole.rows.table, whole.cols.table, name="cranfield", truth=whole.labels)
    ranked = np.argsort(-hybrid, axis=1, kind="stable")[:, :DEPTH]
    part = rng(0, "parts of Cranfield").permutation(shape[0]) % FOLDS
    return Pooled(data, relevant, retrievers, ranked, part, statistics)


def training_lines(known: Pooled, part: int | None, negatives: str, *, oracle: bool = False) -> np.ndarray:
    """Query, labelled document, unlabelled document; int64 ``[pairs, 3]``.

    Args:
        part: what the model will rank, and is not trained on; None leaves nothing out.
        negatives: whose first 20.
        oracle: leave out those that are relevant in truth.
    """
    rows, positives = known.data.labels.positive_cells()
    trained = known.part[rows] != (-1 if part is None else part)
    lines, first = [], known.first(negatives, MINED)
    for row, positive in zip(rows[trained].tolist(), positives[trained].tolist(), strict=True):
        others = first[row][~known.data.is_positive(row, first[row])]
        if oracle:
            others = others[~known.relevant[row, others]]
        lines.append(np.stack([np.full(len(others), row), np.full(len(others), positive), others], axis=1))
    return np.concatenate(lines)


def _standardised(scores: np.ndarray) -> np.ndarray:
    """Of mean 0 and deviation 1 for each query."""
    return (scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)
