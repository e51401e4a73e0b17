"""STAR and ADORE: static hard and random negatives, then dynamic hard negatives for the query side alone.

Zhan, Mao, Liu, Guo, Zhang and Ma, "Optimizing Dense Retrieval Model Training with Hard Negatives", SIGIR 2021
(arXiv 2104.08051). Symbols: f encodes queries, g documents; s(q, d) = f(q) . g(d); D+_q are a query's known positives.

    STAR   1. mine, once, the top-200 non-positives of every query with the encoder that training starts from
           2. batch of B (q_i, d_i+) with H of these each: S = F G^T, T = F Hd^T, masked by document id
           3. loss = pooled mean of softplus(S_ij - s_i+) and softplus(T_ij - s_i+)     (losses/star.py)
    ADORE  1. P = g(all documents), once; f starts from the same encoder and alone is trained
           2. every step: ids = search(f(q), k); D+_q is appended where none of it was found
           3. loss = mean over pairs of |rho_j - rho_j'| softplus(z_j' - z_j)           (losses/adore.py)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from litotes.core import Candidates, Collection, RunFolder
from litotes.core.errors import LitotesError
from litotes.core.fingerprint import digest
from litotes.losses import AdoreLoss, StarLoss
from litotes.recipes.retrieval.options import TrainingOptions

if TYPE_CHECKING:
    from transformers import TrainerCallback, TrainerState

    from litotes.models import Encoder
    from litotes.training import DocumentIndex, DynamicNegatives, NegativesCollator

__all__ = ["AdoreConfig", "AdoreStep", "StarConfig", "load_model", "train_adore", "train_query_tower", "train_star"]

_SCALES = {"cosine": 20.0, "dot": 1.0}
_SCALE = "Factor of the scores; by default 20 for cosine encoders and 1, the paper's, for inner products."


class StarConfig(TrainingOptions):
    """STAR: both towers learn from a static list of hard negatives and from the random ones of the batch."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {
            "optimizer": "lamb",
            "learning_rate": 1e-4,
            "per_device_train_batch_size": 256,
            "max_steps": 50_000,
            "warmup_steps": 1000,
            "query_length": 24,
            "corpus_length": 120,
            "scale": 1.0,
            "save_steps": 5000,
        }
    }

    learning_rate: float = Field(5e-5, gt=0, description="The highest learning rate.")
    num_negatives: int = Field(
        1, ge=0, description="H: hard negatives drawn for each row of a batch; 0: in-batch only."
    )
    top: int = Field(200, ge=1, description="Depth of the static list that they are drawn from.")
    miner: Literal["dense", "bm25", "random"] = Field(
        "dense", description="What makes the list when no candidates are given; dense: with the starting encoder."
    )
    random_weight: float = Field(1.0, ge=0, description="Alpha, weight of the random negatives; 0: given ones only.")
    min_trust: float | None = Field(None, ge=0, le=1, description="Leave out candidates that judges trust less.")
    short: Literal["refuse", "drop", "repeat"] = Field(
        "refuse", description="What to do with rows short of candidates."
    )
    refresh_epochs: int = Field(0, ge=0, description="Mine the list again after so many epochs; 0 keeps it static.")
    scale: float | None = Field(None, gt=0, description=_SCALE)
    optimizer: Literal["adamw", "lamb"] = Field("adamw", description="The paper's is LAMB, for batches of hundreds.")

    def model_post_init(self, context: Any) -> None:
        """Refuse what cannot train.

        Raises:
            LitotesError: neither hard nor random negatives, or a list to refresh that nothing is drawn from.
        """
        if self.num_negatives == 0 and (self.random_weight == 0 or self.refresh_epochs):
            raise LitotesError("STAR with num_negatives=0 trains on random negatives: random_weight > 0, no refresh.")


