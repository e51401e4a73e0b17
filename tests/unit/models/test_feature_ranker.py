"""The feature ranker: what it computes, standardises, keeps, saves and refuses."""

import json

import numpy as np
import pytest
import torch

from litotes.core.errors import DataError, LitotesError
from litotes.models.cell_model import cell_scores, load_cell_model
from litotes.models.feature_ranker import FeatureRanker
from litotes.models.resting import resting
from tests.unit.training.small_world import small_data

NAMES = ("bm25", "overlap", "tfidf")
ROWS, COLS = (x.ravel() for x in np.meshgrid(np.arange(6), np.arange(20), indexing="ij"))


@pytest.fixture(scope="module")
def data():
    return small_data()


class Counted:
    """Features of one's own that count how many cells they are asked for."""

    names = ("row", "col")

    def __init__(self):
        self.asked = 0

    def table(self, data, rows, cols):
        self.asked += len(rows)
        return np.stack([rows, cols], axis=1).astype(np.float32)


def test_logits_are_float32_also_under_autocast(data):
    ranker = FeatureRanker(NAMES, seed=3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ranker(data, ROWS, COLS).dtype == torch.float32


def test_it_is_one_hidden_layer_over_standardised_features(data):
    ranker = FeatureRanker(NAMES, hidden=5, seed=3)
    ranker.standardise(data, ROWS, COLS)
    x = ranker.features.table(data, ROWS, COLS).astype(np.float64)
    z = (x - x.mean(0)) / x.std(0)
    W, b, v = (p.detach().double().numpy() for p in ranker.parameters())
    expected = np.tanh(z @ W.T + b) @ v[0]
    np.testing.assert_allclose(ranker(data, ROWS, COLS).detach().numpy(), expected, atol=1e-5)


def test_a_constant_feature_stays_zero(data):
    ranker = FeatureRanker(("title_overlap", "bm25"))
    ranker.standardise(data, ROWS, COLS)
    assert ranker.spread[0] == 1 and ranker.mean[0] == 0 and torch.isfinite(ranker(data, ROWS, COLS)).all()


def test_the_seed_decides_the_weights_and_the_generator_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, same, other = (FeatureRanker(NAMES, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one.network[0].weight, same.network[0].weight)
    assert not torch.equal(one.network[0].weight, other.network[0].weight)


def test_what_was_prepared_is_not_made_again_and_the_rest_is(data):
    features = Counted()
    ranker = FeatureRanker(features)
    plain = ranker(data, ROWS, COLS)
    ranker.prepare(data, ROWS[:50], COLS[:50])
    features.asked = 0
    assert torch.equal(ranker(data, ROWS, COLS), plain)
    assert features.asked == len(ROWS) - 50


def test_what_was_prepared_for_one_collection_is_not_taken_for_another(data):
    features = Counted()
    ranker = FeatureRanker(features)
    ranker.prepare(data, ROWS, COLS)
    features.asked = 0
    ranker(data.select_rows(range(6)), ROWS, COLS)
    assert features.asked == len(ROWS)


def test_saved_and_loaded_gives_the_same_scores(data, tmp_path):
    ranker = FeatureRanker(NAMES, hidden=7, dropout=0.1)
    ranker.standardise(data, ROWS, COLS)
    ranker.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["features.json", "model.safetensors"]
    loaded = load_cell_model(tmp_path)
    assert type(loaded) is FeatureRanker and not loaded.training and loaded.fingerprint() == ranker.fingerprint()
    np.testing.assert_array_equal(cell_scores(loaded, data, ROWS, COLS), cell_scores(ranker, data, ROWS, COLS))


def test_the_fingerprint_follows_weights_and_features(data):
    ranker = FeatureRanker(NAMES)
    before = ranker.fingerprint()
    ranker.standardise(data, ROWS, COLS)
    assert ranker.fingerprint() != before
    assert FeatureRanker(NAMES[::-1]).fingerprint()["inputs"] != before["inputs"]


def test_scores_are_those_without_dropout_and_modes_are_restored(data):
    ranker = FeatureRanker(NAMES, dropout=0.5).train()
    ranker.network[2].eval()
    first, again = (cell_scores(ranker, data, ROWS, COLS) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert ranker.training and ranker.network.training and not ranker.network[2].training
    with pytest.raises(KeyError), resting(ranker):
        assert not ranker.training and not torch.is_grad_enabled()
        raise KeyError
    assert ranker.training and torch.is_grad_enabled()


def test_scores_do_not_depend_on_how_cells_are_cut(data):
    ranker = FeatureRanker(NAMES)
    whole = cell_scores(ranker, data, ROWS, COLS, batch_size=1000)
    np.testing.assert_allclose(cell_scores(ranker, data, ROWS, COLS, batch_size=7), whole, atol=1e-6)


@pytest.mark.parametrize("options", [{"hidden": 0}, {"dropout": 1.0}])
def test_options_out_of_range(options):
    with pytest.raises(LitotesError, match=f"'{next(iter(options))}' parameter of FeatureRanker"):
        FeatureRanker(NAMES, **options)


def test_no_features_or_features_that_cannot_be_saved(data, tmp_path):
    with pytest.raises(LitotesError, match="needs at least one feature"):
        FeatureRanker(())
    with pytest.raises(LitotesError, match="Only a FeatureRanker over match features can be saved"):
        FeatureRanker(Counted()).save(tmp_path)
    with pytest.raises(LitotesError, match="cannot be standardised over no cells"):
        FeatureRanker(NAMES).standardise(data, ROWS[:0], COLS[:0])


def test_a_folder_that_does_not_hold_one(tmp_path):
    with pytest.raises(LitotesError, match="no such folder; a ranker was expected there"):
        load_cell_model(tmp_path / "nowhere")
    FeatureRanker(NAMES).save(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"half")
    with pytest.raises(DataError, match=r"model.safetensors: does not hold the weights of this ranker"):
        load_cell_model(tmp_path)
    config = json.loads((tmp_path / "features.json").read_text())
    (tmp_path / "features.json").write_text(json.dumps(config | {"format": 99}))
    with pytest.raises(DataError, match="not a feature ranker of format 1; train it again"):
        load_cell_model(tmp_path)


def test_nothing_that_a_loss_of_pairs_cannot_see_is_trained(data):
    """A last bias would be moved by rounding errors alone, and with it the level of every score."""
    ranker = FeatureRanker(NAMES)
    scores = ranker(data, ROWS, COLS).double()
    (scores[:60] - scores[60:]).tanh().sum().backward()
    assert all(p.grad.abs().max() > 1e-9 for p in ranker.parameters())
