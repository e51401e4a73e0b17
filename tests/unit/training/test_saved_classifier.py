"""A fitted classifier written and read: the same answers, no pickle, and clear words where it does not fit."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError
from torch import nn

from litotes.core.errors import DataError, LitotesError
from litotes.training.saved_classifier import kind_of
from tests.unit.training.plain_classifier import PlainClassifier, three_blobs

X, Y = three_blobs()


class OtherClassifier(PlainClassifier):
    """Another kind."""


@pytest.fixture
def fitted():
    return PlainClassifier(random_state=0).fit(X, Y)


def test_the_same_answers_parameters_and_history(fitted, tmp_path):
    fitted.save(tmp_path / "m")
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["classifier.json", "classifier.safetensors"]
    model = PlainClassifier.load(tmp_path / "m")
    np.testing.assert_array_equal(model.predict_proba(X), fitted.predict_proba(X))
    assert model.predict(X).tolist() == fitted.predict(X).tolist()
    assert model.get_params() == fitted.get_params()
    assert model.history_ == fitted.history_ and model.best_epoch_ == fitted.best_epoch_
    np.testing.assert_array_equal(model.held_out_, fitted.held_out_)
    assert model.fit(X, Y).score(X, Y) > 0.9


@pytest.mark.parametrize(
    "labels",
    [np.array([3, 7, 9]), np.array([True, False, True]), np.array(["x", "yy", "z"], dtype=object), [1.0, 2.0, 4.0]],
)
def test_labels_keep_their_type(labels, tmp_path):
    y = np.asarray(labels)[np.unique(Y, return_inverse=True)[1]]
    PlainClassifier(num_train_epochs=1, random_state=0).fit(X, y).save(tmp_path)
    model = PlainClassifier.load(tmp_path)
    assert model.classes_.dtype == np.unique(y).dtype and model.classes_.tolist() == np.unique(y).tolist()


def test_names_of_columns_are_kept(tmp_path):
    PlainClassifier(num_train_epochs=1, random_state=0).fit(pd.DataFrame(X, columns=["a", "b"]), Y).save(tmp_path)
    with pytest.raises(ValueError, match="feature names should match"):
        PlainClassifier.load(tmp_path).predict(pd.DataFrame(X, columns=["a", "c"]))


def test_a_module_of_one_s_own_is_needed_again(tmp_path):
    module = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    model = PlainClassifier(module=module, random_state=np.random.RandomState(0)).fit(X, Y)
    model.save(tmp_path)
    with pytest.raises(LitotesError) as error:
        PlainClassifier.load(tmp_path)
    assert str(error.value) == (
        f"{tmp_path / 'classifier.json'}: was trained with a module of your own. "
        "Load it with PlainClassifier.load(folder, module=...)."
    )
    loaded = PlainClassifier.load(tmp_path, module=module)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    with pytest.raises(DataError, match="classifier.safetensors: does not hold the weights of this classifier"):
        PlainClassifier.load(tmp_path, module=nn.Linear(2, 3))


def test_a_module_where_none_is_wanted(fitted, tmp_path):
    fitted.save(tmp_path)
    with pytest.raises(LitotesError, match="was trained with the network of PlainClassifier; load it without module="):
        PlainClassifier.load(tmp_path, module=nn.Linear(2, 3))


def test_tied_weights_are_written(tmp_path):
    class Tied(nn.Module):
        def __init__(self, n_features, n_classes):
            super().__init__()
            self.one = nn.Linear(n_features, n_features)
            self.two, self.head = nn.Linear(n_features, n_features), nn.Linear(n_features, n_classes)
            self.two.weight = self.one.weight

        def forward(self, inputs):
            return self.head(self.two(self.one(inputs)))

    model = PlainClassifier(module=Tied, num_train_epochs=1, random_state=0).fit(X, Y)
    model.save(tmp_path)
    loaded = PlainClassifier.load(tmp_path, module=Tied)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_loading_leaves_the_generator_alone(fitted, tmp_path):
    fitted.save(tmp_path)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    PlainClassifier.load(tmp_path)
    assert torch.equal(torch.rand(1), expected)


def test_kinds_are_told_apart(fitted, tmp_path):
    fitted.save(tmp_path)
    assert kind_of([OtherClassifier, PlainClassifier], tmp_path) is PlainClassifier
    with pytest.raises(DataError) as error:
        OtherClassifier.load(tmp_path)
    assert str(error.value) == (
        f"{tmp_path / 'classifier.json'}: not a OtherClassifier of this version of Litotes. It holds: PlainClassifier."
    )


def test_what_is_no_classifier(fitted, tmp_path):
    with pytest.raises(DataError, match="no such file"):
        PlainClassifier.load(tmp_path)
    (tmp_path / "classifier.json").write_text("[1]")
    with pytest.raises(DataError, match="It holds: something else."):
        PlainClassifier.load(tmp_path)
    fitted.save(tmp_path)
    (tmp_path / "classifier.safetensors").write_bytes(b"half")
    with pytest.raises(DataError, match="does not hold the weights of this classifier"):
        PlainClassifier.load(tmp_path)


def test_not_fitted_and_labels_that_json_cannot_hold(fitted, tmp_path):
    with pytest.raises(NotFittedError):
        PlainClassifier().save(tmp_path)
    fitted.classes_ = np.array([b"a", b"b", b"c"])
    with pytest.raises(LitotesError, match="Labels of the type bytes cannot be saved. Use texts or numbers."):
        fitted.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_description_is_json_that_a_person_can_read(fitted, tmp_path):
    fitted.save(tmp_path)
    found = json.loads((tmp_path / "classifier.json").read_text())
    assert found["kind"] == "PlainClassifier" and found["classes"] == ["ash", "birch", "cedar"]
    assert found["parameters"]["hidden"] == [16]
