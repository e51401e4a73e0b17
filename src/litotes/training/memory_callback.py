"""The memory of ELR in a training run: saved with every checkpoint, restored with it, moved once a step.

A trainer saves its model, optimiser and schedule, and knows nothing of the targets. A run resumed without them would
begin early learning again when the network has long begun to memorise.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from litotes.core.errors import DataError

if TYPE_CHECKING:
    from litotes.losses import TargetMemory

__all__ = ["MemoryCallback"]

_FILE = "target_memory.safetensors"  # inside a checkpoint


class MemoryCallback(TrainerCallback):
    """Callback of a ``transformers.Trainer``, or of ``Rounds``, that looks after a :class:`~litotes.TargetMemory`.

    Each optimiser step is one ``visit``: an example whose loss is computed twice in a step (in a closure, under
    checkpointing) moves the memory once, while the parts of an accumulated step, which hold other examples, all do.

    Args:
        memory: the memory that the loss moves.
    """

    def __init__(self, memory: TargetMemory) -> None:
        self.memory = memory
        self._loaded = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """On resume take the memory of the checkpoint in ``output_dir``, unless :meth:`load` was called."""
        if state.global_step == 0:
            self.memory.forget_visits()
        elif not self._loaded:
            self.load(Path(args.output_dir) / f"checkpoint-{state.global_step}")
        self._loaded = False

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A new visit."""
        self.memory.visit = state.global_step

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Whatever comes now is no visit of this run."""
        self.memory.visit = None

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Put the memory into the checkpoint; every process holds all of it, one writes it."""
        if state.is_world_process_zero:
            self.memory.save(Path(args.output_dir) / f"checkpoint-{state.global_step}" / _FILE)

    def load(self, checkpoint: str | Path) -> None:
        """Take the memory of a checkpoint folder; call it before ``train`` where that folder is not in ``output_dir``.

        Raises:
            DataError: the checkpoint holds none: it was cut off while being written, or made without this callback.
            StaleError: its memory is of another size or momentum.
        """
        path = Path(checkpoint) / _FILE
        if not path.exists():
            raise DataError(
                f"{path}: no such file. Resume from an earlier checkpoint; where it lies outside output_dir, call "
                "load(FOLDER) of the MemoryCallback before train()."
            )
        self.memory.load(path)
        self._loaded = True
