"""A table in, a classifier in a run folder out: texts and numbers, stopped and resumed, loaded with its encoder."""

import csv
import json

import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from torch import nn

from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.core.run_folder import RunFolder
from litotes.data import LabelledTable
from litotes.recipes.classification.elr import (
    ELRClassifier,
    ELRConfig,
    ELRPlusClassifier,
    ELRPlusConfig,
    load_model,
    train_elr,
    train_elr_plus,
)
from litotes.recipes.load_model import load_model as load_any
from litotes.training import array_task
from tests.unit.recipes.classification.noisy_blobs import noisy_blobs
from tests.unit.recipes.retrieval.stopped_runs import Stopped, stop_at_call, weights_of
from tests.unit.training.plain_classifier import three_blobs

X, Y = three_blobs(60)
NUMBERS = LabelledTable.from_arrays(Y, features=X, name="trees")
DEV = LabelledTable.from_arrays(Y[:12], features=X[:12] + 0.1, name="dev")
TEXTS = LabelledTable.from_arrays(
    ["a", "b"] * 15, texts=[f"{'apple' if i % 2 == 0 else 'brick'} {i}" for i in range(30)], name="texts"
)
SMALL = {
    "hidden": (16,), "num_train_epochs": 5, "learning_rate": 0.1, "per_device_train_batch_size": 16, "device": "cpu"
}  # fmt: skip
TINY = {**SMALL, "encoder": "tiny:bert"}


def test_numbers_with_rows_to_watch(tmp_path):
    model = train_elr(NUMBERS, ELRConfig(**SMALL), tmp_path / "m", dev=DEV)
    assert isinstance(model, ELRClassifier) and model.score(X, Y) > 0.9
    words = {**{name: value for name, value in SMALL.items() if not name.startswith("per_device")}, "batch_size": 16}
    direct = ELRClassifier(**words, random_state=0).fit(X.astype(np.float32), Y, valid=(DEV.features, Y[:12]))
    np.testing.assert_array_equal(model.predict_proba(X), direct.predict_proba(X))
    stage = RunFolder.open(tmp_path / "m").stages["train/elr"]
    assert stage["done"] and stage["config"]["hidden"] == [16] and stage["seed"] == 0
    summary = stage["summary"]
    assert (summary["rows"], summary["classes"], summary["epochs"], summary["held_out"]) == (60, 3, 5, [])
    watched = summary["watched_accuracy"]
    assert watched["final"] == model.score(DEV.features, Y[:12]) and 1 <= watched["best_epoch"] <= 5
    assert not (tmp_path / "m" / "checkpoints").exists()


def test_the_accuracy_on_watched_rows_rises_with_the_defaults(tmp_path):
    X, _, given, _ = noisy_blobs(300)
    fresh, right, _, _ = noisy_blobs(200, seed=1)
    data = LabelledTable.from_arrays(given, features=X)
    dev = LabelledTable.from_arrays(right, features=fresh)
    train_elr(data, ELRConfig(num_train_epochs=30), tmp_path, dev=dev)
    watched = RunFolder.open(tmp_path).stages["train/elr"]["summary"]["watched_accuracy"]
    assert watched["final"] > watched["first_epoch"]


def test_without_them_a_tenth_is_held_out_and_named(tmp_path):
    model = train_elr(NUMBERS, ELRConfig(**SMALL), tmp_path)
    summary = RunFolder.open(tmp_path).stages["train/elr"]["summary"]
    assert summary["held_out"] == [str(row) for row in model.held_out_] and len(summary["held_out"]) == 6


def test_texts_come_back_with_their_encoder(tmp_path):
    model = train_elr(TEXTS, ELRConfig(**TINY), tmp_path / "m")
    assert isinstance(model, Pipeline) and model.score(TEXTS.texts, TEXTS.labels) > 0.9
    assert json.loads((tmp_path / "m" / "encoder.json").read_text())["encoder"] == "tiny:bert"
    for loaded in (load_any(tmp_path / "m"), load_model(tmp_path / "m", device="cpu")):
        np.testing.assert_array_equal(loaded.predict_proba(TEXTS.texts), model.predict_proba(TEXTS.texts))
        assert loaded.classes_.tolist() == ["a", "b"]


