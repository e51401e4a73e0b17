"""One fit of a classifier of arrays: its rows, its networks, and the loop that trains them and writes their history.

:class:`~litotes.training.array_classifier.ArrayClassifier` makes an :class:`ArrayTask` of what a user gave; a method is
a step function that :meth:`ArrayTask.train` calls with one batch after another.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from transformers import TrainerState

from litotes.core.errors import LitotesError
from litotes.core.seeds import derived_seed
from litotes.training.array_history import ArrayHistory
from litotes.training.array_options import ArrayOptions
from litotes.training.array_rows import ArrayRows, TurnBatches
from litotes.training.learner import Learner
from litotes.training.rounds import Rounds, RoundsArguments
from litotes.training.training_run import ReportTraining, TrainingRun

__all__ = ["Answer", "ArrayBatch", "ArrayTask", "ask", "mean_logits"]

Answer = Callable[[Tensor], Tensor]


class ArrayBatch(NamedTuple):
    """What a step function gets.

    Attributes:
        turn: which name's turn it is; ``""`` where the networks share their batches.
        inputs: float32 ``[batch, ...]``.
        labels: int64 ``[batch]``, classes 0 .. C - 1, as they were given.
        ids: int64 ``[batch]``, positions of the examples in what was given to ``fit``.
        step: of this turn, counted from 0 over the whole run.
        epoch: counted from 0.
    """

    turn: str
    inputs: Tensor
    labels: Tensor
    ids: Tensor
    step: int
    epoch: int


@dataclass
class ArrayTask:
    """What a method works with.

    Attributes:
        owner: whose fit it is, for messages.
        rows: all rows that were given to ``fit``.
        labels: int64 ``[n]`` on the device, classes 0 .. C - 1.
        train: positions of the rows to learn from, ascending; the others are held out.
        n_classes: C.
        watched: sets whose accuracy is taken after every epoch, by name: rows and labels. ``"valid"`` is the one that
            epochs are chosen by.
        options: of the method.
        build: makes a network of the right shape.
        device: where everything happens.
        is_live: whether ``build`` copies a module with its weights.
        job: the run folder that checkpoints and the log go to; None keeps nothing.
    """

    owner: str
    rows: ArrayRows
    labels: Tensor
    train: np.ndarray
    n_classes: int
    watched: dict[str, tuple[ArrayRows, np.ndarray]]
    options: ArrayOptions
    build: Callable[[], nn.Module]
    device: str
    is_live: bool = False
    job: TrainingRun | None = None

    def network(self, number: int = 0) -> nn.Module:
        """A network with weights of its own: the same number and seed give the same ones."""
        if number and self.is_live:
            warnings.warn(
                f"{self.owner}: all networks begin with the weights of the module that was given, and differ only by "
                "their batches and draws. For weights of their own give module=callable(n_features, n_classes).",
                stacklevel=2,
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed(self.options.seed, "network", number))
            return self.build().to(self.device)

    def run(
        self,
        networks: Mapping[str, nn.Module],
        step: Callable[[ArrayBatch], Tensor | Mapping[str, Tensor]],
        *,
        turns: bool = False,
        kept: Mapping[str, nn.Module] | None = None,
        answer: Answer | None = None,
        after_step: Callable[[ArrayBatch], None] | None = None,
        after_epoch: Callable[[dict[str, Any]], None] | None = None,
        options: ArrayOptions | None = None,
        stage: str = "",
    ) -> list[dict[str, Any]]:
        """Train the networks in place and return what was seen after each epoch.

        Args:
            networks: by name; each gets an optimiser of its own.
            step: the loss, or the losses by network, of one batch. Networks without a loss rest.
            turns: each network passes over the rows by itself, one after the other, in an order of its own;
                ``batch.turn`` names it. Otherwise all see the same batches.
            kept: modules that are never stepped and go into checkpoints: averages, memories. They are in evaluation
                mode when ``step`` is called; a step that needs an average in training mode says so itself. With
                ``select="best"`` they are put back to the best epoch together with the networks.
            answer: the logits of some inputs, called with the networks at rest; None takes the mean over the networks.
            after_step: called with the batch when the optimisers have stepped.
            after_epoch: gets the record of the epoch, before accuracies are taken, and may add to it. Like the
                steps it may only change what lies in the networks or in ``kept``: a resumed run knows nothing else.
            options: of this stage, where they differ from the task's.
            stage: its name, where a fit has several: each has checkpoints and draws of its own.

        Returns:
            A record an epoch: ``epoch`` from 1, ``train_loss`` (``train_loss.<name>`` of several networks), and
            ``<set>_accuracy`` of each watched set.
        """
        options = options or self.options
        seed = derived_seed(options.seed, stage) if stage else options.seed
        batches = TurnBatches(
            self.train, options.per_device_train_batch_size, tuple(networks) if turns else ("",), seed=seed
        )
        answer = answer or mean_logits(networks.values())
        learners = {name: _learner(network, batches.steps_of_pass, options) for name, network in networks.items()}
        learners |= {name: Learner(module) for name, module in (kept or {}).items()}
        history = ArrayHistory(self, [*networks.values(), *(kept or {}).values()], answer, after_epoch, stage)
        seen: list[ArrayBatch] = []
        if options.select == "best" and "valid" in self.watched:
            chosen = {**networks, **(kept or {})}  # averages may answer, and memories belong to the weights
            history.best = {name: (module, copy.deepcopy(module)) for name, module in chosen.items()}
            learners |= {f"best-{name}": Learner(module) for name, (_, module) in history.best.items()}

        def one(batch: tuple[str, np.ndarray], state: TrainerState) -> Tensor | Mapping[str, Tensor]:
            turn, rows = batch
            ids = torch.from_numpy(rows).to(self.device)
            epoch, done = divmod(state.global_step, len(batches))
            own = epoch * batches.steps_of_pass + done % batches.steps_of_pass
            seen[:] = [ArrayBatch(turn, self.rows.take(rows), self.labels[ids], ids, own, epoch)]
            return step(seen[0])

        folder = None if self.job is None else self.job.checkpoints / stage
        arguments = RoundsArguments(
            output_dir=str(folder or ""),
            num_train_epochs=options.num_train_epochs,
            logging_steps=len(batches),
            device=self.device,
            seed=seed,
        )
        reports = [] if self.job is None else [ReportTraining(self.job.run, bar=False)]
        rounds = Rounds(learners, one, batches, arguments, callbacks=[history, *reports])
        history.begin(rounds, (lambda: after_step(seen[0])) if after_step else lambda: None, save=folder is not None)
        state = rounds.train(resume=folder is not None)
        for module, best in history.best.values():
            module.load_state_dict(best.state_dict())
        for module in (*networks.values(), *(kept or {}).values()):
            module.eval()
        return history.with_losses(state.log_history, list(networks), len(batches))

    def accuracy(self, answer: Answer, name: str) -> float:
        """Of a watched set; the networks have to rest meanwhile."""
        rows, labels = self.watched[name]
        return float((ask(self.owner, answer, rows, self.n_classes).argmax(dim=1).numpy() == labels).mean())


def ask(owner: str, answer: Answer, rows: ArrayRows, n_classes: int) -> Tensor:
    """The logits of all rows, on the CPU.

    Raises:
        LitotesError: a network gives something else than logits ``[rows, n_classes]``.
    """
    parts = []
    for inputs in rows.blocks():
        logits = answer(inputs)
        if not isinstance(logits, Tensor) or tuple(logits.shape) != (len(inputs), n_classes):
            came = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise LitotesError(
                f"{owner}: the network must return logits of shape ({len(inputs)}, {n_classes}), one for each class. "
                f"Got {came}."
            )
        parts.append(logits.cpu())
    return torch.cat(parts)


def mean_logits(networks: Any) -> Answer:
    """How several networks answer together: by the mean of their logits."""
    networks = list(networks)

    def answer(inputs: Tensor) -> Tensor:
        if len(networks) == 1:
            return networks[0](inputs)
        return torch.stack([network(inputs) for network in networks]).mean(dim=0)

    return answer


def _learner(network: nn.Module, steps_of_epoch: int, options: ArrayOptions) -> Learner:
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if not trained:
        raise LitotesError("No parameter of the network is trained: requires_grad is False for all of them.")
    words: dict[str, Any] = {"lr": options.learning_rate, "weight_decay": options.weight_decay}
    optimizer: torch.optim.Optimizer
    if options.optimizer == "sgd":
        optimizer = torch.optim.SGD(trained, momentum=options.momentum, **words)
    else:
        optimizer = torch.optim.AdamW(trained, **words)
    return Learner(network, optimizer, options.rates(steps_of_epoch), options.max_grad_norm)
