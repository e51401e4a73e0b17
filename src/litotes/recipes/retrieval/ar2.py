"""AR2: a retriever and a ranker as opponents, with candidates that follow the retriever.

Zhang, Gong, Shen, Lv, Duan and Chen, "Adversarial Retriever-Ranker for dense text retrieval", ICLR 2022 (arXiv
2110.03611), section 3. G_theta retrieves: s(q, d) = E_q(q) . E_d(d). D_phi ranks: r(q, d), one logit of the pair read
together. A list of M = 1 + n candidates is the positive d and n negatives from the top T of the retriever.

    min_theta max_phi  E_q E_{D- ~ G_theta(q)} log p_phi(d | q, {d} + D-)

    0. warm up G: in-batch NLL over all positives and one hard negative each
    1. top T of every query by G, without positives, their twins and what holds an answer
    2. warm up D: cross entropy of [d, n negatives drawn from the list]
    3. rounds of iteration_steps: a. D learns (theta rests)               loss = mean(logsumexp(r) - r_0)
                                  b. G learns (phi rests, reward constant)  loss = lambda adv + (1 - lambda) distill
                                  c. encode all with G as it is now, retrieve the top T anew     (losses/ar2.py)
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from litotes.core import Candidates, Collection, RunFolder
from litotes.core.config import NameOrPlace
from litotes.core.errors import DataError, LitotesError
from litotes.core.fingerprint import digest
from litotes.core.seeds import derived_seed
from litotes.losses import ar2_loss, ar2_ranker_loss, ar2_scores, info_nce
from litotes.recipes.retrieval.options import TrainingOptions

if TYPE_CHECKING:
    from transformers import TrainerCallback, TrainerState

    from litotes.training import Alternation, HeldOut, NegativeDraws, TextTowers, TrainingRun, WatchedOpponents
    from litotes.training.candidate_finder import CandidateFinder

__all__ = ["Ar2Config", "Ar2Step", "load_model", "load_ranker", "train_ar2"]

Batch = tuple[np.ndarray, np.ndarray]
"""Lines ``[B, 2]`` (row, positive) and their negatives ``[B, n]``."""

RANKER = "ranker"
"""Where the ranker lies in the run folder."""


class Ar2Config(TrainingOptions):
    """AR2: a retriever learns to fool a ranker, and from what the ranker says; the ranker learns from what it finds."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {
            "towers": "separate",
            "num_negatives": 15,
            "per_device_train_batch_size": 8,
            "gradient_accumulation_steps": 8,
            "warm_up_batch_size": 128,
            "learning_rate": 1e-5,
            "ranker_rate": 1e-6,
            "retriever_warm_up_rate": 2e-5,
            "ranker_warm_up_rate": 1e-5,
            "max_steps": 32_000,
            "iteration_steps": 2000,
            "ranker_steps": 500,
            "adv_form": "official",
            "query_length": 32,
            "corpus_length": 128,
            "ranker_length": 128,
            "scale": 1.0,
            "save_steps": 2000,
        }
    }

    ranker: Annotated[str, NameOrPlace("interaction")] = Field(
        "builtin:minilm", description="Where the ranker starts: a cross-encoder's name or folder, or 'interaction'."
    )
    ranker_length: int | None = Field(None, ge=4, description="Most tokens of a pair; by default the ranker's own.")
    ranker_layers: int | None = Field(None, ge=1, description="Train only so many last layers of the ranker.")
    towers: Literal["shared", "separate"] = Field(
        "shared", description="Whether queries and documents share weights, where the encoder lets them."
    )
    adv_form: Literal["expected", "official"] = Field(
        "expected", description="The adversarial term: the paper's expectation, or the published code's sum."
    )
    adv_lambda: float = Field(0.5, ge=0, le=1, description="Weight of the adversarial term; 0: distillation alone.")
    temperature: float = Field(1.0, gt=0, description="Of the ranker in the distillation's target, nowhere else.")
    scale: float | None = Field(
        None, gt=0, description="Factor of the scores; by default 20 for cosine encoders and 1 for inner products."
    )
    scale_similarity: bool = Field(False, description="Divide scores by the square root of the vectors' width.")
    num_negatives: int = Field(7, ge=1, description="n: negatives of a list.")
    top: int = Field(50, ge=1, description="T: depth of the lists that they are drawn from.")
    answers: Annotated[str | None, NameOrPlace()] = Field(
        None, description="JSONL of _id and answers; a document that holds an answer of its query is no negative."
    )
    min_trust: float | None = Field(None, ge=0, le=1, description="Leave out candidates that judges trust less.")
    learning_rate: float = Field(3e-5, gt=0, description="The retriever's highest learning rate, in rounds.")
    ranker_rate: float = Field(1e-5, gt=0, description="The ranker's, in rounds.")
    per_device_train_batch_size: int = Field(8, ge=1, description="Queries a batch, in rounds and for the ranker.")
    gradient_accumulation_steps: int = Field(
        1, ge=1, description="Batches an optimiser step, but not in the retriever's warm-up, which compares in-batch."
    )
    weight_decay: float = Field(0.0, ge=0, description="Weight decay, not on biases and normalisations.")
    max_grad_norm: float = Field(2.0, gt=0, description="The gradient of either model is clipped to this norm.")
    iteration_steps: int = Field(40, ge=1, description="Steps of a round; candidates are retrieved anew after each.")
    ranker_steps: int = Field(10, ge=0, description="Of them, the ranker's; one more, as in the published code.")
    exact_steps: bool = Field(False, description="Take ranker_steps as it is, without the one more.")
    refresh: bool = Field(True, description="Retrieve candidates anew after each round.")
    train_ranker: bool = Field(True, description="Let the ranker learn in rounds; else all steps are the retriever's.")
    teacher: Literal["ranker", "labels"] = Field(
        "ranker", description="Who teaches the retriever; labels: contrastive on the candidates, no ranker (ANCE)."
    )
    only_warm_up: bool = Field(False, description="Stop before the rounds, with both models warmed up.")
    retriever_warm_up_steps: int | None = Field(
        None, ge=0, description="Steps in-batch before the first candidates; by default one pass over the rows."
    )
    retriever_warm_up_rate: float = Field(3e-5, gt=0, description="The retriever's rate in them.")
    warm_up_batch_size: int = Field(32, ge=1, description="Queries a batch in them.")
    warm_up_miner: Literal["bm25", "dense", "random"] = Field(
        "bm25", description="What finds the one hard negative of each query in them."
    )
    ranker_warm_up_steps: int | None = Field(
        None, ge=0, description="Steps of the ranker before the rounds; by default one pass over the rows."
    )
    ranker_warm_up_rate: float = Field(1e-4, gt=0, description="The ranker's rate in them.")

    @property
    def turns(self) -> Alternation:
        """Whose turn it is at which step, in whole rounds."""
        from litotes.training import Alternation

        if not self.train_ranker or self.teacher == "labels":
            return Alternation(self.iteration_steps, 0, exact=True)
        return Alternation(self.iteration_steps, self.ranker_steps, self.exact_steps)

    def turns_in(self, total: int) -> Alternation:
        """Whose turn it is in a run of ``total`` steps; one shorter than a round is a shorter round of the same shares.

        Raises:
            LitotesError: the retriever would have no step.
        """
        turns, steps = self.turns, self.iteration_steps
        if total < steps:
            turns = replace(turns, round_steps=total, first_steps=turns.first_steps * total // steps)
        first, second = turns.counts(total)
        if second == 0:
            more = "" if self.exact_steps else " and the one more of the published code (exact_steps takes it away)"
            raise LitotesError(
                f"The retriever would never learn: of {total} steps {first} are the ranker's and 0 the retriever's, "
                f"by iteration_steps={self.iteration_steps} with ranker_steps={self.ranker_steps}{more}. "
                "Lower ranker_steps, or train for more steps (max_steps, num_train_epochs)."
            )
        return turns


def train_ar2(
    data: Collection,
    config: Ar2Config,
    run: RunFolder | str | Path,
    *,
    dev: Collection | None = None,
    candidates: Candidates | str | Path | None = None,
    encoder: Any = None,
    ranker: Any = None,
    answers: Mapping[str, Sequence[str]] | None = None,
) -> Any:
    """Train AR2 into a run folder and return the retriever, a ``SentenceTransformer``; a killed call goes on.

    The retriever lies at the top of the folder, the ranker under ``ranker`` (:func:`load_ranker`).

    Args:
        data: queries, documents and the positives.
        run: the folder.
        dev: rows to take the retriever's metrics on; None holds out a seeded tenth of the training rows.
        candidates: the first lists, or the run folder that holds them, instead of those of the warmed-up retriever;
            judged ones serve ``min_trust``.
        encoder: a live ``SentenceTransformer`` to train in place of ``config.encoder``.
        ranker: in place of ``config.ranker`` a live ``CrossEncoder``, or any module called on (query, document) pairs
            that gives logits and has ``save_pretrained(folder)``.
        answers: by query id, in place of ``config.answers`` or a column ``answers`` of the queries.
    """
    from litotes.mining import DenseMiner
    from litotes.mining.answers import answers_of
    from litotes.models import resolve_encoder
    from litotes.models.model_fingerprint import weights_digest
    from litotes.models.pair_models import pair_model, pair_ranker_of
    from litotes.models.sentence_transformer import SentenceTransformerEncoder
    from litotes.training import TextTowers, TrainingRun, separate_towers, suspected_cells
    from litotes.training.candidate_finder import CandidateFinder
    from litotes.training.negative_table import NegativeTable

    run = run if isinstance(run, RunFolder) else RunFolder.open(run)
    if isinstance(candidates, str | Path):
        candidates = Candidates.load(candidates)
    if config.min_trust is not None and candidates is None:
        raise LitotesError("min_trust needs candidates that were judged: pass candidates=, or --candidates RUN.")
    watched = _held_out(data, dev, config)
    known = answers_of(data, config.answers) if answers is None else answers
    suspects = None
    if candidates is not None and config.min_trust is not None:
        suspects = suspected_cells(candidates, data, below=config.min_trust)
    model = config.load(encoder)
    model = separate_towers(model) if config.towers == "separate" else model
    embedder = resolve_encoder(model, dtype=config.dtype, batch_size=config.batch_size)
    assert isinstance(embedder, SentenceTransformerEncoder)
    config = config.model_copy(update={"scale": config.scale or (20.0 if embedder.similarity == "cosine" else 1.0)})
    start = config.ranker if ranker is None else ranker
    reading = {"length": config.ranker_length, "layers": config.ranker_layers}
    opponent = pair_model(start, data, **reading, device=config.device, seed=config.seed)
    miner = DenseMiner(encoder=model, top=config.top, dtype=config.dtype, batch_size=config.batch_size)
    find = CandidateFinder(data, miner, answers=known, suspects=suspects)
    given = None if candidates is None else find.given(candidates, top=config.top)
    live = {name: "a live model" for name, it in (("encoder", encoder), ("ranker", ranker)) if it is not None}
    made_from = {
        "data": data.fingerprint,
        "dev split": "none" if dev is None else dev.fingerprint,
        "starting encoder": digest(embedder.fingerprint("query"), embedder.fingerprint("document")),
        "starting ranker": weights_digest([opponent]),
        "first candidates": "mined" if given is None else NegativeTable(given, data.n_rows).fingerprint,
        "answers": digest({row: list(texts) for row, texts in known.items()}),
        "suspects": digest(suspects),
    }
    job = TrainingRun(run, "ar2", {**config.model_dump(), **live}, made_from)
    if job.done:
        return load_model(job.folder)
    before = watched.metrics(embedder)
    config.train_last_layers_only(model)
    step = Ar2Step(TextTowers(embedder), opponent, data, config)
    _warm_up_retriever(step, find, watched.rows, job)  # 0
    first = find.mined(run) if given is None else given  # 1
    rows = _rows_with(first, watched.rows)
    _warm_up_ranker(step, first, rows, job)  # 2
    steps, rounds = _take_turns(step, find, first, rows, watched, job)  # 3
    model.eval()  # 4
    model.save_pretrained(str(job.folder))
    pair_ranker_of(opponent).save_pretrained(str(job.folder / RANKER))
    after = watched.metrics(resolve_encoder(model, dtype=config.dtype, batch_size=config.batch_size))
    left_out = {"rows_without_candidates": len(watched.rows) - len(rows), "rounds": rounds}
    job.finish({"steps": steps, **left_out, **watched.report(before, after)})
    return model


class Ar2Step:
    """One step of AR2: the ranker's or the retriever's loss, by the number of the step.

    Args:
        retriever: G, as vectors of texts.
        ranker: D, any module from (query, document) pairs to logits.
        data: what lines and negatives are positions of.
    """

    def __init__(self, retriever: TextTowers, ranker: nn.Module, data: Collection, config: Ar2Config) -> None:
        self.retriever, self.ranker, self.data, self.config = retriever, ranker, data, config
        self.turns = config.turns

    def __call__(self, batch: Batch, state: TrainerState) -> dict[str, Float[Tensor, ""]]:
        """The loss of the model whose turn it is; the other one is not touched."""
        from litotes.models.resting import resting

        if self.turns.is_first(state.global_step):
            return self.of_ranker(batch, state)
        if self.config.teacher == "labels":  # cross entropy of the lists, as the ranker's
            return {"retriever": ar2_ranker_loss(self.scores(batch))}
        with resting(self.ranker):
            r = self.logits(batch)
        c = self.config
        form: dict[str, Any] = {"adv_form": c.adv_form, "adv_lambda": c.adv_lambda, "temperature": c.temperature}
        return {"retriever": ar2_loss(self.scores(batch), r, **form)}

    def of_ranker(self, batch: Batch, state: TrainerState) -> dict[str, Float[Tensor, ""]]:
        """The ranker's loss; of the retriever nothing is asked."""
        return {RANKER: ar2_ranker_loss(self.logits(batch))}

    def in_batch(self, batch: Batch, state: TrainerState) -> dict[str, Float[Tensor, ""]]:
        """The warm-up's loss: every query against all documents of the batch that are not positives of it."""
        cells, negatives = batch
        documents = np.concatenate([cells[:, 1], negatives.ravel()])
        q, d = self._queries(cells), self._documents(documents)
        scores = ar2_scores(q, d, **self._scaling)
        own = torch.eye(*scores.shape, dtype=torch.bool, device=scores.device)
        known = torch.from_numpy(self.data.is_positive(cells[:, :1], documents[None, :])).to(scores.device)
        return {"retriever": info_nce(scores, own, keep=~known | own, temperature=1.0)}

    def scores(self, batch: Batch) -> Float[Tensor, "batch candidates"]:
        """s of each list; documents that several lists hold are encoded once."""
        cells, negatives = batch
        listed, place = np.unique(np.concatenate([cells[:, 1:], negatives], axis=1), return_inverse=True)
        d = self._documents(listed)[torch.from_numpy(place.reshape(len(cells), -1))]
        return ar2_scores(self._queries(cells), d, **self._scaling)

    def logits(self, batch: Batch, ranker: nn.Module | None = None) -> Float[Tensor, "batch candidates"]:
        """r of each list, by the ranker in training or another one."""
        cells, negatives = batch
        listed = np.concatenate([cells[:, 1:], negatives], axis=1)
        queries, documents = self.data.row_texts, self.data.col_texts
        pairs = [(queries[row], documents[col]) for (row, _), cols in zip(cells, listed, strict=True) for col in cols]
        return (self.ranker if ranker is None else ranker)(pairs).reshape(listed.shape)

    @property
    def _scaling(self) -> dict[str, Any]:
        return {"scale": self.config.scale or 1.0, "scale_similarity": self.config.scale_similarity}

    def _queries(self, cells: np.ndarray) -> Tensor:
        return self.retriever([self.data.row_texts[row] or "" for row in cells[:, 0]], "query")

    def _documents(self, cols: np.ndarray) -> Tensor:
        return self.retriever([self.data.col_texts[col] or "" for col in cols], "document")


def load_model(folder: str | Path, device: str = "auto") -> Any:
    """The retriever that was left in a folder, a ``SentenceTransformer``."""
    from litotes.models import load_sentence_transformer

    return load_sentence_transformer(folder, device=device)


def load_ranker(folder: str | Path, device: str = "auto") -> Any:
    """The ranker that was left beside it: a ``CrossEncoder``, or the interaction ranker."""
    from litotes.models.pair_models import load_pair_ranker

    return load_pair_ranker(Path(folder) / RANKER, device)


# --- the stages -------------------------------------------------------------------------------------------------------


def _held_out(data: Collection, dev: Collection | None, config: Ar2Config) -> HeldOut:
    """The rows to train on, and those to watch: of ``dev``, or, where it has none, of the training rows."""
    from litotes.training import hold_out
    from litotes.training.draws import lines_of
    from litotes.training.held_out import trainable_rows

    watched = hold_out(data, dev, config.seed)
    if dev is not None and not len(trainable_rows(dev)):
        watched = replace(hold_out(data, None, config.seed), dev=dev)
    if not config.only_warm_up:
        config.turns_in(config.total_steps(len(lines_of(data, watched.rows))))  # refused before anything is trained
    return watched


def _warm_up_retriever(step: Ar2Step, find: CandidateFinder, rows: np.ndarray, job: TrainingRun) -> None:
    """Stage 0: in-batch, with one hard negative each; a batch is never cut, as its documents are the negatives."""
    from litotes.mining import miner_from_spec

    config = _of_stage(step.config, "retriever", gradient_accumulation_steps=1)
    if config.retriever_warm_up_steps == 0:
        return
    spec = f"{config.warm_up_miner}:name=warm-up"
    found = find.mined(job.run, miner_from_spec(spec, top=config.top, encoder=find.encoder, seed=config.seed))
    draws = _draws(step.data, found, config, np.intersect1d(rows, found.row), k=1)
    steps = config.retriever_warm_up_steps or config.steps_of_epoch(len(draws.cells), config.warm_up_batch_size)
    learners = {"retriever": _learner(step.retriever, config.retriever_warm_up_rate, steps, config)}
    _train(learners, step.in_batch, draws, steps, job, "retriever", config, size=config.warm_up_batch_size)


def _rows_with(first: Candidates, rows: np.ndarray) -> np.ndarray:
    """The rows that have a candidate."""
    rows = np.intersect1d(rows, first.row)
    if not len(rows):
        raise DataError("No training row has a candidate: each document is a positive, suspected, or holds an answer.")
    return rows


def _warm_up_ranker(step: Ar2Step, first: Candidates, rows: np.ndarray, job: TrainingRun) -> None:
    """Stage 2: cross entropy of lists from the first candidates."""
    config = _of_stage(step.config, RANKER)
    if config.ranker_warm_up_steps == 0:
        return
    draws = _draws(step.data, first, config, rows)
    steps = config.ranker_warm_up_steps or config.steps_of_epoch(len(draws.cells))
    learners = {RANKER: _learner(step.ranker, config.ranker_warm_up_rate, steps, config)}
    _train(learners, step.of_ranker, draws, steps, job, RANKER, config)


def _take_turns(
    step: Ar2Step, find: CandidateFinder, first: Candidates, rows: np.ndarray, watched: HeldOut, job: TrainingRun
) -> tuple[int, list[dict[str, float]]]:
    """Stage 3: the rounds. Optimisers and schedules of both models last through all of them."""
    from litotes.training import Learner

    config = _of_stage(step.config, "rounds")
    if config.only_warm_up:
        return 0, []
    draws = _draws(step.data, first, config, rows)
    total = config.total_steps(len(draws.cells))
    step.turns = config.turns_in(total)
    of_ranker, of_retriever = step.turns.counts(total)
    learners = {"retriever": _learner(step.retriever, config.learning_rate, of_retriever, config)}
    learners[RANKER] = (
        _learner(step.ranker, config.ranker_rate, of_ranker, config) if of_ranker else Learner(step.ranker)
    )
    follow = find.refreshing(draws, every_n_steps=step.turns.round_steps) if config.refresh else draws
    watch = _watch(step, find, watched, config, job)
    callbacks = [follow] if watch is None else [follow, watch]
    steps = _train(learners, step, draws, total, job, "rounds", config, callbacks=callbacks)
    return steps, [] if watch is None else watch.rounds


def _watch(
    step: Ar2Step, find: CandidateFinder, watched: HeldOut, config: Ar2Config, job: TrainingRun
) -> WatchedOpponents | None:
    """What the rounds are watched on: the rows held out, or those of the dev split; no stage trains on them."""
    from litotes.training import WatchedOpponents
    from litotes.training.held_out import trainable_rows

    data = step.data if watched.ids or watched.dev is None else watched.dev
    rows = trainable_rows(data) if data is not step.data else data.row_ids.positions(watched.ids)
    if not len(rows):
        return None
    asked, fresh = Ar2Step(step.retriever, step.ranker, data, config), copy.deepcopy(step.ranker)
    return WatchedOpponents(
        job.run,
        data,
        rows,
        find,
        step.turns,
        asked.scores,
        asked.logits,
        lambda batch: asked.logits(batch, fresh),
        models=(step.retriever, step.ranker, fresh),
        k=config.num_negatives,
        seed=config.seed,
        batch_size=config.per_device_train_batch_size,
    )


def _of_stage(config: Ar2Config, stage: str, **changes: Any) -> Ar2Config:
    """The options with a seed of the stage's own, so that no stage repeats the batches and draws of another."""
    return config.model_copy(update={"seed": derived_seed(config.seed, stage), **changes})


def _train(
    learners: Mapping[str, Any],
    step: Any,
    draws: NegativeDraws,
    steps: int,
    job: TrainingRun,
    name: str,
    config: Ar2Config,
    *,
    size: int | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> int:
    """Train to the end from the last checkpoint; the last step is always kept, for what comes after it."""
    from litotes.training import KeepLastStep, ReportTraining, Rounds, ShuffledBatches

    cells = draws.cells
    device = next(next(iter(learners.values())).model.parameters()).device.type
    args = config.rounds_arguments(job.checkpoints / name, steps, bf16=config.autocast, device=device)
    batches = ShuffledBatches(np.arange(len(cells)), size or config.per_device_train_batch_size, seed=config.seed)
    told = [*(callbacks or [draws]), ReportTraining(job.run, bar=False), KeepLastStep()]
    rounds = Rounds(learners, step, batches, args, callbacks=told, collate=lambda x: (cells[x], draws.draw(cells[x])))
    return int(rounds.train().global_step)


def _learner(model: nn.Module, rate: float, steps: int, config: Ar2Config) -> Any:
    from litotes.training import Learner, decaying, linear_schedule

    optimizer = torch.optim.AdamW(decaying(model, config.weight_decay), lr=rate)
    return Learner(model, optimizer, linear_schedule(config.warmup(steps), steps), config.max_grad_norm)


def _draws(
    data: Collection, found: Candidates, config: Ar2Config, rows: np.ndarray, k: int | None = None
) -> NegativeDraws:
    from litotes.training import NegativeDraws

    return NegativeDraws(data, found, k or config.num_negatives, seed=config.seed, rows=rows, short="repeat")
