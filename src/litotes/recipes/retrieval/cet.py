"""CET: a relevance model and a selection model, trained together, each weighting the other's negatives.

Cai, Guo, Fan, Ai, Zhang and Cheng, "Hard Negatives or False Negatives: Correcting Pooling Bias in Training Neural
Ranking Models", CIKM 2022 (arXiv 2209.05072). Symbols: R gives logits a = R(q, d), S logits o = S(q, d); + is a
labelled positive, - a negative that nobody labelled; T is ``debias_ratio``. For each batch of pairs (q, d+, d-):

    1. S without dropout and gradient: o-;  w_R = 1 + exp(o- / T)                            (losses/cet.py)
    2. R without dropout and gradient: a-;  w_S = 1 + exp(a- / T)       both before either model is updated
    3. L_R = mean of w_R softplus(a- - a+);  its gradient moves R alone, clipped on its own
    4. L_S = mean of w_S softplus(o- - o+);  its gradient moves S alone, clipped on its own
    5. both optimisers and both schedules step

At test time R alone ranks what a retriever found. S is kept beside it: it is a judge (``--by selection:model=DIR``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.core import Candidates, Collection, RunFolder
from litotes.core.errors import LitotesError
from litotes.core.fingerprint import digest
from litotes.recipes.retrieval.cet_options import CetConfig
from litotes.recipes.retrieval.coupled_rankers import CetStep, kind_of, negative_weights, train_coupled

if TYPE_CHECKING:
    from litotes.models.cell_model import CellModel
    from litotes.models.selection_model import SelectionModel
    from litotes.training import NegativeDraws

__all__ = ["CetConfig", "CetStep", "load_model", "negative_weights", "train_cet", "train_coupled"]

_REPORTED_AT_MOST = 1e30  # where training had no cap: a report is made of finite numbers
_READ_AT_MOST = {"features": 100_000, "texts": 2_000}  # cells whose weights are reported


def train_cet(
    data: Collection,
    config: CetConfig,
    run: RunFolder | str | Path,
    *,
    dev: Collection | None = None,
    candidates: Candidates | str | Path | None = None,
    model: CellModel | None = None,
    selection_model: CellModel | None = None,
) -> Any:
    """Train CET into a run folder and return the relevance model; a killed call, made again, goes on.

    The relevance model lies at the top of the folder (``CrossEncoder(folder)``, or :func:`litotes.load_model` where it
    looks at features), the selection model under ``selection``.

    Args:
        data: queries, documents and the labelled positives.
        run: the folder.
        dev: rows to take the metrics on; None holds out a seeded tenth of the training rows.
        candidates: the unlabelled documents that negatives are drawn from, or the run folder that holds them; None
            mines them into ``run``.
        model, selection_model: live models in place of the named ones, trained in place.

    Raises:
        LitotesError: options that contradict each other, or a weight that overflows (``max_weight=None``).
    """
    from litotes.models.selection_model import SelectionModel, warn_if_not_identifiable
    from litotes.training import NegativeDraws, ReportTraining, TrainingRun, hold_out

    run = run if isinstance(run, RunFolder) else RunFolder.open(run)
    relevance = model if model is not None else _named_model(config, config.model, config.features, config.hidden, data)
    selection = None
    if config.weighting == "cet":
        looks_at = relevance.inputs if config.selection_inputs == "same" else config.selection_inputs
        named = config.selection_model, looks_at, config.selection_hidden
        inner = selection_model if selection_model is not None else _named_model(config, *named, data, seed=1)
        selection = SelectionModel(inner, temperature=config.debias_ratio)
        warn_if_not_identifiable(relevance, selection)
    watched = hold_out(data, dev, config.seed)
    found = _negatives(data, watched.rows, config, run, candidates)
    draws = NegativeDraws(data, found, config.num_negatives, seed=config.seed, rows=watched.rows, short=config.short)
    _get_ready([relevance] if selection is None else [relevance, selection], data, draws, live=[model, selection_model])
    live = {"model": model, "selection_model": selection_model}
    used = {**config.model_dump(), **{name: "a live model" for name, given in live.items() if given is not None}}
    parts = {
        "data": data.fingerprint,
        "dev split": "none" if watched.dev is None else watched.dev.fingerprint,
        "negatives": draws.first_fingerprint,
        "starting model": digest(relevance.fingerprint()),
        "starting selection model": "none" if selection is None else digest(selection.fingerprint()),
    }
    job = TrainingRun(run, "cet", used, parts)
    if job.done:
        return load_model(job.folder)
    before = _metrics(watched.dev, relevance, config)
    report = ReportTraining(job.run, bar=False)  # rounds show their own bar
    steps = train_coupled(relevance, selection, draws, config, job.checkpoints, callbacks=[report]).global_step
    relevance.save(job.folder)
    if selection is not None:
        selection.save(job.folder / "selection")
    after = _metrics(watched.dev, relevance, config)
    job.finish(
        {"steps": steps, **watched.report(before, after), **_diagnosed(data, found, draws.rows, selection, config)}
    )
    return _deliverable(relevance)


def load_model(folder: str | Path, device: str = "auto") -> Any:
    """The relevance model in a folder: a ``CrossEncoder``, or a ``FeatureRanker``."""
    from litotes.models.cell_model import load_cell_model

    return _deliverable(load_cell_model(folder, device=device))


def _named_model(
    config: CetConfig, name: str, features: str | tuple[str, ...], hidden: int, data: Collection, seed: int = 0
) -> CellModel:
    """A model by name; ``seed`` tells the two models' new weights apart."""
    from litotes.models.cell_model import TEXTS, PairRanker
    from litotes.models.cross_encoder import PairModel, load_cross_encoder
    from litotes.models.feature_ranker import FeatureRanker
    from litotes.models.match_features import feature_names
    from litotes.models.precision import best_device

    seed = 2 * config.seed + seed
    if name == "features":
        if features == TEXTS:
            raise LitotesError(
                "selection_inputs='same' would be the texts, which a selection model on features does not read. Name "
                "features, or choose a cross-encoder as selection_model."
            )
        names = feature_names(features, data) if isinstance(features, str) else features
        ranker = FeatureRanker(names, hidden=hidden, dropout=config.dropout or 0.0, seed=seed)
        return ranker.to(best_device() if config.device == "auto" else config.device)
    live = load_cross_encoder(name, device=config.device, dtype="float32", max_length=config.max_length, seed=seed)
    pairs = PairModel(live, layers=config.trained_layers, dropout=config.dropout)
    return PairRanker(pairs, query_length=config.query_length)


