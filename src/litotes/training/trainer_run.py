"""Training with ``SentenceTransformerTrainer`` into a run folder: resumed after a kill, quiet on stdout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import nn
from transformers import PrinterCallback, TrainerCallback

from litotes.training.sealed_checkpoints import train_resumably
from litotes.training.training_run import ReportTraining, TrainingRun

if TYPE_CHECKING:
    import datasets
    import torch
    from sentence_transformers import SentenceTransformer

__all__ = ["train_sentence_transformer"]


def train_sentence_transformer(
    model: SentenceTransformer,
    lines: datasets.Dataset,
    loss: nn.Module,
    job: TrainingRun,
    arguments: Mapping[str, Any],
    *,
    collator: Any = None,
    callbacks: Sequence[TrainerCallback] = (),
    optimizer: torch.optim.Optimizer | None = None,
) -> int:
    """Train ``model`` in place from the last whole checkpoint of ``job``.

    Args:
        lines: the training columns.
        arguments: words of ``TrainingArguments``; where checkpoints and reports go is set here.
        collator: None takes sentence-transformers' own.
        optimizer: None makes the AdamW of the arguments.

    Returns:
        The optimiser steps of the whole run.
    """
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

    on_cpu = model.device.type == "cpu"
    args = SentenceTransformerTrainingArguments(
        output_dir=str(job.checkpoints),
        save_strategy="steps",
        save_total_limit=2,
        report_to=[],
        logging_nan_inf_filter=False,  # it would hide a loss that is no number
        disable_tqdm=True,
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        router_mapping={"anchor": "query", "positive": "document"},  # as NegativesCollator; for models of two routes
        **arguments,
    )
    trainer = SentenceTransformerTrainer(
        model,
        args,
        train_dataset=lines,
        loss=loss,
        data_collator=collator,
        callbacks=[*callbacks, ReportTraining(job.run)],
        optimizers=(optimizer, None),
    )
    trainer.remove_callback(PrinterCallback)  # it prints to stdout, which belongs to results
    train_resumably(trainer)
    model.eval()
    return int(trainer.state.global_step)
