"""CET's weights and losses: the identities of the method, its traps, and the words of what is refused."""

import math

import pytest
import torch
from torch.nn import functional as F

from litotes.core.errors import LitotesError
from litotes.losses import cet_weights, coupled_losses, pairwise_logistic_loss, weighted_pair_loss
from litotes.testing import check_loss
from tests.unit.losses.stand_ins import vectors

LOG2 = math.log(2)
ROWS, NEGATIVES = 4, 3


def both(*, seed: int = 0, negatives: int = NEGATIVES) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores of the two models, each a leaf."""
    return tuple(vectors(ROWS, 1 + negatives, seed=seed + i).requires_grad_() for i in range(2))


def loop(scores, others, keep, temperature, max_weight=math.inf) -> float:
    """One model's loss, pair by pair, with the weight as the method defines it."""
    losses = []
    for i in range(len(scores)):
        for j in range(1, scores.shape[1]):
            if keep[i, j - 1]:
                weight = 1 / (1 - 1 / (1 + math.exp(-float(others.detach()[i, j]) / temperature)))
                gap = float((scores[i, j] - scores[i, 0]).detach())
                losses.append(min(weight, max_weight) * math.log1p(math.exp(gap)))
    return sum(losses) / len(losses)


def make_coupled(g: torch.Generator, rows: int = ROWS, negatives: int = NEGATIVES) -> dict:
    keep = torch.rand(rows, negatives, generator=g) < 0.7
    keep[0, :2] = torch.tensor([True, False])
    scores = {name: torch.randn(rows, 1 + negatives, generator=g) for name in ("relevance", "selection")}
    return {**scores, "keep": keep, "temperature": 2.0}


def sum_of_both(relevance, selection, keep, temperature, max_weight=None) -> torch.Tensor:
    found = coupled_losses(relevance, selection, keep=keep, temperature=temperature, max_weight=max_weight)
    return found.relevance + found.selection


def capped(**inputs) -> torch.Tensor:
    return sum_of_both(**inputs, max_weight=20.0)


def left_out_cells(inputs: dict) -> dict[str, torch.Tensor]:
    out = ~torch.cat([inputs["keep"].any(dim=1, keepdim=True), inputs["keep"]], dim=1)
    return {"relevance": out, "selection": out}


COUPLED = {
    "make_inputs": make_coupled,
    "make_large": lambda g: make_coupled(g, 64, 64),
    "promises": {"direction": True, "masked": left_out_cells},
    "left_out": {
        "row_wise": "the mean is over the kept pairs, of which rows have different numbers",
        "permutable": "column 0 is the positive; weighted_pair_loss promises it for the negatives",
        "differentiable": "weights are constants; weighted_pair_loss takes them as an argument, and promises it",
    },
    "measure": lambda x: sum((x[s][:, :1] - x[s][:, 1:])[x["keep"]].mean() for s in ("relevance", "selection")),
}
CHECKS = [
    *check_loss(capped, **COUPLED, name="coupled_losses with a cap"),
    *check_loss(sum_of_both, **COUPLED, raises_at_extremes=LitotesError, name="coupled_losses without a cap"),
]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_promises(check):
    check()


