"""scikit-learn's side of the classifiers of arrays: its own checks, then ours."""

import pickle
import random
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

from litotes.core.errors import ArrayError, LitotesError
from litotes.training.array_options import ArrayOptions
from tests.unit.training.plain_classifier import PlainClassifier, three_blobs

X, Y = three_blobs()


@parametrize_with_checks([PlainClassifier(learning_rate=0.1, num_train_epochs=3)])
def test_scikit_learn_s_checks(estimator, check):
    check(estimator)


def test_it_learns_and_answers_in_the_labels_that_were_given():
    model = PlainClassifier(random_state=0).fit(X, Y)
    assert model.classes_.tolist() == ["ash", "birch", "cedar"]
    assert model.score(X, Y) == 1.0
    proba = model.predict_proba(X[:7])
    assert proba.dtype == np.float64 and proba.shape == (7, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    assert (model.classes_[proba.argmax(axis=1)] == model.predict(X[:7])).all()


@pytest.mark.parametrize(
    "labels",
    [np.array([3, 7, 9]), np.array([True, False, True]), np.array(["x", "yy", "z"], dtype=object), [1.0, 2.0, 4.0]],
)
def test_labels_of_any_kind_come_back(labels):
    y = np.asarray(labels)[np.unique(Y, return_inverse=True)[1]]
    model = PlainClassifier(num_train_epochs=1, random_state=0).fit(X, y)
    assert model.predict(X).dtype == y.dtype and set(model.predict(X)) <= set(y)


def test_the_order_of_rows_matters_to_nothing_but_chance_and_names_of_labels_do_not_matter():
    renamed = PlainClassifier(random_state=0).fit(X, np.char.add("z", Y))
    same = PlainClassifier(random_state=0).fit(X, Y)
    np.testing.assert_array_equal(renamed.predict_proba(X), same.predict_proba(X))


def test_the_same_random_state_gives_the_same_model_and_another_another():
    one, two, other = (PlainClassifier(random_state=seed).fit(X, Y).predict_proba(X) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)
    drawn = [PlainClassifier(random_state=np.random.RandomState(3)).fit(X, Y).predict_proba(X) for _ in range(2)]
    np.testing.assert_array_equal(*drawn)


def test_a_fit_leaves_the_generators_of_the_process_alone():
    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    before = torch.rand(1).item(), np.random.rand(), random.random()
    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    PlainClassifier(num_train_epochs=1, random_state=0).fit(X, Y)
    assert (torch.rand(1).item(), np.random.rand(), random.random()) == before


def test_sparse_rows_give_what_dense_rows_give():
    dense = PlainClassifier(standardize=False, random_state=0).fit(X, Y)
    sparse = PlainClassifier(random_state=0).fit(scipy.sparse.csr_array(X), Y)
    np.testing.assert_array_equal(sparse.predict_proba(scipy.sparse.csc_matrix(X)), dense.predict_proba(X))


def test_float32_rows_are_taken_as_they_are():
    model = PlainClassifier(random_state=0).fit(X.astype(np.float32), Y)
    np.testing.assert_array_equal(model.predict(X.astype(np.float32)), model.predict(X))


def test_features_are_standardised_over_the_training_rows():
    far = X * [1e6, 1e-3] + [5e6, 0.0]
    model = PlainClassifier(random_state=0).fit(far, Y)
    assert model.score(far, Y) == 1.0
    train = np.setdiff1d(np.arange(90), model.held_out_)
    np.testing.assert_allclose(model.networks_["network"].mean, far[train].mean(axis=0), rtol=1e-6)
    plain = PlainClassifier(standardize=False, random_state=0).fit(X, Y)
    assert plain.networks_["network"].mean.tolist() == [0.0, 0.0]


def test_a_tenth_is_held_out_and_nothing_is_learned_from_it():
    model = PlainClassifier(random_state=0).fit(X, Y)
    held = model.held_out_
    assert len(held) == 9 and sorted(Y[held].tolist()) == ["ash"] * 3 + ["birch"] * 3 + ["cedar"] * 3
    moved = X.copy()
    moved[held] += 50.0
    np.testing.assert_array_equal(
        PlainClassifier(random_state=0).fit(moved, Y).predict_proba(X), model.predict_proba(X)
    )


def test_history_holds_every_epoch_and_the_final_and_the_best():
    wrong = np.roll(Y, 1)
    model = PlainClassifier(random_state=0).fit(X, Y, watch={"wrong": (X, wrong)})
    assert [record["epoch"] for record in model.history_] == [1, 2, 3, 4]
    last = model.history_[-1]
    assert last["wrong_accuracy"] == model.score(X, wrong)
    assert last["valid_accuracy"] == model.score(X[model.held_out_], Y[model.held_out_])
    seen = [record["valid_accuracy"] for record in model.history_]
    assert (model.final_valid_accuracy_, model.best_valid_accuracy_) == (seen[-1], max(seen))
    assert model.best_epoch_ == seen.index(max(seen)) + 1
    losses = [record["train_loss"] for record in model.history_]
    assert losses == sorted(losses, reverse=True) and losses[0] < 1.5


def test_rows_to_watch_can_be_given_and_then_all_rows_are_learned_from():
    model = PlainClassifier(random_state=0).fit(X, Y, valid=(X[:6], Y[:6]))
    assert len(model.held_out_) == 0
    assert model.final_valid_accuracy_ == model.score(X[:6], Y[:6])
    unwatched = PlainClassifier(validation_fraction=0, random_state=0).fit(X, Y)
    assert unwatched.final_valid_accuracy_ is None and unwatched.best_epoch_ is None


def test_the_best_epoch_is_kept_where_that_is_asked_for():
    fresh_x, fresh_y = three_blobs(spread=2.5, seed=8)
    kept = {"learning_rate": 0.5, "num_train_epochs": 8, "random_state": 0}
    best = PlainClassifier(select="best", **kept).fit(X, Y, valid=(fresh_x, fresh_y))
    final = PlainClassifier(**kept).fit(X, Y, valid=(fresh_x, fresh_y))
    assert best.history_ == final.history_
    assert best.best_valid_accuracy_ > best.final_valid_accuracy_, "best and final are the same: vacuous"
    assert best.score(fresh_x, fresh_y) == best.best_valid_accuracy_
    assert final.score(fresh_x, fresh_y) == final.final_valid_accuracy_


def test_any_torch_module_a_function_that_makes_one_or_its_class():
    live = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    before = {name: tensor.clone() for name, tensor in live.state_dict().items()}
    assert PlainClassifier(module=live, random_state=0).fit(X, Y).score(X, Y) > 0.9
    assert all(torch.equal(tensor, before[name]) for name, tensor in live.state_dict().items())
    asked = []

    def make(n_features, n_classes):
        asked.append((n_features, n_classes))
        return nn.Linear(n_features, n_classes)

    assert PlainClassifier(module=make, random_state=0).fit(X, Y).score(X, Y) > 0.9
    assert asked == [(2, 3)]
    assert PlainClassifier(module=nn.Linear, random_state=0).fit(X, Y).score(X, Y) > 0.9


def test_images_with_a_module_of_one_s_own():
    images = np.repeat(X[:, :, None], 4, axis=2)[:, None]  # [rows, 1, 2, 4]
    shapes = []

    def make(shape, n_classes):
        shapes.append(shape)
        return nn.Sequential(nn.Flatten(), nn.Linear(8, n_classes))

    model = PlainClassifier(module=make, learning_rate=0.02, random_state=0).fit(images, Y)
    assert model.score(images, Y) > 0.9 and shapes == [(1, 2, 4)]
    with pytest.raises(ValueError, match="Found array with dim 4"):
        PlainClassifier().fit(images, Y)


def test_a_module_that_gives_no_logits():
    with pytest.raises(LitotesError) as error:
        PlainClassifier(module=nn.Linear(2, 5), random_state=0).fit(X, Y)
    assert str(error.value) == (
        "PlainClassifier: the network must return logits of shape (9, 3), one for each class. Got (9, 5)."
    )
    with pytest.raises(ArrayError, match="must return a torch.nn.Module. Got str."):
        PlainClassifier(module=lambda n_features, n_classes: "mlp").fit(X, Y)


def test_one_class_only():
    with pytest.raises(ArrayError) as error:
        PlainClassifier().fit(X, np.full(90, "ash"))
    assert str(error.value) == (
        "PlainClassifier: every row has the label 'ash', only one class. Expected two classes at least."
    )


def test_labels_that_are_missing():
    with pytest.raises(ArrayError, match="PlainClassifier: the label of row 3 is None; 1 of 90 rows have no label"):
        PlainClassifier().fit(X, [*Y[:3], None, *Y[4:]])


def test_a_class_that_only_the_rows_to_watch_have():
    with pytest.raises(ArrayError, match="PlainClassifier: row 1 of valid has the label 'yew', which no training row"):
        PlainClassifier().fit(X, Y, valid=(X[:2], ["ash", "yew"]))
    with pytest.raises(ArrayError, match=r"PlainClassifier: valid is a pair \(X, y\). Got ndarray."):
        PlainClassifier().fit(X, Y, valid=X)
    with pytest.raises(ValueError, match="X has 3 features, but PlainClassifier is expecting 2 features"):
        PlainClassifier().fit(X, Y, valid=(np.ones((2, 3)), Y[:2]))


def test_parameters_are_checked_in_fit_and_grids_may_hold_numbers_of_numpy():
    with pytest.raises(LitotesError, match="The 'learning_rate' option of ArrayOptions: .* Got -1 instead"):
        PlainClassifier(learning_rate=-1).fit(X, Y)
    PlainClassifier(num_train_epochs=np.int64(1), learning_rate=np.float32(0.1), random_state=np.int64(0)).fit(X, Y)


def test_a_loss_that_is_no_number_ends_the_fit():
    with pytest.raises(
        LitotesError, match=r"The (loss|gradient) of 'network' is (nan|inf) at step \d+. Lower the learn"
    ):
        PlainClassifier(learning_rate=1e30, num_train_epochs=20).fit(X, Y)


def test_pipeline_grid_search_and_clone():
    pipeline = make_pipeline(MaxAbsScaler(), PlainClassifier(num_train_epochs=2, random_state=0))
    search = GridSearchCV(pipeline, {"plainclassifier__learning_rate": [1e-6, 0.2]}, cv=2).fit(X, Y)
    assert search.best_params_ == {"plainclassifier__learning_rate": 0.2} and search.score(X, Y) > 0.9
    pipeline.fit(X, Y, plainclassifier__valid=(X[:5] / 9, Y[:5]))
    assert pipeline[-1].held_out_.size == 0
    module = nn.Linear(2, 3)
    copy = clone(PlainClassifier(module=module, hidden=(3,)))
    assert copy.hidden == (3,) and not hasattr(copy, "networks_")


def test_frames_keep_the_names_of_their_columns():
    frame = pd.DataFrame(X, columns=["east", "north"])
    model = PlainClassifier(random_state=0).fit(frame, pd.Series(Y))
    assert model.feature_names_in_.tolist() == ["east", "north"]
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename(columns={"east": "west"}))


def test_a_fitted_model_can_be_sent_to_another_process():
    model = PlainClassifier(random_state=0).fit(X, Y)
    sent = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(sent.predict_proba(X), model.predict_proba(X))


def test_not_fitted():
    with pytest.raises(NotFittedError):
        PlainClassifier().predict(X)
    broken = PlainClassifier(module=nn.Linear(2, 5))
    with pytest.raises(LitotesError):
        broken.fit(X, Y)
    with pytest.raises(NotFittedError):
        broken.predict(X)


def test_from_config():
    model = PlainClassifier.from_config(ArrayOptions(learning_rate=0.3, per_device_train_batch_size=7, seed=5))
    assert (model.learning_rate, model.batch_size, model.random_state) == (0.3, 7, 5)
    assert model.hidden == (256,)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.set_params(num_train_epochs=1).fit(X, Y).networks_["network"].training is False
