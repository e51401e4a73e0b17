r"""Compressed features: networks that drop features so as not to memorise wrong labels, and then teach each other.

Chen, Hu, Shen, Ai and Suykens, "Compressing Features for Learning with Noisy Labels" (IEEE TNNLS 2022, arXiv
2206.13140). h = f(x) are D features, V a head without bias, m a mask of 0 and 1:

    1. train f and V by the mean CE(V (m * h), y), for every batch with a random m:
       nested   the first k channels, k drawn once for the batch, pi_k ~ exp(-((k - mu)/s)^2), not rescaled
       dropout  each feature of each example by itself, rescaled
       after each epoch (nested) k* = argmax_k accuracy of the first k channels - 1e-5 (k - 1), on validation rows
    2. train two such networks further by co-teaching: of each batch cut in two, network 1 chooses the
       int((1 - r) b) examples of smallest loss of the first half, with its k* channels, and network 2 learns them;
       and the other way round, with one random k for both; k* is chosen again by the mean of their logits
    3. answer by the mean of the two networks' logits, with the first k* channels

Accuracies on the rows that k was chosen by are optimistic. The wide prior and p are the paper's to be set by data set.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from litotes.core import RunFolder
from litotes.judging.small_loss import forget_schedule
from litotes.models.frozen_batch_norm import freeze_batch_norm
from litotes.models.mlp import MLP
from litotes.models.nested_dropout import draw_kept, keeping, nested_layers
from litotes.recipes.classification.co_teaching_options import NestedCoTeachingConfig
from litotes.recipes.classification.compressed_network import compress
from litotes.recipes.classification.table_training import load_table_classifier, train_on_table
from litotes.training.array_classifier import ArrayClassifier
from litotes.training.array_task import ArrayBatch, ArrayTask
from litotes.training.co_teaching import NETWORKS, CoTeaching, best_channels

if TYPE_CHECKING:
    from litotes.data.labelled_table import LabelledTable

__all__ = ["NestedCoTeachingClassifier", "NestedCoTeachingConfig", "load_model", "train_nested_co_teaching"]

Records = list[dict[str, Any]]


class NestedCoTeachingClassifier(ArrayClassifier):
    """A classifier that compresses its features, by default by Nested Dropout, and co-teaching on top.

    Parameters are the options of :class:`NestedCoTeachingConfig`. ``stages="first"`` trains one network without
    co-teaching (``compression="plain"`` is then cross entropy), ``stages="co-teaching"`` two from scratch.

    Args:
        module: as in :class:`ELRClassifier`. Its last linear layer is the head: Nested Dropout or Dropout is put before
            it, unless it has Nested Dropout already. A function gives each of the two networks weights of its own.

    Attributes:
        n_channels_: how many features are kept; those of the head where nothing was chosen.
        accuracy_by_channels_: ``[channels]``, on the watched rows, with the first 1, 2, ... channels; absent where
            nothing was watched, and without Nested Dropout.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(80, 2)) + np.repeat([[4.0, 0.0], [-4.0, 0.0]], 40, axis=0)
    >>> y = np.repeat(["right", "left"], 40)
    >>> y[:5] = "left"
    >>> model = NestedCoTeachingClassifier(
    ...     hidden=(16,), nested_std=4.0, num_train_epochs=30, co_teaching_epochs=10, random_state=0
    ... ).fit(X, y)
    >>> float(model.score(X[5:], y[5:])), model.n_channels_ <= 16
    (1.0, True)
    """

    config_class = NestedCoTeachingConfig
    _saved_arrays = ("accuracy_by_channels_",)

    def __init__(
        self,
        *,
        module: Any = None,
        compression: str = "nested",
        nested_std: float = 20.0,
        nested_mu: float = 0.0,
        feature_dropout: float = 0.3,
        double: bool = False,
        alternating: bool = True,
        penalty: float = 1e-5,
        stages: str = "both",
        forget_rate: float = 0.2,
        gradual_epochs: int | None = None,
        co_teaching_epochs: int = 30,
        co_teaching_learning_rate: float = 0.005,
        co_teaching_step_at: tuple[float, ...] = (0.5, 0.75),
        split_batch: bool = True,
        freeze_batch_norm: str = "co-teaching",
        hidden: tuple[int, ...] = (512,),
        dropout: float = 0.0,
        standardize: bool = True,
        optimizer: str = "sgd",
        learning_rate: float = 0.05,
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
        self.compression = compression
        self.nested_std = nested_std
        self.nested_mu = nested_mu
        self.feature_dropout = feature_dropout
        self.double = double
        self.alternating = alternating
        self.penalty = penalty
        self.stages = stages
        self.forget_rate = forget_rate
        self.gradual_epochs = gradual_epochs
        self.co_teaching_epochs = co_teaching_epochs
        self.co_teaching_learning_rate = co_teaching_learning_rate
        self.co_teaching_step_at = co_teaching_step_at
        self.split_batch = split_batch
        self.freeze_batch_norm = freeze_batch_norm
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

    def _network(self, n_features: Any, n_classes: int, options: Any) -> nn.Module:
        if self.module is None:
            return compress(
                MLP(n_features, n_classes, options.hidden, dropout=options.dropout, head_bias=False), options
            )
        return compress(super()._network(n_features, n_classes, options), options)

    def _train(self, task: ArrayTask) -> tuple[dict[str, nn.Module], Records]:
        options: Any = task.options
        _warn_of_the_test_set(task)
        names = NETWORKS[:1] if options.stages == "first" else NETWORKS
        networks = {name: task.network(number) for number, name in enumerate(names)}
        if options.freeze_batch_norm == "always":
            _freeze(networks)
        history: Records = []
        if not options.is_from_scratch:
            history += _first_stage(task, networks)
            if options.freeze_batch_norm == "co-teaching":
                _freeze(networks)
        if options.stages != "first":
            history += _co_teaching(task, networks)
        return networks, history

    def _finish(self, task: ArrayTask) -> None:
        layers = nested_layers(next(iter(self.networks_.values())))
        self.__dict__.pop("accuracy_by_channels_", None)  # of a fit before
        if layers and "valid" in task.watched:
            options: Any = task.options
            found = best_channels(list(self.networks_.values()), _batches(task), penalty=options.penalty)
            self.accuracy_by_channels_ = found[1]

    @property
    def n_channels_(self) -> int:
        """How many features the head is given."""
        network = next(iter(self.networks_.values()))
        layers = nested_layers(network)
        if layers:
            return int(layers[-1].kept)
        return [module for module in network.modules() if isinstance(module, nn.Linear)][-1].in_features


def train_nested_co_teaching(
    data: LabelledTable,
    config: NestedCoTeachingConfig,
    run: RunFolder | str | Path,
    *,
    dev: LabelledTable | None = None,
    module: Any = None,
) -> Any:
    """Train on a table into a run folder; a killed call, made again, goes on, whichever stage it was in.

    Args:
        data: examples with texts or numbers, and their labels.
        run: the folder.
        dev: rows to choose the number of channels by, best with checked labels and never those that the result is
            reported on; None holds out a tenth of the training rows.
        module: a network of your own, as :class:`NestedCoTeachingClassifier` takes it.

    Returns:
        A :class:`NestedCoTeachingClassifier`; for texts a ``Pipeline`` that ends in one.
    """
    return train_on_table(NestedCoTeachingClassifier, "nested-co-teaching", data, config, run, dev=dev, module=module)


def load_model(folder: str | Path, device: str = "auto") -> Any:
    """The classifier that the command left in a folder, with the encoder of its texts."""
    return load_table_classifier((NestedCoTeachingClassifier,), folder, device=device)


def _first_stage(task: ArrayTask, networks: dict[str, nn.Module]) -> Records:
    """Step 1, each network over the rows in an order of its own; each chooses its own number of channels."""
    options: Any = task.options

    def step(batch: ArrayBatch) -> dict[str, Tensor]:
        network = networks[batch.turn]
        layers = nested_layers(network)
        with keeping(draw_kept(layers, alternating=options.alternating and len(layers) > 1), network):
            return {batch.turn: F.cross_entropy(network(batch.inputs), batch.labels)}

    def choose(record: dict[str, Any]) -> None:
        found = [_choose(task, [network]) for network in networks.values()]
        if found[0] is not None:
            record["channels"] = found[0] if len(found) == 1 else found

    return task.run(networks, step, turns=True, after_epoch=choose, stage="first")


def _co_teaching(task: ArrayTask, networks: dict[str, nn.Module]) -> Records:
    """Step 2, both networks over the same batches; they choose the number of channels together."""
    options: Any = task.options
    second = options.co_teaching()
    rates = forget_schedule(options.forget_rate, options.rise, second.num_train_epochs)
    first, second_network = networks.values()
    teaching = CoTeaching(
        first,
        second_network,
        rates.tolist(),
        split_batch=options.split_batch,
        alternating=options.alternating and len(nested_layers(networks[NETWORKS[0]])) > 1,
    )

    def step(batch: ArrayBatch) -> dict[str, Tensor]:
        return teaching.losses(batch.inputs, batch.labels, batch.epoch)

    def choose(record: dict[str, Any]) -> None:
        record["forget_rate"] = float(rates[record["epoch"] - 1])
        channels = _choose(task, list(networks.values()))
        if channels is not None:
            record["channels"] = channels

    return task.run(networks, step, after_epoch=choose, options=second, stage="co-teaching")


def _choose(task: ArrayTask, networks: list[nn.Module]) -> int | None:
    """The number of channels by the validation rows; None where there are none, or no Nested Dropout."""
    if "valid" not in task.watched or not nested_layers(networks[0]):
        return None
    options: Any = task.options
    return best_channels(networks, _batches(task), penalty=options.penalty)[0]


def _batches(task: ArrayTask) -> Iterator[tuple[Tensor, Tensor]]:
    """The validation rows, some at a time."""
    rows, labels = task.watched["valid"]
    start = 0
    for inputs in rows.blocks():
        yield inputs, torch.from_numpy(np.asarray(labels[start : start + len(inputs)]))
        start += len(inputs)


def _freeze(networks: dict[str, nn.Module]) -> None:
    for network in networks.values():
        freeze_batch_norm(network)


def _warn_of_the_test_set(task: ArrayTask) -> None:
    """Where a set that is watched only holds the rows that channels and epochs are chosen by."""
    valid = task.watched.get("valid")
    for name, (rows, labels) in task.watched.items():
        if valid is None or name == "valid" or not np.array_equal(labels, valid[1]):
            continue
        if all(torch.equal(mine, theirs) for mine, theirs in zip(rows.blocks(), valid[0].blocks(), strict=True)):
            warnings.warn(
                f"{task.owner}: the set {name!r} holds the rows of valid, which the number of channels is chosen by. "
                "Its accuracy is optimistic: choose by other rows than those that a result is reported on.",
                stacklevel=4,
            )
