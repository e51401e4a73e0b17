"""scikit-learn's side of the classifiers of arrays, once: a method adds its options and how it trains.

A method is a subclass that lists its parameters in ``__init__`` (scikit-learn reads them there), names its config and
implements :meth:`ArrayClassifier._train`::

    class Plain(ArrayClassifier):
        config_class = ArrayOptions

        def __init__(self, *, module=None, learning_rate=0.02, num_train_epochs=60, random_state=None): ...

        def _train(self, task):                         # an ArrayTask
            network = task.network()                    # number 0, 1, ... have weights of their own
            def step(batch):                            # an ArrayBatch: turn, inputs, labels, ids, step, epoch
                return {"network": cross_entropy(network(batch.inputs), batch.labels)}
            history = task.run({"network": network}, step)
            return {"network": network}, history

Every parameter but ``module`` is a field of the config under the same name (``batch_size`` is
``per_device_train_batch_size``, ``random_state`` is ``seed``); the config checks them. What else a method may change:
``_network`` (builds one), ``_answer`` (the logits of some inputs from all networks; their mean), ``_saved_arrays``
(which fitted arrays belong into a saved model), and ``_finish(task)``, called after the training.
"""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
from torch import Tensor, nn

from litotes.core.errors import ArrayError
from litotes.models.mlp import MLP
from litotes.models.precision import best_device
from litotes.models.resting import resting
from litotes.training.array_labels import check_labels, check_watched_labels
from litotes.training.array_options import ArrayOptions
from litotes.training.array_rows import ArrayRows, stratified_tenth
from litotes.training.array_task import ArrayTask, ask, mean_logits
from litotes.training.saved_classifier import load_classifier, save_classifier
from litotes.training.training_run import TrainingRun

__all__ = ["ArrayClassifier"]

_OPTION = {"batch_size": "per_device_train_batch_size", "random_state": "seed"}  # as the config calls it


