r"""PEG: one text encoder, very many negatives of the batch, five hard ones a query, weighed by how hard and how late.

Wu et al., "Towards Robust Text Retrieval with Progressive Learning" (arXiv 2311.11691). Q_i are query vectors, Y_j the
vectors of all B(1 + H) documents of the batch, s_ij = Q_i . Y_j, tau the temperature, p = step / total steps:

    1. warm up: InfoNCE with the positives of the batch as each other's negatives
    2. filter noise: drop pairs whose positive the warm model ranks too low or scores too low       (optional)
    3. mine H = 5 hard negatives a query with the warm model, at ranks 10 to 100, no known positives
    4. train on batches of one source, with w_ij = exp(beta(p) s_ij) / mean_k exp(beta(p) s_ik), constants,
           l_i = -s_i,pos / tau + log(exp(s_i,pos / tau) + sum_{j in N_i} w_ij exp(s_ij / tau))
       N_i: every document of the batch that is no known positive of query i; beta(p) rises from 0

The batch is as large as memory for *vectors* allows: texts are encoded in mini-batches with cached gradients, and the
loss never holds a matrix of scores. The paper describes progressive weights in words; formula, temperature, schedule
and mining window are this project's reconstruction.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field

from litotes.core import Candidates, Collection, RunFolder
from litotes.core.errors import DataError, LitotesError
from litotes.core.fingerprint import digest
from litotes.recipes.retrieval.options import TrainingOptions

if TYPE_CHECKING:
    from litotes.judging.pair_filter import FilteredPairs
    from litotes.losses.progressive import ProgressiveInfoNCELoss
    from litotes.mining import Miner
    from litotes.models import Encoder
    from litotes.training import HeldOut, NegativesCollator

__all__ = ["PegConfig", "load_model", "train_peg"]

_WINDOW = "window"  # what the mined list is called in the run folder


class PegConfig(TrainingOptions):
    """PEG: warm-up, filter, hard negatives, and a large batch whose negatives are weighed progressively."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {
            "per_device_train_batch_size": 13_334,  # with H = 5 these are 80,004 documents
            "num_negatives": 5,
            "learning_rate": 1e-5,
            "save_steps": 500,
        }
    }

    learning_rate: float = Field(5e-5, gt=0, description="The highest learning rate, of the warm-up too.")
    num_train_epochs: int = Field(3, ge=1, description="Passes over the training pairs after the warm-up.")
    per_device_train_batch_size: int = Field(64, ge=1, description="B: training pairs a batch.")
    mini_batch_size: int = Field(
        32, ge=0, description="Texts encoded at a time, with cached gradients; 0: the whole batch at once."
    )
    max_bytes: int = Field(2**26, ge=2**16, description="Working memory of the loss; no matrix of scores is held.")
    temperature: float = Field(0.02, gt=0, description="Tau, divides the similarities.")
    similarity: Literal["auto", "cosine", "dot"] = Field(
        "auto", description="What vectors are compared by, here and in the result; auto: as the encoder does."
    )
    symmetric: bool = Field(False, description="Add the loss of each positive over the queries of the batch.")
    in_batch_epochs: int = Field(1, ge=0, description="Warm-up: passes with in-batch negatives alone; 0: none.")
    in_batch_steps: int = Field(0, ge=0, description="Steps of the warm-up; if positive it counts instead.")
    filter_top: int | None = Field(
        None,
        ge=1,
        description="Drop pairs whose positive has so many unlabelled documents above it, by the warm model.",
    )
    filter_min_score: float | None = Field(None, description="Drop pairs that the warm model scores lower.")
    num_negatives: int = Field(5, ge=0, description="H: hard negatives drawn for each pair; 0: in-batch only.")
    miner: Literal["dense", "bm25", "random"] = Field(
        "dense", description="What finds them when no candidates are given; dense: with the warm model."
    )
    range_min: int = Field(10, ge=0, description="Mining passes over so many of the best unlabelled documents.")
    range_max: int = Field(100, ge=1, description="Mining goes down to this rank.")
    relative_margin: float | None = Field(
        None, description="Drop mined ones that score above the positive less this share of it, as likely positives."
    )
    min_trust: float | None = Field(None, ge=0, le=1, description="Leave out candidates that judges trust less.")
    short: Literal["refuse", "drop", "repeat"] = Field(
        "refuse", description="What to do with rows short of candidates."
    )
    refresh_epochs: int = Field(0, ge=0, description="Mine again after so many epochs; 0: once.")
    beta_start: float = Field(0.0, description="Beta at the beginning; 0: all negatives weigh the same.")
    beta_end: float = Field(3.0, description="Beta at the end; positive: hard negatives weigh more, negative: less.")
    beta_shape: Literal["linear", "cosine", "step"] = Field(
        "linear", description="How beta goes from one to the other."
    )
    beta_step_at: float = Field(0.5, ge=0, le=1, description="Progress at which the shape 'step' jumps.")
    which: Literal["all_negatives", "hard_negatives", "in_batch_negatives"] = Field(
        "all_negatives", description="Which negatives are weighed; the others keep weight 1."
    )
    weight_norm: Literal["mean", "none"] = Field("mean", description="Scale a query's weights to mean 1, or do not.")
    level: Literal["pair", "query"] = Field("pair", description="Weigh each negative, or each query by its mean.")
    margin: float | None = Field(
        None, description="In each batch, leave out negatives that score above the positive by more than this."
    )
    ratio: float | None = Field(
        None, gt=0, description="In each batch, leave out negatives that score above this many times the positive."
    )
    source_column: str | None = Field(None, description="Batches of one source: a column of the rows' table.")
    source_separator: str | None = Field(None, description="Or the part of a row's id before this separator.")

    def model_post_init(self, context: Any) -> None:
        """Refuse what contradicts itself.

        Raises:
            LitotesError: an empty mining window; a list to refresh or to guard that nothing is drawn from, or that the
                model does not mine; two ways to tell sources.
        """
        if self.range_min >= self.range_max:
            raise LitotesError(
                f"PEG mines at ranks range_min < rank <= range_max. Got {self.range_min} and {self.range_max}: no rank."
            )
        if self.num_negatives == 0 and (self.refresh_epochs or self.relative_margin is not None):
            raise LitotesError("PEG with num_negatives=0 mines nothing: no refresh_epochs and no relative_margin.")
        if self.miner != "dense" and (self.refresh_epochs or self.relative_margin is not None):
            raise LitotesError(
                f"PEG refreshes and guards what the model mines: with miner={self.miner!r} leave refresh_epochs and "
                "relative_margin out."
            )
        if self.source_column is not None and self.source_separator is not None:
            raise LitotesError("PEG tells sources by source_column or by source_separator, not by both.")


