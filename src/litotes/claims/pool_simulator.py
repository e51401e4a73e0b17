r"""A collection whose truth is known because it is made up: relevance, selection into the pool, and the label of both.

800 queries with 30 documents each, every document with four normal features x1 to x4:

.. math:: \lambda = \sigma(2 x_1 + 0.5), \quad \rho = \sigma(3 x_2 + x_3 - 2), \quad l = r s

with relevance r and selection s drawn independently. Half of the queries train, with one labelled document each against
each of its unlabelled ones; the other half are ranked, by their true relevance. R sees all four features, S sees x1.

Two retrievers may choose the negatives instead, ten unlabelled documents each: ``weak`` ranks by the logit of lambda
(as word matching does, by which the pool was made), ``strong`` by the sum of the logits of lambda and rho.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from litotes.core import Collection, LabelMatrix
from litotes.core.seeds import rng

__all__ = ["Simulated", "TableFeatures", "auc_by_query", "retriever_scores", "simulate", "training_lines"]

QUERIES, DOCUMENTS, FEATURES = 800, 30, 4
MINED = 10


class Simulated(NamedTuple):
    """One draw; arrays are by query and document.

    Attributes:
        x: features, float32 ``[800, 30, 4]``.
        selection, relevance: lambda and rho.
        relevant: r.
        labelled: l.
        data: queries and documents by number, the labels among them; a document's number means something only
            together with its query.
    """

    x: np.ndarray
    selection: np.ndarray
    relevance: np.ndarray
    relevant: np.ndarray
    labelled: np.ndarray
    data: Collection

    @property
    def is_test(self) -> np.ndarray:
        """Which queries are ranked and not trained on; bool ``[800]``."""
        return np.arange(len(self.x)) >= len(self.x) // 2


class TableFeatures:
    """Some of the simulated features, as a :class:`~litotes.models.feature_ranker.FeatureRanker` takes them."""

    def __init__(self, simulated: Simulated, which: tuple[int, ...]) -> None:
        self.names = tuple(f"x{number + 1}" for number in which)
        self._x = simulated.x[:, :, list(which)]

    def table(self, data: Any, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """float32 ``[cells, names]``."""
        return self._x[rows, cols]


def simulate(seed: int) -> Simulated:
    """The draw of this seed."""
    generator = rng(seed, "pool simulator")
    x = generator.normal(size=(QUERIES, DOCUMENTS, FEATURES)).astype(np.float32)
    selection, relevance = _sigmoid(2 * x[..., 0] + 0.5), _sigmoid(3 * x[..., 1] + x[..., 2] - 2)
    relevant = generator.random(relevance.shape) < relevance
    labelled = relevant & (generator.random(selection.shape) < selection)
    ids = [f"q{i}" for i in range(QUERIES)], [f"d{j}" for j in range(DOCUMENTS)]
    data = Collection(LabelMatrix(*ids, *np.nonzero(labelled)), name="simulator")
    return Simulated(x, selection, relevance, relevant, labelled, data)


def retriever_scores(simulated: Simulated, name: str) -> np.ndarray:
    """What the ``weak`` or the ``strong`` retriever ranks by, float64 ``[queries, documents]``."""
    weak = _logit(simulated.selection)
    return weak if name == "weak" else weak + _logit(simulated.relevance)


def training_lines(simulated: Simulated, seed: int, *, negatives: str = "all", oracle: bool = False) -> np.ndarray:
    """Query, labelled document, unlabelled document; int64 ``[pairs, 3]``.

    Args:
        negatives: ``all`` the unlabelled, or the ten that the ``weak`` or the ``strong`` retriever ranks first.
        oracle: leave out those that are relevant in truth.
    """
    generator, lines = rng(seed, "labelled document"), []
    scores = None if negatives == "all" else retriever_scores(simulated, negatives)
    for query in np.flatnonzero(~simulated.is_test & simulated.labelled.any(axis=1)).tolist():
        positive = int(generator.choice(np.flatnonzero(simulated.labelled[query])))
        others = np.flatnonzero(~simulated.labelled[query])
        if scores is not None:
            others = np.sort(others[np.argsort(-scores[query, others], kind="stable")[:MINED]])
        if oracle:
            others = others[~simulated.relevant[query, others]]
        lines.append(np.stack([np.full(len(others), query), np.full(len(others), positive), others], axis=1))
    return np.concatenate(lines)


def auc_by_query(scores: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """The share of (relevant, other) pairs in the right order, ties half, of each query that has both; float64."""
    found = []
    for own, is_relevant in zip(scores, relevant, strict=True):
        up, down = own[is_relevant], own[~is_relevant]
        if len(up) and len(down):
            found.append(((up[:, None] > down).mean() + (up[:, None] >= down).mean()) / 2)
    return np.array(found)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x.astype(np.float64)))


def _logit(p: np.ndarray) -> np.ndarray:
    return np.log(p) - np.log1p(-p)
