"""What the CET paper promises (Cai et al., CIKM 2022), asked where the truth about the unlabelled is known.

- ``simulator``: a made-up collection (:mod:`.pool_simulator`); two small networks, 12 epochs of Adam at 0.01, batches
  of 256 pairs. Every seed draws new data, so intervals are over seeds alone.
- ``cranfield``: real texts with hidden judgements (:mod:`.pooled_cranfield`). ``features``: R looks at nine match
  features, S at four lexical ones, as in the simulator but batches of 64; all queries are ranked, the first 100 of the
  hybrid. ``texts``: R is a cross-encoder from all-MiniLM-L6-v2 with a new head, its last two layers trained for two
  epochs on 96 tokens a pair, three negatives a line; one part of the queries is ranked, the first 30 of the hybrid.

Options were taken from the specification of the experiments, or fixed before the first run; none was chosen by results,
so no arm has trials. With Adam a mean weight of 2 is no higher learning rate. Weights are capped at a million, which
only keeps them finite where they run away.

Metrics: ``AUC`` and ``nDCG@10`` by true relevance; ``weight ratio``, the mean weight on false negatives over that on
true ones (1 where nothing is weighted); ``relevant@20``, the share of the unlabelled among a retriever's first 20 that
is relevant in truth (in the simulator: of the negatives).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.claims.coupled_training import train_on_lines
from litotes.claims.pool_simulator import auc_by_query, simulate
from litotes.evaluation.claim import Arm, Claim, Holds
from litotes.evaluation.experiment import Cell, Outcome

if TYPE_CHECKING:
    from litotes.claims.pooled_cranfield import Pooled
    from litotes.models.cell_model import CellModel
    from litotes.models.frozen_layers import KeptStates
    from litotes.recipes.retrieval.cet import CetConfig

__all__ = ["CLAIMS", "run"]

EPOCHS = 12
_TEXT_EPOCHS, _TEXT_NEGATIVES, _TEXT_DEPTH, _TOKENS = 2, 3, 30, 96


def run(cell: Cell) -> Outcome:
    """Train the arm's models and hold the relevance model against the truth."""
    return {"simulated": _simulated, "features": _features, "texts": _texts}[cell.arm.command](cell)


def _simulated(cell: Cell) -> Outcome:
    from litotes.claims.pool_simulator import TableFeatures, training_lines
    from litotes.evaluation.metrics import measure_scores
    from litotes.models.cell_model import cell_scores
    from litotes.models.feature_ranker import FeatureRanker

    options, world = dict(cell.arm.config), simulate(cell.seed)
    lines = training_lines(world, cell.seed, negatives=options.get("negatives", "all"), oracle="oracle" in options)
    R = FeatureRanker(TableFeatures(world, (0, 1, 2, 3)), hidden=16, seed=2 * cell.seed)
    seen = (0, 1, 2, 3) if options.get("selection_inputs") == "same" else (0,)
    own = FeatureRanker(TableFeatures(world, seen), hidden=16, seed=2 * cell.seed + 1)
    S, config = _weighted(own, options, cell.seed, batch=256)
    train_on_lines(world.data, lines, R, S, config, cell.folder / "model", epochs=EPOCHS)
    rows, cols = (x.ravel() for x in np.indices(world.relevant.shape))
    scores = cell_scores(R, world.data, rows, cols, batch_size=4096).reshape(world.relevant.shape)
    tested = world.is_test & world.relevant.any(axis=1)
    ndcg = measure_scores(scores[tested], world.relevant[tested].astype(float), ["nDCG@10"])[1]
    is_false = world.relevant[lines[:, 0], lines[:, 2]]
    metrics = {
        "AUC": float(auc_by_query(scores[world.is_test], world.relevant[world.is_test]).mean()),
        "nDCG@10": float(ndcg[0]),
        "weight ratio": _ratio(S, world.data, lines, is_false, config),
        "relevant@20": float(is_false.mean()),
    }
    facts = {"data": {"name": "simulator", "fingerprint": world.data.fingerprint}, "pairs": len(lines)}
    return Outcome(metrics, facts=facts)


