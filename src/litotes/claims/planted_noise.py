"""Data with labels made wrong on purpose, and what each detector of wrong labels makes of them, once for all arms.

- ``digits`` (scikit-learn's 1,797), ``trec6`` (2,500 rows), ``banking77`` (40 rows of each of 77 intents), ``clinc150``
  (25 of each of 150); ``fashion-mnist-15k`` (4,000 pictures). Rows are drawn anew by every seed. Texts are vectors of
  all-MiniLM-L6-v2, numbers are standardised.
- Noise: ``symmetric`` (another class at random), ``pairs`` (the next class), ``matrix`` (the three classes whose
  centres lie nearest, half, three tenths and a fifth of the noise), ``human`` (as people mistake those of CIFAR-10).
- ``semeval2010-task8``: the relations and the huge negative class of :mod:`litotes.claims.relation_noise`, where only
  positives become negatives; ``rest`` and ``other`` are its two designs.
- ``test-set-errors``: nothing is made wrong. Of the tests of 20 newsgroups and MNIST, the items that a crowd voted on;
  a label is wrong where at most two of five found it right, alone or beside another. Four of five items are drawn.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from litotes.core.errors import LitotesError
from litotes.core.seeds import rng

if TYPE_CHECKING:
    from litotes.auditing.label_detectors import LabelScores

__all__ = ["STRENGTHS", "Planted", "planted", "probabilities", "scores_of", "similar_classes"]

STRENGTHS = (1.0, 10.0)
"""Of the logistic regression whose probabilities detectors read; the first, scikit-learn's own, is our detector's."""

_ROWS = {"trec6": 2500, "fashion-mnist-15k": 4000}
_PER_CLASS = {"banking77": 40, "clinc150": 25}
_SHARES = (0.5, 0.3, 0.2)  # of the noise by matrix, to the nearest classes
_DRAWN, _TWO_OF_FIVE = 0.8, 2


class Planted(NamedTuple):
    """One draw.

    Attributes:
        features: float32 ``[n, d]``; None where there are probabilities alone.
        labels: int64 ``[n]``, as given.
        wrong: bool ``[n]``.
        n_classes: how many there are.
        pred_probs: ``[n, classes]`` where the data comes with them.
    """

    features: np.ndarray | None
    labels: np.ndarray
    wrong: np.ndarray
    n_classes: int
    pred_probs: np.ndarray | None = None


@lru_cache(maxsize=8)
def planted(data: str, noise: str, rate: float, seed: int) -> Planted:
    """The rows and labels of a seed; ``rate`` is not asked by ``human``, ``rest``, ``other`` and the real errors."""
    if data == "test-set-errors":
        return _voted(noise, seed)
    if data == "semeval2010-task8":
        from litotes.claims.relation_noise import world

        drawn = world(data, seed, noise).fit
        features = _standardised(drawn.inputs["sentence"])
        return Planted(features, drawn.given, drawn.given != drawn.truth, int(drawn.truth.max()) + 1)
    features, truth = _rows(data, seed)
    from litotes.data import label_noise

    if noise == "symmetric":
        noisy = label_noise.symmetric_noise(truth, rate, seed=seed)
    elif noise == "pairs":
        noisy = label_noise.pair_noise(truth, rate, seed=seed)
    elif noise == "matrix":
        noisy = label_noise.matrix_noise(truth, similar_classes(features, truth, rate), seed=seed)
    elif noise == "human":
        from litotes.data.public import public_folder

        matrix = label_noise.human_noise_matrix(public_folder("cifar10n-labels"))
        noisy = label_noise.matrix_noise(truth, matrix, seed=seed)
    else:
        raise LitotesError(f"There is no noise {noise!r}. Known: symmetric, pairs, matrix, human.")
    return Planted(features, noisy.labels, noisy.wrong, int(truth.max()) + 1)


def similar_classes(features: np.ndarray, truth: np.ndarray, rate: float) -> np.ndarray:
    """Shares ``[C, C]`` of a class that become another: ``rate`` of it goes to the three with the nearest centres."""
    centres = np.stack([features[truth == label].mean(axis=0, dtype=np.float64) for label in range(truth.max() + 1)])
    distances = ((centres[:, None] - centres[None]) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    shares = np.eye(len(centres)) * (1 - rate)
    order = np.argsort(distances, axis=1, kind="stable")
    for place, share in enumerate(_SHARES):
        shares[np.arange(len(centres)), order[:, place]] += rate * share
    return shares


@lru_cache(maxsize=32)
def scores_of(data: str, noise: str, rate: float, seed: int, detector: str) -> LabelScores:
    """What a detector makes of a draw, with its own defaults."""
    from litotes.auditing.label_detectors import detector_from_spec

    drawn = planted(data, noise, rate, seed)
    device = {"device": "cpu"} if detector in ("elr", "small-loss") else {}
    made = detector_from_spec(detector, pred_probs=drawn.pred_probs, reference=None, **device)
    return made.scores(drawn.features, drawn.labels, n_classes=drawn.n_classes, seed=seed)


@lru_cache(maxsize=16)
def probabilities(data: str, noise: str, rate: float, seed: int, strength: float) -> np.ndarray:
    """Out-of-sample probabilities: the data's own, or those of a cross-validated logistic regression."""
    from litotes.auditing.label_probabilities import cross_probabilities

    drawn = planted(data, noise, rate, seed)
    if drawn.pred_probs is not None:
        return drawn.pred_probs
    return cross_probabilities(drawn.features, drawn.labels, drawn.n_classes, seed=seed, strength=strength)


