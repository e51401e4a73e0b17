"""The two everyday losses: equal to sentence-transformers', and right where others give NaN."""

import math

import pytest
import torch
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss, TripletLoss
from sentence_transformers.sentence_transformer.losses.triplet import TripletDistanceMetric

from litotes.core.errors import LitotesError
from litotes.losses import multiple_negatives_ranking_loss, triplet_loss
from tests.unit.losses.stand_ins import PassThrough, features, vectors

B, DIM = 4, 6


def triplets(seed: int = 0) -> list[torch.Tensor]:
    return [vectors(B, DIM, seed=seed + i).requires_grad_() for i in range(3)]


def same_with_gradients(mine: torch.Tensor, theirs: torch.Tensor, inputs: list[torch.Tensor]) -> None:
    torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=0)
    for a, b in zip(torch.autograd.grad(mine, inputs), torch.autograd.grad(theirs, inputs), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("seed", range(3))
class TestEqualsSentenceTransformers:
    def test_multiple_negatives_ranking_loss(self, seed: int):
        inputs = triplets(seed)
        theirs = MultipleNegativesRankingLoss(PassThrough())(features(*inputs), labels=None)
        same_with_gradients(multiple_negatives_ranking_loss(*inputs), theirs, inputs)

    def test_triplet_loss(self, seed: int):
        inputs = triplets(seed)
        same_with_gradients(triplet_loss(*inputs), TripletLoss(PassThrough())(features(*inputs), labels=None), inputs)

    def test_triplet_loss_of_cosines(self, seed: int):
        inputs = triplets(seed)
        theirs = TripletLoss(PassThrough(), TripletDistanceMetric.COSINE, triplet_margin=0.3)
        mine = triplet_loss(*inputs, distance="cosine", margin=0.3)
        same_with_gradients(mine, theirs(features(*inputs), labels=None), inputs)


class TestMultipleNegativesRankingLoss:
    def test_negatives_equal_to_the_positives_add_log_two(self):
        queries, positives, _ = triplets()
        twice = multiple_negatives_ranking_loss(queries, positives, positives)
        assert twice.item() == pytest.approx(multiple_negatives_ranking_loss(queries, positives).item() + math.log(2))

    def test_scale_zero_gives_the_logarithm_of_the_number_of_documents(self):
        assert multiple_negatives_ranking_loss(*triplets(), scale=0.0).item() == pytest.approx(math.log(2 * B))

    def test_one_query_still_has_its_own_negative(self):
        q, p, n = (x[:1] for x in triplets())
        gap = torch.cosine_similarity(q, n) - torch.cosine_similarity(q, p)
        loss = multiple_negatives_ranking_loss(q, p, n, scale=2.0)
        assert loss.item() == pytest.approx(math.log(1 + math.exp(2 * gap.item())))

    def test_known_positives_can_be_left_out(self):
        q, p, n = triplets()
        keep = torch.ones(B, 2 * B, dtype=torch.bool)
        keep[:, B + 1] = False
        masked = multiple_negatives_ranking_loss(q, p, n, keep=keep)
        torch.testing.assert_close(masked, multiple_negatives_ranking_loss(q, p, n[[0, 2, 3]]))

    def test_permuting_the_batch_permutes_gradients(self):
        inputs, order = triplets(), [2, 0, 3, 1]
        moved = [x.detach()[order].requires_grad_() for x in inputs]
        before = torch.autograd.grad(multiple_negatives_ranking_loss(*inputs), inputs)
        after = torch.autograd.grad(multiple_negatives_ranking_loss(*moved), moved)
        for a, b in zip(after, before, strict=True):
            torch.testing.assert_close(a, b[order])

    def test_a_negative_scale_is_refused(self):
        with pytest.raises(LitotesError, match="'scale' parameter of multiple_negatives_ranking_loss"):
            multiple_negatives_ranking_loss(*triplets(), scale=-1.0)


class TestTripletLoss:
    def test_negative_equal_to_positive_gives_the_margin_exactly(self):
        anchors, positives, _ = triplets()
        assert triplet_loss(anchors, positives, positives).item() == 5.0

    def test_the_subgradient_where_vectors_coincide_is_zero_not_nan(self):
        anchors, positives, negatives = triplets()
        same = anchors.detach().clone().requires_grad_()
        grads = torch.autograd.grad(triplet_loss(anchors, same, negatives), [anchors, same, negatives])
        assert all(grad.isfinite().all() for grad in grads)
        assert not grads[1].any()
        torch.testing.assert_close(grads[0], -grads[2])  # only the distance to the negative pulls
        grads = torch.autograd.grad(triplet_loss(anchors, positives, same), [anchors, positives, same])
        assert all(grad.isfinite().all() for grad in grads)
        assert not grads[2].any()

    def test_a_satisfied_triplet_is_zero(self):
        assert triplet_loss(torch.zeros(1, 2), torch.zeros(1, 2), torch.full((1, 2), 9.0)) == 0

    def test_vectors_are_not_normalised(self):
        anchors, positives, negatives = triplets()
        assert triplet_loss(3 * anchors, 3 * positives, 3 * negatives) != triplet_loss(anchors, positives, negatives)

    def test_an_unknown_distance_is_refused(self, unchecked_shapes: None):
        with pytest.raises(LitotesError, match="'distance' parameter of triplet_loss must be one of.*'euclidean'"):
            triplet_loss(*triplets(), distance="euclidian")  # type: ignore[arg-type]
