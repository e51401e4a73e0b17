"""How an arm of CET's claims is run: models trained together on given lines, a ranking, measures by the truth.

Three studies, named by an arm's command: ``simulated`` (:mod:`.pool_simulator`), ``features`` and ``texts``
(:mod:`.pooled_cranfield`). Options of an arm: ``negatives``, whose first documents they are; ``debias_ratio``, T,
without which the relevance model is trained alone; ``selection_inputs``: ``same``; ``oracle``: no false negatives;
``order``: a retriever's own order, and nothing is trained.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.claims.coupled_training import train_on_lines
from litotes.evaluation.experiment import Cell, Outcome

if TYPE_CHECKING:
    from litotes.claims.pooled_cranfield import Pooled
    from litotes.models.cell_model import CellModel
    from litotes.models.frozen_layers import KeptStates
    from litotes.recipes.retrieval.cet import CetConfig

__all__ = ["EPOCHS", "run_coupled"]

EPOCHS = 12
_TEXT_EPOCHS, _TEXT_NEGATIVES, _TEXT_DEPTH, _TEXT_PART, _TOKENS = 2, 3, 30, 0, 96


def run_coupled(cell: Cell) -> Outcome:
    """Train the arm's models, or take its retriever's order, and hold the ranking against the truth."""
    return {"simulated": _simulated, "features": _features, "texts": _texts}[cell.arm.command](cell)


def _simulated(cell: Cell) -> Outcome:
    from litotes.claims.pool_simulator import TableFeatures, auc_by_query, retriever_scores, simulate, training_lines
    from litotes.evaluation.metrics import measure_scores
    from litotes.models.cell_model import cell_scores
    from litotes.models.feature_ranker import FeatureRanker

    options, world = dict(cell.arm.config), simulate(cell.seed)
    negatives = options.get("order") or options.get("negatives", "all")
    lines = training_lines(world, cell.seed, negatives=negatives, oracle="oracle" in options)
    is_false, ratio = world.relevant[lines[:, 0], lines[:, 2]], 1.0
    if "order" in options:
        scores = retriever_scores(world, negatives)
    else:
        R = FeatureRanker(TableFeatures(world, (0, 1, 2, 3)), hidden=16, seed=2 * cell.seed)
        seen = (0, 1, 2, 3) if options.get("selection_inputs") == "same" else (0,)
        own = FeatureRanker(TableFeatures(world, seen), hidden=16, seed=2 * cell.seed + 1)
        S, config = _weighted(own, options, cell.seed, batch=256)
        train_on_lines(world.data, lines, R, S, config, cell.folder / "model", epochs=EPOCHS)
        cells = (x.ravel() for x in np.indices(world.relevant.shape))
        scores = cell_scores(R, world.data, *cells, batch_size=4096).reshape(world.relevant.shape)
        ratio = _ratio(S, world.data, lines, is_false, config)
    tested = world.is_test & world.relevant.any(axis=1)
    metrics = {
        "AUC": float(auc_by_query(scores[world.is_test], world.relevant[world.is_test]).mean()),
        "nDCG@10": float(measure_scores(scores[tested], world.relevant[tested].astype(float), ["nDCG@10"])[1][0]),
        "weight ratio": ratio,
        "false negatives": float(is_false.mean()),
    }
    facts = {"data": {"name": "simulator", "fingerprint": _simulator_fingerprint()}, "pairs": len(lines)}
    return Outcome(metrics, facts=facts)


@lru_cache(maxsize=1)
def _simulator_fingerprint() -> str:
    """Of what the simulator makes: its first draw, whichever draw a seed takes."""
    from litotes.claims.pool_simulator import simulate
    from litotes.core.fingerprint import digest

    world = simulate(0)
    return digest(world.data.fingerprint, world.x)


def _features(cell: Cell) -> Outcome:
    from litotes.claims.pooled_cranfield import DEPTH, FOLDS, pooled, training_lines
    from litotes.models.feature_ranker import FeatureRanker

    options, known = dict(cell.arm.config), pooled()
    if "order" in options:
        return _ordered(cell, known, np.arange(known.data.n_rows), DEPTH)
    run: dict[str, dict[str, float]] = {}
    weighed = []
    for part in range(FOLDS):
        lines = training_lines(known, part, options["negatives"], oracle="oracle" in options)
        R = FeatureRanker(known.features("all"), seed=2 * cell.seed)
        seen = "all" if options.get("selection_inputs") == "same" else "lexical"
        own = FeatureRanker(known.features(seen), hidden=16, seed=2 * cell.seed + 1)
        S, config = _weighted(own, options, cell.seed, batch=64)
        _make_ready([R, S], known, lines)
        train_on_lines(known.data, lines, R, S, config, cell.folder / f"model-{part}", epochs=EPOCHS)
        run |= _reranked(R, known, np.flatnonzero(known.part == part), DEPTH, batch_size=4096)
        weighed.append(_ratio(S, known.data, lines, known.relevant[lines[:, 0], lines[:, 2]], config))
    return _measured(cell, known, run, float(np.mean(weighed)))


def _texts(cell: Cell) -> Outcome:
    from litotes.claims.pooled_cranfield import pooled, training_lines
    from litotes.models.cell_model import PairRanker
    from litotes.models.cross_encoder import PairModel, load_cross_encoder
    from litotes.models.feature_ranker import FeatureRanker
    from litotes.models.frozen_layers import freeze_lower_layers

    options, known = dict(cell.arm.config), pooled()
    rows = np.flatnonzero(known.part == _TEXT_PART)
    if "order" in options:
        return _ordered(cell, known, rows, _TEXT_DEPTH)
    lines = training_lines(known, _TEXT_PART, options["negatives"], oracle="oracle" in options)
    whole = load_cross_encoder("builtin:minilm", device="cpu", max_length=_TOKENS, seed=cell.seed)
    R = PairRanker(PairModel(freeze_lower_layers(whole, 2, kept=_kept_states())))
    own = FeatureRanker(known.features("lexical"), hidden=16, seed=2 * cell.seed + 1)
    S, config = _weighted(own, options, cell.seed, batch=16, rate=1e-4)
    _make_ready([S], known, lines)
    grouped = _several_negatives(lines, _TEXT_NEGATIVES)
    train_on_lines(known.data, grouped, R, S, config, cell.folder / "model", epochs=_TEXT_EPOCHS)
    ratio = _ratio(S, known.data, lines, known.relevant[lines[:, 0], lines[:, 2]], config)
    return _measured(cell, known, _reranked(R, known, rows, _TEXT_DEPTH), ratio)


def _weighted(
    own: "CellModel", options: Mapping[str, Any], seed: int, *, batch: int, rate: float = 1e-2
) -> tuple["CellModel | None", "CetConfig"]:
    """The selection model if the arm weights, and what both are trained with."""
    from litotes.recipes.retrieval.cet import CetConfig

    T = options.get("debias_ratio")
    config = CetConfig(
        debias_ratio=T or 10.0,
        max_weight=1e6,
        learning_rate=rate,
        selection_learning_rate=1e-2,
        weight_decay=0.0,
        max_grad_norm=1.0,
        per_device_train_batch_size=batch,
        seed=seed,
    )
    return (None if T is None else own), config


def _make_ready(models: Sequence[Any], known: "Pooled", lines: np.ndarray) -> None:
    """Features are made once and standardised over what is trained on."""
    rows, cols = np.repeat(lines[:, 0], 2), lines[:, 1:].ravel()
    for model in models:
        if model is not None:
            model.prepare(known.data, rows, cols)
            model.standardise(known.data, rows, cols)


def _ratio(S: "CellModel | None", data: Any, lines: np.ndarray, is_false: np.ndarray, config: "CetConfig") -> float:
    """Mean weight on false negatives over that on true ones; 1 without weights, or without false negatives."""
    from litotes.evaluation.weight_report import weight_report
    from litotes.models.selection_model import SelectionModel
    from litotes.recipes.retrieval.cet import negative_weights

    if S is None or not is_false.any():
        return 1.0
    selection = SelectionModel(S, temperature=config.debias_ratio)
    weights = negative_weights(selection, data, lines[:, 0], lines[:, 2], max_weight=1e6)
    return float(weight_report(weights, is_false)["ratio"])


def _reranked(
    R: "CellModel", known: "Pooled", rows: np.ndarray, depth: int, *, batch_size: int = 64
) -> dict[str, dict[str, float]]:
    """The first ``depth`` of the hybrid, ordered by R."""
    from litotes.models.cell_model import cell_scores

    cols = known.ranked[rows, :depth]
    scores = cell_scores(R, known.data, np.repeat(rows, depth), cols.ravel(), batch_size=batch_size)
    return _run(known, rows, cols, scores.reshape(cols.shape))


def _ordered(cell: Cell, known: "Pooled", rows: np.ndarray, depth: int) -> Outcome:
    """A retriever's own first ``depth`` as it orders them."""
    name = cell.arm.config["order"]
    cols = known.first(name, depth)[rows]
    return _measured(cell, known, _run(known, rows, cols, known.retrievers[name][rows[:, None], cols]), 1.0)


