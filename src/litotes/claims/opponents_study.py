"""Running an arm of AR2: a small retriever and a small ranker that really reads both texts, trained from nothing.

An arm ``ar2`` is a run of ``litotes train ar2`` from a bag of words and an interaction ranker made from the training
part, or from both models of the cell that it starts from. An arm ``rerank`` trains nothing: it measures what the ranker
of that cell makes of the top of the same cell's retriever. An arm that goes on from another has a seed of its own
derived from that one's, so that it reads other batches and draws other negatives than it, and not the same again. The
rounds are watched on lines of dev, which no arm trains on. Every arm searches the full corpus; where the complete truth
of a set is known, test is measured by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.claims.retrieval_study import splits
from litotes.core.errors import LitotesError
from litotes.core.seeds import derived_seed
from litotes.evaluation.experiment import Cell, Outcome

if TYPE_CHECKING:
    from litotes.core import Collection
    from litotes.evaluation import Evaluation

__all__ = ["CONFUSION", "GAIN", "HARDER", "METRICS", "run_opponents"]

METRICS = ("RR@10", "nDCG@10", "R@5")
GAIN = "gain of RR@10"
"""RR@10 of the arm minus that of the retriever it started from, query by query."""
HARDER = "loss of the first ranker"
"""How much its cross entropy rises from the warmed-up retriever's candidates to those of the final one, on dev."""
CONFUSION = "confusion"
"""How much surer the ranker in training is in the end that a sampled negative beats the positive, on dev."""


def run_opponents(cell: Cell) -> Outcome:
    """Train the arm and measure what it left."""
    data = splits(cell.data)
    asked = data.dev if cell.split == "dev" else data.test
    if cell.arm.command == "rerank":
        return _outcome(cell, data.fit, _reranked(cell, asked))
    if cell.arm.command != "ar2":
        raise LitotesError(f"There is no arm {cell.arm.command!r}; an arm is 'ar2' or 'rerank'.")
    from litotes.recipes.retrieval.ar2 import Ar2Config, load_model, train_ar2

    seed = cell.seed if cell.start is None else derived_seed(cell.seed, "goes on")
    encoder, ranker = _opponents(cell, data.fit)
    folder = cell.folder / "model"
    train_ar2(data.fit, Ar2Config(**cell.arm.config, seed=seed), folder, dev=data.dev, encoder=encoder, ranker=ranker)
    found = _measured(cell, asked, load_model(folder, device="cpu"))
    outcome = _outcome(cell, data.fit, found, rounds=_rounds(folder))
    if cell.start is None:
        return outcome
    before = _measured(cell, asked, load_model(cell.start / "model", device="cpu")).per_query["RR@10"]
    gains = {query: value - before[query] for query, value in found.per_query["RR@10"].items()}
    metrics = {**outcome.metrics, GAIN: float(np.mean(list(gains.values())))}
    return Outcome(metrics, {**outcome.per_query, GAIN: gains}, outcome.facts)


def _opponents(cell: Cell, data: Collection) -> tuple[Any, Any]:
    """Both models of the cell that this one starts from, or new ones."""
    from litotes.models.interaction import InteractionRanker
    from litotes.models.word_bag import word_bag
    from litotes.recipes.retrieval.ar2 import load_model, load_ranker

    if cell.start is None:
        return word_bag(data, seed=cell.seed), InteractionRanker.of(data, seed=cell.seed)
    return load_model(cell.start / "model", device="cpu"), load_ranker(cell.start / "model", device="cpu")


def _measured(cell: Cell, asked: Collection, model: Any) -> Evaluation:
    from litotes.evaluation import evaluate

    truth = asked.truth if cell.split == "test" and asked.truth is not None else asked.labels
    return evaluate(asked, model, METRICS, qrels=truth, top=max(_depth(cell), 10))


def _reranked(cell: Cell, asked: Collection) -> Evaluation:
    from litotes.evaluation.reranking import rerank, reranker
    from litotes.recipes.retrieval.ar2 import load_model, load_ranker

    assert cell.start is not None
    run = _measured(cell, asked, load_model(cell.start / "model", device="cpu")).run
    ranker = reranker(load_ranker(cell.start / "model", device="cpu"))
    return _measured(cell, asked, rerank(asked, run, ranker, depth=_depth(cell)))


def _depth(cell: Cell) -> int:
    return int(cell.arm.config.get("depth", 50))


def _rounds(folder: Any) -> list[dict[str, float]]:
    from litotes.core import RunFolder

    return RunFolder.open(folder, create=False).stages["train/ar2"]["summary"]["rounds"]


def _outcome(cell: Cell, data: Collection, found: Evaluation, rounds: list[dict[str, float]] | None = None) -> Outcome:
    metrics = dict(found.means)
    if rounds:
        metrics[HARDER] = rounds[-1]["fresh_ranker_loss"] - rounds[0]["fresh_ranker_loss"]
        metrics[CONFUSION] = rounds[-1]["confusion"] - rounds[0]["confusion"]
    named = {"name": cell.data, "fingerprint": data.fingerprint, "queries": found.counts["queries"]}
    return Outcome(metrics, found.per_query, {"data": named, "rounds": rounds or []})
