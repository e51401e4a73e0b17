"""Checkpoints of a ``transformers.Trainer`` that a killed run can go on from.

The Trainer writes a checkpoint file by file under its final name. So a seal is written when all of it, what our
callbacks add included, lies on the disk; a checkpoint without one is taken for half-written and passed over.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from transformers import Trainer, TrainerCallback

from litotes.core.files import write_json

__all__ = ["last_sealed_checkpoint", "train_resumably"]

_SEAL = "sealed.json"


def train_resumably(trainer: Trainer) -> None:
    """Train from the last whole checkpoint in the trainer's ``output_dir``, or from the beginning."""
    trainer.add_callback(_Seal())
    folder = Path(trainer.args.output_dir)
    checkpoint = last_sealed_checkpoint(folder)
    for half_written in [path for path in folder.glob("checkpoint-*") if not (path / _SEAL).exists()]:
        shutil.rmtree(half_written)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)


def last_sealed_checkpoint(folder: Path) -> Path | None:
    """The latest whole checkpoint, or None."""
    sealed = [path.parent for path in folder.glob(f"checkpoint-*/{_SEAL}")]
    return max(sealed, key=lambda path: int(path.name.removeprefix("checkpoint-")), default=None)


class _Seal(TrainerCallback):
    """The last callback: by the time it hears of a save, the checkpoint is whole."""

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        write_json(Path(args.output_dir) / f"checkpoint-{state.global_step}" / _SEAL, {"step": state.global_step})
