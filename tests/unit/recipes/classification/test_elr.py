"""ELR as an estimator: the algorithm by hand, its variants, what it flags, and that it does not memorise."""

import inspect
import math

import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn
from torch.nn import functional as F

from litotes.data import symmetric_noise
from litotes.recipes.classification.elr import ELRClassifier, ELRPlusClassifier
from litotes.recipes.classification.elr_options import ELRConfig, ELRPlusConfig
from litotes.recipes.classification.text_options import TextOptions
from tests.unit.recipes.classification.noisy_blobs import noisy_blobs
from tests.unit.training.plain_classifier import PlainClassifier, three_blobs

X, Y = three_blobs(60)
LABELS = torch.from_numpy(np.unique(Y, return_inverse=True)[1])
WHOLE = {"batch_size": 60, "validation_fraction": 0.0, "random_state": 0}  # one step an epoch, in no order


@parametrize_with_checks([ELRClassifier(learning_rate=0.1, num_train_epochs=3)])
def test_scikit_learn_s_checks(estimator, check):
    check(estimator)


def linear(n_features=2, n_classes=3):
    torch.manual_seed(11)
    return nn.Linear(n_features, n_classes)


def by_hand(epochs, rate, lam, beta, *, average=None):
    """Gradient descent on the paper's formula, in a loop over examples; ``average``: the most it keeps of itself."""
    weights = {name: p.detach().clone() for name, p in linear().named_parameters()}
    slow = {name: p.clone() for name, p in weights.items()}
    x, memory = torch.from_numpy(X).float(), torch.zeros(60, 3)
    for step in range(epochs):
        for p in weights.values():
            p.requires_grad_()
        loss = torch.zeros(())
        for i in range(60):
            p = torch.softmax(weights["weight"] @ x[i] + weights["bias"], dim=0)
            q = p if average is None else torch.softmax(slow["weight"] @ x[i] + slow["bias"], dim=0)
            q = q.detach().clamp(1e-4, 1 - 1e-4)
            memory[i] = beta * memory[i] + (1 - beta) * q / q.sum()
            inner = (memory[i].clone() * p.clamp(1e-4, 1 - 1e-4)).sum()
            loss = loss + (-torch.log(p[LABELS[i]]) + lam * torch.log(1 - inner)) / 60
        grads = torch.autograd.grad(loss, list(weights.values()))
        weights = {n: (w - rate * g).detach() for (n, w), g in zip(weights.items(), grads, strict=True)}
        if average is not None:
            share = average * math.exp(-5 * (1 - min(step + 1, 3) / 3) ** 2)  # a ramp of three steps
            slow = {n: share * slow[n] + (1 - share) * w for n, w in weights.items()}
    return weights, memory, loss.item()


PLAIN_SGD = {"momentum": 0.0, "weight_decay": 0.0, "learning_rate": 0.1, "num_train_epochs": 4, **WHOLE}


