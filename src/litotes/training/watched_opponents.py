"""How a retriever and a ranker that train against each other stand, round by round, on the same lines.

After each refresh the newest candidates are drawn for a fixed sample of training lines, and both models are asked, with
the weights of that moment, what they make of them. Rising numbers mean harder negatives; ``fresh_...`` belong to the
ranker as it was before the first round, which no later step has moved: they compare candidates and not rankers.
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

from litotes.core import RunFolder
from litotes.core.files import read_json, write_json
from litotes.core.seeds import rng
from litotes.losses import ar2_ranker_loss
from litotes.models.resting import resting
from litotes.training.alternation import Alternation
from litotes.training.draws import NegativeDraws
from litotes.training.refresh import RefreshNegatives

__all__ = ["WatchedOpponents"]

_FILE = "rounds.json"  # inside a checkpoint


class WatchedOpponents(TrainerCallback):
    """Callback of ``Rounds``, after the one that refreshes; writes one line a round into the run's log.

    Each round has ``round`` (0: before training), ``step``, the means over sampled negatives of ``confusion`` (how sure
    the ranker is that the negative beats the positive), ``ranker_logit`` and ``retriever_score``, the ranker's loss
    ``ranker_loss``, the same by the ranker of the start as ``fresh_ranker_logit`` and ``fresh_ranker_loss``, and
    ``kept``: the share of the candidates that were candidates before the last refresh (1 without one).

    Args:
        scores: of batches (lines ``[B, 2]`` and negatives ``[B, n]``), ``[B, 1 + n]`` by the retriever.
        logits: the same by the ranker.
        fresh_logits: the same by the ranker of the start.
        models: that must rest while they are asked.
        lines: how many lines are sampled.
    """

    def __init__(
        self,
        run: RunFolder,
        draws: NegativeDraws,
        turns: Alternation,
        scores: Callable[[Any], Tensor],
        logits: Callable[[Any], Tensor],
        fresh_logits: Callable[[Any], Tensor],
        *,
        models: tuple[nn.Module, ...],
        refresh: RefreshNegatives | None = None,
        lines: int = 32,
        batch_size: int = 8,
    ) -> None:
        self.run, self.draws, self.turns, self.refresh = run, draws, turns, refresh
        self.scores, self.logits, self.fresh_logits, self.models = scores, logits, fresh_logits, models
        cells, self.batch_size = draws.cells, batch_size
        self.cells = cells[np.sort(rng(draws.seed, "watched opponents").permutation(len(cells))[:lines])]
        self.rounds: list[dict[str, float]] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Where both stand before the first step, or what a checkpoint knows of it."""
        if state.global_step > 0:
            self.rounds = read_json(Path(args.output_dir) / f"checkpoint-{state.global_step}" / _FILE)["rounds"]
        else:
            self._look(0)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """At the end of a round."""
        if state.global_step % self.turns.round_steps == 0 or state.global_step == state.max_steps:
            self._look(state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Put what was seen into the checkpoint."""
        write_json(Path(args.output_dir) / f"checkpoint-{state.global_step}" / _FILE, {"rounds": self.rounds})

    def _look(self, step: int) -> None:
        table, repeat = self.draws.tables[-1], self.draws.short == "repeat"
        negatives = table.draw(self.cells[:, 0], self.draws.k, seed=self.draws.seed, epoch=0, repeat=repeat)
        with resting(*self.models):
            starts = range(0, len(self.cells), self.batch_size)
            batches = [tuple(x[start : start + self.batch_size] for x in (self.cells, negatives)) for start in starts]
            s, r, fresh = (
                torch.cat([ask(batch).float().cpu() for batch in batches])
                for ask in (self.scores, self.logits, self.fresh_logits)
            )
        refreshed = self.refresh is not None and self.refresh.history and self.refresh.history[-1]["step"] == step
        found = {
            "round": len(self.rounds),
            "step": step,
            "confusion": float(F.sigmoid(r[:, 1:] - r[:, :1]).mean()),
            "ranker_logit": float(r[:, 1:].mean()),
            "ranker_loss": float(ar2_ranker_loss(r)),
            "retriever_score": float(s[:, 1:].mean()),
            "fresh_ranker_logit": float(fresh[:, 1:].mean()),
            "fresh_ranker_loss": float(ar2_ranker_loss(fresh)),
            "kept": self.refresh.history[-1]["kept"] if refreshed and self.refresh is not None else 1.0,
        }
        self.rounds.append({name: round(value, 6) for name, value in found.items()})
        self.run.log("round", **self.rounds[-1])