class AdoreConfig(TrainingOptions):
    """ADORE: the query tower learns from what it retrieves now; documents stay as they are."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {
            "learning_rate": 5e-6,
            "num_train_epochs": 6,
            "warmup_steps": 2000,
            "query_length": 24,
            "corpus_length": 512,
            "scale": 1.0,
            "dropout": True,
            "save_steps": 5000,
        }
    }

    learning_rate: float = Field(1e-4, gt=0, description="The highest learning rate.")
    top: int = Field(200, ge=1, description="k: documents retrieved for each query at each step.")
    metric_cut: int | None = Field(200, ge=1, description="c: positions behind it weigh nothing in the metric.")
    scale: float | None = Field(None, gt=0, description=_SCALE)
    loss_scale: float = Field(1.0, gt=0, description="Factor of the loss before the gradient is clipped.")
    min_trust: float | None = Field(None, ge=0, le=1, description="Mask candidates that judges trust less, each step.")
    index: str = Field(
        "exact", description="exact, or a faiss factory that decodes (SQ8, PQ16): trains for that index."
    )
    dropout: bool = Field(False, description="Leave the encoder's dropout on.")


def train_star(
    data: Collection,
    config: StarConfig,
    run: RunFolder | str | Path,
    *,
    dev: Collection | None = None,
    candidates: Candidates | str | Path | None = None,
    encoder: Any = None,
) -> Any:
    """Train STAR into a run folder and return the ``SentenceTransformer``; a killed call, made again, goes on.

    Args:
        data: queries, documents and the positives.
        run: the folder; the model lies at its top.
        dev: rows to take the metrics on; None holds out a seeded tenth of the training rows.
        candidates: the static list, or the run folder that holds it; None mines it into ``run``. Those of BM25 or of
            chance, with ``random_weight=0``, are the paper's warm-up on given negatives.
        encoder: a live ``SentenceTransformer`` to train in place of ``config.encoder``.
    """
    from litotes.models import resolve_encoder
    from litotes.training import Lamb, NegativesCollator, TrainingRun, decaying, hold_out, train_sentence_transformer

    if candidates is not None and config.num_negatives == 0:
        raise LitotesError(
            "STAR with num_negatives=0 draws from no candidates: leave them out, or raise num_negatives."
        )
    run = run if isinstance(run, RunFolder) else RunFolder.open(run)
    model = config.load(encoder)
    embedder = resolve_encoder(model, dtype=config.dtype, batch_size=config.batch_size, store=encoder is None)
    scale = config.scale or _SCALES[embedder.similarity]
    watched = hold_out(data, dev, config.seed)
    collator, listed = None, "none"
    if config.num_negatives:
        found = _static_list(data, watched.rows, config, run, candidates, embedder)  # step 1
        prompts = {"anchor": embedder.prompt("query"), "positive": embedder.prompt("document")}
        options: dict[str, Any] = {"seed": config.seed, "rows": watched.rows, "short": config.short, "prompts": prompts}
        collator = NegativesCollator(model, data, found, config.num_negatives, **options)
        listed = collator.first_fingerprint
    used = {**config.model_dump(), "scale": scale, **_named(encoder)}
    job = TrainingRun(run, "star", used, {**_parts(data, watched.dev, embedder), "negatives": listed})
    if job.done:
        return load_model(job.folder)
    before = watched.metrics(embedder)
    config.train_last_layers_only(model)
    lamb = Lamb(decaying(model, config.weight_decay), lr=config.learning_rate) if config.optimizer == "lamb" else None
    steps = train_sentence_transformer(  # steps 2 and 3
        model,
        watched.lines(data) if collator is None else collator.pairs(),
        StarLoss(model, data, random_weight=config.random_weight, similarity=embedder.similarity, scale=scale),
        job,
        config.trainer_arguments(),
        collator=collator,
        callbacks=[] if collator is None else [_refreshing(config, collator, model, candidates)],
        optimizer=lamb,
    )
    model.save_pretrained(str(job.folder))
    after = watched.metrics(resolve_encoder(model, dtype=config.dtype, batch_size=config.batch_size))
    job.finish({"steps": steps, **watched.report(before, after)})
    return model


def train_adore(
    data: Collection,
    config: AdoreConfig,
    run: RunFolder | str | Path,
    *,
    dev: Collection | None = None,
    candidates: Candidates | str | Path | None = None,
    encoder: Any = None,
    index: DocumentIndex | None = None,
) -> Any:
    """Train ADORE into a run folder and return a ``SentenceTransformer`` of two towers; a killed call goes on.

    The documents are encoded once, before training, by the encoder that training starts from; only a copy of its query
    side is trained. The result embeds queries with ``encode_query`` and documents, as before, with ``encode_document``.

    Args:
        data, run, dev: as in :func:`train_star`.
        candidates: judged candidates (or their run folder) for ``min_trust``.
        encoder: a live ``SentenceTransformer`` in place of ``config.encoder``; it is left untouched.
        index: documents by position in ``data``, in place of ``config.index`` over the encoder's vectors.
    """
    from litotes.models import encode_cols, resolve_encoder
    from litotes.training import (
        CompressedIndex,
        DynamicNegatives,
        ExactIndex,
        QueryTower,
        ReportTraining,
        TrainingRun,
        hold_out,
        suspected_cells,
    )

    if candidates is not None and config.min_trust is None:
        raise LitotesError(
            "ADORE finds its own negatives; candidates only serve min_trust: give it, or leave them out."
        )
    model = config.load(encoder)
    embedder = resolve_encoder(model, dtype=config.dtype, batch_size=config.batch_size, store=True)
    config = config.model_copy(update={"scale": config.scale or _SCALES[embedder.similarity]})
    watched = hold_out(data, dev, config.seed)
    suspects = None
    if config.min_trust is not None:
        suspects = suspected_cells(_judged(candidates), data, below=config.min_trust)
    parts = {**_parts(data, watched.dev, embedder), "suspects": digest(suspects)}
    job = TrainingRun(run, "adore", {**config.model_dump(), **_named(encoder)}, parts)
    if job.done:
        return load_model(job.folder)
    before = watched.metrics(embedder)
    if index is None:  # step 1
        P, usable = encode_cols(data, embedder), data.cols_with_content
        is_exact = config.index == "exact"
        index = ExactIndex(P, usable, model.device) if is_exact else CompressedIndex(P, config.index, usable)
    tower = QueryTower(model, prompt=embedder.prompt("query"), layers=config.trained_layers, dropout=config.dropout)
    step = AdoreStep(tower, DynamicNegatives(data, index, config.top, suspects), config)
    reports = [ReportTraining(job.run, bar=False)]  # rounds show their own bar
    steps = train_query_tower(tower, step, watched.rows, config, job.checkpoints, callbacks=reports).global_step
    both = tower.beside(model, document_prompt=embedder.prompt("document"))
    both.save_pretrained(str(job.folder))
    after = watched.metrics(resolve_encoder(both, dtype=config.dtype, batch_size=config.batch_size, store=True))
    job.finish({"steps": steps, **watched.report(before, after)})
    return both


class AdoreStep:
    """One step of ADORE: f, what it retrieves now, and the loss over it.

    Args:
        tower: f, any module from a list of texts to vectors ``[batch, dim]``.
        negatives: the data, the frozen documents and the search over them.
    """

    def __init__(self, tower: nn.Module, negatives: DynamicNegatives, config: AdoreConfig) -> None:
        self.tower, self.negatives, self.config = tower, negatives, config
        self.loss = AdoreLoss(config.metric_cut, scale=config.scale or 1.0)

    def __call__(self, rows: list[int], state: TrainerState | None = None) -> Float[Tensor, ""]:
        """The loss of the queries at these rows."""
        device = next(self.tower.parameters()).device
        with torch.autocast(device.type, torch.bfloat16, enabled=self.config.autocast):
            F = self.tower([self.negatives.data.row_texts[row] for row in rows]).float()
        lists = self.negatives.lists(rows, F)  # I and the labels y; D+_q appended where it was missed
        P = self.negatives.index.vectors(lists.ids)
        return self.config.loss_scale * self.loss(F, P.to(F), lists)


def train_query_tower(
    tower: nn.Module,
    step: Callable[[list[int], TrainerState], Tensor],
    rows: np.ndarray,
    config: AdoreConfig,
    checkpoints: Path,
    *,
    callbacks: Sequence[TrainerCallback] = (),
) -> TrainerState:
    """Train any query tower in place by ``step`` (an :class:`AdoreStep`) over ``rows``, on from the last checkpoint."""
    from litotes.training import Learner, Rounds, ShuffledBatches, decaying, linear_schedule

    batches = ShuffledBatches(rows, config.per_device_train_batch_size, seed=config.seed)
    total = config.total_steps(len(rows))
    optimizer = torch.optim.AdamW(decaying(tower, config.weight_decay), lr=config.learning_rate)
    learner = Learner(tower, optimizer, linear_schedule(config.warmup(total), total), config.max_grad_norm)
    args = config.rounds_arguments(checkpoints, total)
    return Rounds({"query": learner}, step, batches, args, callbacks=callbacks).train()


def load_model(folder: str | Path, device: str = "auto") -> Any:
    """The ``SentenceTransformer`` that either command left in a folder."""
    from litotes.models import load_sentence_transformer

    return load_sentence_transformer(folder, device=device)


def _static_list(
    data: Collection,
    rows: np.ndarray,
    config: StarConfig,
    run: RunFolder,
    candidates: Candidates | str | Path | None,
    embedder: Encoder,
) -> Candidates:
    """The top of what was given, or exactly ``top`` non-positives of each row, mined once."""
    from litotes.mining import miner_from_spec
    from litotes.training import given_list, mined_list

    if candidates is not None or config.min_trust is not None:
        return given_list(_judged(candidates), data, top=config.top, min_trust=config.min_trust)
    miner = miner_from_spec(f"{config.miner}:name=static", top=config.top, encoder=embedder, seed=config.seed)
    return mined_list(miner, data, rows, run, top=config.top)


def _refreshing(
    config: StarConfig, collator: NegativesCollator, model: Any, candidates: Candidates | str | Path | None
) -> TrainerCallback:
    """The collator as a callback, with a fresh list every ``refresh_epochs``; what judges distrust stays out of it."""
    from litotes.mining import DenseMiner
    from litotes.training import RefreshNegatives, suspected_cells

    if not config.refresh_epochs:
        return collator
    suspects = None
    if config.min_trust is not None:
        suspects = suspected_cells(_judged(candidates), collator.data, below=config.min_trust)
    miner = DenseMiner(encoder=model, top=config.top, dtype=config.dtype, batch_size=config.batch_size)
    return RefreshNegatives(collator, miner, every_n_epochs=config.refresh_epochs, suspects=suspects)


def _named(encoder: Any) -> dict[str, str]:
    """What ``run.json`` says instead of a name when the encoder was a live one."""
    return {} if encoder is None else {"encoder": "a live model"}


def _judged(candidates: Candidates | str | Path | None) -> Candidates | str | Path:
    if candidates is None:
        raise LitotesError("min_trust needs candidates that were judged: pass candidates=, or --candidates RUN.")
    return candidates


def _parts(data: Collection, dev: Collection | None, embedder: Encoder) -> dict[str, str]:
    """What a model is made from, by the names that a refusal uses."""
    return {
        "data": data.fingerprint,
        "dev split": "none" if dev is None else dev.fingerprint,
        "starting encoder": digest(embedder.fingerprint("query"), embedder.fingerprint("document")),
    }