class TestIdentities:
    def test_constant_zero_gives_weights_of_two_and_losses_of_two_log_two(self):
        zeros = torch.zeros(5, 2)
        found = coupled_losses(zeros, zeros)
        assert (found.weights_for_relevance == 2).all() and (found.weights_for_selection == 2).all()
        for loss, monitor in (
            (found.relevance, found.relevance_unweighted),
            (found.selection, found.selection_unweighted),
        ):
            assert loss.item() == pytest.approx(2 * LOG2) and monitor.item() == pytest.approx(LOG2)

    def test_a_high_temperature_gives_twice_the_unweighted_gradient(self):
        a, o = both()
        coupled_losses(a, o, temperature=1e12).relevance.backward()
        plain = a.detach().clone().requires_grad_()
        pairwise_logistic_loss(plain[:, 0], plain[:, 1:]).backward()
        torch.testing.assert_close(a.grad, 2 * plain.grad)

    def test_negatives_that_nobody_would_have_selected_give_unweighted_training(self):
        a, o = both()
        surely_not = torch.full_like(o, -1e5)
        found = coupled_losses(a, surely_not)
        assert (found.weights_for_relevance == 1).all()
        assert torch.equal(found.relevance, found.relevance_unweighted)

    def test_weights_for_relevance_depend_on_the_negatives_selection_score_alone(self):
        a, o = both()
        moved = o.detach().clone()
        moved[:, 0] += 7.0
        before, after = coupled_losses(a, o), coupled_losses(a, moved)
        assert torch.equal(before.relevance, after.relevance)
        assert not torch.equal(before.selection, after.selection)

    def test_the_closed_form_is_the_definition(self):
        for reach, tolerance in ((8, 1e-12), (15, 1e-9)):
            x = torch.linspace(-reach, reach, 1001, dtype=torch.float64)
            expected = 1 / (1 - torch.sigmoid(x))
            assert ((cet_weights(10 * x) - expected) / expected).abs().max() < tolerance

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
    def test_a_cap_keeps_weights_finite_at_any_score(self, dtype):
        weights = cet_weights(torch.tensor([-1e5, -100, 0, 100, 1e5], dtype=dtype), temperature=1.0, max_weight=20.0)
        assert weights.tolist() == [1.0, 1.0, 2.0, 20.0, 20.0]

    def test_no_gradient_passes_from_either_loss_to_the_other_model(self):
        a, o = both()
        coupled_losses(a, o).relevance.backward()
        assert a.grad is not None and o.grad is None
        a, o = both()
        coupled_losses(a, o).selection.backward()
        assert o.grad is not None and a.grad is None

    def test_gradients_by_formula(self):
        a, o = both(negatives=1)
        found = coupled_losses(a, o, temperature=2.0)
        found.relevance.backward()
        expected = found.weights_for_relevance[:, 0] * torch.sigmoid(a[:, 1] - a[:, 0]) / ROWS
        torch.testing.assert_close(a.grad, torch.stack([-expected, expected], dim=1).detach())

    def test_vectorised_is_the_loop(self):
        a, o = both()
        keep = torch.rand(ROWS, NEGATIVES, generator=torch.Generator().manual_seed(3)) < 0.6
        found = coupled_losses(a, o, keep=keep, temperature=0.7, max_weight=2.5)
        assert found.relevance.item() == pytest.approx(loop(a, o, keep, 0.7, 2.5), rel=1e-12)
        assert found.selection.item() == pytest.approx(loop(o, a, keep, 0.7, 2.5), rel=1e-12)

    def test_ties_give_log_two(self):
        o = vectors(5, 2)
        found = coupled_losses(torch.ones(5, 1, dtype=torch.float64).expand(5, 2), o, temperature=1.0)
        assert found.relevance_unweighted.item() == pytest.approx(LOG2)
        assert found.relevance.item() == pytest.approx(LOG2 * float(found.weights_for_relevance.mean()))

    @pytest.mark.parametrize("shape", [(0, 2), (0, 4), (3, 1)])
    def test_no_pairs_give_zero_with_a_gradient(self, shape):
        a = torch.zeros(shape, requires_grad=True)
        found = coupled_losses(a, torch.zeros(shape))
        found.relevance.backward()
        assert found.relevance == 0 and found.selection == 0 and not a.grad.any()


class TestManyNegatives:
    def test_the_mean_is_pooled_over_pairs_not_over_queries(self):
        a = torch.tensor([[0.0, 0.0, 0.0], [0.0, 5.0, 5.0]])
        keep = torch.tensor([[True, True], [True, False]])
        found = coupled_losses(a, torch.zeros(2, 3), keep=keep)
        five = math.log1p(math.exp(5))
        assert found.relevance.item() == pytest.approx(2 * (2 * LOG2 + five) / 3)

    def test_one_negative_each_is_the_plain_form(self):
        a, o = both()
        flat_a, flat_o = (torch.stack([x[:, :1].expand(-1, 3).reshape(-1), x[:, 1:].reshape(-1)], 1) for x in (a, o))
        torch.testing.assert_close(coupled_losses(a, o).relevance, coupled_losses(flat_a, flat_o).relevance)

    def test_trap_masked_pairs_are_dropped_by_where_and_not_by_zero_times_infinity(self):
        a, o = both()
        keep = torch.ones(ROWS, NEGATIVES, dtype=torch.bool)
        keep[1, 2] = False
        expected = coupled_losses(a, o, keep=keep)
        with torch.no_grad():
            a[1, 3], o[1, 3] = 1e30, 1e30
        found = coupled_losses(a, o, keep=keep)
        assert torch.equal(found.relevance, expected.relevance)
        found.relevance.backward()
        assert a.grad.isfinite().all() and a.grad[1, 3] == 0

    def test_the_cap_is_applied_after_one_plus_exp(self):
        assert cet_weights(torch.tensor([math.log(4.0)]), temperature=1.0, max_weight=4.5).item() == 4.5


