"""InfoNCE: the special cases, and the loss as sentence-transformers trains with it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from litotes.core.errors import LitotesError
from litotes.losses import InfoNCELoss, info_nce
from tests.unit.losses.stand_ins import PassThrough, features, small_data, vectors


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**31 - 1))
def test_one_positive_a_row_is_cross_entropy(rows: int, cols: int, seed: int):
    scores = vectors(rows, cols, seed=seed)
    targets = torch.arange(rows) % cols
    mine = info_nce(scores, F.one_hot(targets, cols).bool(), temperature=0.5, reduction="none")
    torch.testing.assert_close(mine, F.cross_entropy(scores / 0.5, targets, reduction="none"))


def test_leaving_cells_out_is_removing_their_columns():
    scores, suspected = vectors(2, 4), torch.tensor([False, True, False, True])
    own = torch.tensor([[True, False, False, False], [False, False, True, False]])
    masked = info_nce(scores, own, keep=~suspected.expand(2, 4))
    assert masked == info_nce(scores[:, ~suspected], own[:, ~suspected])


def test_a_row_without_a_kept_positive_is_not_counted_in_the_mean():
    scores = torch.zeros(2, 2)
    one = torch.tensor([[True, False], [False, False]])
    assert info_nce(scores, one).item() == pytest.approx(0.6931, abs=1e-4)
    assert info_nce(scores, one, keep=~one) == 0


def test_a_row_that_does_not_count_may_hold_nan():
    scores = torch.tensor([[0.0, 0.0], [torch.nan, 1.0]], requires_grad=True)
    loss = info_nce(scores, torch.tensor([[True, False], [False, False]]))
    loss.backward()
    assert loss.item() == pytest.approx(0.6931, abs=1e-4)
    assert scores.grad[1].tolist() == [0.0, 0.0]


def test_a_matrix_without_columns_or_rows_gives_zero():
    for shape in ((0, 3), (3, 0)):
        scores = torch.zeros(shape, requires_grad=True)
        loss = info_nce(scores, torch.zeros(shape, dtype=torch.bool))
        loss.backward()
        assert loss == 0


def test_bad_parameters_are_refused(unchecked_shapes: None):
    with pytest.raises(LitotesError, match=r"'temperature' parameter of info_nce must be a float in the range \(0"):
        info_nce(torch.zeros(1, 1), torch.ones(1, 1, dtype=torch.bool), temperature=0.0)
    with pytest.raises(LitotesError, match="InfoNCELoss"):
        InfoNCELoss(PassThrough(), temperature=-1.0)
    with pytest.raises(LitotesError, match="Did you mean 'cosine'"):
        InfoNCELoss(PassThrough(), similarity="cosin")  # type: ignore[arg-type]


class TestModule:
    """The loss as ``SentenceTransformerTrainer`` calls it."""

    def test_scores_each_anchor_against_all_documents_but_known_positives(self):
        anchors, positives, negatives = vectors(3, 4), vectors(3, 4, seed=1), vectors(3, 4, seed=2)
        labels = torch.tensor([[0, 0, 5], [1, 2, 1], [2, 3, 4]])  # column 1 is row 0's too, column 4 a twin of row 1's
        loss = InfoNCELoss(PassThrough(), small_data(), temperature=0.1)(
            features(anchors, positives, negatives), labels
        )
        scores = F.normalize(anchors) @ F.normalize(torch.cat([positives, negatives])).T / 0.1
        scores[0, 4] = scores[1, 5] = -torch.inf
        torch.testing.assert_close(loss, F.cross_entropy(scores, torch.arange(3)))

    def test_without_ids_it_equals_multiple_negatives_ranking_loss(self):
        from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

        columns = [vectors(4, 5, seed=i) for i in range(4)]
        theirs = MultipleNegativesRankingLoss(PassThrough())(features(*columns), labels=None)
        torch.testing.assert_close(InfoNCELoss(PassThrough())(features(*columns)), theirs)

    def test_inner_products_are_taken_as_they_are(self):
        anchors, positives = vectors(3, 4), vectors(3, 4, seed=1)
        loss = InfoNCELoss(PassThrough(), temperature=1.0, similarity="dot")(features(anchors, positives))
        torch.testing.assert_close(loss, F.cross_entropy(anchors @ positives.T, torch.arange(3)))

    def test_one_column_is_refused(self):
        with pytest.raises(LitotesError, match="InfoNCELoss takes the columns anchor, positive.* Got 1 column"):
            InfoNCELoss(PassThrough())(features(vectors(3, 4)))
