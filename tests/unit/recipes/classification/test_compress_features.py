"""NestedCoTeachingClassifier: scikit-learn's contract, the stages, what is chosen by what, and that it resumes."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

from litotes.core import RunFolder
from litotes.core.errors import LitotesError
from litotes.models.cumulative_logits import accuracy_by_channels
from litotes.models.double_nested_head import DoubleNestedHead
from litotes.models.nested_dropout import NestedDropout, nested_layers
from litotes.recipes.classification import compress_features
from litotes.recipes.classification.compress_features import NestedCoTeachingClassifier, NestedCoTeachingConfig
from litotes.recipes.classification.text_options import TextOptions
from litotes.training import TrainingRun

SMALL = {"hidden": (16,), "nested_std": 5.0, "num_train_epochs": 4, "co_teaching_epochs": 3, "random_state": 0}


def small(**options) -> NestedCoTeachingClassifier:
    return NestedCoTeachingClassifier(**{**SMALL, **options})


def blobs(n: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    X, y = make_blobs(n, n_features=4, centers=3, cluster_std=2.0, random_state=seed)
    return X.astype(np.float32), np.array(["a", "b", "c"])[y]


def weights(model: NestedCoTeachingClassifier) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for network in model.networks_.values() for p in network.parameters()])


@parametrize_with_checks([small(num_train_epochs=12, co_teaching_epochs=4)])
def test_scikit_learns_contract(estimator, check):
    check(estimator)


class TestStages:
    def test_both_train_two_networks_and_then_let_them_teach_each_other(self):
        model = small().fit(*blobs())
        assert list(model.networks_) == ["first", "second"]
        assert [record["stage"] for record in model.history_] == ["first"] * 4 + ["co-teaching"] * 3
        assert "train_loss.first" in model.history_[0] and "train_loss.second" in model.history_[0]
        assert not torch.equal(*(network.head[1].weight for network in model.networks_.values()))
        assert len(model.history_[0]["channels"]) == 2, "each chooses for itself before they answer together"

    def test_first_is_one_network(self):
        model = small(stages="first").fit(*blobs())
        assert list(model.networks_) == ["first"] and len(model.history_) == 4

    def test_from_scratch_has_the_options_of_the_first_stage_and_a_gradual_rise(self):
        model = small(stages="co-teaching", forget_rate=0.3, gradual_epochs=3).fit(*blobs())
        assert [record["stage"] for record in model.history_] == ["co-teaching"] * 4
        assert [record["forget_rate"] for record in model.history_] == pytest.approx([0.0, 0.15, 0.3, 0.3])

    def test_fine_tuning_has_the_forget_rate_at_once(self):
        model = small(forget_rate=0.3).fit(*blobs())
        assert [record.get("forget_rate") for record in model.history_] == [None] * 4 + [0.3] * 3

    def test_networks_that_begin_equal_cannot_teach_each_other_from_scratch(self):
        live = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
        with pytest.warns(UserWarning, match="begin with the weights of the module"):
            with pytest.raises(LitotesError, match="two networks with the same parameters"):
                small(stages="co-teaching", module=live).fit(*blobs())


class TestCompression:
    def head(self, **options) -> list[nn.Module]:
        network = small(stages="first", num_train_epochs=1, **options).fit(*blobs(40)).networks_["first"]
        return [module for module in network.modules() if not list(module.children())][-3:]

    def test_what_stands_before_the_head(self):
        assert isinstance(self.head()[-2], NestedDropout)
        assert isinstance(self.head(compression="dropout", feature_dropout=0.7)[-2], nn.Dropout)
        assert self.head(compression="dropout", feature_dropout=0.7)[-2].p == 0.7
        assert isinstance(self.head(compression="plain")[-2], nn.ReLU)
        for compression in ("nested", "dropout", "plain"):
            assert self.head(compression=compression)[-1].bias is None

    def test_two_nested_layers(self):
        model = small(double=True, hidden=(12, 10)).fit(*blobs())
        dims = [[layer.dim for layer in nested_layers(network)] for network in model.networks_.values()]
        assert dims == [[12, 10]] * 2 and len(model.accuracy_by_channels_) == 10

    def test_two_nested_layers_need_two_hidden_ones(self):
        with pytest.raises(
            LitotesError, match=r"double=True puts Nested Dropout after the last two hidden layers.*\(16,\)"
        ):
            small(double=True).fit(*blobs())

    def test_a_module_of_ones_own_gets_nested_dropout_before_its_last_linear_layer(self):
        model = small(module=lambda d, c: nn.Sequential(nn.Linear(d, 7), nn.Tanh(), nn.Linear(7, c))).fit(*blobs())
        assert len(model.accuracy_by_channels_) == 7
        linear = small(module=nn.Linear).fit(*blobs())
        assert len(linear.accuracy_by_channels_) == 4

    def test_a_module_with_its_own_nested_dropout_is_left_as_it_is(self):
        model = small(module=lambda d, c: DoubleNestedHead(d, c, (6, 5), (2.0, 2.0))).fit(*blobs())
        assert [layer.dim for layer in nested_layers(model.networks_["first"])] == [6, 5]

    def test_what_would_be_ignored_is_refused(self):
        X, y = blobs()
        own = nn.Sequential(nn.Linear(4, 8), NestedDropout(8, 4.0), nn.Linear(8, 3, bias=False))
        with pytest.raises(LitotesError, match="compression='dropout', and Sequential has Nested Dropout"):
            small(module=own, compression="dropout").fit(X, y)
        with pytest.raises(LitotesError, match="double=True puts two nested layers into our own MLP"):
            small(module=own, double=True, hidden=(8, 8)).fit(X, y)
        with pytest.raises(LitotesError, match="half of a batch, and a batch of one"):
            small(batch_size=1).fit(X, y)

    def test_a_module_without_a_linear_layer_is_refused(self):
        with pytest.raises(LitotesError, match="before the last linear layer. Sequential has none"):
            small(module=lambda d, c: nn.Sequential(nn.Conv1d(1, 1, 1))).fit(*blobs())

    def test_batch_normalisation_rests_in_co_teaching(self):
        X, y = blobs()

        def module(d, c):
            return nn.Sequential(nn.Linear(d, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, c))

        def moved(**options) -> list[int]:
            networks = small(module=module, **options).fit(X, y).networks_.values()
            return [int(network[1].num_batches_tracked) for network in networks]

        batches = -(-108 // 64)
        assert moved(split_batch=False) == [4 * batches] * 2
        assert moved(freeze_batch_norm="never") == [(4 + 3) * batches] * 2
        assert moved(freeze_batch_norm="always") == [0] * 2


class TestChannels:
    def test_they_are_chosen_on_the_watched_rows_and_kept_in_prediction(self):
        X, y = blobs()
        model = small().fit(X, y, valid=blobs(60, seed=0))
        assert model.n_channels_ == int(np.argmax(model.accuracy_by_channels_ - 1e-5 * np.arange(16))) + 1
        assert model.n_channels_ == model.history_[-1]["channels"]
        assert model.history_[-1]["valid_accuracy"] == pytest.approx(model.accuracy_by_channels_[model.n_channels_ - 1])
        before = model.predict_proba(X)
        for network in model.networks_.values():
            network.head[1].weight.data[:, model.n_channels_ :] = 1e6  # of dropped channels
        np.testing.assert_array_equal(model.predict_proba(X), before)

    def test_without_watched_rows_all_are_kept(self):
        model = small(validation_fraction=0).fit(*blobs())
        assert model.n_channels_ == 16 and not hasattr(model, "accuracy_by_channels_")

    def test_a_second_fit_forgets_the_first(self):
        model = small().fit(*blobs())
        assert hasattr(model, "accuracy_by_channels_")
        model.set_params(compression="plain").fit(*blobs())
        assert not hasattr(model, "accuracy_by_channels_") and model.n_channels_ == 16

    def test_nothing_is_chosen_by_what_is_only_watched(self):
        X, y = blobs()
        one = small().fit(X, y)
        other = small().fit(X, y, watch={"test": blobs(60, seed=9)})
        assert torch.equal(weights(one), weights(other)) and one.n_channels_ == other.n_channels_
        assert "test_accuracy" in other.history_[-1]

    def test_choosing_by_the_test_set_is_warned_of(self):
        X, y = blobs()
        with pytest.warns(UserWarning, match="the set 'test' holds the rows of valid.*accuracy is optimistic"):
            small(num_train_epochs=1, co_teaching_epochs=1).fit(X, y, valid=(X, y), watch={"test": (X.copy(), y)})


class TestPlugIn:
    def test_pipeline_grid_search_and_clone(self):
        X, y = blobs()
        search = GridSearchCV(
            make_pipeline(StandardScaler(), small(num_train_epochs=10)),
            {"nestedcoteachingclassifier__nested_std": [1.0, 5.0]},
            cv=2,
        ).fit(X, y)
        assert search.best_score_ > 0.7
        assert clone(small(nested_std=3.0)).get_params()["nested_std"] == 3.0

    def test_sparse_input(self):
        X, y = blobs()
        X = np.where(np.abs(X) < 2, 0, X)
        dense, sparse = (small(standardize=False).fit(data, y) for data in (X, csr_matrix(X)))
        assert torch.equal(weights(dense), weights(sparse))

    def test_the_seed_decides_everything(self):
        X, y = blobs()
        assert torch.equal(weights(small().fit(X, y)), weights(small().fit(X, y)))
        assert not torch.equal(weights(small().fit(X, y)), weights(small(random_state=1).fit(X, y)))

    def test_saved_and_loaded(self, tmp_path):
        X, y = blobs()
        model = small().fit(X, y)
        model.save(tmp_path)
        loaded = NestedCoTeachingClassifier.load(tmp_path)
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
        assert loaded.n_channels_ == model.n_channels_ < 16
        np.testing.assert_array_equal(loaded.accuracy_by_channels_, model.accuracy_by_channels_)

    @pytest.mark.parametrize("name", list(NestedCoTeachingConfig.presets))
    def test_presets_are_options(self, name):
        config = NestedCoTeachingConfig.preset(name)
        assert NestedCoTeachingClassifier.from_config(config)._options().nested_std == config.nested_std
        assert config.co_teaching().learning_rate == config.co_teaching_learning_rate < config.learning_rate

    def test_every_option_but_those_of_texts_is_a_parameter(self):
        names = {{"batch_size": "per_device_train_batch_size", "random_state": "seed"}.get(name, name)
                 for name in NestedCoTeachingClassifier().get_params()} - {"module"}  # fmt: skip
        assert names == set(NestedCoTeachingConfig.model_fields) - set(TextOptions.model_fields)

    def test_defaults_of_the_estimator_are_those_of_the_config(self):
        assert NestedCoTeachingClassifier(random_state=0)._options() == NestedCoTeachingConfig()


class Killed(Exception):
    pass


@pytest.mark.parametrize("epoch", [2, 4, 6])
def test_killed_in_either_stage_and_resumed_is_never_killed(tmp_path, monkeypatch, epoch):
    X, y = blobs()

    def fit(folder):
        job = TrainingRun(RunFolder.open(folder), "nested-co-teaching", {}, {"data": "x"})
        return small().fit_into(job, X, y)

    whole = fit(tmp_path / "whole")
    seen = []
    choose = compress_features._choose

    def stopping(task, networks):
        seen.append(len(networks))
        if len(seen) == 1 + (2 * epoch if epoch < 5 else 8 + (epoch - 4)):
            raise Killed
        return choose(task, networks)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(compress_features, "_choose", stopping)
        fit(tmp_path / "killed")
    resumed = fit(tmp_path / "killed")
    assert torch.equal(weights(whole), weights(resumed)) and whole.n_channels_ == resumed.n_channels_
    assert whole.history_ == resumed.history_


@pytest.fixture(scope="module")
def on_digits():
    """One network of each kind on digits, 40 % of the labels wrong, and what was asked and wrong."""
    from sklearn.datasets import load_digits

    from litotes.data.label_noise import symmetric_noise

    X, y = load_digits(return_X_y=True)
    train, test = slice(0, 900), slice(900, None)
    noisy = symmetric_noise(y[train], 0.4, seed=0)
    options = {"hidden": (256,), "num_train_epochs": 40, "stages": "first", "nested_std": 10.0, "random_state": 0}
    models = {
        compression: NestedCoTeachingClassifier(compression=compression, **options).fit(X[train], noisy.labels)
        for compression in ("plain", "nested")
    }
    return models, (X[test], y[test]), (X[train][noisy.wrong], noisy.labels[noisy.wrong])


def test_wrong_labels_are_memorised_less(on_digits):
    """At the final epoch: cross entropy < Nested Dropout."""
    models, test, wrong = on_digits
    assert models["nested"].score(*test) > models["plain"].score(*test) + 0.05
    assert models["nested"].score(*wrong) < models["plain"].score(*wrong) - 0.2


def test_channels_are_ordered_by_importance(on_digits):
    """The first channels are enough with Nested Dropout, and are not without it."""
    models, (X, y), _ = on_digits
    shares = {}
    for name, model in models.items():
        network = model.networks_["first"]
        head = network.head[1] if name == "nested" else network.head
        with torch.no_grad():
            features = network.body((torch.from_numpy(X).float() - network.mean) / network.spread)
        accuracy = accuracy_by_channels(features, head.weight.float(), torch.from_numpy(y))
        shares[name] = accuracy[15] / accuracy.max()
    assert shares["nested"] > 0.9 > shares["plain"] + 0.1
    assert models["nested"].n_channels_ < 128