def _negatives(
    data: Collection,
    rows: np.ndarray,
    config: CetConfig,
    run: RunFolder,
    candidates: Candidates | str | Path | None,
) -> Candidates:
    """What negatives are drawn from: ``top`` of each row behind the first ``skip``, given or mined once."""
    from litotes.mining import miner_from_spec
    from litotes.models import resolve_encoder
    from litotes.training import given_list, mined_list

    if candidates is None:
        if config.min_trust is not None:
            raise LitotesError("min_trust needs candidates that were judged: pass candidates=, or --candidates RUN.")
        if config.skip and config.miner == "random":
            raise LitotesError("Random negatives have no first ranks to skip: leave skip out, or choose a retriever.")
        encoder = None
        if config.miner == "dense":
            encoder = resolve_encoder(config.load(), dtype=config.dtype, batch_size=config.batch_size, store=True)
        options = {"top": config.top, "skip": config.skip or None, "encoder": encoder, "seed": config.seed}
        miner = miner_from_spec(f"{config.miner}:name=negatives", **options)
        most_positives = int(np.diff(data.never_negative()[0])[rows].max(initial=0))
        fewest = int(data.cols_with_content.sum()) - most_positives
        if 0 < fewest <= config.skip:
            raise LitotesError(
                f"skip={config.skip} leaves no negatives: of the corpus's {data.n_cols} documents as few as {fewest} "
                f"are not positives of a query. Choose skip={fewest - 1} or less."
            )
        return mined_list(miner, data, rows, run, top=config.top)
    found = given_list(candidates, data, top=config.skip + config.top, min_trust=config.min_trust)
    if not config.skip:
        return found
    first = found.top(config.skip)
    return found.filter(~np.isin(found.row * data.n_cols + found.col, first.row * data.n_cols + first.col))


def _get_ready(
    models: Sequence[CellModel], data: Collection, draws: NegativeDraws, live: Sequence[CellModel | None]
) -> None:
    """Compute once what the models need of the cells they will train on; new feature rankers are standardised."""
    from litotes.models.feature_ranker import FeatureRanker

    table, positives = draws.tables[0], draws.cells
    used = np.isin(table.rows, draws.rows)
    rows = np.concatenate([table.rows[used], positives[:, 0]])
    cols = np.concatenate([table.cols[used], positives[:, 1]])
    for model in models:
        model.prepare(data, rows, cols)
        for module in model.modules():
            if isinstance(module, FeatureRanker) and not any(module is given for given in live):
                module.standardise(data, rows, cols)


def _deliverable(model: CellModel) -> Any:
    """The library's own object where there is one."""
    from litotes.models.cell_model import PairRanker

    return model.pairs.model if isinstance(model, PairRanker) else model


def _metrics(dev: Collection | None, model: CellModel, config: CetConfig) -> dict[str, float]:
    """Metrics of the relevance model on what BM25 finds for the watched rows; empty when there are none."""
    from litotes.evaluation import evaluate
    from litotes.evaluation.reranking import rerank
    from litotes.mining import BM25Miner

    if dev is None or not dev.n_rows:
        return {}
    depth, run = min(config.rerank, dev.n_cols), {}
    miner, ids = BM25Miner(), dev.col_ids.values
    for row in np.flatnonzero(dev.rows_with_content).tolist():
        scores = miner.scores(dev, np.array([row]))[0]
        first = np.argsort(-scores, kind="stable")[:depth]
        run[dev.row_ids[row]] = {ids[col]: float(scores[col]) for col in first if dev.cols_with_content[col]}
    return evaluate(dev, rerank(dev, run, model, depth=depth)).means


def _diagnosed(
    data: Collection, found: Candidates, rows: np.ndarray, selection: SelectionModel | None, config: CetConfig
) -> Mapping[str, Any]:
    """For ``run.json``: the weights of the candidates, the false ones among them, and how biased the pool is."""
    from litotes.core.seeds import rng
    from litotes.evaluation.pool_bias import pool_bias
    from litotes.evaluation.weight_report import weight_report

    used = np.flatnonzero(np.isin(found.row, rows) & (np.asarray(found.assumed) < 0))
    most = _READ_AT_MOST["features" if selection is None else kind_of(selection)]
    if len(used) > most:
        used = np.sort(rng(config.seed, "reported weights").permutation(used)[:most])
    row, col = found.row[used], found.col[used]
    weights = np.ones(len(used))
    if selection is not None:
        weights = negative_weights(selection, data, row, col, max_weight=config.cap or _REPORTED_AT_MOST)
    is_false = None if data.truth is None else data.truth.is_positive(row, col)
    return {"weights": weight_report(weights, is_false), "pool_bias": pool_bias(data, seed=config.seed)}