def test_training_is_the_formula_by_hand():
    model = ELRClassifier(module=linear(), regularization=2.0, target_momentum=0.6, **PLAIN_SGD).fit(X, Y)
    weights, memory, loss = by_hand(4, 0.1, 2.0, 0.6)
    torch.testing.assert_close(model.networks_["network"].weight, weights["weight"], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(torch.from_numpy(model.targets_), memory, atol=1e-5, rtol=1e-4)
    assert model.history_[-1]["train_loss"] == pytest.approx(loss, abs=1e-4)


@pytest.mark.parametrize("beta", [0.0, 0.6])
def test_targets_from_averaged_weights_by_hand(beta):
    options = {"targets": "weight-average", "average_momentum": 0.4, "average_ramp": 3.0, "target_momentum": beta}
    model = ELRClassifier(module=linear(), regularization=2.0, **options, **PLAIN_SGD).fit(X, Y)
    weights, memory, _ = by_hand(4, 0.1, 2.0, beta, average=0.4)
    torch.testing.assert_close(model.networks_["network"].weight, weights["weight"], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(torch.from_numpy(model.targets_), memory, atol=1e-5, rtol=1e-4)
    assert (by_hand(4, 0.1, 2.0, beta)[1] - memory).abs().max() > 0.01, "both kinds of targets are the same: vacuous"


def test_without_regularization_it_is_cross_entropy_and_the_memory_follows():
    shared = {"hidden": (16,), "num_train_epochs": 3, "learning_rate": 0.05, "batch_size": 16, "random_state": 0}
    elr = ELRClassifier(regularization=0.0, **shared).fit(X, Y)
    plain = PlainClassifier(**shared).fit(X, Y)
    np.testing.assert_array_equal(elr.predict_proba(X), plain.predict_proba(X))
    assert elr.history_ == plain.history_
    assert (elr.targets_ > 0).all()


def test_a_row_is_visited_once_an_epoch():
    model = ELRClassifier(num_train_epochs=3, target_momentum=0.7, batch_size=7, random_state=0).fit(X, Y)
    expected = np.full(60, 1 - 0.7**3)
    expected[model.held_out_] = 1.0
    np.testing.assert_allclose(model.targets_.sum(axis=1), expected, atol=1e-5)


def test_with_constant_outputs_targets_are_the_outputs_times_one_less_beta_to_the_visits():
    model = ELRClassifier(module=linear(), learning_rate=1e-12, num_train_epochs=5, **WHOLE).fit(X, Y)
    np.testing.assert_allclose(model.targets_, (1 - 0.7**5) * model.predict_proba(X), atol=1e-3)


def test_momentum_zero_keeps_the_last_visit():
    options = {**PLAIN_SGD, "num_train_epochs": 1}
    first = ELRClassifier(module=linear(), target_momentum=0.0, **options).fit(X, Y)
    start = torch.softmax(linear()(torch.from_numpy(X).float()), dim=1).detach().numpy()
    np.testing.assert_allclose(first.targets_, start, atol=1e-3)


def test_label_quality_is_the_target_of_the_given_label_and_for_rows_held_out_its_probability():
    X, _, given, _ = noisy_blobs()
    model = ELRClassifier(num_train_epochs=10, random_state=0).fit(X, given)
    np.testing.assert_array_equal(model.label_quality_, model.targets_[np.arange(160), given])
    np.testing.assert_array_equal(model.label_issues_, model.targets_.argmax(axis=1) != given)
    held = model.held_out_
    assert len(held) == 16
    np.testing.assert_allclose(model.label_quality_[held], model.predict_proba(X)[held, given[held]], atol=1e-6)


def test_wrong_labels_are_found_and_not_memorised():
    X, truth = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    train, test = order[:500], order[500:1000]
    noisy = symmetric_noise(truth[train], 0.3, seed=0)
    wrong, given = noisy.wrong, noisy.labels
    watch = {"wrong": (X[train][wrong], given[wrong]), "clean": (X[test], truth[test])}
    shared = {"num_train_epochs": 30, "batch_size": 32, "validation_fraction": 0.0, "random_state": 0}
    plain = ELRClassifier(regularization=0.0, **shared).fit(X[train], given, watch=watch)
    elr = ELRClassifier(**shared).fit(X[train], given, watch=watch)
    first, last = plain.history_[:10], plain.history_[-1]
    assert last["wrong_accuracy"] > 0.7, "cross entropy memorises little here: vacuous"
    assert max(record["clean_accuracy"] for record in first) > last["clean_accuracy"] + 0.08, (
        "no early learning: vacuous"
    )
    assert elr.history_[-1]["wrong_accuracy"] < 0.25
    assert elr.history_[-1]["clean_accuracy"] > last["clean_accuracy"] + 0.1
    assert average_precision_score(wrong, -elr.label_quality_) > 0.9
    assert (elr.label_issues_ == wrong).mean() > 0.9


def test_without_noise_it_is_as_good_as_cross_entropy():
    X, truth, _, _ = noisy_blobs(rate=0.0)
    fresh_x, fresh_y, _, _ = noisy_blobs(400, seed=1)
    scores = [
        ELRClassifier(regularization=lam, num_train_epochs=20, random_state=0).fit(X, truth).score(fresh_x, fresh_y)
        for lam in (0.0, 3.0)
    ]
    assert scores[1] >= scores[0] - 0.02


@pytest.mark.parametrize("form", ["log", "kl", "dot"])
def test_forms_of_the_second_term(form):
    model = ELRClassifier(form=form, num_train_epochs=3, learning_rate=0.05, random_state=0).fit(X, Y)
    assert model.score(X, Y) > 0.9
    others = [f for f in ("log", "kl", "dot") if f != form]
    for other in others:
        twin = ELRClassifier(form=other, num_train_epochs=3, learning_rate=0.05, random_state=0).fit(X, Y)
        assert not np.array_equal(twin.predict_proba(X), model.predict_proba(X))


def test_label_smoothing_is_torch_s():
    model = ELRClassifier(module=linear(), regularization=0.0, label_smoothing=0.2, **PLAIN_SGD).fit(X, Y)
    start = linear()(torch.from_numpy(X).float())
    expected = F.cross_entropy(start, LABELS, label_smoothing=0.2).item()
    assert model.history_[0]["train_loss"] == pytest.approx(expected, rel=1e-5)


def test_targets_in_half_precision():
    X, _, given, _ = noisy_blobs()
    options = {"num_train_epochs": 12, "validation_fraction": 0.0, "random_state": 0}
    half = ELRClassifier(memory_dtype="float16", **options).fit(X, given)
    full = ELRClassifier(**options).fit(X, given)
    assert not np.array_equal(half.targets_, full.targets_)
    np.testing.assert_allclose(half.targets_.astype(np.float16), half.targets_, rtol=0)
    assert (half.label_issues_ == full.label_issues_).mean() > 0.97


def test_sparse_input_pipeline_and_grid():
    model = ELRClassifier(num_train_epochs=4, learning_rate=0.1, random_state=0)
    assert model.fit(scipy.sparse.csr_matrix(X), Y).score(scipy.sparse.csr_matrix(X), Y) > 0.9
    search = GridSearchCV(
        make_pipeline(StandardScaler(), model), {"elrclassifier__regularization": [0.0, 3.0]}, cv=2
    ).fit(X, Y)
    assert search.best_score_ > 0.9


def test_a_saved_model_knows_its_labels_quality(tmp_path):
    model = ELRClassifier(num_train_epochs=2, random_state=0).fit(X, Y)
    model.save(tmp_path)
    loaded = ELRClassifier.load(tmp_path)
    np.testing.assert_array_equal(loaded.label_quality_, model.label_quality_)
    np.testing.assert_array_equal(loaded.label_issues_, model.label_issues_)
    assert loaded.label_issues_.dtype == bool and not hasattr(loaded, "targets_")


@pytest.mark.parametrize(("kind", "config"), [(ELRClassifier, ELRConfig), (ELRPlusClassifier, ELRPlusConfig)])
def test_parameters_are_the_options_with_the_same_defaults(kind, config):
    renamed = {"batch_size": "per_device_train_batch_size", "random_state": "seed"}
    signature = inspect.signature(kind).parameters
    options = {renamed.get(name, name): p.default for name, p in signature.items() if name != "module"}
    own = {name: field.default for name, field in config.model_fields.items() if name not in TextOptions.model_fields}
    assert {**options, "seed": 0} == own
    assert kind().get_params(deep=False) == {name: p.default for name, p in signature.items()}


@pytest.mark.parametrize("config", [ELRConfig, ELRPlusConfig])
def test_presets_are_values_of_the_paper(config):
    paper = config.preset("paper")
    assert (paper.regularization, paper.target_momentum) == (3.0, 0.7)
    assert (paper.learning_rate, paper.momentum, paper.per_device_train_batch_size) == (0.02, 0.9, 128)
    many = config.preset("paper-many-classes")
    assert (many.regularization, many.target_momentum) == (7.0, 0.9)
    assert paper.weight_decay == (1e-3 if config is ELRConfig else 5e-4)
    if config is ELRConfig:
        other = config.preset("paper-asymmetric")
        assert (other.regularization, other.target_momentum, other.num_train_epochs) == (1.0, 0.9, 120)
        assert paper.schedule == "cosine-restarts" and paper.restart_floor * 0.02 == pytest.approx(1e-3)
    else:
        assert (paper.average_momentum, paper.average_ramp, paper.mixup_alpha) == (0.997, 40_000, 1.0)
        assert many.reweight_labels and many.regularization_ramp == 40_000
