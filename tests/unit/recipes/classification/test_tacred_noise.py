"""NeighbourCleaner as people use it: imbalanced-learn's suite, both strategies and actions, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from imblearn.pipeline import make_pipeline
from imblearn.utils.estimator_checks import (
    check_param_validation,
    estimator_checks_generator,
    sample_dataset_generator,
)
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils._param_validation import InvalidParameterError

from litotes.core.errors import ArrayError
from litotes.judging.neighbour_votes import extrinsic_flags, intrinsic_flags
from litotes.mining.cell_distances import as_rows
from litotes.recipes.classification.tacred_noise import NeighbourCleaner
from litotes.training.cross_predictions import cross_predictions


def flipped(seed=0, n=300, rate=0.3):
    """Four clusters with a large class "no"; 30 % of the others were called "no"."""
    rng = np.random.default_rng(seed)
    names = np.array(["no", "born", "died", "works"])
    truth = names[rng.choice(4, n, p=[0.7, 0.1, 0.1, 0.1])]
    centres = dict(zip(names, 6.0 * np.eye(4), strict=True))
    X = np.stack([centres[label] for label in truth]) + rng.standard_normal((n, 4))
    y = np.where((truth != "no") & (rng.random(n) < rate), "no", truth)
    return X, y, truth


def suite(estimators, exceptions=None):
    """imbalanced-learn's checks of each estimator; those in ``exceptions`` must fail, for the reason given."""
    cases = [
        case
        for estimator in estimators
        for case in estimator_checks_generator(estimator, expected_failed_checks=exceptions, mark="xfail")
    ]
    return pytest.mark.parametrize(("estimator", "check"), cases, ids=in_words)


def in_words(value):
    return value.func.__name__ if hasattr(value, "func") else f"{value.strategy}-{value.action}"


@suite(
    [
        NeighbourCleaner(negative_label=0),
        NeighbourCleaner(negative_label=0, action="relabel", vote="nearest", metric="cosine"),
    ]
)
def test_the_suite_of_imbalanced_learn_for_the_intrinsic_strategy(estimator, check):
    check(estimator)


def extrinsic_of_the_suite(action):
    """With a reference as wide as the checks' own data."""
    X, y = sample_dataset_generator()
    return NeighbourCleaner(strategy="extrinsic", action=action, reference=(X[:60] + 1e-3, y[:60]))


OTHER_WIDTH = "the reference is given before the data are: these checks make data of another width, which is refused"
EXCEPTIONS = dict.fromkeys(
    ["check_samplers_fit", "check_sampler_get_feature_names_out", "check_sampler_get_feature_names_out_pandas"],
    OTHER_WIDTH,
)


@suite([extrinsic_of_the_suite("drop"), extrinsic_of_the_suite("relabel")], EXCEPTIONS)
def test_the_suite_of_imbalanced_learn_for_the_extrinsic_strategy(estimator, check):
    check(estimator)


def test_wrong_parameters_are_refused_in_scikit_learns_words():
    check_param_validation("NeighbourCleaner", NeighbourCleaner(negative_label=0))
    with pytest.raises(InvalidParameterError, match="The 'action' parameter of NeighbourCleaner must be a str among"):
        NeighbourCleaner(action="mend", negative_label=0).fit_resample(np.eye(4), [0, 1, 0, 1])


def test_extrinsic_is_the_rule_of_the_page():
    X, y, _ = flipped()
    clean_X, _, clean_y = flipped(seed=1, n=100)
    classes = np.unique(y)
    codes = np.searchsorted(classes, y), np.searchsorted(classes, clean_y)
    negative = int(np.flatnonzero(classes == "no")[0])
    for with_positives in (False, True):
        flags = extrinsic_flags(X, codes[0], clean_X, codes[1], negative=negative, with_positives=with_positives)
        cleaner = NeighbourCleaner(
            strategy="extrinsic", reference=(clean_X, clean_y), negative_label="no", with_positives=with_positives
        )
        X_out, y_out = cleaner.fit_resample(X, y)
        np.testing.assert_array_equal(cleaner.sample_indices_, np.flatnonzero(~flags.flagged))
        np.testing.assert_array_equal(X_out, X[~flags.flagged])
        assert y_out.tolist() == y[~flags.flagged].tolist()
        named = {row: str(classes[flags.new_label[row]]) for row in np.flatnonzero(flags.new_label >= 0).tolist()}
        assert cleaner.relabel_ == named and named, "this test would be vacuous"
        relabelled = clone(cleaner).set_params(action="relabel")
        X_same, y_new = relabelled.fit_resample(X, y)
        assert X_same is X or np.array_equal(X_same, X)
        assert relabelled.sample_indices_.tolist() == list(range(len(y)))
        assert y_new.tolist() == [named.get(row, label) for row, label in enumerate(y.tolist())]


