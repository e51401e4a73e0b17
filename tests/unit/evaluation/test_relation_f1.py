"""F1 without the negative class: by hand, against scikit-learn, and at its edges."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from litotes.core.errors import ArrayError
from litotes.evaluation.relation_f1 import relation_changes, relation_f1


def test_by_hand():
    gold = ["no", "a", "a", "b", "b", "no"]
    found = ["a", "a", "b", "b", "no", "no"]
    scores = relation_f1(gold, found, "no")
    assert (scores.gold, scores.predicted, scores.right) == (4, 4, 2)
    assert scores.precision == scores.recall == scores.f1 == 0.5


@pytest.mark.parametrize("seed", range(5))
def test_equals_scikit_learn_over_the_other_classes(seed):
    rng = np.random.default_rng(seed)
    gold, found = rng.integers(0, 5, 200), rng.integers(0, 5, 200)
    expected = precision_recall_fscore_support(gold, found, labels=[0, 1, 3, 4], average="micro")[:3]
    np.testing.assert_allclose(relation_f1(gold, found, 2)[:3], expected)


def test_predicting_all_negatives_gives_0_and_precision_1_by_convention():
    assert relation_f1(["no", "a"], ["no", "no"], "no")[:3] == (1.0, 0.0, 0.0)


def test_nothing_to_find_gives_recall_0_by_convention():
    assert relation_f1(["no", "no"], ["no", "a"], "no")[:3] == (0.0, 0.0, 0.0)
    assert relation_f1([], [], "no").f1 == 0.0


def test_negatives_that_stay_negative_count_nowhere():
    gold, found = ["a", "b", "no"], ["a", "no", "b"]
    assert relation_f1(gold + ["no"] * 50, found + ["no"] * 50, "no") == relation_f1(gold, found, "no")


def test_changes_a_relation():
    gold = np.array(["a", "a", "b", "c", "no"])
    before = np.array(["a", "no", "b", "no", "no"])
    after = np.array(["a", "a", "no", "no", "c"])
    found = relation_changes(gold, before, after, "no")
    assert [(one.relation, one.support, one.change) for one in found] == [
        ("a", 2, "improved"),
        ("c", 1, "same"),
        ("b", 1, "declined"),
    ]
    assert found[0].before == pytest.approx(2 / 3) and found[0].after == 1.0
    assert {one.change for one in relation_changes(gold, before, after, "no", within=1.0)} == {"same"}


def test_other_lengths_are_refused():
    with pytest.raises(ArrayError, match=r"must be of one length \[n\]. Got \(2,\) and \(1,\)"):
        relation_f1(["a", "b"], ["a"], "no")