def train_peg(
    data: Collection,
    config: PegConfig,
    run: RunFolder | str | Path,
    *,
    dev: Collection | None = None,
    candidates: Candidates | str | Path | None = None,
    encoder: Any = None,
) -> Any:
    """Train PEG into a run folder and return the ``SentenceTransformer``; a killed call, made again, goes on.

    The model lies at the top of the folder, the one after the warm-up under ``warm-up``; ``pairs.parquet`` says what
    the filter thought of every pair.

    Args:
        data: queries, documents and the positives.
        run: the folder.
        dev: rows to take the metrics on; None holds out a seeded tenth of the training rows.
        candidates: the hard negatives to draw from, or the run folder that holds them; None mines them.
        encoder: a live ``SentenceTransformer`` to train in place of ``config.encoder``.
    """
    from litotes.models import resolve_encoder
    from litotes.training import TrainingRun, hold_out

    run = run if isinstance(run, RunFolder) else RunFolder.open(run)
    given = _given(candidates, config, data)
    sampler = _source_sampler(data, config)
    model = config.load(encoder)
    if config.similarity != "auto":
        model.similarity_fn_name = config.similarity
    embedder = resolve_encoder(model, dtype=config.dtype, batch_size=config.batch_size, store=encoder is None)
    watched = hold_out(data, dev, config.seed)
    used = {**config.model_dump(), **({} if encoder is None else {"encoder": "a live model"})}
    parts = {
        "data": data.fingerprint,
        "dev split": "none" if watched.dev is None else watched.dev.fingerprint,
        "starting encoder": digest(embedder.fingerprint("query"), embedder.fingerprint("document")),
        "candidates": "mined" if given is None else digest(given.row, given.col, given.assumed),
    }
    job = TrainingRun(run, "peg", used, parts)
    if job.done:
        return load_model(job.folder)
    before = watched.metrics(embedder)
    config.train_last_layers_only(model)
    this = _Parts(data, config, model, embedder, watched, sampler)
    warm = {}
    if config.in_batch_epochs or config.in_batch_steps:
        warm = _warm_up(this, TrainingRun(job.folder / "warm-up", "peg", used, parts))  # step 1
    pairs = _filter(this, job.folder)  # step 2
    rows = watched.rows if pairs is None else np.unique(pairs.pairs.row[pairs.keep])
    if not len(rows):
        raise DataError("The filter leaves no pair to train on. Raise filter_top, or lower filter_min_score.")
    collator = None if config.num_negatives == 0 else _hard_negatives(this, run, rows, given)  # step 3
    steps = _train(this, job, collator, pairs)  # step 4
    model.save_pretrained(str(job.folder))
    after = watched.metrics(resolve_encoder(model, dtype=config.dtype, batch_size=config.batch_size))
    kept = {} if pairs is None else {"pairs": len(pairs.keep), "pairs_kept": int(pairs.keep.sum())}
    job.finish({"steps": steps, **kept, **warm, **watched.report(before, after)})
    return model


