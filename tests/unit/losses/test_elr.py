"""ELR: the identities of its page, the traps it warns of, and what is refused."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from litotes.core.errors import LitotesError
from litotes.losses import ELRLoss, TargetMemory, early_learning_term, elr_loss, soft_cross_entropy
from litotes.testing import check_loss
from tests.unit.losses.stand_ins import vectors

LABELS = torch.tensor([2, 0, 3, 1])
IDS = torch.tensor([7, 1, 4, 9])


def filled(momentum: float = 0.7, seed: int = 5, dtype: torch.dtype = torch.float64) -> TargetMemory:
    """A memory of ten examples and four classes, visited a few times."""
    memory = TargetMemory(10, 4, target_momentum=momentum, dtype=dtype)
    for visit in range(3):
        memory.update(torch.arange(10), vectors(10, 4, seed=seed + visit).softmax(dim=1))
    return memory


def gradient(loss, logits: Tensor) -> Tensor:
    leaf = logits.detach().clone().requires_grad_()
    return torch.autograd.grad(loss(leaf), leaf)[0]


class TestIdentities:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_without_regularization_it_is_cross_entropy_exactly_and_the_memory_still_moves(self, dtype):
        memory, logits = filled(dtype=dtype), vectors(4, 4).to(dtype)
        before = memory.targets.clone()
        assert torch.equal(elr_loss(logits, LABELS, memory, IDS, regularization=0.0), F.cross_entropy(logits, LABELS))
        ours = gradient(lambda z: elr_loss(z, LABELS, memory, IDS, regularization=0.0), logits)
        assert torch.equal(ours, gradient(lambda z: F.cross_entropy(z, LABELS), logits))
        assert not torch.equal(memory.targets[IDS], before[IDS])

    def test_without_momentum_the_targets_are_the_current_probabilities(self):
        memory, logits = filled(0.0), 20 * vectors(4, 4)  # some of them clamped
        elr_loss(logits, LABELS, memory, IDS)
        p = logits.softmax(dim=1).clamp(1e-4, 1 - 1e-4)
        torch.testing.assert_close(memory.targets[IDS], p / p.sum(dim=1, keepdim=True))

    @pytest.mark.parametrize("visits", [1, 4])
    def test_after_v_visits_with_one_output_the_target_is_one_minus_beta_to_the_v_of_it(self, visits):
        memory, logits = TargetMemory(10, 4, dtype=torch.float64), vectors(4, 4)
        for _ in range(visits):
            elr_loss(logits, LABELS, memory, IDS)
        q = logits.softmax(dim=1)
        torch.testing.assert_close(memory.targets[IDS], (1 - 0.7**visits) * q, rtol=1e-12, atol=0)
        assert memory.targets[IDS].sum(dim=1).tolist() == pytest.approx([1 - 0.7**visits] * 4, abs=1e-15)

    @settings(deadline=None, max_examples=40)
    @given(seed=st.integers(0, 10_000), regularization=st.floats(0.0, 10.0), momentum=st.floats(0.0, 0.99))
    def test_the_gradient_is_that_of_the_page(self, seed, regularization, momentum):
        memory, logits = filled(momentum, seed), vectors(4, 4, seed=seed)
        found = gradient(lambda z: elr_loss(z, LABELS, memory, IDS, regularization=regularization), logits)
        p, t = logits.softmax(dim=1), memory.targets[IDS]
        s = (t * p).sum(dim=1, keepdim=True)
        expected = p - F.one_hot(LABELS, 4) - regularization * p * (t - s) / (1 - s)
        torch.testing.assert_close(found, expected / 4, rtol=1e-9, atol=1e-12)

    def test_the_gradient_of_the_term_sums_to_zero_over_the_classes(self):
        for form in ("log", "kl", "dot"):
            found = gradient(lambda z, form=form: early_learning_term(z, filled().read(IDS), form=form), vectors(4, 4))
            assert found.abs().max() > 1e-3 and found.sum(dim=1).abs().max() < 1e-15

    def test_where_a_probability_is_clamped_its_gradient_is_zero(self):
        logits = torch.tensor([[30.0, 0.0, 0.0]], dtype=torch.float64)
        targets = torch.tensor([[0.2, 0.5, 0.1]], dtype=torch.float64)
        assert not gradient(lambda z: early_learning_term(z, targets), logits).any()
        assert early_learning_term(logits, targets).item() == pytest.approx(
            math.log(1 - 0.2 * (1 - 1e-4) - 0.6 * 1e-4), rel=1e-12
        )

    def test_a_batch_in_another_order_gives_the_same(self):
        order, logits = torch.tensor([2, 0, 3, 1]), vectors(4, 4)
        one, other = filled(), filled()
        a = elr_loss(logits, LABELS, one, IDS)
        b = elr_loss(logits[order], LABELS[order], other, IDS[order])
        torch.testing.assert_close(a, b, rtol=1e-14, atol=0)
        torch.testing.assert_close(one.targets, other.targets, rtol=1e-15, atol=0)

    def test_the_first_visit_is_held_weakly(self):
        memory, logits = TargetMemory(10, 4, target_momentum=0.9, dtype=torch.float64), 50 * vectors(4, 4)
        term = elr_loss(logits, LABELS, memory, IDS, regularization=1.0) - F.cross_entropy(logits, LABELS)
        assert math.log(1 - 0.1) < term.item() < math.log(1 - 0.1) + 1e-3

    def test_a_batch_of_nothing_is_zero(self):
        logits = torch.zeros(0, 4, requires_grad=True)
        nothing = torch.zeros(0, dtype=torch.int64)
        value = elr_loss(logits, nothing, filled(), nothing)
        value.backward()
        assert value.item() == 0

    def test_soft_labels_that_are_one_hot_are_labels(self):
        logits = vectors(4, 4)
        soft = elr_loss(logits, F.one_hot(LABELS, 4).double(), filled(), IDS)
        torch.testing.assert_close(soft, elr_loss(logits, LABELS, filled(), IDS))

    def test_targets_of_an_average_of_the_weights(self):
        """beta = 0: weight averaging alone; otherwise both."""
        logits, average = vectors(4, 4), vectors(4, 4, seed=1)
        for momentum in (0.0, 0.7):
            memory, by_hand = filled(momentum), filled(momentum)
            found = elr_loss(logits, LABELS, memory, IDS, target_logits=average)
            by_hand.update(IDS, average.softmax(dim=1))
            torch.testing.assert_close(memory.targets, by_hand.targets, rtol=1e-12, atol=0)
            assert found == elr_loss(logits, LABELS, by_hand, IDS, update=False)

    def test_the_other_forms_by_hand(self):
        logits = torch.tensor([[math.log(3.0), 0.0]])
        targets = torch.tensor([[0.5, 0.25]])
        assert early_learning_term(logits, targets, form="dot").item() == pytest.approx(-(0.5 * 0.75 + 0.25 * 0.25))
        kl = 0.5 * math.log(0.5 / 0.75) + 0.25 * math.log(0.25 / 0.25)
        assert early_learning_term(logits, targets, form="kl").item() == pytest.approx(kl, rel=1e-5)
        assert early_learning_term(logits, torch.zeros(1, 2), form="kl").item() == 0  # before the first visit


class TestTraps:
    def test_the_memory_moves_before_it_is_used(self):
        memory, logits = TargetMemory(10, 4, dtype=torch.float64), vectors(4, 4)
        found = elr_loss(logits, LABELS, memory, IDS)
        term = early_learning_term(logits, 0.3 * logits.softmax(dim=1))
        torch.testing.assert_close(found, F.cross_entropy(logits, LABELS) + 3 * term)

    def test_an_evaluation_leaves_the_memory_and_reads_it(self):
        memory, logits = filled(), vectors(4, 4)
        before = memory.targets.clone()
        with torch.no_grad():
            value = elr_loss(logits, LABELS, memory, IDS)
        assert torch.equal(memory.targets, before)
        assert value == elr_loss(logits, LABELS, memory, IDS, update=False)
        assert torch.equal(memory.targets, before)

    def test_examples_without_targets_get_cross_entropy(self):
        logits = vectors(4, 4)
        assert torch.equal(elr_loss(logits, LABELS, None, None), F.cross_entropy(logits, LABELS))

    @pytest.mark.parametrize("use_reentrant", [True, False])
    def test_a_checkpointed_loss_moves_the_memory_once(self, use_reentrant):
        memory, plain = filled(), filled()
        memory.visit = 0
        logits, leaf = vectors(4, 4), vectors(4, 4).requires_grad_()
        checkpoint(lambda z: elr_loss(z, LABELS, memory, IDS), leaf, use_reentrant=use_reentrant).backward()
        found = gradient(lambda z: elr_loss(z, LABELS, plain, IDS), logits)
        assert torch.equal(memory.targets, plain.targets)
        torch.testing.assert_close(leaf.grad, found)

    def test_a_second_forward_pass_over_the_batch_moves_the_memory_once(self):
        memory, plain = filled(), filled()
        memory.visit = 12
        for seed in (0, 1):  # a closure that is called twice in a step
            elr_loss(vectors(4, 4, seed=seed), LABELS, memory, IDS)
        elr_loss(vectors(4, 4), LABELS, plain, IDS)
        assert torch.equal(memory.targets, plain.targets)

    def test_accumulated_over_parts_it_is_the_loss_of_one_batch(self):
        whole, parts, logits = filled(), filled(), vectors(4, 4)
        parts.visit = 0
        expected = gradient(lambda z: elr_loss(z, LABELS, whole, IDS), logits)
        found = [
            gradient(lambda z, i=i: elr_loss(z, LABELS[i], parts, IDS[i], reduction="sum") / 4, logits[i])
            for i in (slice(0, 1), slice(1, 4))
        ]
        torch.testing.assert_close(torch.cat(found), expected, rtol=1e-12, atol=1e-15)
        torch.testing.assert_close(parts.targets, whole.targets, rtol=1e-15, atol=0)

    def test_no_gradient_flows_through_the_targets(self):
        """With beta = 0 the targets are the probabilities themselves, and would give another gradient."""
        logits = vectors(4, 4)
        found = gradient(lambda z: elr_loss(z, LABELS, filled(0.0), IDS, regularization=1.0), logits)
        p = logits.softmax(dim=1)
        held = gradient(lambda z: F.cross_entropy(z, LABELS) + early_learning_term(z, p), logits)
        through = gradient(
            lambda z: F.cross_entropy(z, LABELS) + (1 - z.softmax(dim=1).square().sum(dim=1)).log().mean(), logits
        )
        torch.testing.assert_close(found, held)
        assert (found - through).abs().max() > 0.01

    def test_the_sign_draws_towards_the_targets(self):
        logits, targets = torch.zeros(1, 3, dtype=torch.float64), torch.tensor([[0.1, 0.7, 0.1]], dtype=torch.float64)
        assert early_learning_term(logits, targets) < 0
        found = gradient(lambda z: early_learning_term(z, targets), logits)[0]
        assert found[1] < 0 < found[0]  # a step down the gradient raises the logit of the target

    def test_a_wrong_label_is_cancelled_and_a_clean_one_goes_on(self):
        z = torch.tensor([[6.0, 0.0]], dtype=torch.float64)  # the network says class 0, and has for long
        memory = TargetMemory.from_targets(torch.tensor([[0.99, 0.005]], dtype=torch.float64))
        wrong, clean = (
            gradient(lambda z, y=y: elr_loss(z, torch.tensor([y]), memory, torch.tensor([0]), update=False), z)[
                0, y
            ].item()
            for y in (1, 0)
        )
        plain = gradient(lambda z: F.cross_entropy(z, torch.tensor([0])), z)[0, 0].item()
        assert wrong > -0.5  # cross entropy alone would pull with -0.998 towards the wrong class
        assert clean < 10 * plain < 0  # cross entropy alone has let go

    @pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
    def test_saturated_outputs_and_full_targets_stay_finite(self, dtype):
        memory = TargetMemory(8, 4, target_momentum=0.9, dtype=dtype)
        logits = 1e4 * torch.eye(4)[torch.tensor([0, 1, 2, 3, 0, 1, 2, 3])]
        for _ in range(200):
            value = elr_loss(logits, torch.zeros(8, dtype=torch.int64), memory, torch.arange(8), regularization=7.0)
        assert value.isfinite() and memory.targets.float().sum(dim=1).min() > 0.99
        assert (
            gradient(lambda z: elr_loss(z, torch.zeros(8, dtype=torch.int64), memory, torch.arange(8)), logits)
            .isfinite()
            .all()
        )

    def test_half_precision_logits_are_computed_in_float32(self):
        z = vectors(4, 4).bfloat16()
        memory, exact = filled(dtype=torch.float32), filled(dtype=torch.float32)
        value = elr_loss(z, LABELS, memory, IDS)
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, elr_loss(z.float(), LABELS, exact, IDS))
        torch.testing.assert_close(memory.targets, exact.targets)


class TestModule:
    def test_in_eval_the_memory_rests_and_examples_without_ids_get_cross_entropy(self):
        loss, logits = ELRLoss(10, 4), vectors(4, 4).float()
        loss(logits, LABELS, IDS)
        before = loss.memory.targets.clone()
        loss.eval()
        assert loss(logits, LABELS, IDS) < loss(logits, LABELS) == F.cross_entropy(logits, LABELS)
        assert torch.equal(loss.memory.targets, before)

    def test_the_memory_is_saved_with_it(self):
        loss, other = ELRLoss(10, 4), ELRLoss(10, 4)
        loss(vectors(4, 4).float(), LABELS, IDS)
        other.load_state_dict(loss.state_dict())
        assert torch.equal(other.memory.targets, loss.memory.targets)

    def test_in_training_ids_are_needed(self):
        with pytest.raises(LitotesError, match="one id for each of the 4 examples of the batch. Got none."):
            ELRLoss(10, 4)(vectors(4, 4).float(), LABELS)


def make_inputs(g: torch.Generator, rows: int = 3) -> dict:
    ids = torch.randperm(70, generator=g)[:rows]
    return {"logits": torch.randn(rows, 4, generator=g), "labels": torch.arange(rows) % 4, "ids": ids}


def first_visit(logits, labels, ids) -> float:
    losses = []
    for z, y in zip(logits.tolist(), labels.tolist(), strict=True):
        total = sum(map(math.exp, z))
        p = [math.exp(x) / total for x in z]
        losses.append(-math.log(p[y]) + math.log(1 - 0.3 * sum(x * x for x in p)))
    return sum(losses) / len(losses)


CHECKS = check_loss(
    lambda: ELRLoss(70, 4, regularization=1.0, dtype=torch.float64),
    make_inputs,
    {"row_wise": True, "direction": +1, "stateful": True},
    left_out={
        "permutable": "a label names its column",
        "differentiable": "finite differences move the targets, which the gradient holds constant; elr_loss with a "
        "memory at rest promises it",
    },
    measure=lambda x: -F.cross_entropy(x["logits"], x["labels"]),
    reference=first_visit,
    make_large=lambda g: make_inputs(g, 64),
    name="ELRLoss",
)


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_promises(check):
    check()


class TestRefused:
    def test_a_number_of_ids_that_is_not_the_number_of_examples(self, unchecked_shapes):
        with pytest.raises(LitotesError, match="one id for each of the 4 examples of the batch. Got 3."):
            elr_loss(vectors(4, 4), LABELS, filled(), IDS[:3])

    def test_a_repeated_id_and_one_out_of_range(self):
        with pytest.raises(LitotesError, match="got the id 7 more than once"):
            elr_loss(vectors(4, 4), LABELS, filled(), torch.tensor([7, 1, 7, 2]))
        with pytest.raises(LitotesError, match="ids 0 to 9. Got the id 10"):
            elr_loss(vectors(4, 4), LABELS, filled(), torch.tensor([7, 1, 10, 2]))

    @pytest.mark.parametrize("label", [4, -100])
    def test_a_label_that_is_no_class(self, label):
        with pytest.raises(LitotesError, match=f"labels from 0 to 3, for logits of 4 classes. Got {label}. Leave"):
            elr_loss(vectors(4, 4), torch.tensor([0, 1, label, 2]), filled(), IDS)

    def test_targets_and_soft_labels_of_another_shape(self, unchecked_shapes):
        with pytest.raises(LitotesError, match=r"logits and targets of one shape. Got \(4, 4\) and \(4, 3\)"):
            early_learning_term(vectors(4, 4), vectors(4, 3))
        with pytest.raises(LitotesError, match=r"logits and labels of one shape. Got \(4, 4\) and \(2, 4\)"):
            soft_cross_entropy(vectors(4, 4), vectors(2, 4))

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"regularization": -1.0}, "'regularization' parameter of elr_loss must be a float in the range"),
            ({"clamp": 0.5}, "'clamp' parameter of elr_loss"),
            ({"form": "log1p"}, "must be one of 'log', 'kl', 'dot'. Got 'log1p' instead. Did you mean 'log'?"),
        ],
    )
    def test_options(self, options, message, unchecked_shapes):
        with pytest.raises(LitotesError, match=message):
            elr_loss(vectors(4, 4), LABELS, filled(), IDS, **options)
