r"""ELR and ELR+: classifiers that go on learning from the clean labels without memorising the wrong ones.

Liu, Niles-Weed, Razavian and Fernandez-Granda 2020, "Early-Learning Regularization Prevents Memorization of Noisy
Labels" (NeurIPS, arXiv 2007.00151). p are the clamped probabilities of a batch, y its given labels, T the memory:

    1. T_i <- beta T_i + (1 - beta) q_i            q: the network's own outputs, or those of an average of its weights
    2. L = mean CE(z_i, y_i) + lambda mean log(1 - <T_i, p_i>)

ELR+ trains two networks f_k, each with an average e_k of its weights, a memory T_k, an optimiser and an order of its
own; in an epoch f_1 passes over the data, then f_2:

    1. mix inputs and labels: x~ = l x + (1 - l) x[pi], Y~ likewise, l = max(l', 1 - l'), l' ~ Beta(a, a)
    2. T_k <- beta T_k + (1 - beta) softmax(e_other(x)) on the unmixed inputs; q = l T_k + (1 - l) T_k[pi]
    3. L = mean CE(f_k(x~), Y~) + r(t) lambda mean log(1 - <q, p>)
    4. step f_k; e_k <- a_t e_k + (1 - a_t) f_k
    5. answers: the mean of the two networks' logits

No example is dropped and no label is changed; afterwards T says which labels look wrong. The averages are in training
mode where they make targets, as in the official code: their batch statistics are those of the unmixed batch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn import functional as F

from litotes.core import RunFolder
from litotes.losses.elr import elr_loss
from litotes.recipes.classification.elr_options import ELRConfig, ELRPlusConfig
from litotes.recipes.classification.elr_plus import ELRPlusClassifier
from litotes.recipes.classification.table_training import load_table_classifier, train_on_table
from litotes.recipes.classification.target_classifier import (
    TargetClassifier,
    average_of,
    in_training,
    new_memory,
    total_steps,
    write_labels,
)
from litotes.training.array_task import ArrayBatch, ArrayTask

if TYPE_CHECKING:
    from litotes.data.labelled_table import LabelledTable

__all__ = [
    "ELRClassifier",
    "ELRConfig",
    "ELRPlusClassifier",
    "ELRPlusConfig",
    "load_model",
    "train_elr",
    "train_elr_plus",
]


class ELRClassifier(TargetClassifier):
    """A classifier whose memory of early learning keeps it from memorising wrong labels.

    Parameters are the options of :class:`ELRConfig`; ``regularization=0`` is cross entropy. ``targets`` and
    ``target_momentum`` give the variants of the targets: the last outputs (momentum 0), their temporal ensemble, those
    of averaged weights (``targets="weight-average"``, momentum 0), or both.

    Args:
        module: None takes an MLP with ``hidden`` layers; else a ``torch.nn.Module``, of which a copy is trained, or a
            function ``(n_features, n_classes)`` that returns one. It takes ``[batch, features]`` and gives logits.

    Attributes:
        label_quality_: ``[rows]``, the target of each row's own label, low where the label looks wrong. For a row that
            was held out it is the network's probability of that label.
        label_issues_: bool ``[rows]``, where the class with the largest target is not the label.
        targets_: float32 ``[rows, classes]``; not part of a saved model.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2)) + np.repeat([[4.0, 0.0], [-4.0, 0.0]], 30, axis=0)
    >>> y = np.repeat(["right", "left"], 30)
    >>> y[0] = "left"
    >>> model = ELRClassifier(num_train_epochs=10, validation_fraction=0, random_state=0).fit(X, y)
    >>> np.flatnonzero(model.label_issues_).tolist(), float(model.score(X[1:], y[1:]))
    ([0], 1.0)
    """

    config_class = ELRConfig

    def __init__(
        self,
        *,
        module: Any = None,
        regularization: float = 3.0,
        target_momentum: float = 0.7,
        targets: str = "outputs",
        form: str = "log",
        clamp: float = 0.0001,
        memory_dtype: str = "float32",
        average_momentum: float = 0.997,
        average_ramp: float = 0.57,
        label_smoothing: float = 0.0,
        hidden: tuple[int, ...] = (256,),
        dropout: float = 0.0,
        standardize: bool = True,
        optimizer: str = "sgd",
        learning_rate: float = 0.02,
        momentum: float = 0.9,
        weight_decay: float = 0.001,
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
        self.targets = targets
        self.form = form
        self.clamp = clamp
        self.memory_dtype = memory_dtype
        self.average_momentum = average_momentum
        self.average_ramp = average_ramp
        self.label_smoothing = label_smoothing
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
        network, memory = task.network(), new_memory(task, options)
        average = average_of(network, options, total_steps(task)) if options.targets == "weight-average" else None

        def step(batch: ArrayBatch) -> dict[str, Tensor]:
            memory.visit = batch.step
            logits, labels = network(batch.inputs), batch.labels
            if options.label_smoothing:
                sharp = F.one_hot(labels, task.n_classes).to(logits.dtype)
                labels = (1 - options.label_smoothing) * sharp + options.label_smoothing / task.n_classes
            loss = elr_loss(
                logits,
                labels,
                memory,
                batch.ids,
                regularization=options.regularization,
                clamp=options.clamp,
                form=options.form,
                target_logits=None if average is None else in_training(average.model, batch.inputs),
            )
            return {"network": loss}

        def after_step(batch: ArrayBatch) -> None:
            if average is not None:
                average.update(network, batch.step)

        kept = {"memory": memory, **({} if average is None else {"average": average.model})}
        history = task.run({"network": network}, step, kept=kept, after_step=after_step)
        self._memories = [memory]
        return {"network": network}, history


def train_elr(
    data: LabelledTable,
    config: ELRConfig,
    run: RunFolder | str | Path,
    *,
    dev: LabelledTable | None = None,
    module: Any = None,
) -> Any:
    """Train ELR on a table into a run folder; a killed call, made again, goes on.

    Beside the model the folder gets ``labels.csv``: every given label with its score, the most suspicious first.

    Args:
        data: examples with texts or numbers, and their labels.
        run: the folder.
        dev: rows to watch; None holds out a tenth of the training rows.
        module: a network of your own, as :class:`ELRClassifier` takes it.

    Returns:
        An :class:`ELRClassifier`; for texts a ``Pipeline`` that ends in one.
    """
    return train_on_table(ELRClassifier, "elr", data, config, run, dev=dev, module=module, finish=write_labels)


def train_elr_plus(
    data: LabelledTable,
    config: ELRPlusConfig,
    run: RunFolder | str | Path,
    *,
    dev: LabelledTable | None = None,
    module: Any = None,
) -> Any:
    """Train ELR+ on a table into a run folder; otherwise as :func:`train_elr`."""
    return train_on_table(ELRPlusClassifier, "elr-plus", data, config, run, dev=dev, module=module, finish=write_labels)


def load_model(folder: str | Path, device: str = "auto") -> Any:
    """The classifier that either command left in a folder, with the encoder of its texts."""
    return load_table_classifier((ELRClassifier, ELRPlusClassifier), folder, device=device)