def _run(known: "Pooled", rows: np.ndarray, cols: np.ndarray, scores: np.ndarray) -> dict[str, dict[str, float]]:
    ids = known.data.col_ids.values
    return {
        known.data.row_ids[row]: dict(zip((ids[col] for col in of), own.tolist(), strict=True))
        for row, of, own in zip(rows.tolist(), cols, scores, strict=True)
    }


def _measured(cell: Cell, known: "Pooled", run: dict[str, dict[str, float]], ratio: float) -> Outcome:
    """nDCG by all judgements of the queries that were ranked, and what the negatives of all labelled queries are."""
    from litotes.claims.pooled_cranfield import MINED, training_lines
    from litotes.evaluation.metrics import measure_run

    options, ids, names = cell.arm.config, known.data.col_ids.values, known.data.row_ids
    grades = {
        names[row]: {ids[col]: 1.0 for col in np.flatnonzero(known.relevant[row])}
        for row in range(known.data.n_rows)
        if names[row] in run
    }
    by_query = measure_run(run, grades, ["nDCG@10"]).per_query["nDCG@10"]
    retriever = options.get("order") or options["negatives"]
    lines, first = training_lines(known, None, retriever, oracle="oracle" in options), known.first(retriever, MINED)
    is_false = known.relevant[lines[:, 0], lines[:, 2]]
    labelled = {names[row]: row for row in known.labelled.tolist()}
    per_query = {
        "nDCG@10": {query: by_query[query] for query in labelled if query in by_query},
        "false negatives": {query: float(is_false[lines[:, 0] == row].mean()) for query, row in labelled.items()},
        "relevant@20": {query: float(known.relevant[row, first[row]].mean()) for query, row in labelled.items()},
    }
    metrics = {metric: float(np.mean(list(values.values()))) for metric, values in per_query.items()}
    metrics |= {"nDCG@10, all queries": float(np.mean(list(by_query.values()))), "weight ratio": ratio}
    facts = {
        "data": {"name": cell.data, "fingerprint": known.data.fingerprint},
        "queries with a label": len(labelled),
        "queries measured": len(per_query["nDCG@10"]),
    }
    return Outcome(metrics, per_query, facts)


def _several_negatives(lines: np.ndarray, count: int) -> np.ndarray:
    """Lines of one positive with ``count`` negatives each; what does not fill a line is left out."""
    made = []
    for row in np.unique(lines[:, 0]):
        own = lines[lines[:, 0] == row]
        whole = len(own) // count
        negatives = own[: whole * count, 2].reshape(whole, count)
        made.append(np.concatenate([own[:whole, :2], negatives], axis=1))
    return np.concatenate(made)


@lru_cache(maxsize=1)
def _kept_states() -> "KeptStates":
    """What frozen layers computed of pairs, for all cells of this process."""
    from litotes.models.frozen_layers import KeptStates

    return KeptStates(3 * 2**29)
