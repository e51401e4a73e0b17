"""The order of labels: one detector's own, the combination of several by hand, and what is called an issue."""

import numpy as np
import pytest

from litotes.auditing.label_detectors import DETECTORS, LabelScores
from litotes.auditing.label_ranking import DEFAULT, combined, is_issue, ranked


def shares(rows=50, classes=4, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(classes), rows)


def test_the_default_names_detectors():
    assert set(DEFAULT) <= set(DETECTORS) and len(DEFAULT) > 1


def test_the_combination_is_the_geometric_mean_by_hand():
    a, b = shares(seed=1), shares(seed=2)
    expected = np.sqrt((a + 1e-3) * (b + 1e-3))
    np.testing.assert_allclose(combined([a, b]), expected / expected.sum(axis=1, keepdims=True), atol=1e-12)
    np.testing.assert_array_equal(combined([a, b]), combined([b, a]))


def test_nobody_alone_rules_a_class_out():
    found = combined([np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])])
    np.testing.assert_allclose(found, [[0.5, 0.5]])


def test_the_score_of_several_is_the_share_less_a_quarter_of_the_rivals():
    a, b, labels = shares(seed=1), shares(seed=2), np.arange(50) % 4
    found = ranked([LabelScores.of_shares(a, labels), LabelScores.of_shares(b, labels)], labels)
    p = combined([a.astype(np.float32), b.astype(np.float32)])
    for row, label in enumerate(labels):
        best = max(p[row, c] for c in range(4) if c != label)
        assert found.score[row] == pytest.approx(0.8 * (p[row, label] + 0.25 - 0.25 * best))
    assert found.score.min() >= 0 and found.score.max() <= 1
    assert (found.predicted == p.argmax(axis=1)).all()


def test_one_detector_keeps_its_own_score():
    labels = np.arange(50) % 4
    own = LabelScores.of_shares(shares(), labels)._replace(score=np.linspace(0, 1, 50))
    found = ranked([own], labels)
    assert found.score is own.score and found.order.tolist() == list(range(50))


def test_equal_scores_come_with_issues_first_and_then_in_order():
    labels = np.array([0, 0, 1, 1])
    one = LabelScores.of_shares(np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]]), labels)
    found = ranked([one._replace(score=np.zeros(4))], labels)
    assert found.issue.tolist() == [False, False, True, False] and found.order.tolist() == [2, 0, 1, 3]


def test_an_issue_is_as_likely_as_its_class_usually_is():
    labels = np.array([0, 0, 0, 1, 1])
    # class 1 holds 0.6 of its own rows on average, so 0.55 is not enough and 0.7 is
    p = np.array([[0.9, 0.1], [0.45, 0.55], [0.3, 0.7], [0.3, 0.7], [0.5, 0.5]])
    assert is_issue(p, labels).tolist() == [False, False, True, False, False]


def test_no_issue_where_the_given_label_is_the_likeliest():
    p, labels = shares(), shares().argmax(axis=1)
    assert not is_issue(p, labels).any()
