"""Reranking: a model that reads query and document together orders anew what a retriever put on top."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.core.checks import check_int
from litotes.core.errors import DataError, LitotesError

if TYPE_CHECKING:
    from litotes.core import Collection
    from litotes.judging.pair_scorer import PairScorer
    from litotes.models.cell_model import CellModel

__all__ = ["rerank", "reranker"]


def rerank(
    data: Collection, run: Mapping[str, Mapping[str, float]], scorer: PairScorer | CellModel, *, depth: int = 100
) -> dict[str, dict[str, float]]:
    """A run whose first ``depth`` documents of each query stand in the order of ``scorer``, the others behind them.

    Documents without text cannot be read and stand with the others, which keep the retriever's order, as do documents
    of equal scores. What was read has the scorer's scores, all others stand below it.

    Args:
        data: the texts.
        run: ``{query id: {document id: score}}``, as :func:`~litotes.evaluation.evaluate` gives it.
        scorer: scores pairs of texts, or cells of the collection; more is more relevant.
        depth: documents of each query that are read.
    """
    check_int("rerank", "depth", depth, at_least=1)
    queries, documents = data.queries, data.corpus
    unknown = next((query for query in run if query not in data.row_ids), None)
    if unknown is not None:
        raise DataError(f"The run has a query {unknown!r} that is not in the data. Rerank the run of the same data.")
    order = {query: sorted(scores, key=lambda d, s=scores: -s[d]) for query, scores in run.items()}  # type: ignore[misc]
    read = {query: [d for d in found[:depth] if query in queries and d in documents] for query, found in order.items()}
    asked = [(query, document) for query, found in read.items() for document in found]
    scored = _scores(data, asked, scorer)
    wrong = next((pair for pair, score in zip(asked, scored, strict=True) if score != score), None)
    if wrong is not None:
        raise DataError(
            f"The reranker scores the document {wrong[1]!r} for the query {wrong[0]!r} as NaN, which has no place in "
            "an order. A model whose training diverged does that; look at its weights."
        )
    given = iter(scored)
    reranked = {}
    for query, found in order.items():
        scores = {document: next(given) for document in read[query]}
        best = sorted(scores, key=lambda d, s=scores: -s[d])  # type: ignore[misc]  # stable: ties as retrieved
        rest = [document for document in found if document not in scores]
        lowest = min(scores.values(), default=0.0)
        below = {document: lowest - 1.0 - place for place, document in enumerate(rest)}
        reranked[query] = _falling({**{document: scores[document] for document in best}, **below})
    return reranked


def reranker(
    model: Any, *, batch_size: int = 64, max_length: int | None = None, device: str = "auto"
) -> PairScorer | CellModel:
    """What reads pairs: the name or folder of a cross-encoder, the folder of an interaction ranker or of one on match
    features, or a live one.

    Raises:
        LitotesError: no such model, or one that does not score pairs.
    """
    from litotes.judging.cross_encoder import CrossEncoderScorer
    from litotes.models.cell_model import CellModel, load_cell_model
    from litotes.models.feature_ranker import FEATURES_FILE
    from litotes.models.interaction import InteractionRanker, is_interaction_ranker

    if isinstance(model, str | os.PathLike):
        if is_interaction_ranker(model):
            return InteractionRanker.load(model, device=device)
        if (Path(model) / FEATURES_FILE).is_file():
            return load_cell_model(model, device=device)
        return CrossEncoderScorer(os.fspath(model), batch_size, max_length, device)
    if hasattr(model, "predict"):
        return CrossEncoderScorer(model, batch_size, max_length, device)
    if not hasattr(model, "score") and not isinstance(model, CellModel):
        raise LitotesError(f"A reranker is a name, a folder or a model that scores pairs. Got {type(model).__name__}.")
    return model


def _scores(data: Collection, asked: list[tuple[str, str]], scorer: PairScorer | CellModel) -> list[float]:
    """The scorer's score of each (query id, document id)."""
    from litotes.models.cell_model import CellModel, cell_scores

    if isinstance(scorer, CellModel):
        rows = data.row_ids.positions([query for query, _ in asked])
        cols = data.col_ids.positions([document for _, document in asked])
        return cell_scores(scorer, data, rows, cols).tolist()
    pairs = [(data.queries[query], data.corpus[document]) for query, document in asked]
    return np.asarray(scorer.score(pairs), dtype=np.float64).tolist()


def _falling(scores: dict[str, float]) -> dict[str, float]:
    """The same scores, each at least one step of float32 below the one before, so that readers of runs keep the order.

    Run files and trec_eval compare in float32 and put equal scores into an order of their own.
    """
    fallen: dict[str, float] = {}
    below = np.float32(np.inf)
    for document, score in scores.items():
        below = min(np.float32(score), np.nextafter(below, np.float32(-np.inf)))
        fallen[document] = float(below)
    return fallen