def load_model(folder: str | Path, device: str = "auto") -> Any:
    """The ``SentenceTransformer`` that the command left in a folder."""
    from litotes.models import load_sentence_transformer

    return load_sentence_transformer(folder, device=device)


class _Parts(NamedTuple):
    """What every step works with."""

    data: Collection
    config: PegConfig
    model: Any
    embedder: Encoder
    watched: HeldOut
    sampler: Callable[..., Any] | None

    def loss(self, beta: float) -> ProgressiveInfoNCELoss:
        """Masks by the labels as they are given: a pair that the filter drops is no negative."""
        from litotes.losses.progressive import ProgressiveInfoNCELoss

        config = self.config
        return ProgressiveInfoNCELoss(
            self.model,
            self.data,
            temperature=config.temperature,
            beta=beta,
            which=config.which,
            weight_norm=None if config.weight_norm == "none" else config.weight_norm,
            level=config.level,
            mini_batch_size=config.mini_batch_size or None,
            max_bytes=config.max_bytes,
            similarity=self.embedder.similarity,
            margin=config.margin,
            ratio=config.ratio,
            symmetric=config.symmetric,
        )

    @property
    def prompts(self) -> dict[str, str]:
        """The encoder's prompts by column."""
        return {"anchor": self.embedder.prompt("query"), "positive": self.embedder.prompt("document")}

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """Words of ``TrainingArguments``."""
        sampler = {} if self.sampler is None else {"batch_sampler": self.sampler}
        return {**self.config.trainer_arguments(), **sampler, **changes}


def _warm_up(this: _Parts, job: Any) -> dict[str, Any]:
    """Train in place with in-batch negatives, or take the weights of the run that did; what the summary says of it."""
    from litotes.models import load_sentence_transformer
    from litotes.training import train_sentence_transformer

    config, model = this.config, this.model
    if job.done:
        model.load_state_dict(load_sentence_transformer(job.folder, device="cpu", dtype="float32").state_dict())
        return job.stage.record["summary"]
    arguments = this.arguments(
        num_train_epochs=max(config.in_batch_epochs, 1),
        max_steps=config.in_batch_steps or -1,
        prompts=this.prompts,
    )
    steps = train_sentence_transformer(model, this.watched.lines(this.data), this.loss(beta=0.0), job, arguments)
    model.save_pretrained(str(job.folder))
    summary = {"warm_up_steps": steps, "dev_warm": this.watched.metrics(this.embedder)}
    job.finish(summary)
    return summary


def _filter(this: _Parts, folder: Path) -> FilteredPairs | None:
    """The pairs judged by the warm model, written down for people; None without a filter."""
    from litotes.core.progress import say
    from litotes.judging.pair_filter import filter_pairs

    top, least = this.config.filter_top, this.config.filter_min_score
    if top is None and least is None:
        return None
    found = filter_pairs(this.data, this.embedder, top=top, min_score=least, rows=this.watched.rows)
    found.pairs.with_columns({"weight": found.keep.astype(float)}).save(folder / "pairs.parquet")
    say(f"PEG: {found.keep.sum():,} of {len(found.keep):,} training pairs pass the filter.")
    return found


