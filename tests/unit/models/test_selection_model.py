"""The selection model: lambda, the posterior of a missing label, saving, and the warning on identifiability."""

import warnings

import numpy as np
import pytest
import torch

from litotes.core.errors import DataError, LitotesError
from litotes.models.cell_model import PairRanker, cell_scores
from litotes.models.cross_encoder import PairModel
from litotes.models.feature_ranker import FeatureRanker
from litotes.models.selection_model import (
    IdenticalInputsWarning,
    SelectionModel,
    false_negative_logit,
    false_negative_posterior,
    load_selection_model,
    warn_if_not_identifiable,
)
from litotes.models.tiny import tiny_cross_encoder
from tests.unit.training.small_world import small_data

NAMES = ("bm25", "overlap")
ROWS, COLS = np.arange(6), np.arange(6) + 3


@pytest.fixture(scope="module")
def data():
    return small_data()


def test_lambda_is_what_the_weight_takes_it_for(data):
    from litotes.losses import cet_weights

    ranker = FeatureRanker(NAMES)
    lam = SelectionModel(ranker, temperature=2.0).probability(data, ROWS, COLS)
    logits = torch.from_numpy(cell_scores(ranker, data, ROWS, COLS))
    np.testing.assert_allclose(1 / (1 - lam), cet_weights(logits, temperature=2.0).numpy(), rtol=1e-9)


def test_saved_and_loaded(data, tmp_path):
    model = SelectionModel(FeatureRanker(NAMES), temperature=3.0)
    model.save(tmp_path / "selection")
    loaded = load_selection_model(tmp_path / "selection")
    assert loaded.temperature == 3.0 and loaded.fingerprint() == model.fingerprint() and not loaded.training
    np.testing.assert_array_equal(loaded.probability(data, ROWS, COLS), model.probability(data, ROWS, COLS))
    with pytest.raises(LitotesError, match=r"no selection model here. One lies in .*selection\. Make one with"):
        load_selection_model(tmp_path)
    with pytest.raises(LitotesError, match="no selection model here. Make one with: litotes train cet DATA"):
        load_selection_model(tmp_path / "elsewhere")
    (tmp_path / "selection" / "selection.json").write_text("[]")
    with pytest.raises(DataError, match="no temperature in it"):
        load_selection_model(tmp_path / "selection")


def test_the_temperature_is_part_of_the_fingerprint():
    parts = [SelectionModel(FeatureRanker(NAMES), temperature=T).fingerprint() for T in (1.0, 2.0)]
    assert parts[0] != parts[1]
    with pytest.raises(LitotesError, match="'temperature' parameter of SelectionModel"):
        SelectionModel(FeatureRanker(NAMES), temperature=0.0)


def test_the_posterior_of_a_missing_label_against_monte_carlo():
    """The label model simulated: l = r s with r and s independent given the cell."""
    generator = np.random.default_rng(0)
    for rho, lam in ((0.3, 0.2), (0.7, 0.9), (0.05, 0.5)):
        r, s = generator.random(400_000) < rho, generator.random(400_000) < lam
        unlabelled = ~(r & s)
        share = r[unlabelled].mean()
        expected = float(false_negative_posterior(rho, lam))
        assert abs(share - expected) < 5 * np.sqrt(expected * (1 - expected) / unlabelled.sum())


def test_a_document_that_was_surely_selected_is_a_reliable_negative():
    assert false_negative_posterior(0.9, 1.0) == 0
    assert false_negative_posterior(0.9, 0.0) == pytest.approx(0.9)
    assert false_negative_posterior(1.0, 1.0) == 0, "no such cell can be unlabelled"


def test_in_logits_it_is_the_same_and_never_overflows():
    a, o = (x.ravel() for x in np.meshgrid(np.linspace(-6, 6, 13), np.linspace(-6, 6, 13)))
    rho, lam = 1 / (1 + np.exp(-a)), 1 / (1 + np.exp(-o))
    posterior = false_negative_posterior(rho, lam)
    np.testing.assert_allclose(false_negative_logit(a, o), np.log(posterior / (1 - posterior)), rtol=1e-9, atol=1e-9)
    assert np.isfinite(false_negative_logit(np.array([1e4, -1e4]), np.array([1e4, 1e4]))).all()


def test_equal_inputs_are_warned_of_and_a_view_of_its_own_is_not():
    texts = [PairRanker(PairModel(tiny_cross_encoder(seed=seed))) for seed in range(2)]
    for pair in (
        texts,
        [FeatureRanker(NAMES, hidden=h) for h in (3, 9)],
        [FeatureRanker(NAMES), FeatureRanker(NAMES[::-1])],
    ):
        with pytest.warns(
            IdenticalInputsWarning, match="sees what the relevance model sees .*symmetric.*stay identical"
        ):
            warn_if_not_identifiable(*pair)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_not_identifiable(texts[0], FeatureRanker(NAMES))
        warn_if_not_identifiable(FeatureRanker(("bm25", "length")), FeatureRanker(NAMES))
