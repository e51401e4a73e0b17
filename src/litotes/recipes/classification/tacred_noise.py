"""Nearest neighbours that speak against a label: Parekh et al. 2023 (arXiv 2311.12298).

A relation data set has a huge negative class, and most of its wrong labels are positives that nobody marked. Two
strategies find them in the space of a trained model's embeddings (:mod:`litotes.judging.neighbour_votes`):

1. *Intrinsic*: the k negatives nearest to each positive that the model predicts negative.
2. *Extrinsic*: examples that most of their k nearest members of a clean reference set speak against; negatives only,
   or everything (``with_positives``).

``action="drop"`` is the paper's elimination (TACRED-E, EN, ENP), ``action="relabel"`` its reannotation (R, RN, RNP).
The model is then trained from scratch on what comes out. Elimination alone changes the share of the negative class, so
the control is to drop as many of them at random.
"""

from __future__ import annotations

import numbers
import warnings
from collections import Counter
from typing import Any, ClassVar, Literal

import numpy as np

from litotes.core.checks import nearest
from litotes.core.errors import ArrayError, require
from litotes.core.seeds import rng
from litotes.judging.neighbour_votes import VOTES, NeighbourFlags, extrinsic_flags, intrinsic_flags
from litotes.mining.cell_distances import METRICS, as_rows
from litotes.training.array_labels import check_labels

require("imblearn", "sklearn", extra="labels")

from imblearn.base import BaseSampler  # noqa: E402
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions  # noqa: E402
from sklearn.utils.validation import validate_data  # noqa: E402

from litotes.training.cross_predictions import cross_predictions  # noqa: E402

__all__ = ["NeighbourCleaner"]


