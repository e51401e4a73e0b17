r"""Who says that a class label is wrong: one protocol, and the detectors that ``litotes audit labels`` knows by name.

    elr          the memory of early learning: what a network made of each row before it could learn its label by heart
    small-loss   two networks that teach each other; a label is good when both find its loss small
    neighbours   the labels of the nearest rows; or, with a reference, of the nearest rows that are known to be right
    pred-probs   probabilities of a model that did not see the row: one's own, or cross-validated logistic regression
    cleanlab     confident learning (Northcutt et al. 2021) by the library of that name, on the same probabilities

Each gives *shares*: how much of its belief goes to each class, rows that sum to 1. The score of a label is its share,
low where it is suspicious, unless a detector has a better one. Scores order rows; they are not probabilities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np

from litotes.auditing.label_neighbours import neighbour_shares
from litotes.auditing.label_probabilities import check_pred_probs, cross_probabilities
from litotes.core.checks import check_choice, check_float, check_int
from litotes.core.errors import LitotesError, require
from litotes.core.spec import build, parse_spec

__all__ = [
    "DETECTORS",
    "CleanlabDetector",
    "Detector",
    "ELRDetector",
    "LabelScores",
    "NeighbourDetector",
    "PredProbsDetector",
    "SmallLossDetector",
    "detector_from_spec",
]

_BATCH = 128


class LabelScores(NamedTuple):
    """What a detector thinks of n given labels.

    Attributes:
        score: float64 ``[n]`` in [0, 1], low where the label is suspicious.
        predicted: int64 ``[n]``, the class that it would give.
        shares: float32 ``[n, classes]``, how much of its belief goes to each class; rows sum to 1.
    """

    score: np.ndarray
    predicted: np.ndarray
    shares: np.ndarray

    @classmethod
    def of_shares(cls, shares: np.ndarray, labels: np.ndarray) -> LabelScores:
        """The score of a label is its share, and the largest share predicts."""
        return cls(
            np.clip(shares[np.arange(len(labels)), labels].astype(np.float64), 0.0, 1.0),
            shares.argmax(axis=1).astype(np.int64),
            shares.astype(np.float32),
        )


@runtime_checkable
class Detector(Protocol):
    """What a detector is: a name, and scores of labels."""

    @property
    def name(self) -> str:
        """One word, by which reports speak of it."""
        ...

    @property
    def needs_features(self) -> bool:
        """Whether it asks for ``features``."""
        ...

    def scores(self, features: np.ndarray | None, labels: np.ndarray, *, n_classes: int, seed: int = 0) -> LabelScores:
        """Score the labels.

        Args:
            features: float32 ``[n, d]``; None where the audit has labels and probabilities alone.
            labels: int64 ``[n]``, classes 0 .. n_classes - 1 as given.
            n_classes: how many there are.
            seed: of everything random.
        """
        ...


@dataclass(frozen=True)
class NeighbourDetector:
    """The labels of the nearest rows, weighed by nearness; see :func:`.label_neighbours.neighbour_shares`.

    Attributes:
        n_neighbors: rows that are asked, at most; a row is never asked about itself.
        reference: ``(features, labels)`` of rows that are known to be right; they are asked instead of the data's own.
    """

    n_neighbors: int = 20
    reference: tuple[np.ndarray, np.ndarray] | None = None
    name: str = "neighbours"
    needs_features: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse a number of neighbours that is none."""
        check_int("NeighbourDetector", "n_neighbors", self.n_neighbors, at_least=1)

    def scores(self, features: np.ndarray | None, labels: np.ndarray, *, n_classes: int, seed: int = 0) -> LabelScores:
        """The share of the nearest rows that hold the given label."""
        assert features is not None  # needs_features
        shares = neighbour_shares(features, labels, n_classes, self.n_neighbors, self.reference)
        return LabelScores.of_shares(shares, labels)


@dataclass(frozen=True)
class ELRDetector:
    """The targets of early-learning regularisation; see :mod:`litotes.recipes.classification.elr`.

    Fewer passes and a stronger weight decay than the classifier's: the memory is read, not the network.
    """

    regularization: float = 3.0
    target_momentum: float = 0.7
    num_train_epochs: int = 20
    weight_decay: float = 0.01
    device: str = "auto"
    name: str = "elr"
    needs_features: ClassVar[bool] = True

    def scores(self, features: np.ndarray | None, labels: np.ndarray, *, n_classes: int, seed: int = 0) -> LabelScores:
        """The target of each given label, after training on all rows."""
        from litotes.recipes.classification.elr import ELRClassifier

        model = ELRClassifier(
            regularization=self.regularization,
            target_momentum=self.target_momentum,
            num_train_epochs=self.num_train_epochs,
            weight_decay=self.weight_decay,
            batch_size=_BATCH,
            validation_fraction=0.0,
            device=self.device,
            random_state=seed,
        ).fit(features, labels)
        return LabelScores.of_shares(_whole(model.targets_, model.classes_, n_classes), labels)


