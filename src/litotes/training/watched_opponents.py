"""How a retriever and a ranker that train against each other stand, round by round, on lines that nobody trains on.

At each look the retriever finds candidates for the same queries with the weights of that moment, and both models are
asked what they make of them. Rising numbers mean harder negatives; ``fresh_...`` belong to the ranker as it was before
the first round, which no later step has moved: they compare candidates and not rankers. On lines that it was trained
on its loss would be that of training at the first look, and rise for that reason alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import TrainerCallback

from litotes.core import Collection, RunFolder
from litotes.core.files import read_json, write_json
from litotes.core.seeds import derived_seed, rng
from litotes.losses import ar2_ranker_loss
from litotes.mining.named import Miner
from litotes.models.resting import resting
from litotes.training.alternation import Alternation
from litotes.training.draws import lines_of
from litotes.training.negative_table import NegativeTable

__all__ = ["WatchedOpponents"]

_FILE = "rounds.json"  # inside a checkpoint

Ask = Callable[[Any], Tensor]
"""From a batch (lines ``[B, 2]``, negatives ``[B, n]``) of the watched data to ``[B, 1 + n]``."""


class WatchedOpponents(TrainerCallback):
    """Callback of ``Rounds``, after the one that refreshes; writes one line a round into the run's log.

    Each round has ``round`` (0: before training), ``step``, the means over sampled negatives of ``confusion`` (how sure
    the ranker is that the negative beats the positive), ``ranker_logit`` and ``retriever_score``, the ranker's loss
    ``ranker_loss``, the same by the ranker of the start as ``fresh_ranker_logit`` and ``fresh_ranker_loss``, and
    ``kept``: the share of the candidates that were candidates at the look before (1 at the first).

    Args:
        data, rows: whose lines are watched; no step may train on them.
        miner: finds their candidates, with the retriever as it is.
        turns: when rounds end.
        scores, logits, fresh_logits: what the retriever, the ranker and the ranker of the start say.
        models: that must rest while they are asked.
        k: negatives of a line.
        seed: of the sample of lines and of negatives; both are the same at every look.
        lines: how many lines are watched at most.
    """

    def __init__(
        self,
        run: RunFolder,
        data: Collection,
        rows: np.ndarray,
        miner: Miner,
        turns: Alternation,
        scores: Ask,
        logits: Ask,
        fresh_logits: Ask,
        *,
        models: tuple[nn.Module, ...],
        k: int,
        seed: int = 0,
        lines: int = 128,
        batch_size: int = 8,
    ) -> None:
        self.run, self.data, self.miner, self.turns = run, data, miner, turns
        self.asked: tuple[Ask, Ask, Ask] = (scores, logits, fresh_logits)
        self.models, self.k, self.batch_size = models, k, batch_size
        self.seed = derived_seed(seed, "watched opponents")
        cells = lines_of(data, rows)
        self.cells = cells[np.sort(rng(self.seed).permutation(len(cells))[:lines])]
        self.rounds: list[dict[str, float]] = []
        self._found: list[int] | None = None  # cells of the look before

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Where both stand before the first step, or what a checkpoint knows of it."""
        if state.global_step > 0:
            seen = read_json(Path(args.output_dir) / f"checkpoint-{state.global_step}" / _FILE)
            self.rounds, self._found = seen["rounds"], seen["found"]
        else:
            self._look(0)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """At the end of a round."""
        if state.global_step in self.turns.round_ends(state.max_steps):
            self._look(state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Put what was seen into the checkpoint."""
        seen = {"rounds": self.rounds, "found": self._found}
        write_json(Path(args.output_dir) / f"checkpoint-{state.global_step}" / _FILE, seen)

    def _look(self, step: int) -> None:
        with torch.random.fork_rng(), resting(*self.models):
            found = self.miner.mine(self.data, np.unique(self.cells[:, 0]))
            table = NegativeTable(found, self.data.n_rows)
            cells = self.cells[table.counts(self.cells[:, 0]) > 0]
            if not len(cells):
                return
            lines = cells @ np.array([self.data.n_cols, 1])
            negatives = table.draw(cells[:, 0], self.k, seed=self.seed, epoch=0, repeat=True, lines=lines)
            starts = range(0, len(cells), self.batch_size)
            batches = [tuple(x[start : start + self.batch_size] for x in (cells, negatives)) for start in starts]
            s, r, fresh = (torch.cat([ask(batch).float().cpu() for batch in batches]) for ask in self.asked)
        now = (table.rows * self.data.n_cols + table.cols).tolist()
        before = now if self._found is None else self._found
        seen = {
            "round": len(self.rounds),
            "step": step,
            "confusion": float(F.sigmoid(r[:, 1:] - r[:, :1]).mean()),
            "ranker_logit": float(r[:, 1:].mean()),
            "ranker_loss": float(ar2_ranker_loss(r)),
            "retriever_score": float(s[:, 1:].mean()),
            "fresh_ranker_logit": float(fresh[:, 1:].mean()),
            "fresh_ranker_loss": float(ar2_ranker_loss(fresh)),
            "kept": float(np.isin(now, before).mean()),
        }
        self._found = now
        self.rounds.append({name: round(value, 6) for name, value in seen.items()})
        self.run.log("round", **self.rounds[-1])