def _hard_negatives(this: _Parts, run: RunFolder, rows: np.ndarray, given: Candidates | None) -> NegativesCollator:
    """Draws H negatives a line from what was given, or from what is mined, once, into the run folder."""
    from litotes.mining import mine_into
    from litotes.training import NegativesCollator

    config, found = this.config, given
    if found is None:
        mine_into(run, _miner(this, this.embedder), this.data)
        found = Candidates.load(run.path)
        found = found.filter(np.isfinite(found.column(f"rank.{_WINDOW}")))  # others may have mined into this folder
    return NegativesCollator(
        this.model,
        this.data,
        found,
        config.num_negatives,
        seed=config.seed,
        rows=rows,
        short=config.short,
        prompts=this.prompts,
    )


def _miner(this: _Parts, encoder: Any) -> Miner:
    """Ranks ``range_min + 1 .. range_max`` of the non-positives, less what the guard takes for positives."""
    from litotes.judging import MarginJudge
    from litotes.mining import miner_from_spec
    from litotes.training.guarded_miner import GuardedMiner

    config, reading = this.config, {}
    if encoder is this.model:
        reading = {"dtype": config.dtype, "batch_size": config.batch_size}
    top = config.range_max - config.range_min
    miner = miner_from_spec(
        f"{config.miner}:name={_WINDOW}",
        top=top,
        skip=config.range_min,
        encoder=encoder,
        seed=config.seed,
        **reading,
    )
    if config.relative_margin is None:
        return miner
    return GuardedMiner(miner, MarginJudge(relative_margin=config.relative_margin, encoder=encoder, **reading))


def _train(this: _Parts, job: Any, collator: NegativesCollator | None, pairs: FilteredPairs | None) -> int:
    """The progressive stage: the lines that passed, beta by the global step, the list refreshed if so asked."""
    from litotes.training import ProgressSchedule, RefreshNegatives, train_sentence_transformer

    config = this.config
    loss = this.loss(beta=config.beta_start)
    schedule = ProgressSchedule(
        loss, config.beta_start, config.beta_end, config.beta_shape, step_at=config.beta_step_at
    )
    callbacks: list[Any] = [schedule]
    changes: dict[str, Any] = {}
    if collator is None:
        lines = this.watched.lines(this.data)
        changes["prompts"] = this.prompts
    else:
        lines = collator.pairs()
        refresh = config.refresh_epochs
        miner = _miner(this, this.model) if refresh else None
        callbacks.append(collator if miner is None else RefreshNegatives(collator, miner, every_n_epochs=refresh))
    if pairs is not None:
        lines = lines.select(np.flatnonzero(pairs.kept(np.asarray(lines["label"]))))
    arguments = this.arguments(**changes)
    return train_sentence_transformer(this.model, lines, loss, job, arguments, collator=collator, callbacks=callbacks)


def _given(candidates: Candidates | str | Path | None, config: PegConfig, data: Collection) -> Candidates | None:
    """The candidates that were given, down to ``range_max``, without those that judges distrust."""
    from litotes.training import given_list

    if candidates is None:
        if config.min_trust is not None:
            raise LitotesError("min_trust needs candidates that were judged: pass candidates=, or --candidates RUN.")
        return None
    if config.num_negatives == 0:
        raise LitotesError("PEG with num_negatives=0 draws from no candidates: leave them out, or raise num_negatives.")
    if config.refresh_epochs or config.relative_margin is not None:
        raise LitotesError(
            "PEG mines for itself where it refreshes or guards: leave candidates out, or refresh_epochs and "
            "relative_margin."
        )
    return given_list(candidates, data, top=config.range_max, min_trust=config.min_trust)


def _source_sampler(data: Collection, config: PegConfig) -> Callable[..., Any] | None:
    from litotes.training import source_batch_sampler, sources_of_rows

    if config.source_column is None and config.source_separator is None:
        return None
    return source_batch_sampler(sources_of_rows(data, config.source_column, separator=config.source_separator))