@dataclass(frozen=True)
class SmallLossDetector:
    """Two networks that choose small losses for each other; the score is the smaller of their two probabilities.

    Attributes:
        forget_rate: about the share of wrong labels.
    """

    forget_rate: float = 0.2
    num_train_epochs: int = 20
    weight_decay: float = 0.01
    device: str = "auto"
    name: str = "small-loss"
    needs_features: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        check_float("SmallLossDetector", "forget_rate", self.forget_rate, at_least=0.0, below=1.0)

    def scores(self, features: np.ndarray | None, labels: np.ndarray, *, n_classes: int, seed: int = 0) -> LabelScores:
        """What both networks grant the given label after co-teaching from scratch."""
        from litotes.recipes.classification.compress_features import NestedCoTeachingClassifier

        model = NestedCoTeachingClassifier(
            stages="co-teaching",
            compression="plain",
            forget_rate=self.forget_rate,
            num_train_epochs=self.num_train_epochs,
            weight_decay=self.weight_decay,
            batch_size=_BATCH,
            hidden=(256,),
            learning_rate=0.02,
            validation_fraction=0.0,
            device=self.device,
            random_state=seed,
        ).fit(features, labels)
        each = []
        networks = dict(model.networks_)
        for name, network in networks.items():
            model.networks_ = {name: network}
            each.append(_whole(model.predict_proba(features), model.classes_, n_classes))
        rows = np.arange(len(labels))
        found = LabelScores.of_shares(np.mean(each, axis=0), labels)
        return found._replace(score=np.min([shares[rows, labels] for shares in each], axis=0).astype(np.float64))


@dataclass(frozen=True)
class PredProbsDetector:
    """Probabilities of a model that did not see the row.

    Attributes:
        pred_probs: ``[n, classes]`` of a model of one's own; None: logistic regression, cross-validated.
        folds: of the cross-validation.
    """

    pred_probs: np.ndarray | None = None
    folds: int = 5
    name: str = "pred-probs"

    @property
    def needs_features(self) -> bool:
        """Only to cross-validate."""
        return self.pred_probs is None

    def probabilities(self, features: np.ndarray | None, labels: np.ndarray, n_classes: int, seed: int) -> np.ndarray:
        """Those given, or those of the cross-validation."""
        if self.pred_probs is not None:
            return check_pred_probs(self.pred_probs, len(labels), n_classes)
        return cross_probabilities(features, labels, n_classes, folds=self.folds, seed=seed)

    def scores(self, features: np.ndarray | None, labels: np.ndarray, *, n_classes: int, seed: int = 0) -> LabelScores:
        """The probability of the given label."""
        return LabelScores.of_shares(self.probabilities(features, labels, n_classes, seed), labels)


@dataclass(frozen=True)
class CleanlabDetector:
    """cleanlab's scores of the same probabilities.

    Attributes:
        method: ``self_confidence``, ``normalized_margin`` or ``confidence_weighted_entropy``, as cleanlab calls them.
        adjust: take each class's own confidence off the probabilities first.
    """

    pred_probs: np.ndarray | None = None
    folds: int = 5
    method: str = "self_confidence"
    adjust: bool = False
    name: str = "cleanlab"

    def __post_init__(self) -> None:
        """Refuse another method, and one that cannot be adjusted."""
        methods = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
        check_choice("CleanlabDetector", "method", self.method, methods)
        if self.adjust and self.method == methods[2]:
            raise LitotesError("CleanlabDetector: adjust=True takes another method than confidence_weighted_entropy.")

    @property
    def needs_features(self) -> bool:
        """Only to cross-validate."""
        return self.pred_probs is None

    def scores(self, features: np.ndarray | None, labels: np.ndarray, *, n_classes: int, seed: int = 0) -> LabelScores:
        """cleanlab's label quality scores."""
        require("cleanlab", extra="labels")
        from cleanlab.rank import get_label_quality_scores

        source = PredProbsDetector(self.pred_probs, self.folds)
        probabilities = source.probabilities(features, labels, n_classes, seed)
        found = LabelScores.of_shares(probabilities, labels)
        score = get_label_quality_scores(labels, probabilities, method=self.method, adjust_pred_probs=self.adjust)
        return found._replace(score=np.clip(score, 0.0, 1.0).astype(np.float64))


DETECTORS: dict[str, Callable[..., Detector]] = {
    "elr": ELRDetector,
    "small-loss": SmallLossDetector,
    "neighbours": NeighbourDetector,
    "pred-probs": PredProbsDetector,
    "cleanlab": CleanlabDetector,
}
"""The detectors by the name that ``by=`` and ``--by`` take."""

_GIVEN = ("reference", "pred_probs")  # options that are arrays, and come beside the name


def detector_from_spec(spec: str, **given: Any) -> Detector:
    """The detector of ``kind:option=value,...``; of ``given`` it gets what it has a place for.

    Raises:
        LitotesError: an unknown kind or option, with the nearest name.
    """
    parsed = parse_spec(spec)
    check_choice("by", "kind", parsed.kind, DETECTORS)
    make = DETECTORS[parsed.kind]
    known = getattr(make, "__dataclass_fields__", {})
    wrong = next((name for name in parsed.options if name in _GIVEN), None)
    if wrong is not None:
        raise LitotesError(f"{spec!r}: {wrong} is given beside the detectors, as {wrong}=, not among its options.")
    fixed = {name: value for name, value in given.items() if name in known and name not in parsed.options}
    return build(make, parsed.options, parsed.kind, name=parsed.name, **fixed)


def _whole(shares: np.ndarray, classes: np.ndarray, n_classes: int) -> np.ndarray:
    """Shares of the classes that occur, as shares of all; rows that hold nothing are even."""
    found = np.zeros((len(shares), n_classes))
    found[:, classes] = shares
    total = found.sum(axis=1, keepdims=True)
    return np.where(total > 0, found / np.where(total > 0, total, 1.0), 1.0 / n_classes)
