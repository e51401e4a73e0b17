"""Training of one or two rankers on given lines of (query, labelled document, negative), as the arms of CET do it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from litotes.core import Collection
    from litotes.models.cell_model import CellModel
    from litotes.recipes.retrieval.cet import CetConfig

__all__ = ["train_on_lines"]


def train_on_lines(
    data: Collection,
    lines: np.ndarray,
    relevance: CellModel,
    selection: CellModel | None,
    config: CetConfig,
    folder: Path,
    *,
    epochs: int,
) -> None:
    """Train in place at a constant rate; without S the loss is unweighted.

    Args:
        lines: int64 ``[pairs, 3]``, every one once an epoch.
        config: temperature, cap, rates, decay, clipping and the size of a batch.
    """
    from litotes.recipes.retrieval.coupled_rankers import CetStep, coupled_learners
    from litotes.training import Rounds, RoundsArguments, ShuffledBatches

    learners = coupled_learners(relevance, selection, config, schedule=lambda step: 1.0)
    batches = ShuffledBatches(np.arange(len(lines)), config.per_device_train_batch_size, seed=config.seed)
    args = RoundsArguments(output_dir=str(folder), num_train_epochs=epochs, seed=config.seed)
    step = CetStep(data, relevance, selection, config)
    Rounds(learners, step, batches, args, collate=lambda places: lines[places]).train(resume=False)