def _features(cell: Cell) -> Outcome:
    from litotes.claims.pooled_cranfield import DEPTH, FOLDS, pooled, training_lines
    from litotes.models.feature_ranker import FeatureRanker
    from litotes.models.match_features import FEATURE_SETS

    options, known = dict(cell.arm.config), pooled()
    run: dict[str, dict[str, float]] = {}
    weighed = []
    for part in range(FOLDS):
        lines = training_lines(known, part, options["negatives"], oracle="oracle" in options)
        R = FeatureRanker(FEATURE_SETS["all"], seed=2 * cell.seed)
        seen = "all" if options.get("selection_inputs") == "same" else "lexical"
        own = FeatureRanker(FEATURE_SETS[seen], hidden=16, seed=2 * cell.seed + 1)
        S, config = _weighted(own, options, cell.seed, batch=64)
        _make_ready([R, S], known, lines)
        train_on_lines(known.data, lines, R, S, config, cell.folder / f"model-{part}", epochs=EPOCHS)
        run |= _ranking(R, known, np.flatnonzero(known.part == part), DEPTH, batch_size=4096)
        weighed.append(_ratio(S, known.data, lines, known.relevant[lines[:, 0], lines[:, 2]], config))
    return _measured(cell, known, run, float(np.mean(weighed)), options["negatives"])


def _texts(cell: Cell) -> Outcome:
    from litotes.claims.pooled_cranfield import pooled, training_lines
    from litotes.models.cell_model import PairRanker
    from litotes.models.cross_encoder import PairModel, load_cross_encoder
    from litotes.models.feature_ranker import FeatureRanker
    from litotes.models.frozen_layers import freeze_lower_layers
    from litotes.models.match_features import FEATURE_SETS

    options, known, part = dict(cell.arm.config), pooled(), 0
    lines = training_lines(known, part, options["negatives"], oracle="oracle" in options)
    whole = load_cross_encoder("builtin:minilm", device="cpu", max_length=_TOKENS, seed=cell.seed)
    R = PairRanker(PairModel(freeze_lower_layers(whole, 2, kept=_kept_states())))
    own = FeatureRanker(FEATURE_SETS["lexical"], hidden=16, seed=2 * cell.seed + 1)
    S, config = _weighted(own, options, cell.seed, batch=16, rate=1e-4)
    _make_ready([S], known, lines)
    grouped = _several_negatives(lines, _TEXT_NEGATIVES)
    train_on_lines(known.data, grouped, R, S, config, cell.folder / "model", epochs=_TEXT_EPOCHS)
    run = _ranking(R, known, np.flatnonzero(known.part == part), _TEXT_DEPTH)
    ratio = _ratio(S, known.data, lines, known.relevant[lines[:, 0], lines[:, 2]], config)
    return _measured(cell, known, run, ratio, options["negatives"])


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
        per_device_train_batch_size=batch,
        seed=seed,
    )
    return (None if T is None else own), config


def _make_ready(models: Sequence[Any], known: "Pooled", lines: np.ndarray) -> None:
    """Features are made once and standardised over what is trained on."""
    rows, cols = np.repeat(lines[:, 0], 2), lines[:, 1:].ravel()
    for model in models:
        if model is not None:
            model.standardise(known.data, rows, cols)
            model.prepare(known.data, rows, cols)


def _ratio(S: "CellModel | None", data: Any, lines: np.ndarray, is_false: np.ndarray, config: "CetConfig") -> float:
    """Mean weight on false negatives over that on true ones; 1 without weights, or without false negatives."""
    from litotes.evaluation.weight_report import weight_report
    from litotes.models.selection_model import SelectionModel
    from litotes.recipes.retrieval.cet import negative_weights

    if S is None or not is_false.any():
        return 1.0
    selection = SelectionModel(S, temperature=config.debias_ratio)
    weights = negative_weights(selection, data, lines[:, 0], lines[:, 2], max_weight=config.max_weight)
    return float(weight_report(weights, is_false)["ratio"])


def _ranking(
    R: "CellModel", known: "Pooled", rows: np.ndarray, depth: int, *, batch_size: int = 64
) -> dict[str, dict[str, float]]:
    """The first ``depth`` of the hybrid, ordered by R."""
    from litotes.models.cell_model import cell_scores

    cols = known.ranked[rows, :depth]
    scores = cell_scores(R, known.data, np.repeat(rows, depth), cols.ravel(), batch_size=batch_size).reshape(cols.shape)
    ids = known.data.col_ids.values
    return {
        known.data.row_ids[row]: dict(zip((ids[col] for col in of), own.tolist(), strict=True))
        for row, of, own in zip(rows.tolist(), cols, scores, strict=True)
    }