def test_intrinsic_is_the_rule_of_the_page():
    X, y, _ = flipped()
    rng = np.random.default_rng(2)
    guess = np.where(rng.random(len(y)) < 0.3, "no", y)
    classes = np.unique(y)
    codes, guesses = np.searchsorted(classes, y), np.searchsorted(classes, guess)
    negative = int(np.flatnonzero(classes == "no")[0])
    for vote in ("majority", "unanimous", "nearest"):
        flags = intrinsic_flags(X, codes, guesses, 5, negative=negative, vote=vote)
        cleaner = NeighbourCleaner(negative_label="no", predictions=guess, n_neighbors=5, vote=vote, action="relabel")
        _, y_new = cleaner.fit_resample(X, y)
        np.testing.assert_array_equal(cleaner.flagged_, flags.flagged)
        np.testing.assert_array_equal(cleaner.false_negatives_, flags.false_negatives)
        expected = np.where(flags.new_label >= 0, classes[flags.new_label], y)
        assert y_new.tolist() == expected.tolist()
        assert cleaner.predictions_from_ == "given"


def test_predictions_of_other_labels_are_no_false_negatives():
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), ["no", "no", "born", "died"]
    cleaner = NeighbourCleaner(negative_label="no", predictions=["no", "born", "lost", "no"])
    cleaner.fit_resample(X, y)
    assert cleaner.false_negatives_.tolist() == [3]


def test_without_an_estimator_a_cross_validated_logistic_regression_predicts():
    X, y, _ = flipped()
    cleaner = NeighbourCleaner(negative_label="no", random_state=3)
    cleaner.fit_resample(X, y)
    assert cleaner.predictions_.tolist() == cross_predictions(X, y, folds=5, seed=3).tolist()
    assert cleaner.predictions_from_ == "cross-validation"
    assert len(cleaner.false_negatives_), "this test would be vacuous"


def test_trap_a_model_that_memorised_its_labels_finds_nothing_and_a_cross_validated_one_does():
    X, y, _ = flipped()
    memory = KNeighborsClassifier(1)
    seen = NeighbourCleaner(negative_label="no", predictions=memory.fit(X, y).predict(X))
    seen.fit_resample(X, y)
    unseen = NeighbourCleaner(negative_label="no", estimator=memory)
    unseen.fit_resample(X, y)
    assert not len(seen.false_negatives_) and len(unseen.false_negatives_)


def test_without_a_negative_label_every_example_is_examined():
    X, y, _ = flipped()
    y = np.where(np.arange(len(y)) % 17 == 0, "born", y)
    clean_X, _, clean_y = flipped(seed=1)
    every = NeighbourCleaner(strategy="extrinsic", reference=(clean_X, clean_y))
    every.fit_resample(X, y)
    page = NeighbourCleaner(strategy="extrinsic", reference=(clean_X, clean_y), negative_label="no")
    page.fit_resample(X, y)
    assert every.examined_.all() and (page.examined_ == (y == "no")).all()
    np.testing.assert_array_equal(page.flagged_, every.flagged_ & (y == "no"))
    assert (every.flagged_ & (y == "born")).any()


def test_what_was_flipped_is_found_and_mended():
    X, y, truth = flipped()
    clean_X, _, clean_y = flipped(seed=1)
    cleaner = NeighbourCleaner(
        strategy="extrinsic", action="relabel", reference=(clean_X, clean_y), negative_label="no"
    )
    _, y_new = cleaner.fit_resample(X, y)
    assert (y != truth).sum() > 20
    assert (y_new != truth).sum() < 0.2 * (y != truth).sum()


def test_a_class_that_only_the_reference_knows_can_be_given():
    X, y = np.array([[0.0], [9.0], [4.0]]), np.array(["no", "no", "a"])
    cleaner = NeighbourCleaner(
        strategy="extrinsic", action="relabel", n_neighbors=1, reference=([[0.1], [9.1]], ["no", "discovered"])
    )
    assert cleaner.fit_resample(X, y)[1].tolist() == ["no", "discovered", "no"]


