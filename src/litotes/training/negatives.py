"""Hard negatives drawn by id when the batch is made, for ``SentenceTransformerTrainer`` and for any loop.

The collator takes lines of :meth:`Collection.pairs` (``anchor``, ``positive``, ``label = [row, col]``), draws ``k``
negatives for each, looks their texts up last and tokenizes everything as sentence-transformers' own collator does.
Ids go to the loss as the batch's ``label``, int64 ``[B, 2 + k]`` = ``[row, positive, negatives]``, never tokenized.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from sentence_transformers.sentence_transformer.data_collator import SentenceTransformerDataCollator
from transformers import TrainerCallback

from litotes.core import Candidates, Collection
from litotes.core.checks import check_choice, check_int
from litotes.core.errors import DataError, LitotesError
from litotes.training.held_out import trainable_rows
from litotes.training.negative_table import NegativeTable

if TYPE_CHECKING:
    import datasets
    from sentence_transformers import SentenceTransformer

__all__ = ["NegativesCollator"]

Short = Literal["refuse", "drop", "repeat"]


class NegativesCollator(TrainerCallback):
    """Data collator that adds negatives, and a callback of the trainer through which it learns the epoch.

    Pass it twice, ``data_collator=collator`` and ``callbacks=[collator]`` (a :class:`RefreshNegatives` over it is
    enough in the second place). A loop of one's own calls :meth:`set_epoch`. Negatives of a row change from epoch to
    epoch; each draw is a pure function of (seed, epoch, row, table number), so a resumed run draws the same.

    Args:
        model: the ``SentenceTransformer`` to tokenize for.
        data: the collection that the lines and the candidates are positions of.
        candidates: what to draw from; observed positives and their text twins among them are refused.
        k: negatives for each line.
        seed: of the draws.
        rows: positions of the rows that are trained on; None takes every row of ``data.pairs()``.
        short: what happens to a row with fewer than ``k`` candidates: ``"refuse"`` at construction, ``"drop"`` it from
            :meth:`pairs`, or ``"repeat"`` the ones it has (a row with none is refused).
        weighted: draw in proportion to the candidates' ``weight`` instead of uniformly.
        prompts: a prompt for all columns, or by ``"anchor"``, ``"positive"``, ``"negative"`` (documents share one by
            default). None takes the trainer's ``args.prompts``.
        router_mapping: the task of each of the three; None takes ``args.router_mapping`` or query and document.
        max_length: tokens, for all columns or by task; None keeps the model's own.
    """

    valid_label_columns: Sequence[str] = ("label",)  # the trainer asks its collator for them

    def __init__(
        self,
        model: SentenceTransformer,
        data: Collection,
        candidates: Candidates,
        k: int = 5,
        *,
        seed: int = 0,
        rows: np.ndarray | None = None,
        short: Short = "refuse",
        weighted: bool = False,
        prompts: str | Mapping[str, str] | None = None,
        router_mapping: Mapping[str, str] | None = None,
        max_length: int | Mapping[str, int] | None = None,
    ) -> None:
        self.data, self.seed, self.weighted = data, seed, weighted
        self.k = check_int("NegativesCollator", "k", k, at_least=1)
        self.short = check_choice("NegativesCollator", "short", short, ("refuse", "drop", "repeat"))
        self.prompts, self.router_mapping, self.max_length = prompts, router_mapping, max_length
        self._preprocess = model.preprocess
        self._tokenize = self._tokenizer()
        self.rows = trainable_rows(data) if rows is None else np.unique(np.asarray(rows, dtype=np.int64))
        self.tables = [self._checked(candidates, number=0, from_batch=0)]
        self.first_fingerprint = self.tables[0].fingerprint
        enough = self.tables[0].counts(self.rows) >= self.k
        if short == "drop":
            self.rows = self.rows[enough]
        if not len(self.rows):
            raise LitotesError(f"NegativesCollator has no row to train on with {self.k} negatives each.")
        self._is_trained = np.zeros(data.n_rows, dtype=bool)
        self._is_trained[self.rows] = True
        self.epoch: int | None = None
        self.next_batch = self._settled_batch = 0  # counted over the whole run

    def pairs(self) -> datasets.Dataset:
        """The lines of ``data.pairs()`` whose row is trained on; with ``short="drop"`` those of short rows are gone."""
        pairs = self.data.pairs()
        return pairs.select(np.flatnonzero(self._is_trained[np.asarray(pairs["label"])[:, 0]]))

    def __call__(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        """The batch that a sentence-transformers loss takes: tokens of each column, and ``label`` ``[B, 2 + k]``."""
        if not {"anchor", "positive", "label"} <= features[0].keys():
            raise LitotesError(
                f"NegativesCollator takes lines of collator.pairs(). Got columns {', '.join(features[0])}."
            )
        cells = np.asarray([line["label"] for line in features], dtype=np.int64)
        negatives = self.draw(cells)
        texts = self.data.col_texts
        columns = [{"anchor": line["anchor"], "positive": line["positive"]} for line in features]
        for line, cols in zip(columns, negatives, strict=True):
            line.update({f"negative_{i + 1}": texts[col] for i, col in enumerate(cols)})
        batch = self._tokenize(columns)
        batch["label"] = torch.from_numpy(np.concatenate([cells, negatives], axis=1))
        return batch

    def draw(self, cells: np.ndarray) -> np.ndarray:
        """Negatives for the next batch, whose lines are ``cells`` (int64 ``[B, 2]``, row and positive): ``[B, k]``."""
        if self.epoch is None:
            raise LitotesError(
                "NegativesCollator does not know the epoch. Pass it among the trainer's callbacks too "
                "(callbacks=[collator]), or call collator.set_epoch(epoch) in a loop of your own."
            )
        if cells.ndim != 2 or cells.shape[1] != 2 or not self._are_lines_of_ours(cells):
            raise LitotesError(
                "NegativesCollator takes lines of collator.pairs(), label = [row, positive column] of its own data. "
                f"Got label {cells[0].tolist()} first."
            )
        table = self.table_of(self.next_batch)
        self.next_batch += 1
        return table.draw(cells[:, 0], self.k, seed=self.seed, epoch=self.epoch, repeat=self.short == "repeat")

    def set_epoch(self, epoch: int, next_batch: int | None = None) -> None:
        """An epoch begins, or goes on, with batch ``next_batch`` of the whole run (None: the one after the last)."""
        self.epoch = epoch
        self.next_batch = self._settled_batch = self.next_batch if next_batch is None else next_batch

    def table_of(self, batch: int) -> NegativeTable:
        """The table that a batch draws from: the latest whose ``from_batch`` is not after it."""
        return max((t for t in self.tables if t.from_batch <= batch), key=lambda t: (t.from_batch, t.number))

    def set_tables(self, tables: list[tuple[Candidates, int, int]]) -> None:
        """Draw from these (candidates, number, from_batch) and no others, as a run that is resumed did."""
        self.tables = [self._checked(*table) for table in tables]

    def add_table(self, candidates: Candidates, number: int, from_batch: int) -> NegativeTable:
        """From batch ``from_batch`` on, draw from these candidates; tables that nothing can draw from go away."""
        added = self._checked(candidates, number=number, from_batch=from_batch)
        oldest_used = self.table_of(min(self.next_batch, from_batch))
        self.tables = [t for t in self.tables if t.from_batch >= oldest_used.from_batch] + [added]
        return added

    # --- the trainer's events -------------------------------------------------------------------------------------

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Check the loader, and take prompts and routes from the training arguments."""
        if args.dataloader_num_workers > 0 and args.dataloader_persistent_workers:
            raise LitotesError(
                "NegativesCollator cannot work with dataloader_persistent_workers=True: workers that outlive an epoch "
                "never learn of the next one and would repeat its negatives. Set it to False."
            )
        for name in ("prompts", "router_mapping"):
            ours, theirs = getattr(self, name), getattr(args, name, None) or None
            if ours is not None and theirs is not None and ours != theirs:
                raise LitotesError(
                    f"NegativesCollator and the training arguments have different {name}: {ours!r} and {theirs!r}. "
                    "Give them in one place."
                )
            setattr(self, name, theirs if ours is None else ours)
        self._tokenize = self._tokenizer()

    def on_epoch_begin(self, args: Any, state: Any, control: Any, *, train_dataloader: Any, **kwargs: Any) -> None:
        """Learn the epoch and the number of the batch that is collated next, also in the middle of a resumed epoch."""
        self.set_epoch(*position(args, state, train_dataloader))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Remember where training stands, in case an evaluation collates batches in between."""
        self._settled_batch = self.next_batch

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Batches of an evaluation do not count."""
        self.next_batch = self._settled_batch

    # --- inside ---------------------------------------------------------------------------------------------------

    def _checked(self, candidates: Candidates, number: int, from_batch: int) -> NegativeTable:
        candidates.check_data(self.data)
        table = NegativeTable(candidates, self.data.n_rows, number, from_batch, self.weighted)
        positive = self.data.is_positive(table.rows, table.cols)
        if positive.any():
            raise DataError(
                f"{int(positive.sum())} candidates are observed positives or have the text of one, "
                f"for example {self._name(table, positive)}. Drop them from the candidates."
            )
        empty = ~self.data.cols_with_content[table.cols]
        if empty.any():
            raise DataError(
                f"{int(empty.sum())} candidates have no text, for example {self._name(table, empty)}. Drop them."
            )
        if self.short != "drop" or number > 0:  # rows can only be dropped before training begins
            self._refuse_short(table)
        return table

    def _refuse_short(self, table: NegativeTable) -> None:
        counts, needed = table.counts(self.rows), 1 if self.short == "repeat" else self.k
        short = self.rows[counts < needed]
        if len(short):
            ids = ", ".join(repr(self.data.row_ids[row]) for row in short[:3])
            raise DataError(
                f"{len(short)} of {len(self.rows)} rows have fewer than {needed} candidates (the least has "
                f"{int(counts.min())}, k is {self.k}), for example {ids}. Lower k, mine deeper, or choose short='drop' "
                "or short='repeat'."
            )

    def _name(self, table: NegativeTable, where: np.ndarray) -> str:
        cell = int(np.flatnonzero(where)[0])
        return f"{self.data.col_ids[table.cols[cell]]!r} for {self.data.row_ids[table.rows[cell]]!r}"

    def _are_lines_of_ours(self, cells: np.ndarray) -> bool:
        inside = (cells >= 0).all() and (cells < [self.data.n_rows, self.data.n_cols]).all()
        return bool(inside and self._is_trained[cells[:, 0]].all() and self.data.is_positive(*cells.T).all())

    def _tokenizer(self) -> SentenceTransformerDataCollator:
        negatives = [f"negative_{i + 1}" for i in range(self.k)]
        prompts = self.prompts
        if isinstance(prompts, Mapping):
            shared = prompts.get("negative", prompts.get("positive", ""))
            prompts = {**dict.fromkeys(negatives, shared), **prompts}
        tasks = dict(self.router_mapping or {"anchor": "query", "positive": "document"})
        document = tasks.get("negative", tasks.get("positive"))
        if document is not None:
            tasks = {**dict.fromkeys(negatives, document), **tasks}
        return SentenceTransformerDataCollator(
            preprocess_fn=self._preprocess,
            valid_label_columns=[],
            prompts=prompts or {},
            router_mapping=tasks,
            max_length=self.max_length,
        )


def position(args: Any, state: Any, train_dataloader: Any) -> tuple[int, int]:
    """The epoch that begins or goes on at ``state.global_step``, and the number of its next batch in the whole run."""
    batches, per_update = len(train_dataloader), args.gradient_accumulation_steps
    updates = max(-(-batches // per_update), 1)  # the last update of an epoch may hold fewer batches
    epoch, inside = divmod(state.global_step, updates)
    return epoch, epoch * batches + inside * per_update