def test_given_labels_are_written_with_their_scores_the_most_suspicious_first(tmp_path):
    X, _, given, _ = noisy_blobs(80)
    data = LabelledTable.from_arrays(given, features=X)
    model = train_elr(data, ELRConfig(**{**SMALL, "num_train_epochs": 15}), tmp_path)
    with open(tmp_path / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "is_label_issue", "label_score", "given_label", "predicted_label"]
    scores = [float(row["label_score"]) for row in rows]
    assert scores == sorted(scores) and sorted(int(row["id"]) for row in rows) == list(range(80))
    for row in rows:
        at = int(row["id"])
        assert float(row["label_score"]) == pytest.approx(float(model.label_quality_[at]))
        assert row["given_label"] == str(given[at])
        assert row["predicted_label"] == model.classes_[model.targets_[at].argmax()]
        assert (row["is_label_issue"] == "True") == (row["predicted_label"] != row["given_label"])


def test_elr_plus(tmp_path):
    model = train_elr_plus(NUMBERS, ELRPlusConfig(**SMALL), tmp_path / "m")
    assert isinstance(model, ELRPlusClassifier)
    loaded = load_any(tmp_path / "m")
    assert isinstance(loaded, ELRPlusClassifier)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("stop_at", [1, 5, 15])
@pytest.mark.parametrize("command", ["elr", "elr-plus"])
def test_a_killed_run_made_again_is_one_that_never_stopped(tmp_path, monkeypatch, stop_at, command):
    train, config = {"elr": (train_elr, ELRConfig), "elr-plus": (train_elr_plus, ELRPlusConfig)}[command]
    whole = train(NUMBERS, config(**SMALL), tmp_path / "whole")
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        stop_at_call(patch, array_task.ArrayRows, "take", stop_at + 1)
        train(NUMBERS, config(**SMALL), tmp_path / "m")
    with pytest.raises(LitotesError, match="its training is not finished. Go on with: litotes resume"):
        load_any(tmp_path / "m")
    resumed = train(NUMBERS, config(**SMALL), tmp_path / "m")
    assert weights_of(tmp_path / "m") == weights_of(tmp_path / "whole")
    assert resumed.history_ == whole.history_
    np.testing.assert_array_equal(resumed.targets_, whole.targets_)


def test_a_finished_run_is_loaded_and_other_options_are_refused(tmp_path, monkeypatch):
    train_elr(NUMBERS, ELRConfig(**SMALL), tmp_path)
    monkeypatch.setattr(ELRClassifier, "fit_into", None)
    train_elr(NUMBERS, ELRConfig(**SMALL), tmp_path)
    with pytest.raises(StaleError, match="another regularization"):
        train_elr(NUMBERS, ELRConfig(**SMALL, regularization=1.0), tmp_path)
    with pytest.raises(StaleError, match="trained with another data"):
        train_elr(DEV, ELRConfig(**SMALL), tmp_path)


def test_a_network_of_one_s_own(tmp_path):
    model = train_elr(NUMBERS, ELRConfig(**SMALL), tmp_path, module=nn.Linear(2, 3))
    loaded = ELRClassifier.load(tmp_path, module=nn.Linear(2, 3))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    again = train_elr(NUMBERS, ELRConfig(**SMALL), tmp_path, module=nn.Linear(2, 3))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_what_cannot_be_learned_from(tmp_path):
    with pytest.raises(DataError, match="one: every row has the label 'ash'. Expected two classes at least."):
        train_elr(LabelledTable.from_arrays(["ash"] * 60, features=X, name="one"), ELRConfig(**SMALL), tmp_path / "a")
    other = LabelledTable.from_arrays(["yew"], features=X[:1], name="dev")
    with pytest.raises(DataError, match="dev:0: the label 'yew' is none of the 3 classes of trees"):
        train_elr(NUMBERS, ELRConfig(**SMALL), tmp_path / "b", dev=other)
    with pytest.raises(DataError, match="empty: neither texts nor numbers to learn from."):
        train_elr(LabelledTable.from_arrays(Y, name="empty"), ELRConfig(**SMALL), tmp_path / "c")
    with pytest.raises(DataError, match="dev: has no numbers as trees has. Read both with the same columns."):
        train_elr(
            NUMBERS, ELRConfig(**SMALL), tmp_path / "d", dev=LabelledTable.from_arrays(["ash"], texts=["x"], name="dev")
        )
    wide = LabelledTable.from_arrays(["ash"], features=np.ones((1, 5)), name="dev")
    with pytest.raises(DataError, match="dev: 5 numbers a row, and trees has 2. Give the same."):
        train_elr(NUMBERS, ELRConfig(**SMALL), tmp_path / "e", dev=wide)
