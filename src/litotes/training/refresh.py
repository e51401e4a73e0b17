"""Negatives that follow the model: mined again, during training, with the weights of that moment.

Every table is numbered, lies in the checkpoint with its digest, and takes effect from a batch that is fixed when it is
made: at a refresh after an epoch, the first batch of the next; at a refresh after step s, in ``Rounds`` the very next
batch, in a trainer the one *after* it, because the trainer's loader has always collated one batch ahead. A resumed run
therefore draws its first batch from the old table wherever a run that was never stopped does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from transformers import TrainerCallback

from litotes.core import Candidates
from litotes.core.checks import check_float, check_int
from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.core.files import read_json, write_json
from litotes.core.fingerprint import difference, digest_file
from litotes.training.draws import NegativeDraws, position

if TYPE_CHECKING:
    from litotes.judging import Judge
    from litotes.mining import Miner

__all__ = ["RefreshNegatives"]

_FOLDER, _LIST = "negatives", "tables.json"  # inside a checkpoint


class RefreshNegatives(TrainerCallback):
    """Callback of a trainer, or of ``Rounds``, that mines negatives again.

    Args:
        collator: the collator, or the :class:`~litotes.training.draws.NegativeDraws` of a loop, to refresh; as it hears
            of the epoch through this callback, it need not be in the ``callbacks`` itself.
        miner: mines with the model in training: its ``encoder`` is that very object. Another one, or a miner without
            an encoder, is refused unless ``frozen_encoder``.
        judge: judges each new table; cells whose trust is below ``min_trust`` are left out.
        every_n_epochs: refresh after so many epochs (1 unless ``every_n_steps`` is given).
        every_n_steps: refresh after so many optimiser steps instead; needs ``dataloader_num_workers=0``.
        frozen_encoder: the miner's encoder is not the model in training, on purpose.
        min_trust: trust below which a judged cell is left out.
        suspects: cells known to be doubtful before training, as ``row * n_cols + col``; no table offers them.
    """

    def __init__(
        self,
        collator: NegativeDraws,
        miner: Miner,
        judge: Judge | None = None,
        *,
        every_n_epochs: int | None = None,
        every_n_steps: int | None = None,
        frozen_encoder: bool = False,
        min_trust: float = 0.5,
        suspects: np.ndarray | None = None,
    ) -> None:
        if every_n_epochs is not None and every_n_steps is not None:
            raise LitotesError("RefreshNegatives takes every_n_epochs or every_n_steps, not both.")
        if every_n_epochs is None and every_n_steps is None:
            every_n_epochs = 1
        for name, value in (("every_n_epochs", every_n_epochs), ("every_n_steps", every_n_steps)):
            if value is not None:
                check_int("RefreshNegatives", name, value, at_least=1)
        self.min_trust = check_float("RefreshNegatives", "min_trust", min_trust, at_least=0.0, at_most=1.0)
        self.collator, self.miner, self.judge = collator, miner, judge
        self.every_n_epochs, self.every_n_steps = every_n_epochs, every_n_steps
        self.frozen_encoder = frozen_encoder
        self.suspects = suspects
        self.history: list[dict[str, Any]] = []  # one entry a refresh: table, step, from_batch, cells, kept
        if judge is not None:  # a judge that gives no trust is refused now, not in the middle of training
            candidates = collator.tables[0].candidates
            _ = judge.judge(candidates.filter(candidates.row == collator.rows[0]), collator.data).trust

    def on_train_begin(
        self, args: Any, state: Any, control: Any, *, model: nn.Module, train_dataloader: Any, **kwargs: Any
    ) -> None:
        """Check the loader and the miner; on resume take the tables of the checkpoint."""
        self.collator.on_train_begin(args, state, control)
        if self.every_n_steps is not None and args.dataloader_num_workers > 0:
            raise LitotesError(
                "RefreshNegatives(every_n_steps=...) needs dataloader_num_workers=0: workers collate an unknown number "
                "of batches ahead, from tables they copied. Refresh every_n_epochs, or set it to 0."
            )
        if not self.frozen_encoder:
            _check_same_model(getattr(self.miner, "encoder", None), model)
        if state.global_step > 0:
            self.load(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    def on_epoch_begin(
        self, args: Any, state: Any, control: Any, *, model: nn.Module, train_dataloader: Any, **kwargs: Any
    ) -> None:
        """Refresh at the beginning of every n-th epoch but the first."""
        epoch, next_batch = position(args, state, train_dataloader)
        self.collator.set_epoch(epoch, next_batch)
        if self.every_n_epochs is None or epoch == 0 or epoch % self.every_n_epochs:
            return
        first_batch = epoch * len(train_dataloader)
        if any(table.from_batch == first_batch for table in self.collator.tables):
            return  # resumed in the middle of the epoch: its table came with the checkpoint
        if next_batch != first_batch:
            raise StaleError(f"The checkpoint of step {state.global_step} holds no negatives for its epoch {epoch}.")
        self._refresh(state.global_step, first_batch, model)

    def on_step_end(
        self, args: Any, state: Any, control: Any, *, model: nn.Module, train_dataloader: Any, **kwargs: Any
    ) -> None:
        """Refresh after every n-th step, but not after the last."""
        self.collator.on_step_end(args, state, control)
        step = state.global_step
        if self.every_n_steps is not None and step % self.every_n_steps == 0 and step < state.max_steps:
            _, next_batch = position(args, state, train_dataloader)
            self._refresh(step, next_batch + (1 if getattr(args, "collates_ahead", True) else 0), model)

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Batches of an evaluation do not count."""
        self.collator.on_evaluate(args, state, control)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Put every table that can still be drawn from into the checkpoint."""
        self.save(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    def save(self, checkpoint: Path) -> None:
        """Write the tables, and a list of them with digests, into a checkpoint folder."""
        folder, entries = checkpoint / _FOLDER, []
        for table in self.collator.tables:
            name = f"table-{table.number:04d}.parquet"
            table.candidates.save(folder / name)
            entries.append(
                {
                    "number": table.number,
                    "from_batch": table.from_batch,
                    "file": name,
                    "digest": digest_file(folder / name),
                }
            )
        write_json(folder / _LIST, {**self._origin(), "tables": entries})

    def load(self, checkpoint: Path) -> None:
        """Take the tables of a checkpoint folder in place of the collator's own.

        Raises:
            DataError: it holds none (it was cut off while being written), or one that is not whole.
            StaleError: it was drawn from with another seed or k, or began with other candidates.
        """
        folder = Path(checkpoint) / _FOLDER
        if not (folder / _LIST).exists():
            raise DataError(
                f"{folder / _LIST}: no such file; resume from an earlier checkpoint, or call refresh.load()."
            )
        entered = read_json(folder / _LIST)
        differs = difference(self._origin(), {name: entered[name] for name in self._origin()})
        if differs:
            raise StaleError(
                f"{checkpoint} was trained with another {' and another '.join(differs)} than the collator's."
            )
        tables = []
        for entry in entered["tables"]:
            if digest_file(folder / entry["file"]) != entry["digest"]:
                raise DataError(f"{folder / entry['file']}: its bytes are not those that were written.")
            tables.append((Candidates.load(folder / entry["file"]), entry["number"], entry["from_batch"]))
        self.collator.set_tables(tables)

    def _origin(self) -> dict[str, Any]:
        return {"seed": self.collator.seed, "k": self.collator.k, "first table": self.collator.first_fingerprint}

    def _refresh(self, step: int, from_batch: int, model: nn.Module) -> None:
        """Mine, judge and number a table; neither the model's modes nor torch's generator are changed by it."""
        modes = [(module, module.training) for module in model.modules()]
        with torch.random.fork_rng(), torch.no_grad():
            found = self.miner.mine(self.collator.data, rows=self.collator.rows)
            if self.suspects is not None:
                found = found.filter(~np.isin(found.row * self.collator.data.n_cols + found.col, self.suspects))
            if self.judge is not None:
                found = self.judge.judge(found, self.collator.data)
                found = found.filter(found.trust >= self.min_trust)
        for module, mode in modes:
            module.training = mode
        newest = self.collator.tables[-1]
        table = self.collator.add_table(found, newest.number + 1, from_batch)
        width = self.collator.data.n_cols
        stayed = np.isin(table.rows * width + table.cols, newest.rows * width + newest.cols, assume_unique=True)
        self.history.append(
            {
                "table": table.number,
                "step": step,
                "from_batch": from_batch,
                "cells": len(table.cols),
                "kept": round(float(stayed.mean()), 4) if len(stayed) else 0.0,
            }
        )


def _check_same_model(encoder: Any, model: nn.Module) -> None:
    """The encoder of the miner is the model in training, holds it (a Router), or wraps it (``encoder.model``)."""
    trained = {id(module) for module in model.modules()}
    held = [encoder, getattr(encoder, "model", None)]
    modules = [module for root in held if isinstance(root, nn.Module) for module in root.modules()]
    if not any(id(module) in trained for module in modules):
        raise LitotesError(
            "RefreshNegatives mines with the model in training, and the miner's encoder is another object. Make it "
            "with encoder=model, or pass frozen_encoder=True if an encoder that never changes is what you want."
        )
