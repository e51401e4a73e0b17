"""Losses as a trainer's ``compute_loss_func``: what counts, what it is divided by, and where the ids come from."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers.modeling_outputs import SequenceClassifierOutput, TokenClassifierOutput

from litotes.core.errors import LitotesError
from litotes.losses import TargetMemory, elr_loss, for_trainer
from tests.unit.losses.stand_ins import vectors

LABELS = torch.tensor([2, 0, 3, 1])
IDS = torch.tensor([7, 1, 4, 9])
PAIRS = torch.stack([LABELS, IDS], dim=1)
TAGS = torch.tensor([[1, -100, 2], [0, 3, -100]])


def outputs(logits: Tensor) -> SequenceClassifierOutput:
    return SequenceClassifierOutput(logits=logits)


def memory() -> TargetMemory:
    T = TargetMemory(10, 4, dtype=torch.float64)
    T.update(torch.arange(10), vectors(10, 4, seed=5).softmax(dim=1))
    return T


class TestAnyLoss:
    compute = staticmethod(for_trainer(F.cross_entropy))

    def test_of_texts_it_is_the_loss(self):
        logits = vectors(4, 4)
        assert self.compute(outputs(logits), LABELS) == F.cross_entropy(logits, LABELS)
        assert self.compute((logits,), LABELS) == self.compute({"logits": logits}, LABELS)

    def test_of_tokens_what_has_no_label_is_not_there(self):
        logits = vectors(2, 3, 4)
        logits[TAGS == -100] = torch.nan
        found = self.compute(TokenClassifierOutput(logits=logits), TAGS)
        kept = logits[TAGS != -100]
        torch.testing.assert_close(found, F.cross_entropy(kept, torch.tensor([1, 2, 0, 3])))

    def test_it_is_divided_by_the_number_of_labels_of_the_whole_step(self):
        logits = vectors(4, 4)
        expected = F.cross_entropy(logits, LABELS, reduction="sum") / 11
        for number in (11, torch.tensor(11), torch.tensor([[11]])):  # a trainer of several devices gives the last
            torch.testing.assert_close(self.compute(outputs(logits), LABELS, num_items_in_batch=number), expected)

    def test_parts_add_up_to_one_large_batch(self):
        logits = vectors(2, 3, 4)
        whole = self.compute(TokenClassifierOutput(logits=logits), TAGS)
        parts = [
            self.compute(TokenClassifierOutput(logits=logits[i : i + 1]), TAGS[i : i + 1], num_items_in_batch=4)
            for i in range(2)
        ]
        torch.testing.assert_close(sum(parts), whole)

    def test_without_any_label_it_is_zero_with_gradients_of_zero(self):
        logits = torch.full((2, 3, 4), torch.nan, requires_grad=True)
        value = self.compute(TokenClassifierOutput(logits=logits), torch.full((2, 3), -100))
        value.backward()
        assert value.item() == 0 and not logits.grad.any()

    def test_options_go_to_the_loss(self):
        logits = vectors(4, 4)
        found = for_trainer(F.cross_entropy, label_smoothing=0.1)(outputs(logits), LABELS)
        assert found == F.cross_entropy(logits, LABELS, label_smoothing=0.1)


class TestWithMemory:
    def test_it_is_the_loss_of_labels_and_ids(self):
        logits, T, by_hand = vectors(4, 4), memory(), memory()
        found = for_trainer(elr_loss, memory=T, regularization=2.0)(outputs(logits), PAIRS)
        assert found == elr_loss(logits, LABELS, by_hand, IDS, regularization=2.0)
        assert torch.equal(T.targets, by_hand.targets)

    def test_the_trainers_number_counts_both_columns_and_is_halved(self):
        logits, T, by_hand = vectors(4, 4), memory(), memory()
        found = for_trainer(elr_loss, memory=T)(outputs(logits), PAIRS, num_items_in_batch=PAIRS.ne(-100).sum())
        torch.testing.assert_close(found, elr_loss(logits, LABELS, by_hand, IDS))

    def test_parts_are_one_large_batch(self):
        logits, whole, parts = vectors(4, 4), memory(), memory()
        expected = for_trainer(elr_loss, memory=whole)(outputs(logits), PAIRS, num_items_in_batch=8)
        compute = for_trainer(elr_loss, memory=parts)
        found = [compute(outputs(logits[i]), PAIRS[i], num_items_in_batch=8) for i in (slice(0, 3), slice(3, 4))]
        torch.testing.assert_close(sum(found), expected)
        torch.testing.assert_close(parts.targets, whole.targets, rtol=1e-15, atol=0)

    def test_an_example_without_a_label_moves_nothing(self):
        logits, T = vectors(4, 4), memory()
        before = T.targets.clone()
        pairs = PAIRS.where(torch.tensor([[True], [False], [True], [True]]), -100)
        found = for_trainer(elr_loss, memory=T)(outputs(logits), pairs, num_items_in_batch=6)
        assert torch.equal(T.targets[1], before[1]) and not torch.equal(T.targets[7], before[7])
        rows = [0, 2, 3]
        torch.testing.assert_close(found, elr_loss(logits[rows], LABELS[rows], T, IDS[rows], update=False))

    @pytest.mark.parametrize("labels", [LABELS, PAIRS + torch.tensor([0, 500])])
    def test_in_evaluation_it_is_cross_entropy_whatever_the_ids(self, labels):
        """Ids of an evaluation set are none of the memory's."""
        logits, T = vectors(4, 4), memory()
        before = T.targets.clone()
        with torch.no_grad():
            number = labels.numel()
            found = for_trainer(elr_loss, memory=T)(outputs(logits), labels, num_items_in_batch=number)
        torch.testing.assert_close(found, F.cross_entropy(logits, LABELS))
        assert torch.equal(T.targets, before)

    def test_two_classes_and_two_texts_are_not_taken_for_pairs_of_something_else(self):
        T = TargetMemory(5, 2, dtype=torch.float64)
        for_trainer(elr_loss, memory=T)(outputs(vectors(2, 2)), torch.tensor([[1, 4], [0, 2]]))
        assert T.seen.tolist() == [False, False, True, False, True]


