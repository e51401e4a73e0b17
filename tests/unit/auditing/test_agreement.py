"""Agreement of judges: kappa by hand and against scikit-learn, and cells that one of them did not see."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from litotes.auditing.agreement import Agreement, kappa


def test_kappa_by_hand():
    assert kappa(np.array([[20, 5], [10, 15]])) == pytest.approx(0.4)


def test_kappa_is_scikit_learns():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2, 500).astype(float)
    b = np.where(rng.random(500) < 0.3, 1 - a, a)
    agreement = Agreement(["a", "b"])
    agreement.add({"a": a[:200], "b": b[:200]})
    agreement.add({"a": a[200:], "b": b[200:]})
    [pair] = agreement.facts()
    assert pair["kappa"] == pytest.approx(cohen_kappa_score(a, b))
    assert pair["both_flag"] == ((a == 1) & (b == 1)).sum()
    assert pair["only_first"] == ((a == 1) & (b == 0)).sum()
    assert pair["only_second"] == ((a == 0) & (b == 1)).sum()
    assert pair["neither"] == ((a == 0) & (b == 0)).sum()


@pytest.mark.parametrize("table", [np.zeros((2, 2)), np.array([[7, 0], [0, 0]])])
def test_where_kappa_is_not_defined_it_is_none(table):
    assert kappa(table) is None


def test_cells_that_one_judge_did_not_see_do_not_count():
    agreement = Agreement(["a", "b"])
    agreement.add({"a": np.array([1.0, 0.0, np.nan]), "b": np.array([1.0, np.nan, 0.0])})
    assert agreement.facts()[0]["cells"] == 1


def test_one_judge_agrees_with_nobody():
    assert Agreement(["a"]).facts() == []
