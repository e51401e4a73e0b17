"""Running the arms of compressed features: one network or two on wrong labels, and what their features hold.

An arm's command is ``nested-co-teaching``, whose options say which of its variants; ``elr`` with a strength of 0 for
label smoothing; or what :mod:`litotes.claims.noisy_classes` does to the training set first. The command ``draws``
trains one set of options on several draws of the noise and of everything random, and takes error, bias and variance.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from litotes.claims import noisy_classes
from litotes.claims.noisy_classes import Rows, run_classifier
from litotes.evaluation.experiment import Cell, Outcome

if TYPE_CHECKING:
    import torch

__all__ = ["DRAWS", "METRICS", "OF_DRAWS", "run_compressed"]

METRICS = (*noisy_classes.METRICS, "channels", "information")
"""Besides: how many feature channels are kept, and the bound of what they tell about the input on test, in nats."""

OF_DRAWS = ("error", "bias", "variance", "pair variance")
"""On test in nats: of the answers over the draws; and what the two networks of a draw differ by, 0 of one network."""

DRAWS = 3


def run_compressed(cell: Cell) -> Outcome:
    """One cell."""
    return _draws(cell) if cell.arm.command == "draws" else run_classifier(cell, _classifier, _features)


def _draws(cell: Cell) -> Outcome:
    """The mean metrics over the draws, with error, bias and variance."""
    from litotes.evaluation import bias_variance

    answers: list[np.ndarray] = []
    pairs: list[float] = []

    def answer(model: Any, data: Rows) -> noisy_classes.More:
        found = _features(model, data)
        each = np.stack([_logits(network, data.X_test) for network in model.networks_.values()])
        answers.append(each.mean(axis=0))
        pairs.append(bias_variance(each, data.y_test).variance)
        return found

    runs = [
        run_classifier(replace(cell, seed=cell.seed * DRAWS + draw), _classifier, answer) for draw in range(DRAWS)
    ]  # fmt: skip
    parts = (*bias_variance(np.stack(answers), noisy_classes.rows(cell.data).y_test), float(np.mean(pairs)))
    means = {name: float(np.mean([run.metrics[name] for run in runs])) for name in runs[0].metrics}
    return Outcome({**means, **dict(zip(OF_DRAWS, parts, strict=True))}, {}, {"data": runs[0].facts["data"]})


def _classifier(cell: Cell, config: dict[str, Any]) -> Any:
    from litotes.recipes.classification.compress_features import NestedCoTeachingClassifier
    from litotes.recipes.classification.elr import ELRClassifier

    kind: Any = ELRClassifier if cell.arm.command == "elr" else NestedCoTeachingClassifier
    return kind(**config, device="cpu", random_state=cell.seed)


def _features(model: Any, data: Rows) -> noisy_classes.More:
    """Of the first network: the channels that it keeps, and the information bound with unit noise."""
    from litotes.evaluation import information_by_channels

    network = next(iter(model.networks_.values()))
    channels = int(getattr(model, "n_channels_", 0)) or int(model.hidden[-1])
    bound = information_by_channels(network.body(_standardised(network, data.X_test)).double().numpy())
    curve = getattr(model, "accuracy_by_channels_", None)
    facts = {
        "information by channels": bound.round(4).tolist(),
        "accuracy by channels": None if curve is None else curve.tolist(),
    }
    return {"channels": float(channels), "information": float(bound[channels - 1])}, facts


def _standardised(network: Any, X: np.ndarray) -> torch.Tensor:
    import torch

    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return (torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32)) - network.mean) / network.spread


def _logits(network: Any, X: np.ndarray) -> np.ndarray:
    import torch

    with torch.no_grad():
        return network(torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32))).double().numpy()
