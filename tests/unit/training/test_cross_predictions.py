"""Every row is predicted by a model that has not seen it."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator

from litotes.core.errors import ArrayError
from litotes.training.cross_predictions import cross_predictions


class Memory(BaseEstimator):
    """Answers "seen" for rows that it was fitted on."""

    def fit(self, X, y):
        self.rows_ = set(X.ravel().tolist())
        self.classes_seen_ = len(set(y))
        return self

    def predict(self, X):
        return np.array(["seen" if value in self.rows_ else "new" for value in X.ravel().tolist()])


def test_no_row_is_predicted_by_a_model_that_saw_it():
    X, y = np.arange(20.0)[:, None], np.array(["seen", "new"] * 10)
    assert cross_predictions(X, y, Memory(), folds=4).tolist() == ["new"] * 20


def test_separable_classes_are_predicted_dense_and_sparse():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 60)
    X = 9 * np.eye(3)[y] + rng.standard_normal((60, 3))
    assert cross_predictions(X, y).tolist() == y.tolist()
    assert cross_predictions(sp.csr_matrix(X), y).tolist() == y.tolist()


def test_the_same_seed_gives_the_same_and_another_other_folds():
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((80, 2)), rng.integers(0, 2, 80)
    first = cross_predictions(X, y, seed=0)
    assert first.tolist() == cross_predictions(X, y, seed=0).tolist() != cross_predictions(X, y, seed=1).tolist()


def test_a_class_of_one_row_is_predicted_as_the_others():
    X, y = np.array([[0.0], [0.1], [0.2], [9.0]]), np.array(["a", "a", "a", "b"])
    assert cross_predictions(X, y).tolist() == ["a"] * 4


def test_classes_of_one_row_each_are_refused():
    with pytest.raises(ArrayError, match="need two rows of some class. Got 2 rows, all different."):
        cross_predictions(np.eye(2), np.array(["a", "b"]))
