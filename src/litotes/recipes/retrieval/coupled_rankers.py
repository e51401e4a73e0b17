"""Two rankers trained together, each weighting the other's negatives: the step and the loop of CET (:mod:`.cet`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from litotes.core import Collection
from litotes.losses import cet_weights, weighted_pair_loss
from litotes.recipes.retrieval.cet_options import RATES, CetConfig

if TYPE_CHECKING:
    from transformers import TrainerCallback, TrainerState

    from litotes.models.cell_model import CellModel
    from litotes.models.selection_model import SelectionModel
    from litotes.training import Learner, NegativeDraws
    from litotes.training.learner import Schedule

__all__ = ["CetStep", "coupled_learners", "kind_of", "negative_weights", "train_coupled"]


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
            max_weight=self.config.cap,
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
    from litotes.training import Rounds, ShuffledBatches, linear_schedule

    cells = draws.cells
    batches = ShuffledBatches(np.arange(len(cells)), config.per_device_train_batch_size, seed=config.seed)
    total = config.total_steps(len(cells))
    learners = coupled_learners(relevance, selection, config, linear_schedule(config.warmup(total), total))

    def collate(lines: list[int]) -> np.ndarray:
        return np.concatenate([cells[lines], draws.draw(cells[lines])], axis=1)

    device = str(next(relevance.parameters()).device)
    args = config.rounds_arguments(checkpoints, total, bf16=config.autocast, device=device)
    step = CetStep(draws.data, relevance, selection, config)
    return Rounds(learners, step, batches, args, callbacks=[draws, *callbacks], collate=collate).train()


def coupled_learners(
    relevance: CellModel, selection: CellModel | None, config: CetConfig, schedule: Schedule
) -> dict[str, Learner]:
    """Each model with an optimiser, a schedule and a clipping of its own."""
    from litotes.training import Learner, decaying

    rates = {"relevance": config.learning_rate, "selection": config.selection_learning_rate}
    models = {"relevance": relevance, **({} if selection is None else {"selection": selection})}
    learners = {}
    for name, model in models.items():
        optimizer = torch.optim.AdamW(decaying(model, config.weight_decay), lr=rates[name] or RATES[kind_of(model)])
        learners[name] = Learner(model, optimizer, schedule, config.max_grad_norm)
    return learners


def negative_weights(
    selection: SelectionModel, data: Collection, rows: np.ndarray, cols: np.ndarray, *, max_weight: float | None = None
) -> np.ndarray:
    """w_R of cells by a trained selection model, float64 ``[cells]``."""
    logits = torch.from_numpy(selection.logits(data, rows, cols))
    return cet_weights(logits, temperature=1.0, max_weight=max_weight).numpy()


def kind_of(model: CellModel) -> str:
    """What it looks at: ``features`` or ``texts``."""
    from litotes.models.cell_model import TEXTS

    return "texts" if model.inputs == TEXTS else "features"


def _first_of_their_line(cols: np.ndarray) -> np.ndarray:
    """Which negatives do not stand further left in their line already; bool, the shape of ``cols``."""
    equal = cols[:, :, None] == cols[:, None, :]
    return ~np.tril(equal, k=-1).any(axis=2)
