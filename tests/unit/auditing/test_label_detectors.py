"""Detectors: what each says of planted errors, that probabilities are checked, and names with options."""

import numpy as np
import pytest

from litotes.auditing.label_detectors import (
    DETECTORS,
    CleanlabDetector,
    Detector,
    ELRDetector,
    LabelScores,
    NeighbourDetector,
    PredProbsDetector,
    SmallLossDetector,
    detector_from_spec,
)
from litotes.core.errors import LitotesError

pytest.importorskip("sklearn")


def blobs(n=30, classes=3):
    """Three clouds far apart; the first row of each is labelled as the next."""
    generator = np.random.default_rng(0)
    truth = np.repeat(np.arange(classes), n)
    features = (8 * np.eye(classes)[truth] + generator.normal(size=(n * classes, classes))).astype(np.float32)
    labels = truth.copy()
    labels[::n] = (labels[::n] + 1) % classes
    return features, labels, truth


SMALL = {
    "elr": ELRDetector(num_train_epochs=10, device="cpu"),
    "small-loss": SmallLossDetector(num_train_epochs=10, device="cpu"),
    "neighbours": NeighbourDetector(n_neighbors=5),
    "pred-probs": PredProbsDetector(),
    "cleanlab": CleanlabDetector(),
}


@pytest.mark.parametrize("name", list(DETECTORS))
def test_every_detector_puts_planted_errors_first_and_names_the_truth(name):
    if name == "cleanlab":
        pytest.importorskip("cleanlab")
    features, labels, truth = blobs()
    detector = SMALL[name]
    assert isinstance(detector, Detector) and detector.name == name
    found = detector.scores(features, labels, n_classes=3, seed=0)
    wrong = np.flatnonzero(labels != truth)
    assert sorted(np.argsort(found.score)[:3].tolist()) == wrong.tolist()
    assert found.predicted[wrong].tolist() == truth[wrong].tolist()
    assert found.score.dtype == np.float64 and found.predicted.dtype == np.int64
    assert (found.score >= 0).all() and (found.score <= 1).all()
    np.testing.assert_allclose(found.shares.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["elr", "small-loss", "pred-probs"])
def test_a_class_that_no_row_holds_gets_nothing_to_speak_of(name):
    features, labels, _ = blobs()
    found = SMALL[name].scores(features, labels, n_classes=5)
    assert found.shares.shape == (90, 5) and found.shares[:, 3:].max() == 0 and found.predicted.max() < 3


@pytest.mark.parametrize("name", ["elr", "small-loss", "pred-probs"])
def test_the_seed_decides(name):
    features, labels, _ = blobs(12)
    one, again, other = (SMALL[name].scores(features, labels, n_classes=3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.score, again.score)
    assert not np.array_equal(one.shares, other.shares)


def test_small_loss_asks_that_both_networks_agree():
    features, labels, _ = blobs(12)
    found = SMALL["small-loss"].scores(features, labels, n_classes=3)
    assert (found.score <= found.shares[np.arange(36), labels] + 1e-6).all()
    assert (found.score < found.shares[np.arange(36), labels] - 1e-6).any()


def test_neighbours_ask_the_reference_where_there_is_one():
    features, labels, truth = blobs()
    labels = (truth + 1) % 3  # every label is wrong, so that the rows themselves know nothing
    clean = NeighbourDetector(5, reference=(features + np.float32(0.01), truth))
    assert (clean.scores(features, labels, n_classes=3).predicted == truth).all()
    assert (NeighbourDetector(5).scores(features, labels, n_classes=3).predicted == labels).all()


def test_own_probabilities_are_the_score():
    given = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    found = PredProbsDetector(given).scores(None, np.array([0, 0, 1]), n_classes=2)
    np.testing.assert_allclose(found.score, [0.9, 0.2, 0.3])
    assert found.predicted.tolist() == [0, 1, 0]
    assert not PredProbsDetector(given).needs_features and PredProbsDetector().needs_features


def test_cleanlab_gives_its_own_scores():
    rank = pytest.importorskip("cleanlab.rank")
    given, labels = np.random.default_rng(0).dirichlet(np.ones(3), 40), np.tile([0, 1, 2, 0], 10)
    for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
        found = CleanlabDetector(given, method=method).scores(None, labels, n_classes=3)
        np.testing.assert_allclose(found.score, rank.get_label_quality_scores(labels, given, method=method), atol=1e-9)
    adjusted = CleanlabDetector(given, method="normalized_margin", adjust=True).scores(None, labels, n_classes=3)
    theirs = rank.get_label_quality_scores(labels, given, method="normalized_margin", adjust_pred_probs=True)
    np.testing.assert_allclose(adjusted.score, theirs, atol=1e-9)


GOOD = np.array([[0.5, 0.5], [1.0, 0.0]])


def test_names_with_options():
    found = detector_from_spec("neighbours:n_neighbors=7,name=few", pred_probs=None, reference=None)
    assert (found.n_neighbors, found.name) == (7, "few")
    assert detector_from_spec("pred-probs", pred_probs=GOOD, reference=None).pred_probs is GOOD


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("neighbors", "must be one of 'elr', .* Did you mean 'neighbours'"),
        ("elr:lambda=3", "elr has no option 'lambda'"),
        ("neighbours:n_neighbors=0", "must be an int in the range"),
        ("small-loss:forget_rate=1", "must be a float in the range"),
        ("neighbours:reference=clean.csv", "reference is given beside the detectors, as reference="),
        ("cleanlab:method=margin", "must be one of 'self_confidence'"),
        ("cleanlab:method=confidence_weighted_entropy,adjust=true", "adjust=True takes another method"),
    ],
)
def test_wrong_names_and_options_are_refused(spec, says):
    with pytest.raises(LitotesError, match=says):
        detector_from_spec(spec)


def test_scores_of_shares():
    found = LabelScores.of_shares(np.array([[0.25, 0.75], [0.5, 0.5]]), np.array([0, 1]))
    assert found.score.tolist() == [0.25, 0.5] and found.predicted.tolist() == [1, 0]
