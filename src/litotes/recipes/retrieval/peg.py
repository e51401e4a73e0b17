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

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from litotes.core import Candidates, Collection, RunFolder
from litotes.core.errors import DataError, LitotesError
from litotes.core.fingerprint import digest
from litotes.recipes.retrieval.peg_options import PegConfig

if TYPE_CHECKING:
    import datasets
    from transformers import TrainerCallback

    from litotes.judging.pair_filter import FilteredPairs
    from litotes.mining import Miner
    from litotes.models import Encoder
    from litotes.training import HeldOut, NegativesCollator, TrainingRun

__all__ = ["PegConfig", "load_model", "train_peg"]

_OF_THE_LOSS = {"temperature", "which", "level", "max_bytes", "margin", "ratio", "symmetric"}


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

    Raises:
        LitotesError: several processes; candidates that would not be used; a mining window outside the corpus.
    """
    from litotes.losses.across_processes import n_processes
    from litotes.models import resolve_encoder
    from litotes.training import TrainingRun, hold_out

    if n_processes() > 1:
        raise LitotesError(
            f"PEG trains in one process, and this is one of {n_processes()}. Start it without torchrun; for several, "
            "use ProgressiveInfoNCELoss(..., gather_across_devices=True) in a SentenceTransformerTrainer of your own."
        )
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

    def fit(
        self,
        job: TrainingRun,
        lines: datasets.Dataset,
        betas: tuple[float, float],
        collator: NegativesCollator | None = None,
        callbacks: Sequence[TrainerCallback] = (),
        **changes: Any,
    ) -> int:
        """Train in place, with beta from one value to the other; ``changes`` are words of ``TrainingArguments``."""
        from litotes.losses.progressive import ProgressiveInfoNCELoss
        from litotes.training import ProgressSchedule, train_sentence_transformer

        config = self.config
        loss = ProgressiveInfoNCELoss(
            self.model,
            self.data,  # masks by the labels as they are given: a pair that the filter drops is no negative
            weight_norm=None if config.weight_norm == "none" else config.weight_norm,
            mini_batch_size=config.mini_batch_size or None,
            similarity=self.embedder.similarity,
            **config.model_dump(include=_OF_THE_LOSS),
        )
        schedule = ProgressSchedule(loss, *betas, config.beta_shape, step_at=config.beta_step_at)
        if self.sampler is not None:
            changes["batch_sampler"] = self.sampler
        arguments = {**config.trainer_arguments(), **changes}
        callbacks = [schedule, *callbacks]
        return train_sentence_transformer(
            self.model, lines, loss, job, arguments, collator=collator, callbacks=callbacks
        )

    @property
    def prompts(self) -> dict[str, str]:
        """The encoder's prompts by column."""
        return {"anchor": self.embedder.prompt("query"), "positive": self.embedder.prompt("document")}


def _warm_up(this: _Parts, job: TrainingRun) -> dict[str, Any]:
    """Train in place with in-batch negatives, or take the weights of the run that did; what the summary says of it."""
    from litotes.models import load_sentence_transformer

    config, model = this.config, this.model
    if job.done:
        model.load_state_dict(load_sentence_transformer(job.folder, device="cpu", dtype="float32").state_dict())
        return job.stage.record["summary"]
    steps = this.fit(
        job,
        this.watched.lines(this.data),
        (0.0, 0.0),
        num_train_epochs=max(config.in_batch_epochs, 1),
        max_steps=config.in_batch_steps or -1,
        prompts=this.prompts,
    )
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
    from litotes.training import NegativesCollator, mined_list

    config, found = this.config, given
    if found is None:
        found = mined_list(_miner(this, this.embedder), this.data, rows, run, top=0)  # the collator counts
    options: dict[str, Any] = {"seed": config.seed, "rows": rows, "short": config.short, "prompts": this.prompts}
    return NegativesCollator(this.model, this.data, found, config.num_negatives, **options)


def _miner(this: _Parts, encoder: Any) -> Miner:
    """Ranks ``range_min + 1 .. range_max`` of the non-positives, less what the guard takes for positives."""
    from litotes.training.guarded_miner import window_miner

    config = this.config
    options: dict[str, Any] = {"relative_margin": config.relative_margin, "seed": config.seed}
    if encoder is this.model:
        options.update(dtype=config.dtype, batch_size=config.batch_size)
    spec = f"{config.miner}:name=window"
    return window_miner(spec, encoder, over=config.range_min, down_to=config.range_max, **options)


def _train(this: _Parts, job: TrainingRun, collator: NegativesCollator | None, pairs: FilteredPairs | None) -> int:
    """The progressive stage: the lines that passed, beta by the global step, the list refreshed if so asked."""
    from litotes.training import RefreshNegatives

    config, callbacks, changes = this.config, [], {}
    if collator is None:
        lines, changes = this.watched.lines(this.data), {"prompts": this.prompts}
    else:
        lines, refresh = collator.pairs(), config.refresh_epochs
        fresh = RefreshNegatives(collator, _miner(this, this.model), every_n_epochs=refresh) if refresh else collator
        callbacks = [fresh]
    if pairs is not None:
        lines = lines.select(np.flatnonzero(pairs.kept(np.asarray(lines["label"]))))
    return this.fit(job, lines, (config.beta_start, config.beta_end), collator, callbacks, **changes)


def _given(candidates: Candidates | str | Path | None, config: PegConfig, data: Collection) -> Candidates | None:
    """The candidates that were given, down to ``range_max``, without those that judges distrust."""
    from litotes.training import given_list
    from litotes.training.guarded_miner import check_window

    if candidates is None:
        if config.min_trust is not None:
            raise LitotesError("min_trust needs candidates that were judged: pass candidates=, or --candidates RUN.")
        needed = config.num_negatives if config.short == "refuse" else min(config.num_negatives, 1)
        check_window("PEG", data, over=config.range_min, down_to=config.range_max, needed=needed)
        return None
    if config.num_negatives == 0:
        raise LitotesError("PEG with num_negatives=0 draws from no candidates: leave them out, or raise num_negatives.")
    if config.refresh_epochs or config.relative_margin is not None:
        raise LitotesError(
            "PEG mines for itself where it refreshes or guards: leave candidates out, or refresh_epochs and "
            "relative_margin."
        )
    fields = PegConfig.model_fields
    if unused := [name for name in ("miner", "range_min") if getattr(config, name) != fields[name].default]:
        raise LitotesError(
            f"PEG mines nothing where candidates are given: leave {' and '.join(unused)} out, or the candidates. "
            "(range_max is used: it says how far down each row's candidates are drawn from.)"
        )
    return given_list(candidates, data, top=config.range_max, min_trust=config.min_trust)


def _source_sampler(data: Collection, config: PegConfig) -> Callable[..., Any] | None:
    from litotes.training import source_batch_sampler, sources_of_rows

    if config.source_column is None and config.source_separator is None:
        return None
    return source_batch_sampler(sources_of_rows(data, config.source_column, separator=config.source_separator))