@pytest.mark.parametrize("make", [np.asarray, np.float32, sp.csr_matrix, sp.csc_array, pd.DataFrame, np.ndarray.tolist])
def test_any_kind_of_table_gives_the_same(make):
    X, y, _ = flipped(n=120)
    clean_X, _, clean_y = flipped(seed=1, n=60)
    X, clean_X = X.astype(np.float32).astype(np.float64), clean_X.astype(np.float32).astype(np.float64)
    plain = NeighbourCleaner(strategy="extrinsic", reference=(clean_X, clean_y), negative_label="no")
    plain.fit_resample(X, y)
    other = NeighbourCleaner(strategy="extrinsic", reference=(make(clean_X), clean_y.tolist()), negative_label="no")
    X_out, y_out = other.fit_resample(make(X), pd.Series(y))
    assert other.sample_indices_.tolist() == plain.sample_indices_.tolist()
    assert type(X_out) is type(make(X)) or sp.issparse(X_out)
    assert isinstance(y_out, pd.Series)


def test_tensors_are_taken():
    import torch

    X, y = torch.tensor([[0.0], [0.1], [5.0], [5.1]], requires_grad=True), torch.tensor([0, 0, 0, 1])
    cleaner = NeighbourCleaner(
        strategy="extrinsic", n_neighbors=1, reference=(torch.tensor([[0.2], [5.2]]), torch.tensor([0, 1]))
    )
    assert cleaner.fit_resample(X, y)[1].tolist() == [0, 0, 1]


def test_indices_select_from_a_dataset():
    from datasets import Dataset

    X, y, _ = flipped(n=100)
    table = Dataset.from_dict({"label": y.tolist()})
    cleaner = NeighbourCleaner(negative_label="no", estimator=KNeighborsClassifier(1))
    _, kept = cleaner.fit_resample(X, y)
    assert len(kept) < len(y) and table.select(cleaner.sample_indices_)["label"] == kept.tolist()


def test_in_a_pipeline_a_grid_search_and_a_clone():
    X, y, truth = flipped()
    clean_X, _, clean_y = flipped(seed=1, n=60)
    cleaner = NeighbourCleaner(strategy="extrinsic", reference=(clean_X, clean_y), negative_label="no")
    pipeline = make_pipeline(cleaner, LogisticRegression())
    search = GridSearchCV(pipeline, {"neighbourcleaner__n_neighbors": [1, 3]}, cv=2).fit(X, y)
    assert (search.predict(X) == truth).mean() > (LogisticRegression().fit(X, y).predict(X) == truth).mean()
    assert clone(cleaner).fit_resample(X, y)[1].tolist() == cleaner.fit_resample(X, y)[1].tolist()


def test_trap_the_balance_of_the_reference_is_reported_and_can_be_levelled():
    X, y, _ = flipped()
    clean_X, _, clean_y = flipped(seed=1)
    options = {"strategy": "extrinsic", "reference": (clean_X, clean_y), "negative_label": "no"}
    whole, level = NeighbourCleaner(**options), NeighbourCleaner(**options, reference_per_class=10, random_state=1)
    whole.fit_resample(X, y)
    level.fit_resample(X, y)
    assert whole.reference_balance_["no"] > 5 * whole.reference_balance_["born"]
    assert set(level.reference_balance_.values()) == {10}
    again = clone(level)
    again.fit_resample(X, y)
    assert again.flagged_.tolist() == level.flagged_.tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs negative_label=, the label of the negative class. Without one use strategy='extrinsic'."),
        ({"negative_label": "No"}, "negative_label='No' is no label of the data. Did you mean 'no'?"),
        ({"negative_label": "no", "with_positives": True}, "takes the positives for right"),
        ({"negative_label": "no", "reference": ([[1.0]], ["no"])}, "asks no reference; use strategy='extrinsic'"),
        ({"strategy": "extrinsic"}, "needs reference=(X, y), examples whose labels are known to be right."),
        (
            {"negative_label": "no", "predictions": ["no"]},
            "must be one label for each of 4 rows. Got an array of shape (1,)",
        ),
        (
            {"negative_label": "no", "predictions": list("wxyz")},
            "holds none of the labels of the data: it begins with 'w'",
        ),
        ({"negative_label": "no", "predictions": ["no", None, "a", "a"]}, "the label of row 1 is None"),
        ({"strategy": "extrinsic", "reference": ([[1.5]],)}, "reference= must be a pair (X, y). Got 1 parts."),
        (
            {"strategy": "extrinsic", "reference": ([[1.5]], ["no", "a"])},
            "reference= has 1 rows and labels of shape (2,)",
        ),
        ({"strategy": "extrinsic", "reference": ([[1.5]], [1])}, "of another kind than those of the data: 1 and 'no'"),
        ({"strategy": "extrinsic", "reference": ([[1.5]], [None])}, "the label of row 0 is None"),
        (
            {"strategy": "extrinsic", "reference": ([[1.5, 2]], ["no"])},
            "X has 2 features, but NeighbourCleaner is expecting 1",
        ),
        ({"strategy": "extrinsic", "reference": ([[np.nan]], ["no"])}, "contains NaN"),
        (
            {"strategy": "extrinsic", "reference": ([[1.5]], ["no"]), "predictions": ["no"] * 4},
            "asks the reference and no predictions",
        ),
        (
            {"strategy": "extrinsic", "reference": ([[1.0]], ["no"]), "overlap": "drop"},
            "No row of the reference is left: all of them are in the data.",
        ),
    ],
)
def test_what_cannot_work_is_refused(options, message):
    X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "no", "a", "a"]
    with pytest.raises(ValueError) as error:
        NeighbourCleaner(**options).fit_resample(X, y)
    assert message in str(error.value)


