"""Shares by neighbours against a double loop, and who speaks against a label."""

import numpy as np
import pytest

from litotes.auditing.label_neighbours import neighbour_shares, neighbours_of, speaking_against

pytest.importorskip("faiss")


def by_hand(features, labels, n_classes, k, reference=None):
    points, theirs = (features, labels) if reference is None else reference
    shares = []
    for row, point in enumerate(features):
        distance = np.sqrt(((points - point) ** 2).sum(axis=1))
        order = [int(i) for i in np.argsort(distance, kind="stable") if reference is not None or i != row][:k]
        far = distance[order[-1]]
        votes = np.array([(theirs == c).mean() for c in range(n_classes)])
        for i in order:
            votes[theirs[i]] += np.exp(-((distance[i] / far) ** 2)) if far > 0 else 1.0
        shares.append(votes / votes.sum())
    return np.array(shares)


@pytest.mark.parametrize("k", [1, 4, 50])
def test_shares_are_those_of_the_double_loop(k):
    generator = np.random.default_rng(k)
    features, labels = generator.normal(size=(30, 4)), generator.integers(0, 3, 30)
    np.testing.assert_allclose(neighbour_shares(features, labels, 3, k), by_hand(features, labels, 3, k), atol=1e-9)
    clean = generator.normal(size=(12, 4)), generator.integers(0, 3, 12)
    found = neighbour_shares(features, labels, 3, k, clean)
    np.testing.assert_allclose(found, by_hand(features, labels, 3, k, clean), atol=1e-9)


def test_a_row_is_never_asked_about_itself():
    features, labels = np.array([[0.0], [0.0], [1.0]]), np.array([0, 1, 1])
    before = neighbour_shares(features, labels, 2, 1)
    assert before[0].argmax() == 1 and before[1].argmax() == 0


def test_the_scale_of_the_data_does_not_matter():
    generator = np.random.default_rng(0)
    features, labels = generator.normal(size=(20, 3)), generator.integers(0, 2, 20)
    np.testing.assert_allclose(
        neighbour_shares(features, labels, 2, 5), neighbour_shares(1000 * features, labels, 2, 5)
    )


def test_equal_rows_weigh_the_same_and_give_no_nan():
    found = neighbour_shares(np.zeros((5, 2)), np.array([0, 0, 0, 1, 1]), 2, 4)
    np.testing.assert_allclose(found[0], [(2 + 0.6) / 5, (2 + 0.4) / 5])


def test_who_speaks_against_is_the_nearest_with_the_predicted_label_first():
    features = np.array([[0.0], [0.1], [0.2], [0.3], [0.4]])
    labels = np.array([0, 1, 0, 2, 2])
    found = neighbours_of(features, np.array([0, 4]), 4)
    first, last = speaking_against(found, labels[[0, 4]], labels, np.array([2, 2]), most=2)
    assert [(one.row, round(one.distance, 6)) for one in first] == [(3, 0.3), (4, 0.4)]
    assert [one.row for one in last] == [2, 1]


def test_where_there_are_few_rows_there_are_few_neighbours():
    found = neighbours_of(np.array([[0.0], [1.0]]), np.array([0]), 20)
    ((one,),) = speaking_against(found, np.array([0]), np.array([0, 1]), np.array([1]))
    assert one.row == 1
