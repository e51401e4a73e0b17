"""Running a classifier on labels that were made wrong, as an arm of a claim: the truth stays at hand to measure by.

An arm's configuration says what noise there is (``noise``, ``rate``) and holds the options of the classifier. Its
command is a classifier (``elr``, ``elr-plus``), or what is done to the training set before cross entropy is trained:

    clean-only        the rows with a wrong label are left out, which only the experiment can know
    random-deletion   as many rows are left out, whichever they are
    cleanlab          the rows that cleanlab's confident learning flags, by probabilities from five folds, are left out

Noise, network and batches follow the seed; the split is one for all. A tenth of the *noisy* training rows is the dev
set: options are chosen, and epochs where an arm stops early, by labels as wrong as those that are trained on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from litotes.core.errors import LitotesError
from litotes.evaluation.experiment import Cell, Outcome

if TYPE_CHECKING:
    from litotes.data.label_noise import NoisyLabels

__all__ = ["METRICS", "Rows", "rows", "run_classifier"]

METRICS = (
    "accuracy", "best accuracy", "early-stopped accuracy", "memorised", "recovered", "peak of recovered",
    "AP of wrong labels", "wrong", "left out",
)  # fmt: skip
"""Accuracy on test by the truth: of the weights that the arm ends with; at its best epoch, which nobody could know; at
the epoch with the best noisy dev accuracy. Of the wrongly labelled training rows, the share predicted as labelled, as
the truth at the end, and as the truth at the best epoch for that. Average precision of the labels' quality for finding
them. The effective rate of noise, and the share of training rows that were left out.
"""

_FOLDS = 5

Make = Callable[[Cell, dict[str, Any]], Any]
More = tuple[dict[str, float], dict[str, Any]]


class Rows(NamedTuple):
    """One data set."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def run_classifier(cell: Cell, make: Make | None = None, more: Callable[[Any, Rows], More] | None = None) -> Outcome:
    """Make the noise, train the arm, and measure it by the truth.

    Args:
        make: the classifier of a cell with these options; by default one of ELR.
        more: further metrics and facts of a fitted classifier.
    """
    from sklearn.metrics import average_precision_score

    config, data = dict(cell.arm.config), rows(cell.data)
    noisy = _noise(config.pop("noise"), config.pop("rate", None), data.y, cell.seed)
    fit, dev = _dev(noisy.labels)
    make = make or _classifier
    kept = fit[_kept(cell, config, data.X[fit], noisy, fit, make)]
    wrong = kept[noisy.wrong[kept]] if noisy.wrong[kept].any() else fit[noisy.wrong[fit]]
    model = make(cell, config).fit(
        data.X[kept],
        noisy.labels[kept],
        valid=(data.X[dev], noisy.labels[dev]),
        watch={
            "test": (data.X_test, data.y_test),
            "memorised": (data.X[wrong], noisy.labels[wrong]),
            "recovered": (data.X[wrong], data.y[wrong]),
        },
    )
    history = {name: [record[f"{name}_accuracy"] for record in model.history_] for name in _WATCHED}
    X, y = (data.X[dev], noisy.labels[dev]) if cell.split == "dev" else (data.X_test, data.y_test)
    is_wrong, quality = noisy.wrong[kept], getattr(model, "label_quality_", None)
    values = (
        float(model.score(X, y)),
        max(history["test"]),
        history["test"][int(np.argmax(history["valid"]))],
        history["memorised"][-1],
        history["recovered"][-1],
        max(history["recovered"]),
        float(average_precision_score(is_wrong, -quality)) if quality is not None and is_wrong.any() else 0.0,
        float(noisy.rate),
        1.0 - len(kept) / len(fit),
    )
    facts = {"data": {"name": cell.data, "fingerprint": _fingerprint(cell.data)}, "history": history}
    metrics, more_facts = more(model, data) if more else ({}, {})
    return Outcome({**dict(zip(METRICS, values, strict=True)), **metrics}, {}, {**facts, **more_facts})


_WATCHED = ("valid", "test", "memorised", "recovered")