class TestRefused:
    def test_a_reduction(self):
        with pytest.raises(LitotesError, match="for_trainer divides by the number of labels itself. Leave reduction= "):
            for_trainer(F.cross_entropy, reduction="sum")

    def test_training_without_ids(self):
        with pytest.raises(LitotesError, match=r"labels of shape \[B, 2\], \(label, id\). Got the shape \(4,\). Make"):
            for_trainer(elr_loss, memory=memory())(outputs(vectors(4, 4)), LABELS)

    def test_ids_that_a_collator_made_floats_of(self):
        with pytest.raises(
            LitotesError, match=r"\(label, id\) as torch.float32, in which ids above 16,777,216 are oth"
        ):
            for_trainer(elr_loss, memory=memory())(outputs(vectors(4, 4)), PAIRS.float())

    def test_outputs_without_logits(self):
        with pytest.raises(
            LitotesError, match="takes outputs with logits. Got last_hidden_state. Use a model with a h"
        ):
            for_trainer(F.cross_entropy)({"last_hidden_state": vectors(4, 4)}, LABELS)
        with pytest.raises(LitotesError, match="takes outputs with logits. Got SimpleNamespace"):
            for_trainer(F.cross_entropy)((SimpleNamespace(),), LABELS)

    def test_no_labels_and_labels_of_another_shape(self):
        with pytest.raises(LitotesError, match="got no labels. Give the dataset a column 'label' or 'labels'"):
            for_trainer(F.cross_entropy)(outputs(vectors(4, 4)), None)
        with pytest.raises(
            LitotesError, match=r"one label for each row of logits. Got labels \(4, 2\) and logits \(4,"
        ):
            for_trainer(F.cross_entropy)(outputs(vectors(4, 4)), PAIRS)