class TestTraps:
    def test_weights_come_from_the_other_model_and_the_negative(self):
        a, o = torch.tensor([[9.0, 1.0]]), torch.tensor([[7.0, 3.0]])
        found = coupled_losses(a, o, temperature=1.0)
        assert found.weights_for_relevance.item() == pytest.approx(1 + math.exp(3))
        assert found.weights_for_selection.item() == pytest.approx(1 + math.exp(1))

    def test_no_weight_is_below_one_so_likely_positives_are_never_weighted_down(self):
        weights = cet_weights(torch.linspace(-50, 50, 101))
        assert (weights >= 1).all() and (weights.diff() > 0).sum() > 90

    def test_the_divisor_is_the_number_of_pairs_not_the_sum_of_weights(self):
        gaps, weights = torch.zeros(1, 2), torch.tensor([[3.0, 5.0]])
        assert weighted_pair_loss(torch.zeros(1), gaps, weights).item() == pytest.approx(4 * LOG2)

    def test_at_a_temperature_of_ten_weights_are_close_to_constant(self):
        weights = cet_weights(torch.linspace(-5, 5, 11))
        assert weights.min() > 1.6 and weights.max() < 2.7

    def test_weights_that_are_given_are_constants(self):
        weights = torch.full((1, 2), 2.0, requires_grad=True)
        scores = torch.zeros(1, 2, requires_grad=True)
        weighted_pair_loss(torch.zeros(1), scores, weights).backward()
        assert weights.grad is None and scores.grad is not None

    def test_normalised_weights_have_mean_one_over_what_is_kept(self):
        a, o = both()
        keep = torch.ones(ROWS, NEGATIVES, dtype=torch.bool)
        keep[2] = False
        found = coupled_losses(a, o, keep=keep, temperature=0.5, normalize_weights=True)
        mean = found.weights_for_relevance[keep].mean()
        plain = coupled_losses(a, o, keep=keep, temperature=0.5)
        torch.testing.assert_close(found.relevance, plain.relevance / mean)

    def test_an_infinite_temperature_normalised_is_unweighted(self):
        a, o = both()
        found = coupled_losses(a, o, temperature=1e12, normalize_weights=True)
        torch.testing.assert_close(found.relevance, found.relevance_unweighted)


class TestRefused:
    @pytest.mark.parametrize(("score", "temperature"), [(89.0, 1.0), (1e4, 10.0), (math.inf, 10.0)])
    def test_uncapped_weights_that_overflow_are_an_error_not_infinite_training(self, score, temperature):
        scores = torch.tensor([0.0, score])
        with pytest.raises(LitotesError, match=r"CET's weight .* is inf for a score of .*Give max_weight \(20 is a"):
            cet_weights(scores, temperature=temperature)

    @pytest.mark.parametrize("options", [{}, {"normalize_weights": True}])
    @pytest.mark.parametrize("score", [69.5, 88.0])
    def test_weights_that_are_finite_and_overflow_as_soon_as_they_weigh_are_an_error(self, score, options):
        scores = torch.full((9, 3), score)
        with pytest.raises(
            LitotesError, match=r"is \d.*e\+3[0-8] for a score of .* which losses cannot be weighted by"
        ):
            coupled_losses(torch.zeros(9, 3), scores, temperature=1.0, **options)

    @pytest.mark.parametrize("options", [{}, {"normalize_weights": True}])
    def test_what_is_not_refused_gives_finite_losses(self, options):
        scores = torch.tensor([[0.0, 68.0, 68.0]]).expand(100_000, 3)
        found = coupled_losses(torch.zeros(100_000, 3), scores, temperature=1.0, **options)
        assert found.relevance.isfinite() and found.selection.isfinite()

    def test_a_score_that_is_no_number_is_an_error(self):
        with pytest.raises(LitotesError, match="is nan for a score of nan"):
            cet_weights(torch.tensor([math.nan]), max_weight=20.0)

    def test_masked_scores_may_be_anything(self):
        scores = torch.tensor([math.nan, 1e9, 0.0])
        assert cet_weights(scores, keep=torch.tensor([False, False, True]))[2] == 2

    @pytest.mark.parametrize("options", [{"temperature": 0.0}, {"temperature": -1.0}, {"max_weight": 0.5}])
    def test_options_out_of_range(self, options):
        (name,) = options
        with pytest.raises(LitotesError, match=f"'{name}' parameter of cet_weights must be a float"):
            cet_weights(torch.zeros(1), **options)

    def test_scores_of_two_shapes(self, unchecked_shapes):
        with pytest.raises(LitotesError, match=r"one shape \[batch, 1 \+ negatives\].*Got \(2, 3\) and \(2, 2\)"):
            coupled_losses(torch.zeros(2, 3), torch.zeros(2, 2))


def test_softplus_of_large_gaps_is_exact():
    a = torch.tensor([[0.0, 500.0]])
    assert coupled_losses(a, torch.full((1, 2), -1e4), max_weight=20.0).relevance.item() == 500.0
    assert F.softplus(torch.tensor(500.0)).item() == 500.0
