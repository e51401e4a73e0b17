"""Weights by difficulty over a matrix: the identities of PEG's page, and what a level is."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from litotes.core.errors import LitotesError
from litotes.losses import difficulty_info_nce, difficulty_weights, info_nce
from litotes.losses.difficulty import query_weights
from tests.unit.losses.stand_ins import vectors

ROWS, COLS = 3, 6
OWN = F.one_hot(torch.tensor([0, 2, 5]), COLS).bool()


@settings(max_examples=20)
@given(st.floats(-5, 5), st.integers(0, 1000))
def test_the_mean_weight_of_the_chosen_is_one_and_others_have_one(beta: float, seed: int):
    scores, chosen = vectors(ROWS, COLS, seed=seed), vectors(ROWS, COLS, seed=seed + 1) > 0
    weights = difficulty_weights(scores, chosen, beta=beta)
    torch.testing.assert_close((weights * chosen).sum(dim=1), chosen.sum(dim=1).double(), rtol=1e-12, atol=0)
    assert (weights[~chosen] == 1).all()
    torch.testing.assert_close(
        difficulty_weights(scores, chosen, beta=beta, weight_norm=None), (beta * scores).exp().where(chosen, 1.0)
    )


def test_weights_have_no_gradient():
    assert not difficulty_weights(vectors(ROWS, COLS).requires_grad_(), ~OWN, beta=1.0).requires_grad


def test_beta_zero_is_info_nce():
    scores = vectors(ROWS, COLS)
    keep = vectors(ROWS, COLS, seed=1) > -1
    for level in ("pair", "query"):
        mine = difficulty_info_nce(scores, OWN, keep=keep, level=level, reduction="none")
        torch.testing.assert_close(mine, info_nce(scores, OWN, keep=keep, reduction="none"))


def test_given_weights_take_the_place_of_beta():
    scores = vectors(ROWS, COLS)
    weights = difficulty_weights(scores, ~OWN, beta=2.0)
    by_beta = difficulty_info_nce(scores, OWN, beta=2.0)
    torch.testing.assert_close(difficulty_info_nce(scores, OWN, weights=weights), by_beta)
    assert difficulty_info_nce(scores, OWN) != by_beta


def test_a_weight_of_zero_is_leaving_out():
    scores = vectors(ROWS, COLS).requires_grad_()
    loss = difficulty_info_nce(scores, OWN, weights=torch.zeros(ROWS, COLS))
    assert loss == 0 and not torch.autograd.grad(loss, scores)[0].any()


def test_a_query_weighs_by_the_mean_difficulty_of_its_chosen_negatives():
    scores = vectors(ROWS, COLS)
    plain = info_nce(scores, OWN, reduction="none")
    difficulty = torch.stack([row[~own].mean() for row, own in zip(scores, OWN, strict=True)])
    raw = (2.0 * difficulty).exp()
    options = {"beta": 2.0, "level": "query", "reduction": "none"}
    for weight_norm in ("mean", None):  # which says how a query's negatives are weighed, not the queries
        weighted = difficulty_info_nce(scores, OWN, weight_norm=weight_norm, **options)
        torch.testing.assert_close(weighted, plain * raw / raw.mean())


def test_queries_without_a_chosen_negative_weigh_one_and_are_no_part_of_the_mean():
    keep = torch.tensor([True, False, True])
    found = query_weights(torch.tensor([1.0, 0.0, 3.0]), keep, beta=1.0)
    raw = torch.tensor([math.e, math.exp(3)])
    torch.testing.assert_close(found[keep], raw / raw.mean())
    assert found[1] == 1


@pytest.mark.parametrize("beta", [-1e4, 1e4])
def test_huge_strengths_are_finite(beta: float):
    scores = vectors(ROWS, COLS, dtype=torch.float32).requires_grad_()
    for level in ("pair", "query"):
        loss = difficulty_info_nce(scores, OWN, beta=beta, level=level)
        assert loss.isfinite() and torch.autograd.grad(loss, scores)[0].isfinite().all()
    raw = difficulty_info_nce(scores, OWN, beta=beta, level="query", weight_norm=None)
    assert raw.isfinite() and torch.autograd.grad(raw, scores)[0].isfinite().all()


def test_bad_parameters_are_refused(unchecked_shapes: None):
    for bad in ({"beta": torch.inf}, {"temperature": 0.0}, {"weight_norm": "sum"}, {"level": "row"}):
        with pytest.raises(LitotesError, match=f"{next(iter(bad))!r} parameter of difficulty_info_nce"):
            difficulty_info_nce(vectors(ROWS, COLS), OWN, **bad)
    with pytest.raises(LitotesError, match="'chosen' parameter of difficulty_info_nce must be a bool tensor"):
        difficulty_info_nce(vectors(ROWS, COLS), OWN, chosen=OWN[:1])