@lru_cache(maxsize=2)
def rows(name: str) -> Rows:
    """A data set by its public name; ``digits`` is scikit-learn's, 60 rows of 100 for training."""
    if name == "digits":
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        X, y = load_digits(return_X_y=True)
        X, X_test, y, y_test = train_test_split(X / 16, y, test_size=0.4, random_state=0, stratify=y)
        return Rows(X.astype(np.float32), y, X_test.astype(np.float32), y_test)
    from litotes.data.public import public_folder

    if name == "fashion-mnist-15k":
        with np.load(public_folder(name) / "fashion_mnist_15k.npz", allow_pickle=False) as arrays:
            parts = [arrays[part] for part in ("train_x", "train_y", "test_x", "test_y")]
        X, y, X_test, y_test = (part.astype(np.int64) for part in parts)
        flat = [(images.reshape(len(images), -1) / 255).astype(np.float32) for images in (X, X_test)]
        return Rows(flat[0], y, flat[1], y_test)
    if name == "clinc150":
        return _clinc150()
    raise LitotesError(f"There are no rows of {name!r}. Known: digits, fashion-mnist-15k, clinc150.")


def _clinc150() -> Rows:
    """All intents but out-of-scope, as vectors of all-MiniLM-L6-v2; test is the set's own."""
    from litotes.data import read_labelled_table
    from litotes.data.public import public_folder
    from litotes.models.text_encoder import TextEncoder

    table = read_labelled_table(public_folder("clinc150") / "full.jsonl.gz", label="intent", text="text")
    split, intents = np.array(table.columns["split"]), np.array(table.labels)
    names = np.unique(intents[split == "train"])
    X = TextEncoder("builtin:minilm", device="cpu", dtype="float32").fit_transform(table.texts)
    y = np.searchsorted(names, intents)
    train, test = split == "train", split == "test"
    return Rows(X[train], y[train], X[test], y[test])


def _noise(kind: str, rate: float | None, truth: np.ndarray, seed: int) -> NoisyLabels:
    from litotes.data import label_noise
    from litotes.data.public import public_folder

    if kind == "human":
        matrix = label_noise.human_noise_matrix(public_folder("cifar10n-labels"))
        return label_noise.matrix_noise(truth, matrix, seed=seed)
    make: dict[str, Any] = {"symmetric": label_noise.symmetric_noise, "pairs": label_noise.pair_noise}
    return make[kind](truth, rate, seed=seed)


def _dev(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions to train on, and the tenth that is watched; in proportion to the labels as given."""
    from sklearn.model_selection import train_test_split

    fit, dev = train_test_split(np.arange(len(labels)), test_size=0.1, random_state=0, stratify=labels)
    return np.sort(fit), np.sort(dev)


def _classifier(cell: Cell, config: dict[str, Any]) -> Any:
    from litotes.recipes.classification.elr import ELRClassifier, ELRPlusClassifier

    kind: Any = ELRPlusClassifier if cell.arm.command == "elr-plus" else ELRClassifier
    return kind(**config, device="cpu", random_state=cell.seed)


def _kept(
    cell: Cell, config: dict[str, Any], X: np.ndarray, noisy: NoisyLabels, fit: np.ndarray, make: Make
) -> np.ndarray:
    """Which of the rows in ``fit`` are trained on, bool."""
    from litotes.core.seeds import rng

    wrong = noisy.wrong[fit]
    if cell.arm.command == "clean-only":
        return ~wrong
    if cell.arm.command == "random-deletion":
        return rng(cell.seed, "random deletion").permutation(wrong.size).argsort() >= wrong.sum()
    if cell.arm.command == "cleanlab":
        return ~_flagged(make(cell, config), X, noisy.labels[fit], cell.seed)
    return np.ones(wrong.size, dtype=bool)


def _flagged(classifier: Any, X: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    from cleanlab.filter import find_label_issues
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold

    probabilities = np.empty((len(labels), labels.max() + 1))
    for train, held in StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(X, labels):
        probabilities[held] = clone(classifier).fit(X[train], labels[train]).predict_proba(X[held])
    return find_label_issues(labels, probabilities)


@lru_cache(maxsize=2)
def _fingerprint(name: str) -> str:
    from hashlib import blake2b

    from litotes.core.fingerprint import digest

    return digest(*(blake2b(part.tobytes(), digest_size=16).hexdigest() for part in rows(name)))