def _measured(cell: Cell, known: "Pooled", run: dict[str, dict[str, float]], ratio: float, negatives: str) -> Outcome:
    """nDCG by all judgements of the queries that were ranked, and what the negatives are of all queries."""
    from litotes.claims.pooled_cranfield import MINED
    from litotes.evaluation.metrics import measure_run

    ids, rows = known.data.col_ids.values, range(known.data.n_rows)
    grades = {
        known.data.row_ids[row]: {ids[col]: 1.0 for col in np.flatnonzero(known.relevant[row])}
        for row in rows
        if known.data.row_ids[row] in run
    }
    measured = measure_run(run, grades, ["nDCG@10"])
    first = np.argsort(-known.retrievers[negatives], axis=1, kind="stable")[:, :MINED]
    share = {}
    for row in rows:
        unlabelled = first[row][~known.data.is_positive(row, first[row])]
        share[known.data.row_ids[row]] = float(known.relevant[row, unlabelled].mean())
    metrics = {
        "nDCG@10": measured.means["nDCG@10"],
        "weight ratio": ratio,
        "relevant@20": float(np.mean(list(share.values()))),
    }
    facts = {
        "data": {"name": cell.data, "fingerprint": known.data.fingerprint},
        "queries with a label": len(known.data.labels),
    }
    return Outcome(metrics, {"nDCG@10": measured.per_query["nDCG@10"], "relevant@20": share}, facts)


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


_SECONDS = {"simulated": 2.0, "features": 9.0, "texts": 115.0}
_SEEDS = {"simulated": range(8), "features": range(8), "texts": range(5)}


def _arm(command: str, **config: Any) -> Arm:
    return Arm(command, config, seconds=_SECONDS[command])


SIMULATED = {
    "unweighted": _arm("simulated"),
    **{f"CET T={T:g}": _arm("simulated", debias_ratio=T) for T in (10.0, 2.0, 1.0, 0.5)},
    "CET T=1, same inputs": _arm("simulated", debias_ratio=1.0, selection_inputs="same"),
    "oracle": _arm("simulated", oracle=True),
    "weak, unweighted": _arm("simulated", negatives="weak"),
    "strong, unweighted": _arm("simulated", negatives="strong"),
    "strong, CET T=2": _arm("simulated", negatives="strong", debias_ratio=2.0),
}
FEATURES = {
    "BM25, unweighted": _arm("features", negatives="bm25"),
    "hybrid, unweighted": _arm("features", negatives="hybrid"),
    "dense, unweighted": _arm("features", negatives="dense"),
    **{f"hybrid, CET T={T:g}": _arm("features", negatives="hybrid", debias_ratio=T) for T in (10.0, 2.0, 1.0, 0.5)},
    "hybrid, CET T=1, same inputs": _arm("features", negatives="hybrid", debias_ratio=1.0, selection_inputs="same"),
    "hybrid, oracle": _arm("features", negatives="hybrid", oracle=True),
}
TEXTS = {
    "BM25, unweighted": _arm("texts", negatives="bm25"),
    "hybrid, unweighted": _arm("texts", negatives="hybrid"),
    "hybrid, CET T=2": _arm("texts", negatives="hybrid", debias_ratio=2.0),
    "hybrid, oracle": _arm("texts", negatives="hybrid", oracle=True),
}


def _claim(
    name: str,
    says: str,
    source: str,
    arms: Mapping[str, Arm],
    holds: Sequence[Holds],
    metric: str,
    effect: float,
    *,
    beside: Sequence[str] = (),
    note: str = "",
) -> Claim:
    """A claim on the arms that it compares, with further ones beside."""
    named = [side for a, _, b in holds for side in (a, b) if isinstance(side, str)]
    command = next(iter(arms.values())).command
    metrics = (
        ("AUC", "nDCG@10", "weight ratio") if command == "simulated" else ("nDCG@10", "weight ratio", "relevant@20")
    )
    return Claim(
        name=name,
        says=says,
        source=source,
        data="simulator" if command == "simulated" else "cranfield",
        metric=metric,
        arms={arm: arms[arm] for arm in dict.fromkeys((*named, *beside))},
        holds=holds,
        effect=effect,
        seeds=_SEEDS[command],
        shown=[other for other in metrics if other != metric],
        note=note,
    )


_SMALL = (
    "The oracle, which knows the false negatives, shows how much there is to gain at most. Hidden relevant documents "
    "are lexically close themselves, so the ratio may well be above 1 where the ranking gains."
)

