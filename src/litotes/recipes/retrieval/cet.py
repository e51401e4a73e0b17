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
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from litotes.core import Candidates, Collection, RunFolder
from litotes.core.config import NameOrPlace
from litotes.core.errors import LitotesError
from litotes.core.fingerprint import digest
from litotes.losses import cet_weights, weighted_pair_loss
from litotes.recipes.retrieval.options import TrainingOptions

if TYPE_CHECKING:
    from transformers import TrainerCallback, TrainerState

    from litotes.models.cell_model import CellModel
    from litotes.models.selection_model import SelectionModel
    from litotes.training import NegativeDraws

__all__ = ["CetConfig", "CetStep", "load_model", "negative_weights", "train_cet", "train_coupled"]

_RATES = {"features": 1e-2, "texts": 1e-4}
_RATE = "by default 0.01 for features and 0.0001 for a cross-encoder."
_READ_AT_MOST = {"features": 100_000, "texts": 2_000}  # cells whose weights are reported


class CetConfig(TrainingOptions):
    """CET: a ranker and a model of what was put before the annotators correct each other's negatives."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {
            "model": "bert-base-uncased",
            "selection_model": "bert-base-uncased",
            "learning_rate": 3e-6,
            "selection_learning_rate": 3e-6,
            "per_device_train_batch_size": 32,
            "num_train_epochs": 1,
            "warmup_steps": 10_000,
            "max_length": 288,
            "dropout": 0.2,
            "max_weight": None,
            "save_steps": 10_000,
        }
    }

    encoder: Annotated[str, NameOrPlace()] = Field("builtin:minilm", description="What the miner 'dense' embeds with.")
    model: Annotated[str, NameOrPlace("features")] = Field(
        "builtin:minilm", description="The relevance model: a cross-encoder's name, or features."
    )
    selection_model: Annotated[str, NameOrPlace("features")] = Field(
        "features", description="The selection model: features, or a name as for the other one."
    )
    features: str = Field("all", description="What a relevance model on features sees: all, lexical, or names.")
    selection_inputs: str = Field(
        "lexical",
        description="What a selection model on features sees: lexical, all, names, or same: what the other one sees.",
    )
    hidden: int = Field(32, ge=1, description="Hidden units of a relevance model on features.")
    selection_hidden: int = Field(16, ge=1, description="Hidden units of a selection model on features.")
    max_length: int | None = Field(None, ge=4, description="Most tokens a cross-encoder reads; by default its own.")
    dropout: float | None = Field(None, ge=0, lt=1, description="Of both models; by default their own.")
    debias_ratio: float = Field(10.0, gt=0, description="T, temperature of the weights; below 1 they may run away.")
    max_weight: float | None = Field(20.0, ge=1, description="Cap of the weights; the paper has none.")
    normalize_weights: bool = Field(False, description="Scale the weights of a batch to mean 1.")
    weighting: Literal["cet", "none"] = Field("cet", description="none: train the relevance model alone, unweighted.")
    num_negatives: int = Field(1, ge=1, description="Negatives drawn for each labelled positive of a batch.")
    miner: Literal["dense", "bm25", "random"] = Field("dense", description="Finds negatives when none are given.")
    top: int = Field(100, ge=1, description="Depth of the list that negatives are drawn from.")
    skip: int = Field(0, ge=0, description="First ranks to leave out of it; 100 with top 100: ranks 101 to 200.")
    min_trust: float | None = Field(None, ge=0, le=1, description="Leave out candidates that judges trust less.")
    short: Literal["refuse", "drop", "repeat"] = Field(
        "refuse", description="What to do with rows short of candidates."
    )
    learning_rate: float | None = Field(None, gt=0, description=f"The highest learning rate; {_RATE}")  # type: ignore[assignment]
    selection_learning_rate: float | None = Field(None, gt=0, description=f"Of the selection model; {_RATE}")
    per_device_train_batch_size: int = Field(
        16, ge=1, description="Labelled positives a batch, each with its negatives."
    )
    num_train_epochs: int = Field(3, ge=1, description="Passes over the labelled positives.")
    rerank: int = Field(100, ge=1, description="Documents of BM25 that are reranked to measure the held-out rows.")


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


class CetStep:
    """One step of CET on lines of cells ``[B, 2 + M]``: row, labelled positive, negatives.

    Args:
        data: what the cells are positions of.
        relevance: R.
        selection: S; None trains R alone with weights of 1.
        config: T, cap and normalisation.
    """

    def __init__(self, data: Collection, relevance: CellModel, selection: CellModel | None, config: CetConfig) -> None:
        self.data, self.R, self.S, self.config = data, relevance, selection, config

    def __call__(self, lines: np.ndarray, state: TrainerState | None = None) -> dict[str, Tensor]:
        """The losses by learner; each has a gradient for its own model only."""
        from litotes.models.resting import resting

        keep = torch.from_numpy(_first_of_their_line(lines[:, 2:]))
        if self.S is None:
            a = self._scores(self.R, lines)
            return {"relevance": self._loss(a, torch.ones_like(a[:, 1:]), keep)}
        with resting(self.S, self.R):  # 1 and 2
            w_R = self._weights(self._scores(self.S, lines, negatives_only=True), keep)
            w_S = self._weights(self._scores(self.R, lines, negatives_only=True), keep)
        a, o = self._scores(self.R, lines), self._scores(self.S, lines)  # 3 and 4
        return {"relevance": self._loss(a, w_R, keep), "selection": self._loss(o, w_S, keep)}

    def _scores(self, model: CellModel, lines: np.ndarray, negatives_only: bool = False) -> Tensor:
        cols = lines[:, 2:] if negatives_only else lines[:, 1:]
        rows = np.repeat(lines[:, 0], cols.shape[1])
        return model(self.data, rows, cols.ravel()).reshape(cols.shape)

    def _weights(self, negatives: Tensor, keep: Tensor) -> Tensor:
        return cet_weights(
            negatives,
            keep=keep.to(negatives.device),
            temperature=self.config.debias_ratio,
            max_weight=self.config.max_weight,
        )

    def _loss(self, scores: Tensor, weights: Tensor, keep: Tensor) -> Tensor:
        return weighted_pair_loss(
            scores[:, 0],
            scores[:, 1:],
            weights.to(scores.device),
            keep=keep.to(scores.device),
            normalize_weights=self.config.normalize_weights,
        )


def train_coupled(
    relevance: CellModel,
    selection: CellModel | None,
    draws: NegativeDraws,
    config: CetConfig,
    checkpoints: Path,
    *,
    callbacks: Sequence[TrainerCallback] = (),
) -> TrainerState:
    """Train any two cell models in place (one, without a selection model), on from the last checkpoint."""
    from litotes.training import Learner, Rounds, ShuffledBatches, decaying, linear_schedule

    cells = draws.cells
    batches = ShuffledBatches(np.arange(len(cells)), config.per_device_train_batch_size, seed=config.seed)
    total = config.total_steps(len(cells))
    rates = {"relevance": config.learning_rate, "selection": config.selection_learning_rate}
    learners = {}
    for name, model in (("relevance", relevance), ("selection", selection)):
        if model is not None:
            optimizer = torch.optim.AdamW(decaying(model, config.weight_decay), lr=rates[name] or _RATES[_kind(model)])
            learners[name] = Learner(
                model, optimizer, linear_schedule(config.warmup(total), total), config.max_grad_norm
            )

    def collate(lines: list[int]) -> np.ndarray:
        return np.concatenate([cells[lines], draws.draw(cells[lines])], axis=1)

    device = str(next(relevance.parameters()).device)
    args = config.rounds_arguments(checkpoints, total, bf16=config.autocast, device=device)
    step = CetStep(draws.data, relevance, selection, config)
    return Rounds(learners, step, batches, args, callbacks=[draws, *callbacks], collate=collate).train()


def load_model(folder: str | Path, device: str = "auto") -> Any:
    """The relevance model in a folder: a ``CrossEncoder``, or a ``FeatureRanker``."""
    from litotes.models.cell_model import load_cell_model

    return _deliverable(load_cell_model(folder, device=device))


def negative_weights(
    selection: SelectionModel, data: Collection, rows: np.ndarray, cols: np.ndarray, *, max_weight: float | None = None
) -> np.ndarray:
    """w_R of cells by a trained selection model, float64 ``[cells]``."""
    logits = torch.from_numpy(selection.logits(data, rows, cols))
    return cet_weights(logits, temperature=1.0, max_weight=max_weight).numpy()


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
    return PairRanker(PairModel(live, layers=config.trained_layers, dropout=config.dropout))


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


def _kind(model: CellModel) -> str:
    from litotes.models.cell_model import TEXTS

    return "texts" if model.inputs == TEXTS else "features"


def _deliverable(model: CellModel) -> Any:
    """The library's own object where there is one."""
    from litotes.models.cell_model import PairRanker

    return model.pairs.model if isinstance(model, PairRanker) else model