class ArrayClassifier(ClassifierMixin, BaseEstimator):
    """Fits networks on ``X, y``; see the module's text for what a method adds.

    Attributes:
        classes_: the labels in order.
        n_features_in_: columns of X.
        networks_: the trained modules by name, in evaluation mode.
        history_: one record an epoch: ``epoch``, ``train_loss``, ``valid_accuracy``, ``<set>_accuracy``.
        final_valid_accuracy_, best_valid_accuracy_, best_epoch_: of the history; None where nothing was watched.
        held_out_: positions of the rows of X that were held out to watch, ascending.
    """

    config_class: ClassVar[type[ArrayOptions]] = ArrayOptions
    _saved_arrays: ClassVar[tuple[str, ...]] = ()
    module: Any

    @classmethod
    def from_config(cls, config: ArrayOptions, *, module: Any = None) -> Self:
        """The estimator whose parameters are these options."""
        names = [name for name in cls._get_param_names() if name != "module"]
        return cls(module=module, **{name: getattr(config, _OPTION.get(name, name)) for name in names})

    def fit(self, X: Any, y: Any, *, valid: Any = None, watch: Mapping[str, Any] | None = None) -> Self:
        """Train.

        Args:
            X: numbers ``[rows, features]``, dense or sparse; with a ``module`` of your own also ``[rows, ...]``.
            y: a class label for each row.
            valid: ``(X, y)`` whose accuracy is taken after every epoch, and that epochs are chosen by where
                ``select="best"``. None holds out ``validation_fraction`` of the rows, in proportion to the classes.
            watch: more sets ``{name: (X, y)}`` whose accuracy goes into ``history_``; nothing is chosen by them.

        Raises:
            ArrayError: labels that are missing, of one class only, or that occur in ``valid`` alone.
            LitotesError: a parameter that is none, a module that gives no logits, a loss that is not finite.
        """
        return self.fit_into(None, X, y, valid=valid, watch=watch)

    def fit_into(
        self, job: TrainingRun | None, X: Any, y: Any, *, valid: Any = None, watch: Mapping[str, Any] | None = None
    ) -> Self:
        """As :meth:`fit`, with checkpoints in a run folder: a killed call, made again, goes on."""
        name, options = type(self).__name__, self._options()
        check_labels(name, y)
        X, y = self._checked(X, y, reset=True)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ArrayError(
                f"{name}: every row has the label {_plain(self.classes_[0])!r}, only one class. Expected two classes "
                "at least."
            )
        sets = {"valid": valid, **(watch or {})} if valid is not None else dict(watch or {})
        given = {what: self._checked_set(what, pair) for what, pair in sets.items()}
        held = np.empty(0, dtype=np.int64)
        device = best_device() if options.device == "auto" else options.device
        if valid is None:
            held = stratified_tenth(labels, options.validation_fraction, options.seed)
        rows = ArrayRows(X, device)
        watched = {what: (ArrayRows(values, device), of) for what, (values, of) in given.items()}
        if len(held):
            watched = {"valid": (ArrayRows(X[held], device), labels[held]), **watched}
        train = np.setdiff1d(np.arange(len(labels)), held)
        task = ArrayTask(
            owner=name,
            rows=rows,
            labels=torch.from_numpy(labels).to(device),
            train=train,
            n_classes=len(self.classes_),
            watched=watched,
            options=options,
            build=lambda: self._standardised(options, rows, train),
            device=device,
            is_live=isinstance(self.module, nn.Module),
            job=job,
        )
        with _own_chance():
            self.networks_, self.history_ = self._train(task)
            for network in self.networks_.values():
                network.eval()
            self._finish(task)
        self.held_out_, self.networks_shape_ = held, rows.shape
        self._summarise()
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities ``[rows, classes]``, float64, classes in the order of ``classes_``."""
        return self._logits(X).softmax(dim=1).numpy()

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the fitted classifier into a folder, as safetensors and JSON."""
        save_classifier(self, folder)

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, module: Any = None, device: str = "auto") -> Self:
        """Read what :meth:`save` wrote; a model with a ``module`` of your own needs it again."""
        return load_classifier(cls, folder, module=module, device=device)

    def _train(self, task: ArrayTask) -> tuple[dict[str, nn.Module], list[dict[str, Any]]]:
        """Train networks and return them by name, with the history. To be implemented by a method."""
        raise NotImplementedError

    def _network(self, n_features: int | tuple[int, ...], n_classes: int, options: ArrayOptions) -> nn.Module:
        """One network with random weights; ``module`` where it is given."""
        if isinstance(self.module, nn.Module):
            return copy.deepcopy(self.module)
        if self.module is None:
            assert isinstance(n_features, int)
            return MLP(n_features, n_classes, options.hidden, dropout=options.dropout)
        network = self.module(n_features, n_classes)
        if not isinstance(network, nn.Module):
            raise ArrayError(
                f"{type(self).__name__}: module(n_features, n_classes) must return a torch.nn.Module. "
                f"Got {type(network).__name__}."
            )
        return network

    def _answer(self, networks: Mapping[str, nn.Module], inputs: Tensor) -> Tensor:
        """The logits of some inputs."""
        return mean_logits(networks.values())(inputs)

    def _finish(self, task: ArrayTask) -> None:
        """What a method makes of a finished training."""

    def _options(self) -> ArrayOptions:
        """The parameters, checked; a seed is drawn where ``random_state`` is none."""
        values = {_OPTION.get(name, name): _plain(value) for name, value in self.get_params(deep=False).items()}
        values.pop("module")
        if not isinstance(values["seed"], int):
            values["seed"] = int(check_random_state(values["seed"]).randint(2**31 - 1))
        return self.config_class(**values)

    def _checked(self, X: Any, y: Any = None, *, reset: bool = False) -> Any:
        words = {"accept_sparse": "csr", "dtype": [np.float32, np.float64], "allow_nd": self.module is not None}
        if reset:
            return validate_data(self, X, y, reset=True, multi_output=True, **words)
        return validate_data(self, X, reset=False, **words)

    def _checked_set(self, what: str, pair: Any) -> tuple[Any, np.ndarray]:
        """The rows of a set to watch, and its labels as positions in ``classes_``."""
        name = type(self).__name__
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ArrayError(f"{name}: {what} is a pair (X, y). Got {type(pair).__name__}.")
        X = self._checked(pair[0])
        return X, check_watched_labels(name, what, pair[1], X.shape[0], self.classes_)

    def _standardised(self, options: ArrayOptions, rows: ArrayRows, train: np.ndarray) -> nn.Module:
        network = self._shaped(rows.shape, options)
        if self.module is None and options.standardize and not rows.is_sparse and isinstance(network, MLP):
            network.standardise(rows.take(train))
        return network

    def _shaped(self, shape: tuple[int, ...], options: ArrayOptions) -> nn.Module:
        return self._network(shape[0] if len(shape) == 1 else shape, len(self.classes_), options)

    def _logits(self, X: Any) -> Tensor:
        check_is_fitted(self, "networks_")
        device = next(next(iter(self.networks_.values())).parameters()).device
        rows = ArrayRows(self._checked(X), str(device))
        with resting(*self.networks_.values()):
            answer = lambda inputs: self._answer(self.networks_, inputs)  # noqa: E731
            return ask(type(self).__name__, answer, rows, len(self.classes_)).double()

    def _summarise(self) -> None:
        seen = [record["valid_accuracy"] for record in self.history_ if "valid_accuracy" in record]
        self.final_valid_accuracy_ = seen[-1] if seen else None
        self.best_valid_accuracy_ = max(seen) if seen else None
        self.best_epoch_ = seen.index(max(seen)) + 1 if seen else None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _plain(value: Any) -> Any:
    """A scalar of numpy, as grids hold them, as Python's."""
    return value.item() if isinstance(value, np.generic) else value


@contextmanager
def _own_chance() -> Iterator[None]:
    """A fit draws from its own seed and leaves the generators of the process as they were."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
