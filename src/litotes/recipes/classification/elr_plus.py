"""ELR+ as an estimator: two networks, each held to what an average of the other one made of the examples.

The algorithm, its equation and the paper are told in :mod:`litotes.recipes.classification.elr`; the numbers in the code
are its steps.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from litotes.core.seeds import rng
from litotes.losses.elr import elr_loss
from litotes.losses.elr_plus import elr_plus_loss, elr_plus_targets, sigmoid_ramp
from litotes.recipes.classification.elr_options import ELRPlusConfig
from litotes.recipes.classification.target_classifier import (
    TargetClassifier,
    average_of,
    in_training,
    new_memory,
    steps_of,
    total_steps,
)
from litotes.training.array_task import ArrayBatch, ArrayTask, mean_logits
from litotes.training.mixup import draw_mixture

__all__ = ["ELRPlusClassifier"]


class ELRPlusClassifier(TargetClassifier):
    """Two networks that make each other's targets from averages of their weights, on mixed examples.

    Parameters are the options of :class:`ELRPlusConfig`. ``n_networks=1`` or ``partner="own"``, ``mixup_alpha=0``,
    ``average_momentum=0`` and ``regularization=0`` take one part away each.

    Args:
        module: as in :class:`ELRClassifier`. With a ``torch.nn.Module`` both networks begin with its weights;
            a function gives each its own.

    Attributes:
        label_quality_, label_issues_, targets_: as in :class:`ELRClassifier`, of the mean of both memories.
    """

    config_class = ELRPlusConfig

    def __init__(
        self,
        *,
        module: Any = None,
        regularization: float = 3.0,
        target_momentum: float = 0.7,
        mixup_alpha: float = 1.0,
        n_networks: int = 2,
        partner: str = "other",
        average_momentum: float = 0.997,
        average_ramp: float = 0.57,
        regularization_ramp: float = 0.0,
        reweight_labels: bool = False,
        warmup_epochs: int = 0,
        answer_with: str = "networks",
        form: str = "log",
        clamp: float = 0.0001,
        memory_dtype: str = "float32",
        hidden: tuple[int, ...] = (256,),
        dropout: float = 0.0,
        standardize: bool = True,
        optimizer: str = "sgd",
        learning_rate: float = 0.02,
        momentum: float = 0.9,
        weight_decay: float = 0.0005,
        batch_size: int = 64,
        num_train_epochs: int = 60,
        schedule: str = "constant",
        step_at: tuple[float, ...] = (0.5, 0.75),
        step_factor: float = 0.1,
        restart_epochs: int = 10,
        restart_floor: float = 0.05,
        max_grad_norm: float | None = None,
        validation_fraction: float = 0.1,
        select: str = "final",
        device: str = "auto",
        random_state: Any = None,
    ) -> None:
        self.module = module
        self.regularization = regularization
        self.target_momentum = target_momentum
        self.mixup_alpha = mixup_alpha
        self.n_networks = n_networks
        self.partner = partner
        self.average_momentum = average_momentum
        self.average_ramp = average_ramp
        self.regularization_ramp = regularization_ramp
        self.reweight_labels = reweight_labels
        self.warmup_epochs = warmup_epochs
        self.answer_with = answer_with
        self.form = form
        self.clamp = clamp
        self.memory_dtype = memory_dtype
        self.hidden = hidden
        self.dropout = dropout
        self.standardize = standardize
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.num_train_epochs = num_train_epochs
        self.schedule = schedule
        self.step_at = step_at
        self.step_factor = step_factor
        self.restart_epochs = restart_epochs
        self.restart_floor = restart_floor
        self.max_grad_norm = max_grad_norm
        self.validation_fraction = validation_fraction
        self.select = select
        self.device = device
        self.random_state = random_state

    def _train(self, task: ArrayTask) -> tuple[dict[str, nn.Module], list[dict[str, Any]]]:
        options: Any = task.options
        names = ("first", "second")[: options.n_networks]
        networks = {name: task.network(number) for number, name in enumerate(names)}
        memories = {name: new_memory(task, options) for name in names}
        total = total_steps(task)
        averages = {name: average_of(network, options, total) for name, network in networks.items()}
        is_own = options.partner == "own" or len(names) == 1
        partner = {name: averages[name if is_own else names[1 - number]] for number, name in enumerate(names)}
        ramp = steps_of(options.regularization_ramp, total)

        def warm_up(batch: ArrayBatch) -> Tensor:
            logits, memory = networks[batch.turn](batch.inputs), memories[batch.turn]
            return elr_loss(logits, batch.labels, memory, batch.ids, regularization=0.0, clamp=options.clamp)

        def step(batch: ArrayBatch) -> dict[str, Tensor]:
            memory = memories[batch.turn]
            memory.visit = batch.step
            if batch.epoch < options.warmup_epochs:
                return {batch.turn: warm_up(batch)}
            draw = rng(options.seed, "mixup", batch.turn, batch.step)
            mixture = draw_mixture(len(batch.ids), options.mixup_alpha, draw)  # 1
            partner_logits = in_training(partner[batch.turn].model, batch.inputs)
            targets = elr_plus_targets(  # 2
                memory, batch.ids, partner_logits, mix_weight=mixture.weight, permutation=mixture.permutation
            )
            loss = elr_plus_loss(  # 3
                networks[batch.turn](mixture.of(batch.inputs)),
                mixture.of_labels(batch.labels, task.n_classes),
                targets,
                regularization=options.regularization,
                ramp=sigmoid_ramp(batch.step, ramp),
                reweight_labels=options.reweight_labels,
                clamp=options.clamp,
                form=options.form,
            )
            return {batch.turn: loss}

        def after_step(batch: ArrayBatch) -> None:
            averages[batch.turn].update(networks[batch.turn], batch.step)  # 4

        kept: dict[str, nn.Module] = {f"memory-{name}": memory for name, memory in memories.items()}
        kept |= {f"average-{name}": average.model for name, average in averages.items()}
        answering = networks if options.answer_with == "networks" else {n: a.model for n, a in averages.items()}
        history = task.run(
            networks,
            step,
            turns=True,
            kept=kept,
            after_step=after_step,
            answer=mean_logits(answering.values()),  # 5
        )
        self._memories = list(memories.values())
        return answering, history
