"""ELR+ as an estimator: who makes whose targets, what is mixed with what, and each part taken away."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn
from torch.nn import functional as F

from litotes.core.seeds import rng
from litotes.losses.elr_plus import sigmoid_ramp
from litotes.recipes.classification import elr_plus
from litotes.recipes.classification.elr import ELRClassifier, ELRPlusClassifier
from litotes.training.mixup import draw_mixture
from litotes.training.weight_average import average_momentum
from tests.unit.recipes.classification.noisy_blobs import noisy_blobs
from tests.unit.training.plain_classifier import three_blobs

X, Y = three_blobs(60)
LABELS = torch.from_numpy(np.unique(Y, return_inverse=True)[1])
WHOLE = {"batch_size": 60, "validation_fraction": 0.0, "random_state": 0}
OFF = {"mixup_alpha": 0.0, "average_momentum": 0.0}


@parametrize_with_checks([ELRPlusClassifier(hidden=(32,), learning_rate=0.2, num_train_epochs=3)])
def test_scikit_learn_s_checks(estimator, check):
    check(estimator)


@pytest.fixture
def calls(monkeypatch):
    """What the two functions of a step were called with, and what the networks saw."""
    seen = {"targets": [], "loss": []}
    for name, key in (("elr_plus_targets", "targets"), ("elr_plus_loss", "loss")):
        original = getattr(elr_plus, name)

        def spying(*args, original=original, key=key, **words):
            result = original(*args, **words)
            seen[key].append((args, words, result))
            return result

        monkeypatch.setattr(elr_plus, name, spying)
    return seen


def test_one_network_without_mixing_and_averaging_is_elr():
    """Up to the clamp of the memory: at alpha 0 the average is the network."""
    shared = {"num_train_epochs": 12, "learning_rate": 0.05, "hidden": (16,), "weight_decay": 1e-3, **WHOLE}
    plus = ELRPlusClassifier(n_networks=1, partner="own", **OFF, **shared).fit(X, Y)
    elr = ELRClassifier(**shared).fit(X, Y)
    np.testing.assert_allclose(plus.predict_proba(X), elr.predict_proba(X), atol=2e-3)
    np.testing.assert_allclose(plus.targets_, elr.targets_, atol=2e-3)
    assert elr.history_[-1]["train_loss"] < elr.history_[0]["train_loss"] - 1.0, "it hardly moved: vacuous"


def test_targets_come_from_the_average_of_the_other_network(calls):
    shared = {"num_train_epochs": 1, "learning_rate": 0.1, "hidden": (8,), **OFF, **WHOLE}
    model = ELRPlusClassifier(**shared).fit(X, Y)
    (_, _, partner_of_first), _, _ = calls["targets"][0]
    (_, _, partner_of_second), _, _ = calls["targets"][1]
    model.networks_["first"].train()  # float32, as it was in training
    # net 1 learns first, from net 2 as it began; net 2 learns from what net 1 has become
    first = model.networks_["first"](torch.from_numpy(X[_order(0, "second")]).float())
    torch.testing.assert_close(partner_of_second, first.detach())
    own = ELRPlusClassifier(partner="own", **shared).fit(X, Y)
    (_, _, own_of_second), _, _ = calls["targets"][3]
    assert not torch.allclose(own_of_second, partner_of_second)
    assert not torch.allclose(partner_of_first[_back(0, "first")], partner_of_second[_back(0, "second")])
    assert own.networks_.keys() == {"first", "second"}


def _order(epoch, name):
    return rng(0, "batches", name, epoch).permutation(60)


def _back(epoch, name):
    return np.argsort(_order(epoch, name))


def test_each_network_has_weights_memory_and_order_of_its_own(calls):
    ELRPlusClassifier(num_train_epochs=2, hidden=(8,), **{**WHOLE, "batch_size": 20}).fit(X, Y)
    memories = [id(args[0]) for args, _, _ in calls["targets"]]
    assert memories[:3] == memories[6:9] and memories[3:6] == memories[9:]
    assert len(set(memories)) == 2 and memories[0] != memories[3]
    ids = [tuple(args[1].tolist()) for args, _, _ in calls["targets"]]
    assert sorted(sum(ids[:3], ())) == sorted(sum(ids[3:6], ())) == list(range(60))
    assert ids[:3] != ids[3:6]


def test_inputs_labels_and_targets_are_mixed_alike_and_the_partner_sees_them_unmixed(calls):
    inputs = []

    class Watched(nn.Linear):
        def forward(self, rows):
            inputs.append((self.weight.requires_grad, rows.detach().clone()))
            return super().forward(rows)

    options = {**WHOLE, "validation_fraction": 0.0}
    ELRPlusClassifier(module=Watched, num_train_epochs=1, mixup_alpha=0.7, standardize=False, **options).fit(X, Y)
    (of_partner, plain), (of_network, mixed) = inputs[:2]
    assert not of_partner and of_network
    (_, ids, _), words, targets = calls["targets"][0]
    mixture = draw_mixture(60, 0.7, rng(0, "mixup", "first", 0))
    assert 0.5 < mixture.weight < 1.0 and words["mix_weight"] == mixture.weight
    np.testing.assert_array_equal(plain.numpy(), X[ids].astype(np.float32))
    swap = mixture.permutation
    torch.testing.assert_close(mixed, mixture.weight * plain + (1 - mixture.weight) * plain[swap])
    one_hot = F.one_hot(LABELS[ids], 3).float()
    (_, soft, used), _, _ = calls["loss"][0]
    torch.testing.assert_close(soft, mixture.weight * one_hot + (1 - mixture.weight) * one_hot[swap])
    assert used is targets and torch.equal(words["permutation"], swap)


def test_averages_follow_the_networks_by_the_page_s_share():
    shared = {"n_networks": 1, "mixup_alpha": 0.0, "regularization": 0.0, "average_momentum": 0.9, "hidden": ()}
    shared |= {"num_train_epochs": 3, "average_ramp": 2.0, "momentum": 0.0, "learning_rate": 0.1, **WHOLE}
    average = ELRPlusClassifier(answer_with="averages", **shared).fit(X, Y).networks_["first"].head.weight
    network = [
        ELRPlusClassifier(**{**shared, "num_train_epochs": epochs}).fit(X, Y).networks_["first"].head.weight
        for epochs in (1, 2, 3)
    ]
    start = ELRPlusClassifier(**{**shared, "num_train_epochs": 1, "learning_rate": 1e-12}).fit(X, Y)
    expected = start.networks_["first"].head.weight.detach()
    for step, weight in enumerate(network):
        share = average_momentum(step, 0.9, 2)
        expected = share * expected + (1 - share) * weight.detach()
    torch.testing.assert_close(average, expected, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(average, network[-1], atol=1e-3), "average and network are the same: vacuous"


@pytest.mark.parametrize(("length", "steps"), [(0.0, 0), (0.5, 2), (3.0, 3)])
def test_the_second_term_gains_its_weight_over_a_share_of_the_run_or_so_many_steps(calls, length, steps):
    ELRPlusClassifier(regularization_ramp=length, num_train_epochs=4, hidden=(4,), **WHOLE).fit(X, Y)
    ramps = [words["ramp"] for _, words, _ in calls["loss"]]
    assert ramps[::2] == ramps[1::2] == [sigmoid_ramp(step, steps) for step in range(4)]
    assert ramps[0] == (1.0 if steps == 0 else math.exp(-5))


def test_options_reach_the_loss(calls):
    options = {"regularization": 1.5, "reweight_labels": True, "clamp": 1e-3, "form": "dot"}
    ELRPlusClassifier(num_train_epochs=1, hidden=(4,), **options, **WHOLE).fit(X, Y)
    _, words, _ = calls["loss"][0]
    assert {name: words[name] for name in options} == options


def test_a_warm_up_is_cross_entropy_that_fills_the_memory(calls):
    shared = {"num_train_epochs": 2, "hidden": (8,), "learning_rate": 0.1, "n_networks": 1, **WHOLE}
    warm = ELRPlusClassifier(warmup_epochs=2, weight_decay=1e-3, **shared).fit(X, Y)
    assert calls["targets"] == calls["loss"] == []
    plain = ELRClassifier(regularization=0.0, **{k: v for k, v in shared.items() if k != "n_networks"}).fit(X, Y)
    np.testing.assert_allclose(warm.predict_proba(X), plain.predict_proba(X), atol=1e-5)
    np.testing.assert_allclose(warm.targets_, plain.targets_, atol=1e-5)
    ELRPlusClassifier(warmup_epochs=1, **shared).fit(X, Y)
    assert len(calls["loss"]) == 1


def test_answers_are_the_mean_of_both_networks_logits():
    model = ELRPlusClassifier(num_train_epochs=3, hidden=(8,), random_state=0).fit(X, Y)
    assert list(model.networks_) == ["first", "second"]
    inputs = torch.from_numpy(X).float()
    logits = [network(inputs) for network in model.networks_.values()]
    assert not torch.allclose(*logits, atol=1e-2)
    expected = ((logits[0] + logits[1]) / 2).double().softmax(dim=1)
    np.testing.assert_allclose(model.predict_proba(X), expected.detach().numpy(), atol=1e-6)
    assert model.history_[-1]["valid_accuracy"] == model.score(X[model.held_out_], Y[model.held_out_])


def test_targets_are_the_mean_of_both_memories():
    model = ELRPlusClassifier(num_train_epochs=2, learning_rate=1e-12, hidden=(8,), **OFF, **WHOLE).fit(X, Y)
    inputs = torch.from_numpy(X).float()
    outputs = torch.stack([network(inputs).softmax(dim=1) for network in model.networks_.values()]).mean(dim=0)
    np.testing.assert_allclose(model.targets_, (1 - 0.7**2) * outputs.detach().numpy(), atol=1e-5)


@pytest.mark.parametrize(
    "part",
    [{"mixup_alpha": 0.0}, {"average_momentum": 0.0}, {"n_networks": 1}, {"partner": "own"}, {"average_ramp": 0.0}],
)
def test_each_part_taken_away_still_learns_and_is_another_model(part):
    shared = {"num_train_epochs": 6, "hidden": (16,), "learning_rate": 0.05, "batch_size": 16, "random_state": 0}
    model, whole = ELRPlusClassifier(**part, **shared).fit(X, Y), ELRPlusClassifier(**shared).fit(X, Y)
    assert model.score(X, Y) > 0.95
    assert not np.allclose(model.predict_proba(X), whole.predict_proba(X))


def test_wrong_labels_are_found():
    X, _, given, wrong = noisy_blobs()
    model = ELRPlusClassifier(num_train_epochs=25, batch_size=32, validation_fraction=0.0, random_state=0).fit(X, given)
    assert average_precision_score(wrong, -model.label_quality_) > 0.9


def test_batch_statistics_of_a_module_of_one_s_own(tmp_path):
    def make(n_features, n_classes):
        return nn.Sequential(nn.Linear(n_features, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, n_classes))

    model = ELRPlusClassifier(module=make, num_train_epochs=8, learning_rate=0.1, random_state=0).fit(X, Y)
    assert model.score(X, Y) > 0.9
    averages = ELRPlusClassifier(module=make, answer_with="averages", num_train_epochs=8, random_state=0).fit(X, Y)
    assert averages.networks_["first"][1].num_batches_tracked > 0, "its running statistics never moved"
    averages.save(tmp_path)
    loaded = ELRPlusClassifier.load(tmp_path, module=make)
    np.testing.assert_array_equal(loaded.predict_proba(X), averages.predict_proba(X))


def test_a_live_module_begins_both_networks_alike_and_says_so():
    with pytest.warns(UserWarning, match="ELRPlusClassifier: all networks begin with the weights of the module"):
        ELRPlusClassifier(module=nn.Linear(2, 3), num_train_epochs=1, random_state=0).fit(X, Y)


@pytest.mark.parametrize("answer_with", ["networks", "averages"])
def test_the_best_epoch_is_that_of_what_answers_and_its_targets_come_with_it(answer_with):
    fresh = three_blobs(60, spread=2.5, seed=8)
    options = {"answer_with": answer_with, "learning_rate": 0.1, "validation_fraction": 0.0, "random_state": 0}
    options |= {"average_momentum": 0.5, "average_ramp": 0.0, "hidden": (16,)}
    best = ELRPlusClassifier(select="best", num_train_epochs=8, **options).fit(X, Y, valid=fresh)
    assert best.best_valid_accuracy_ > best.final_valid_accuracy_, "best and final are the same: vacuous"
    assert best.score(*fresh) == best.best_valid_accuracy_
    stopped = ELRPlusClassifier(num_train_epochs=best.best_epoch_, **options).fit(X, Y, valid=fresh)
    np.testing.assert_array_equal(best.label_quality_, stopped.label_quality_)