CLAIMS = (
    _claim(
        "simulator-auc",
        "Relevance and selection learned together rank better than unweighted training on the same negatives (AUC)",
        "abstract; checklist lines 4 and 5",
        SIMULATED,
        [("CET T=2", ">", "unweighted"), ("CET T=1", ">", "unweighted")],
        "AUC",
        0.01,
        beside=("CET T=10", "oracle"),
    ),
    _claim(
        "simulator-ndcg",
        "Relevance and selection learned together rank better than unweighted training on the same negatives (nDCG@10)",
        "abstract; checklist lines 4 and 5",
        SIMULATED,
        [("CET T=2", ">", "unweighted"), ("CET T=1", ">", "unweighted")],
        "nDCG@10",
        0.01,
        beside=("CET T=10", "oracle"),
    ),
    _claim(
        "simulator-ratio",
        "With a view of its own the selection model makes false negatives weigh less than true ones",
        "checklist line 4",
        SIMULATED,
        [("CET T=2", "<", 1.0), ("CET T=1", "<", 1.0)],
        "weight ratio",
        0.1,
    ),
    _claim(
        "simulator-same-inputs",
        "Where the selection model sees what the relevance model sees, false negatives weigh more than true ones",
        "specification, identifiability",
        SIMULATED,
        [("CET T=1, same inputs", ">", 1.0)],
        "weight ratio",
        0.5,
        beside=("CET T=1",),
    ),
    _claim(
        "simulator-runaway",
        "Below a temperature of 1 exponential weights run away: far worse than unweighted",
        "specification, experiment 1",
        SIMULATED,
        [("CET T=0.5", "<", "unweighted")],
        "AUC",
        0.1,
    ),
    _claim(
        "simulator-paradox",
        "Negatives from the stronger retriever train a worse ranker than those of the weak one",
        "abstract; checklist line 1",
        SIMULATED,
        [("strong, unweighted", "<", "weak, unweighted")],
        "nDCG@10",
        0.01,
        note="Both retrievers choose ten of the unlabelled documents of a query.",
    ),
    _claim(
        "simulator-cause",
        "Among the unlabelled that the stronger retriever ranks first, more are relevant",
        "checklist line 2",
        SIMULATED,
        [("strong, unweighted", ">", "weak, unweighted")],
        "relevant@20",
        0.01,
    ),
    _claim(
        "simulator-strong",
        "On the stronger retriever's negatives CET ranks better than unweighted training, and than a weaker sampler",
        "abstract; checklist line 5",
        SIMULATED,
        [("strong, CET T=2", ">", "strong, unweighted"), ("strong, CET T=2", ">", "weak, unweighted")],
        "nDCG@10",
        0.01,
    ),
    _claim(
        "cranfield-features",
        "CET ranks better by all judgements than unweighted training, on the same negatives and on those of BM25",
        "abstract; checklist line 5",
        FEATURES,
        [("hybrid, CET T=2", ">", "hybrid, unweighted"), ("hybrid, CET T=2", ">", "BM25, unweighted")],
        "nDCG@10",
        0.004,
        beside=("hybrid, CET T=10", "hybrid, CET T=1", "hybrid, CET T=0.5", "hybrid, oracle"),
        note=_SMALL,
    ),
    _claim(
        "cranfield-same-inputs",
        "A selection model with a view of its own ranks better than one that sees what the relevance model sees",
        "specification, identifiability",
        FEATURES,
        [("hybrid, CET T=2", ">", "hybrid, CET T=1, same inputs")],
        "nDCG@10",
        0.01,
        note=_SMALL,
    ),
    _claim(
        "cranfield-paradox",
        "Negatives from a stronger retriever train a worse ranker than those of BM25",
        "abstract; checklist line 1",
        FEATURES,
        [("hybrid, unweighted", "<", "BM25, unweighted"), ("dense, unweighted", "<", "BM25, unweighted")],
        "nDCG@10",
        0.02,
    ),
    _claim(
        "cranfield-cause",
        "Among the unlabelled in the first 20 more are relevant for a stronger retriever than for BM25",
        "checklist line 2",
        FEATURES,
        [("hybrid, unweighted", ">", "BM25, unweighted"), ("dense, unweighted", ">", "BM25, unweighted")],
        "relevant@20",
        0.01,
    ),
    _claim(
        "cranfield-texts",
        "A cross-encoder trained with CET ranks better by all judgements than one trained without",
        "abstract; checklist line 5",
        TEXTS,
        [("hybrid, CET T=2", ">", "hybrid, unweighted"), ("hybrid, CET T=2", ">", "BM25, unweighted")],
        "nDCG@10",
        0.02,
        beside=("hybrid, oracle",),
        note=_SMALL,
    ),
    _claim(
        "cranfield-texts-paradox",
        "Negatives from a stronger retriever train a worse cross-encoder than those of BM25",
        "abstract; checklist line 1",
        TEXTS,
        [("hybrid, unweighted", "<", "BM25, unweighted")],
        "nDCG@10",
        0.02,
    ),
)