def _first_of_their_line(cols: np.ndarray) -> np.ndarray:
    """Which negatives do not stand further left in their line already; bool, the shape of ``cols``."""
    equal = cols[:, :, None] == cols[:, None, :]
    return ~np.tril(equal, k=-1).any(axis=2)


def _metrics(dev: Collection | None, model: CellModel, config: CetConfig) -> dict[str, float]:
    """Metrics of the relevance model on what BM25 finds for the watched rows; empty when there are none."""
    from litotes.evaluation import evaluate
    from litotes.mining import BM25Miner
    from litotes.models.cell_model import cell_scores

    if dev is None or not dev.n_rows:
        return {}
    depth, run = min(config.rerank, dev.n_cols), {}
    miner = BM25Miner()
    for row in np.flatnonzero(dev.rows_with_content).tolist():
        cols = np.argsort(-miner.scores(dev, np.array([row]))[0], kind="stable")[:depth]
        cols = cols[dev.cols_with_content[cols]]
        scores = cell_scores(model, dev, np.full(len(cols), row), cols, batch_size=config.batch_size)
        run[dev.row_ids[row]] = dict(zip((dev.col_ids[col] for col in cols), scores.tolist(), strict=True))
    return evaluate(dev, run).means


def _diagnosed(
    data: Collection, found: Candidates, rows: np.ndarray, selection: SelectionModel | None, config: CetConfig
) -> Mapping[str, Any]:
    """For ``run.json``: the weights of the candidates, the false ones among them, and how biased the pool is."""
    from litotes.core.seeds import rng
    from litotes.evaluation.pool_bias import pool_bias
    from litotes.evaluation.weight_report import weight_report

    used = np.flatnonzero(np.isin(found.row, rows) & (np.asarray(found.assumed) < 0))
    most = _READ_AT_MOST["features" if selection is None else _kind(selection)]
    if len(used) > most:
        used = np.sort(rng(config.seed, "reported weights").permutation(used)[:most])
    row, col = found.row[used], found.col[used]
    weights = np.ones(len(used))
    if selection is not None:
        weights = negative_weights(selection, data, row, col, max_weight=config.max_weight)
    is_false = None if data.truth is None else data.truth.is_positive(row, col)
    return {"weights": weight_report(weights, is_false), "pool_bias": pool_bias(data, seed=config.seed)}
