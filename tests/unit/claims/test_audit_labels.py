"""The claims of the audit of labels: what is made wrong, how orders are measured, and that a cell runs."""

import os
from pathlib import Path

import numpy as np
import pytest

from litotes.auditing.label_ranking import DEFAULT
from litotes.claims import audit_labels as module
from litotes.claims import planted_noise
from litotes.claims.audit_labels import CLAIMS, METRICS, run
from litotes.claims.planted_noise import Planted, planted, similar_classes
from litotes.core.errors import LitotesError
from litotes.evaluation.claim import Arm
from litotes.evaluation.experiment import Cell

pytest.importorskip("sklearn")
COUNTED = [claim for claim in CLAIMS if claim.data != "test-set-errors"]


@pytest.fixture
def small(monkeypatch):
    """Four clouds of which a fifth is labelled wrong, in the place of digits."""
    generator = np.random.default_rng(0)
    truth = np.repeat(np.arange(4), 25)
    features = (6 * np.eye(4)[truth] + generator.normal(size=(100, 4))).astype(np.float32)
    monkeypatch.setattr(planted_noise, "_whole", lambda data: (features, truth))
    for cached in (planted, planted_noise.scores_of, planted_noise.probabilities):
        cached.cache_clear()
    yield truth
    for cached in (planted, planted_noise.scores_of, planted_noise.probabilities):
        cached.cache_clear()


def cell(command, noise="symmetric", rate=0.2, data="digits"):
    return Cell(data, Arm(command, {"noise": noise, "rate": rate}), 7, "test", Path("unused"), None)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_is_well_formed(claim):
    assert claim.metric == "AP" and set(claim.shown) == set(METRICS[1:]) and len(claim.seeds) == 8
    assert not {0, 1, 2} & set(claim.seeds)  # what the default order was fixed on
    configs = {str(arm.config) for arm in claim.arms.values()}
    assert len(configs) == 1 and all(not arm.trials for arm in claim.arms.values())
    assert ("fixed on draws of this data" in claim.note) == (claim.data in ("digits", "trec6"))


def test_all_kinds_and_rates_are_there_and_the_default_meets_the_best_of_cleanlab():
    asked = {(claim.data, *claim.arms["audit"].config.values()) for claim in COUNTED}
    texts = [(data, noise, rate) for data in ("trec6", "banking77", "clinc150") for noise in ("symmetric", "pairs",
             "matrix") for rate in (0.1, 0.2, 0.4)]  # fmt: skip
    assert set(texts) < asked and {data for data, *_ in asked} >= {"fashion-mnist-15k", "semeval2010-task8"}
    assert all(list(claim.holds) == [("audit", ">", "cleanlab")] for claim in COUNTED)
    assert all(set(DEFAULT) < set(claim.arms) for claim in COUNTED)


@pytest.mark.parametrize("noise", ["symmetric", "pairs", "matrix"])
def test_what_is_wrong_is_known(small, noise):
    drawn = planted("digits", noise, 0.2, 7)
    assert drawn.wrong.mean() == pytest.approx(0.2, abs=0.12) and drawn.n_classes == 4
    assert len(drawn.labels) == 100 and drawn.features.dtype == np.float32
    assert not np.array_equal(drawn.labels, planted("digits", noise, 0.2, 8).labels)


def test_unknown_noise_and_data_are_refused(small):
    with pytest.raises(LitotesError, match="no noise 'none'"):
        planted("digits", "none", 0.2, 7)


def test_unknown_data_are_refused():
    with pytest.raises(LitotesError, match="no rows of 'cora'"):
        planted_noise._whole("cora")


def test_noise_by_matrix_goes_to_the_nearest_classes():
    features, truth = np.array([[0.0], [1.0], [2.5], [9.0], [20.0]]), np.arange(5)
    found = similar_classes(features, truth, 0.4)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found[0], [0.6, 0.2, 0.12, 0.08, 0])


@pytest.mark.parametrize("command", ["audit", "elr", "small-loss", "neighbours", "pred-probs", "cleanlab", "random"])
def test_a_cell_runs_and_repeats_itself(small, command):
    if command == "cleanlab":
        pytest.importorskip("cleanlab")
    found = run(cell(command))
    assert tuple(found.metrics) == METRICS and found.metrics["wrong"] == pytest.approx(0.2)
    assert found.metrics["AP"] > 0.8 or command == "random"
    assert run(cell(command)).metrics == found.metrics
    if command == "cleanlab":
        best = max(found.facts["AP of each"].values())
        assert found.metrics["AP"] == best and len(found.facts["AP of each"]) == 10


def test_probabilities_of_cleanlab_at_the_first_strength_are_those_of_our_detector(small):
    ours = planted_noise.scores_of("digits", "pairs", 0.2, 7, "pred-probs").shares
    np.testing.assert_allclose(ours, planted_noise.probabilities("digits", "pairs", 0.2, 7, 1.0), atol=1e-6)


def test_measures_by_hand():
    score, wrong = np.array([0.1, 0.2, 0.3, 0.9]), np.array([True, False, True, False])
    found = dict(zip(METRICS, module._measured(score, np.array([True, True, False, False]), wrong), strict=True))
    assert found["AP"] == pytest.approx((1 + 2 / 3) / 2) and found["P@N"] == 0.5 and found["wrong"] == 0.5
    assert (found["flagged"], found["flag precision"], found["flag recall"]) == (0.5, 0.5, 0.5)


def test_the_default_is_what_the_audit_does(small, monkeypatch):
    from litotes.auditing.label_ranking import ranked

    drawn = planted("digits", "pairs", 0.2, 7)
    found = run(cell("audit", "pairs"))
    both = [planted_noise.scores_of("digits", "pairs", 0.2, 7, name) for name in DEFAULT]
    own = ranked(both, drawn.labels)
    assert found.metrics["flagged"] == own.issue.mean()
    assert isinstance(drawn, Planted)


@pytest.mark.data
@pytest.mark.skipif("LITOTES_DATA" not in os.environ, reason="the sets are not here")
def test_voted_items():
    drawn = planted("test-set-errors", "20news", 0.0, 7)
    assert drawn.features is None and len(drawn.labels) == round(0.8 * 93) and drawn.n_classes == 20
    assert 0.1 < drawn.wrong.mean() < 0.9
    found = run(cell("pred-probs", "20news", 0.0, "test-set-errors"))
    assert 0 < found.metrics["AP"] <= 1