class NeighbourCleaner(BaseSampler):
    """Drops or relabels examples that their nearest neighbours speak against; a sampler of imbalanced-learn.

    Args:
        strategy: ``intrinsic`` takes the positives for right and needs ``negative_label`` alone; ``extrinsic`` asks a
            clean ``reference``.
        action: ``drop`` what is flagged, or ``relabel`` where the vote gives a new label and leave the rest.
        n_neighbors: how many vote; where there are fewer, as many as there are.
        metric: ``euclidean`` or ``cosine``.
        vote: how a flagged example gets its new label: ``majority``, ``unanimous`` or ``nearest``.
        negative_label: the label of the negative class. Without one the extrinsic strategy examines every example, and
            the intrinsic one cannot work.
        with_positives: let the extrinsic strategy examine the other classes too.
        reference: ``(X, y)`` of examples whose labels are known to be right, other than those of the data.
        overlap: what to do with rows of the reference that are also in the data: ``refuse``, or ``drop`` them from it.
        reference_per_class: at most so many reference examples a class, drawn at random; a large negative class in the
            reference outvotes the others by its size.
        estimator: what predicts, by cross-validation, which positives look negative; None is a logistic regression.
        predictions: labels predicted by a model of your own, one a row, instead of ``estimator``. A model that has
            memorised its labels finds nothing: take those of an early epoch.
        cv: folds of the cross-validation.
        max_distance: neighbours farther away do not count.
        chunk: rows that are looked at together; changes memory and nothing else.
        random_state: seeds the folds and the draw of ``reference_per_class``.

    Attributes:
        sample_indices_: the rows that are kept, ascending: for ``datasets.Dataset.select``.
        relabel_: ``{row: new label}`` of the flagged rows that the vote gives one, whatever the action.
        flagged_: bool ``[n]``.
        examined_: bool ``[n]``, what could have been flagged.
        classes_: the labels of data and reference, in order; what the codes of ``votes_`` mean.
        votes_: who spoke about whom, see :class:`litotes.judging.neighbour_votes.Votes`.
        false_negatives_: intrinsic: the positives that were predicted negative; else None.
        predictions_, predictions_from_: intrinsic: what was predicted, and ``cross-validation`` or ``given``.
        reference_balance_: extrinsic: how many reference examples of each label voted; else None.

    >>> X, y = [[0.0], [0.1], [5.0], [5.1]], ["no", "no", "no", "born"]
    >>> cleaner = NeighbourCleaner(strategy="extrinsic", n_neighbors=1, reference=([[0.2], [5.2]], ["no", "born"]))
    >>> cleaner.fit_resample(X, y)[1], cleaner.relabel_
    (['no', 'no', 'born'], {2: 'born'})
    """

    _sampling_type = "bypass"
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "strategy": [StrOptions({"intrinsic", "extrinsic"})],
        "action": [StrOptions({"drop", "relabel"})],
        "n_neighbors": [Interval(numbers.Integral, 1, None, closed="left")],
        "metric": [StrOptions(set(METRICS))],
        "vote": [StrOptions(set(VOTES))],
        "negative_label": "no_validation",
        "with_positives": ["boolean"],
        "reference": [tuple, list, None],
        "overlap": [StrOptions({"refuse", "drop"})],
        "reference_per_class": [Interval(numbers.Integral, 1, None, closed="left"), None],
        "estimator": [HasMethods(["fit", "predict"]), None],
        "predictions": ["array-like", None],
        "cv": [Interval(numbers.Integral, 2, None, closed="left")],
        "max_distance": [Interval(numbers.Real, 0, None, closed="left"), None],
        "chunk": [Interval(numbers.Integral, 1, None, closed="left"), None],
        "random_state": [Interval(numbers.Integral, 0, None, closed="left"), None],
    }

    def __init__(
        self,
        *,
        strategy: Literal["intrinsic", "extrinsic"] = "intrinsic",
        action: Literal["drop", "relabel"] = "drop",
        n_neighbors: int = 3,
        metric: Literal["euclidean", "cosine"] = "euclidean",
        vote: Literal["majority", "unanimous", "nearest"] = "majority",
        negative_label: Any = None,
        with_positives: bool = False,
        reference: Any = None,
        overlap: Literal["refuse", "drop"] = "refuse",
        reference_per_class: int | None = None,
        estimator: Any = None,
        predictions: Any = None,
        cv: int = 5,
        max_distance: float | None = None,
        chunk: int | None = None,
        random_state: int | None = 0,
    ) -> None:
        super().__init__()
        self.strategy = strategy
        self.action = action
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.vote = vote
        self.negative_label = negative_label
        self.with_positives = with_positives
        self.reference = reference
        self.overlap = overlap
        self.reference_per_class = reference_per_class
        self.estimator = estimator
        self.predictions = predictions
        self.cv = cv
        self.max_distance = max_distance
        self.chunk = chunk
        self.random_state = random_state

    def fit_resample(self, X: Any, y: Any, **params: Any) -> Any:
        """Clean ``X, y``; what comes out has their types.

        Raises:
            ArrayError: labels that are missing, no negative class for the intrinsic strategy, a reference that is
                missing, overlaps the data or does not fit it, predictions of another length.
        """
        X = as_rows(X, "data") if hasattr(X, "detach") else X
        y = y.detach().cpu().numpy() if hasattr(y, "detach") else y
        check_labels(type(self).__name__, y)
        self._categories = getattr(getattr(y, "cat", None), "categories", None)
        return super().fit_resample(X, y, **params)

    def _fit_resample(self, X: Any, y: np.ndarray) -> tuple[Any, np.ndarray]:
        self._check_strategy()
        clean = self._reference(X, y) if self.strategy == "extrinsic" else None
        self.classes_ = np.unique(y if clean is None else np.concatenate([y, clean[1]]))
        codes, negative = np.searchsorted(self.classes_, y), self._negative_code()
        vote: dict[str, Any] = {"k": self.n_neighbors, "vote": self.vote, "metric": self.metric}
        vote |= {"max_distance": self.max_distance, "chunk": self.chunk}
        if clean is None:
            assert negative is not None  # the strategy was checked
            flags = self._intrinsic(X, y, codes, negative, vote)
        else:
            flags = self._extrinsic(X, codes, clean, negative, vote)
        self.flagged_, self.examined_, self.votes_ = flags.flagged, flags.examined, flags.votes
        self.false_negatives_ = flags.false_negatives
        rows = np.flatnonzero(flags.new_label >= 0)
        new = self.classes_[flags.new_label[rows]]
        self.relabel_ = dict(zip(rows.tolist(), new.tolist(), strict=True))
        if self.action == "drop":
            self.sample_indices_ = np.flatnonzero(~flags.flagged)
            return X[self.sample_indices_], y[self.sample_indices_]
        self.sample_indices_ = np.arange(len(y))
        holds = np.array_equal(new.astype(y.dtype), new)  # else a label of the reference would be cut or rounded
        changed = y.astype(y.dtype if holds else self.classes_.dtype)
        changed[rows] = new
        return X, changed

    def _intrinsic(
        self, X: Any, y: np.ndarray, codes: np.ndarray, negative: int, vote: dict[str, Any]
    ) -> NeighbourFlags:
        self.reference_balance_: dict[Any, int] | None = None
        self.predictions_from_: str | None = "cross-validation" if self.predictions is None else "given"
        self.predictions_: np.ndarray | None = self._predictions(X, y)
        is_negative = self.predictions_ == self.negative_label
        other = np.where(codes == negative, len(self.classes_), codes)  # whichever; only "negative" is asked for
        return intrinsic_flags(X, codes, np.where(is_negative, negative, other), negative=negative, **vote)

    def _extrinsic(
        self, X: Any, codes: np.ndarray, clean: tuple[Any, np.ndarray], negative: int | None, vote: dict[str, Any]
    ) -> NeighbourFlags:
        self.predictions_ = self.predictions_from_ = None
        self.reference_balance_ = dict(sorted(Counter(clean[1].tolist()).items()))
        clean_codes = np.searchsorted(self.classes_, clean[1])
        scope: dict[str, Any] = {"negative": negative, "with_positives": self.with_positives}
        return extrinsic_flags(X, codes, clean[0], clean_codes, **scope, **vote)

    def _check_strategy(self) -> None:
        """What the two strategies need and cannot use, each in a sentence."""
        if self.strategy == "intrinsic":
            if self.negative_label is None:
                raise ArrayError(
                    "NeighbourCleaner(strategy='intrinsic') looks for positives that were labelled negative, so it "
                    "needs negative_label=, the label of the negative class. Without one use strategy='extrinsic'."
                )
            if self.with_positives:
                raise ArrayError(
                    "NeighbourCleaner(strategy='intrinsic') takes the positives for right, so with_positives=True has "
                    "no meaning; use strategy='extrinsic'."
                )
            if self.reference is not None:
                raise ArrayError(
                    "NeighbourCleaner(strategy='intrinsic') asks no reference; use strategy='extrinsic' with it."
                )
        elif self.predictions is not None:
            raise ArrayError(
                "NeighbourCleaner(strategy='extrinsic') asks the reference and no predictions; use "
                "strategy='intrinsic' with them."
            )
        elif self.strategy == "extrinsic" and self.reference is None:
            raise ArrayError(
                "NeighbourCleaner(strategy='extrinsic') needs reference=(X, y), examples whose labels are known to be "
                "right. Without any use strategy='intrinsic' with negative_label=."
            )

    def _negative_code(self) -> int | None:
        if self.negative_label is None:
            return None
        found = np.flatnonzero(self.classes_ == self.negative_label)
        if not len(found):
            hint = nearest(str(self.negative_label), map(str, self.classes_.tolist()))
            known = f"Did you mean {hint!r}?" if hint else f"It has {', '.join(map(repr, self.classes_.tolist()))}."
            raise ArrayError(f"negative_label={self.negative_label!r} is no label of the data. {known}")
        return int(found[0])

    def _predictions(self, X: Any, y: np.ndarray) -> np.ndarray:
        """One predicted label a row."""
        if self.predictions is None:
            return cross_predictions(X, y, self.estimator, folds=self.cv, seed=self.random_state or 0)
        check_labels("NeighbourCleaner(predictions=)", self.predictions)
        given = np.asarray(self.predictions)
        if given.shape != y.shape:
            raise ArrayError(
                f"predictions= must be one label for each of {len(y)} rows. Got an array of shape {given.shape}."
            )
        if not np.isin(given, self.classes_).any():
            raise ArrayError(
                "predictions= holds none of the labels of the data: it begins with "
                f"{given.tolist()[0]!r}, they with {y.tolist()[0]!r}."
            )
        return given

    def _reference(self, X: Any, y: np.ndarray) -> tuple[Any, np.ndarray]:
        """The reference, checked against the data, without what is not to vote."""
        if len(self.reference) != 2:
            raise ArrayError(f"reference= must be a pair (X, y). Got {len(self.reference)} parts.")
        clean_X, clean_y = self.reference
        check_labels("NeighbourCleaner(reference=)", clean_y)
        clean_X = as_rows(clean_X, "reference") if hasattr(clean_X, "detach") else clean_X
        with warnings.catch_warnings():  # an array may serve as the reference of a DataFrame, and the other way round
            warnings.filterwarnings("ignore", message="X (does not have valid|has) feature names")
            clean_X = validate_data(self, clean_X, reset=False, accept_sparse=["csr", "csc"])
        clean_X = clean_X.tocsr() if hasattr(clean_X, "tocsr") else clean_X
        labels = np.asarray(clean_y.detach().cpu() if hasattr(clean_y, "detach") else clean_y)
        if labels.shape != (clean_X.shape[0],):
            raise ArrayError(
                f"reference= has {clean_X.shape[0]} rows and labels of shape {labels.shape}; give one label a row."
            )
        if (labels.dtype.kind in "iufb") != (y.dtype.kind in "iufb"):
            raise ArrayError(
                "The labels of the reference are of another kind than those of the data: "
                f"{labels.tolist()[0]!r} and {y.tolist()[0]!r}."
            )
        self._check_categories(labels)
        keep = self._apart(X, clean_X) & self._drawn(labels)
        if not keep.any():
            raise ArrayError("No row of the reference is left: all of them are in the data. Give rows that are not.")
        return clean_X[keep], labels[keep]

    def _check_categories(self, labels: np.ndarray) -> None:
        new = [] if self._categories is None else sorted(set(labels.tolist()) - set(self._categories.tolist()), key=str)
        if new:
            raise ArrayError(
                f"The reference has the label {new[0]!r}, which is no category of y; "
                "add it first: y.cat.add_categories(...)."
            )

    def _apart(self, X: Any, clean_X: Any) -> np.ndarray:
        """Which rows of the reference are not in the data, bool; an error where some are and that is refused."""
        ours: dict[bytes, int] = {}
        for place, key in enumerate(_row_keys(clean_X)):
            ours.setdefault(key, place)
        shared = [(row, ours[key]) for row, key in enumerate(_row_keys(X)) if key in ours]
        if shared and self.overlap == "refuse":
            raise ArrayError(
                f"The reference overlaps the data: row {shared[0][0]} of the data is row {shared[0][1]} of the "
                f"reference (from 0); rows of the data that are in both: {len(shared)}. Leave them out of one of the "
                "two, or pass overlap='drop' to leave them out of the reference."
            )
        places = {place for _, place in shared}
        taken = {key for key, place in ours.items() if place in places}
        return np.array([key not in taken for key in _row_keys(clean_X)], dtype=bool)

    def _drawn(self, labels: np.ndarray) -> np.ndarray:
        """Which rows of the reference are drawn, at most so many a class; bool."""
        if self.reference_per_class is None:
            return np.ones(len(labels), dtype=bool)
        order = rng(self.random_state or 0, "reference").permutation(len(labels))
        drawn = np.zeros(len(labels), dtype=bool)
        for label in np.unique(labels):
            drawn[order[labels[order] == label][: self.reference_per_class]] = True
        return drawn

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.sampler_tags.sample_indices = True
        return tags


def _row_keys(X: Any) -> list[bytes]:
    """Equal rows have equal keys, dense or sparse, whatever the precision they are held in."""
    keys = []
    for start in range(0, X.shape[0], 1024):
        block = X[start : start + 1024]
        block = (block.toarray() if hasattr(block, "toarray") else block).astype(np.float64) + 0.0  # -0 is 0
        keys += [row.tobytes() for row in np.ascontiguousarray(block)]
    return keys
