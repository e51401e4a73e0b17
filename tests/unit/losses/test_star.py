"""STAR: the identities of its page, each trap that concerns it, and the loss in a SentenceTransformerTrainer."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from litotes.core.errors import LitotesError
from litotes.losses import StarLoss, pairwise_logistic_loss, star_loss, star_scores
from tests.unit.losses.stand_ins import PassThrough, features, small_data, vectors

B, H, DIM = 4, 2, 5


def scores(seed: int = 0):
    return vectors(B, B, seed=seed), vectors(B, B * H, seed=seed + 1)


def leaves(*tensors):
    return [x.detach().clone().requires_grad_() for x in tensors]


def masks(seed: int):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(B, B, generator=generator) < 0.6, torch.rand(B, B * H, generator=generator) < 0.6


class TestIdentities:
    def test_equal_scores_give_log_two_and_gradients_of_one_half_over_the_count(self):
        keep, keep_hard = masks(3)
        in_batch, hard = leaves(torch.zeros(B, B), torch.zeros(B, B * H))
        loss = star_loss(in_batch, hard, keep=keep, keep_hard=keep_hard)
        loss.backward()
        assert loss.item() == pytest.approx(math.log(2))
        used = keep & ~torch.eye(B, dtype=torch.bool)
        count = used.sum() + keep_hard.sum()
        torch.testing.assert_close(hard.grad, keep_hard * 0.5 / count)
        of_row = used.sum(dim=1) + keep_hard.sum(dim=1)
        torch.testing.assert_close(in_batch.grad, used * 0.5 / count - torch.diag(of_row * 0.5 / count))

    def test_without_hard_negatives_it_is_the_in_batch_loss(self):
        in_batch, _ = scores()
        own = torch.eye(B, dtype=torch.bool)
        expected = pairwise_logistic_loss(in_batch.diagonal(), in_batch, keep=~own)
        assert star_loss(in_batch) == star_loss(in_batch, torch.empty(B, 0, dtype=in_batch.dtype)) == expected

    def test_random_weight_zero_is_the_static_only_arm(self):
        in_batch, hard = scores()
        static = star_loss(in_batch, hard, random_weight=0.0)
        torch.testing.assert_close(static, pairwise_logistic_loss(in_batch.diagonal(), hard))
        in_batch[0, 1] = torch.nan  # a group without weight takes no part
        assert star_loss(in_batch, hard, random_weight=0.0) == static

    def test_a_row_of_zeros_in_the_mask_changes_neither_numerator_nor_denominator(self):
        in_batch, hard = scores()
        keep, keep_hard = torch.ones(B, B, dtype=torch.bool), torch.ones(B, B * H, dtype=torch.bool)
        keep[1] = keep_hard[1] = False
        rest = torch.tensor([0, 2, 3])
        expected = pairwise_logistic_loss(
            in_batch.diagonal()[rest],
            torch.cat([in_batch, hard], dim=1)[rest],
            keep=torch.cat([~torch.eye(B, dtype=torch.bool), keep_hard], dim=1)[rest],
        )
        torch.testing.assert_close(star_loss(in_batch, hard, keep=keep, keep_hard=keep_hard), expected)

    @given(st.permutations(range(B)), st.integers(0, 1000))
    def test_permuting_the_batch_permutes_gradients(self, order: list[int], seed: int):
        inputs = vectors(B, DIM, seed=seed), vectors(B, DIM, seed=seed + 1), vectors(B, H, DIM, seed=seed + 2)
        plain, moved = leaves(*inputs), leaves(*(x[order] for x in inputs))
        star_loss(*star_scores(*plain)).backward()
        star_loss(*star_scores(*moved)).backward()
        for before, after in zip(plain, moved, strict=True):
            torch.testing.assert_close(after.grad, before.grad[order])

    @given(st.integers(0, 1000), st.floats(0, 3))
    def test_gradients_of_all_scores_sum_to_zero(self, seed: int, random_weight: float):
        in_batch, hard = leaves(*scores(seed))
        keep, keep_hard = masks(seed)
        star_loss(in_batch, hard, keep=keep, keep_hard=keep_hard, random_weight=random_weight).backward()
        assert abs(in_batch.grad.sum() + hard.grad.sum()) < 1e-12

    def test_a_common_shift_of_all_documents_changes_nothing(self):
        queries, positives, hard = vectors(B, DIM), vectors(B, DIM, seed=1), vectors(B, H, DIM, seed=2)
        shift = 7 * vectors(DIM, seed=3)
        shifted = star_loss(*star_scores(queries, positives + shift, hard + shift))
        torch.testing.assert_close(shifted, star_loss(*star_scores(queries, positives, hard)))

    def test_a_shift_of_one_document_orthogonal_to_all_queries_changes_nothing(self):
        queries, positives, hard = vectors(B, DIM + 1), vectors(B, DIM + 1, seed=1), vectors(B, H, DIM + 1, seed=2)
        queries[:, -1] = 0
        before = star_loss(*star_scores(queries, positives, hard))
        hard[2, 1, -1] += 5.0
        torch.testing.assert_close(star_loss(*star_scores(queries, positives, hard)), before)

    def test_one_query_with_one_hard_negative_is_one_softplus(self):
        loss = star_loss(torch.tensor([[0.5]]), torch.tensor([[1.7]]))
        assert loss.item() == pytest.approx(math.log(1 + math.exp(1.2)))

    def test_a_batch_without_a_usable_pair_is_zero_with_a_gradient(self):
        in_batch = torch.tensor([[2.0]], requires_grad=True)  # one query, no hard negative
        loss = star_loss(in_batch)
        loss.backward()
        assert loss == 0
        assert in_batch.grad == 0

    def test_weights_stand_in_numerator_and_denominator(self):
        in_batch, hard = scores()
        random, static = star_loss(in_batch), star_loss(in_batch, hard, random_weight=0.0)
        n_random, n_static = B * (B - 1), B * B * H
        expected = (0.25 * n_random * random + n_static * static) / (0.25 * n_random + n_static)
        torch.testing.assert_close(star_loss(in_batch, hard, random_weight=0.25), expected)


class TestTraps:
    def test_the_mean_is_pooled_not_a_mean_of_two_means(self):
        in_batch, hard = scores()
        random, static = star_loss(in_batch), star_loss(in_batch, hard, random_weight=0.0)
        counts = torch.tensor([B * (B - 1.0), B * B * H])
        pooled = (counts * torch.stack([random, static])).sum() / counts.sum()
        torch.testing.assert_close(star_loss(in_batch, hard), pooled)
        assert abs(pooled - (random + static) / 2) > 1e-3

    def test_every_query_is_scored_against_all_hard_negatives_not_only_its_own(self):
        hard = vectors(B, H, DIM, seed=2)
        _, scored = star_scores(vectors(B, DIM), vectors(B, DIM, seed=1), hard)
        assert scored.shape == (B, B * H)
        torch.testing.assert_close(scored[3, 1 * H + 1], vectors(B, DIM)[3] @ hard[1, 1])

    def test_the_diagonal_is_never_a_negative_whatever_the_mask_says(self):
        in_batch, _ = scores()
        assert star_loss(in_batch, keep=torch.ones(B, B, dtype=torch.bool)) == star_loss(in_batch)

    def test_masks_come_from_ids_over_all_positives(self):
        columns = vectors(3, DIM), vectors(3, DIM, seed=1), vectors(3, DIM, seed=2)
        labels = torch.tensor([[0, 0, 5], [1, 2, 1], [2, 3, 4]])  # column 1 is row 0's too, column 4 a twin of row 1's
        keep_hard = torch.ones(3, 3, dtype=torch.bool)
        keep_hard[0, 1] = keep_hard[1, 2] = False
        queries, positives, hard = columns
        expected = star_loss(queries @ positives.T, queries @ hard.T, keep_hard=keep_hard)
        by_ids = StarLoss(PassThrough(), small_data())(features(*columns), labels)
        torch.testing.assert_close(by_ids, expected)
        by_mask = torch.cat([~torch.eye(3, dtype=torch.bool), keep_hard], dim=1)
        torch.testing.assert_close(StarLoss(PassThrough())(features(*columns), by_mask), expected)
        assert StarLoss(PassThrough())(features(*columns)) != expected


class TestModule:
    def test_two_columns_are_the_in_batch_loss(self):
        anchors, positives = vectors(B, DIM), vectors(B, DIM, seed=1)
        expected = star_loss(anchors @ positives.T)
        torch.testing.assert_close(StarLoss(PassThrough())(features(anchors, positives)), expected)

    def test_a_step_encodes_the_documents_of_the_batch_once_and_nothing_else(self):
        encoded = []

        class Counting(PassThrough):
            def forward(self, features):
                encoded.append(len(features["sentence_embedding"]))
                return super().forward(features)

        anchors, positives, hard = vectors(B, DIM), vectors(B, DIM, seed=1), vectors(B, H, DIM, seed=2)
        StarLoss(Counting())(features(anchors, positives, *hard.unbind(1)))
        assert encoded == [B, *[B] * (1 + H)]  # the queries, then B * (1 + H) documents

    def test_negatives_are_numbered_by_row_then_place(self):
        anchors, positives, hard = vectors(B, DIM), vectors(B, DIM, seed=1), vectors(B, H, DIM, seed=2)
        keep = torch.ones(B, B + B * H, dtype=torch.bool)
        keep[0, B + 3] = False  # row 1's second negative, for query 0
        loss = StarLoss(PassThrough())(features(anchors, positives, *hard.unbind(1)), keep)
        in_batch, scored = star_scores(anchors, positives, hard)
        torch.testing.assert_close(loss, star_loss(in_batch, scored, keep_hard=keep[:, B:]))

    def test_unit_vectors_may_be_scaled(self):
        anchors, positives = vectors(B, DIM), vectors(B, DIM, seed=1)
        loss = StarLoss(PassThrough(), similarity="cosine", scale=20.0)(features(anchors, positives))
        unit = torch.nn.functional.normalize
        torch.testing.assert_close(loss, star_loss(20 * unit(anchors) @ unit(positives).T))

    @pytest.mark.parametrize("bad", [{"random_weight": -1.0}, {"scale": 0.0}, {"similarity": "cos"}])
    def test_bad_parameters_are_refused_at_construction(self, bad: dict, unchecked_shapes: None):
        with pytest.raises(LitotesError, match=f"{next(iter(bad))!r} parameter of StarLoss"):
            StarLoss(PassThrough(), **bad)