def test_a_reference_that_overlaps_the_data_is_refused_or_left_out():
    X, y = np.array([[0.0], [1.0], [2.0], [-0.0]]), ["no", "no", "a", "no"]
    options = {"strategy": "extrinsic", "reference": ([[9.0], [2.0], [0.0]], ["a", "a", "no"]), "n_neighbors": 1}
    with pytest.raises(ArrayError) as error:
        NeighbourCleaner(**options).fit_resample(X, y)
    assert str(error.value) == (
        "The reference overlaps the data: row 0 of the data is row 2 of the reference (from 0); rows of the data that "
        "are in both: 3. Leave them out of one of the two, or pass overlap='drop' to leave them out of the reference."
    )
    cleaner = NeighbourCleaner(**options, overlap="drop")
    cleaner.fit_resample(X, y)
    assert cleaner.reference_balance_ == {"a": 1}


@pytest.mark.parametrize("y", [["no", None, "a"], [0.0, np.nan, 1.0], pd.Series(["no", pd.NA, "a"])])
def test_missing_labels_are_refused(y):
    with pytest.raises(ArrayError, match="NeighbourCleaner: the label of row 1 is .* Leave those rows out"):
        NeighbourCleaner(negative_label="no").fit_resample(np.eye(3), y)


@pytest.mark.parametrize(
    ("y", "new"),
    [
        (np.array([0, 0, 1], dtype=np.int8), 300),
        (np.array([0, 0, 1]), 0.5),
        (np.array([False, False, True]), 2),
        (np.array(["no", "no", "a"]), "a long label"),
    ],
)
def test_a_new_label_is_written_whole_whatever_the_labels_are_held_in(y, new):
    cleaner = NeighbourCleaner(
        strategy="extrinsic", action="relabel", n_neighbors=1, reference=([[0.1], [5.1]], [new, y[2].item()])
    )
    _, cleaned = cleaner.fit_resample([[0.0], [5.0], [5.2]], y)
    assert cleaned[0] == new == cleaner.relabel_[0] and cleaned[2] == y[2]


def test_a_sparse_matrix_of_the_caller_stays_as_it_is():
    X = sp.csr_matrix((np.ones(3), np.array([0, 0, 1]), np.array([0, 2, 3])), shape=(2, 2))
    assert as_rows(X, "data").nnz == 2 and X.nnz == 3


def test_one_class_only_is_refused():
    with pytest.raises(ValueError, match="more than 1 class. Got 1 class instead"):
        NeighbourCleaner(negative_label="no").fit_resample(np.eye(3), ["no"] * 3)


def test_a_category_that_y_does_not_have_is_refused_before_it_becomes_nothing():
    y = pd.Series(["no", "no", "a"], dtype="category")
    cleaner = NeighbourCleaner(strategy="extrinsic", reference=([[1.5]], ["b"]))
    with pytest.raises(ArrayError, match="The reference has the label 'b', which is no category of y"):
        cleaner.fit_resample([[0.0], [1.0], [2.0]], y)
    cleaner = NeighbourCleaner(strategy="extrinsic", reference=([[1.5]], ["a"]), action="relabel")
    assert cleaner.fit_resample([[0.0], [1.0], [2.0]], y)[1].tolist() == ["a", "a", "a"]