def _rows(data: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and true classes of the rows that a seed draws."""
    features, truth = _whole(data)
    order = rng(seed, "planted noise", data).permutation(len(truth))
    if data in _PER_CLASS:
        order = np.concatenate([order[truth[order] == label][: _PER_CLASS[data]] for label in range(truth.max() + 1)])
    at = np.sort(order[: _ROWS.get(data, len(order))])
    return features[at], truth[at]


@lru_cache(maxsize=4)
def _whole(data: str) -> tuple[np.ndarray, np.ndarray]:
    from litotes.claims.noisy_classes import rows
    from litotes.data.public import public_folder

    if data == "digits":
        from sklearn.datasets import load_digits

        features, truth = load_digits(return_X_y=True)
        return _standardised(features), truth.astype(np.int64)
    if data in ("clinc150", "fashion-mnist-15k"):
        known = rows(data)
        features = known.X if data == "clinc150" else _standardised(known.X)
        return features, known.y.astype(np.int64)
    files = {"trec6": ("train.jsonl.gz", "label"), "banking77": ("train.csv.gz", "category")}
    if data not in files:
        raise LitotesError(f"There are no rows of {data!r} to make labels wrong in.")
    from litotes.data import read_labelled_table
    from litotes.models.text_encoder import TextEncoder

    name, label = files[data]
    table = read_labelled_table(public_folder(data) / name, label=label, text="text")
    vectors = TextEncoder("builtin:minilm", device="cpu", dtype="float32", normalize=True).fit_transform(table.texts)
    return vectors, np.searchsorted(np.array(table.classes), np.array(table.labels))


def _voted(name: str, seed: int) -> Planted:
    """The items of a test set that a crowd voted on; four of five of them."""
    import gzip
    import json

    from litotes.data.public import public_folder

    folder = public_folder("test-set-errors")
    with gzip.open(folder / f"{name}_mturk.json.gz", "rt", encoding="utf-8") as file:
        items: list[dict[str, Any]] = json.load(file)
    at = np.array([item["id"] for item in items])
    right = np.array([item["mturk"]["given"] + item["mturk"].get("both", 0) for item in items])
    given = np.load(folder / f"{name}_test_set_original_labels.npy", allow_pickle=False).astype(np.int64)
    shares = np.load(folder / f"{name}_test_set_pyx.npy", allow_pickle=False).astype(np.float64)
    drawn = np.sort(rng(seed, "voted items", name).permutation(len(at))[: round(_DRAWN * len(at))])
    probabilities = shares[at[drawn]] / shares[at[drawn]].sum(axis=1, keepdims=True)
    return Planted(None, given[at[drawn]], right[drawn] <= _TWO_OF_FIVE, shares.shape[1], probabilities)


def _standardised(features: np.ndarray) -> np.ndarray:
    mean, deviation = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    return ((features - mean) / np.where(deviation > 0, deviation, 1.0)).astype(np.float32)
