"""ADORE's loss: the identities of its page and each trap that concerns it."""

import math

import pytest
import torch
from torch.nn import functional as F

from litotes.core.errors import LitotesError
from litotes.losses import AdoreLoss, RankedLists, adore_loss, ranked_lists
from tests.unit.losses.stand_ins import vectors

QUERIES, K, DIM, DOCUMENTS = 3, 6, 4, 20


def step(queries, documents, relevant, k=K, metric_cut=K):
    """Search, label, score, weigh: what one ADORE batch does, with exact search."""
    with torch.no_grad():
        retrieved = (queries @ documents.T).argsort(dim=1, descending=True, stable=True)[:, :k]
    lists = ranked_lists(retrieved, relevant)
    return AdoreLoss(metric_cut)(queries, documents[lists.ids.clamp(min=0)], lists), lists


def one_positive(place: int, length: int) -> torch.Tensor:
    """A list whose only positive stands at ``place`` (from 1)."""
    return F.one_hot(torch.tensor([place - 1]), length).bool()


class TestIdentities:
    def test_one_positive_inside_the_list(self):
        z, p, k = vectors(1, 5), 3, 5
        expected = sum(
            abs(1 / p - 1 / j) * math.log(1 + math.exp(z[0, j - 1] - z[0, p - 1])) for j in range(1, k + 1) if j != p
        ) / (k - 1)
        assert adore_loss(z, one_positive(p, k), metric_cut=k).item() == pytest.approx(expected, rel=1e-12)

    def test_one_positive_appended_at_the_cut_weighs_each_negative_by_its_own_reciprocal_rank(self):
        k, z = 5, vectors(1, 6)
        expected = sum(1 / j * math.log(1 + math.exp(z[0, j - 1] - z[0, k])) for j in range(1, k + 1)) / k
        assert adore_loss(z, one_positive(k + 1, k + 1), metric_cut=k).item() == pytest.approx(expected, rel=1e-12)

    def test_both_triangles_of_the_official_matrix_give_the_same(self):
        z, y = vectors(1, 6)[0], torch.tensor([False, True, False, True, False, False])
        rho = torch.tensor([1 / j if j <= 4 else 0.0 for j in range(1, 7)], dtype=torch.float64)
        weights = (rho[:, None] - rho[None, :]).abs() * (y[:, None] != y[None, :])
        sign = y.double()[:, None] - y.double()[None, :]
        official = (weights * torch.log(1 + torch.exp(-sign * (z[:, None] - z[None, :])))).sum() / (2 * 2 * 4)
        torch.testing.assert_close(adore_loss(z[None], y[None], metric_cut=4), official)

    def test_weights_of_one_give_the_plain_mean_of_softplus(self):
        z, y = vectors(1, 6), torch.tensor([[False, True, False, True, False, False]])
        gaps = z[0][~y[0]][None, :] - z[0][y[0]][:, None]
        torch.testing.assert_close(adore_loss(z, y, weights=y.double()), F.softplus(gaps).mean())

    def test_the_divisor_counts_pairs_of_weight_zero(self):
        z, y = torch.zeros(1, 6), torch.tensor([[True, False, False, False, True, False]])
        # rho = 1, 1/2, 0, 0, 0, 0: two positives, four negatives, eight pairs, of which three weigh nothing
        expected = math.log(2) * ((1 / 2 + 1 + 1 + 1) + (1 / 2 + 0 + 0 + 0)) / 8
        assert adore_loss(z, y, metric_cut=2).item() == pytest.approx(expected)

    def test_a_list_of_positives_alone_or_without_any_is_not_counted_in_the_mean(self):
        z = vectors(3, 4)
        y = torch.tensor([[True] * 4, [False] * 4, [False, True, False, False]])
        assert adore_loss(z, y) == adore_loss(z[2:], y[2:])
        assert adore_loss(z[:2], y[:2]) == 0

    def test_a_list_that_does_not_count_may_hold_nan(self):
        z, y = vectors(2, 4), torch.tensor([[False] * 4, [False, True, False, False]])
        z[0] = torch.nan
        z.requires_grad_()
        loss = adore_loss(z, y)
        loss.backward()
        assert loss == adore_loss(z[1:], y[1:])
        assert not z.grad[0].any()

    def test_empty_places_change_nothing(self):
        z, y = vectors(1, 4), torch.tensor([[False, True, False, False]])
        wide = torch.cat([z, torch.full((1, 3), torch.nan, dtype=z.dtype)], dim=1)
        keep = torch.tensor([[True] * 4 + [False] * 3])
        assert adore_loss(wide, F.pad(y, (0, 3)), keep=keep) == adore_loss(z, y)

    def test_an_empty_place_in_the_middle_keeps_the_positions_behind_it(self):
        z, y = vectors(1, 4), torch.tensor([[True, False, False, False]])
        keep = torch.tensor([[True, False, True, True]])
        rho = torch.tensor([1, 1 / 3, 1 / 4], dtype=torch.float64)
        expected = ((rho[0] - rho[1:]) * F.softplus(z[0, 2:] - z[0, 0])).mean()
        torch.testing.assert_close(adore_loss(z, y, keep=keep), expected)


class TestTraps:
    def test_no_metric_cut_means_no_cut_not_that_every_weight_is_zero(self):
        z, y = vectors(1, 6), one_positive(5, 6)
        assert adore_loss(z, y, metric_cut=None) == adore_loss(z, y, metric_cut=6) > 0

    def test_a_cut_below_one_is_refused(self):
        with pytest.raises(LitotesError, match="'metric_cut' parameter of adore_loss must be an int"):
            adore_loss(torch.zeros(1, 2), one_positive(1, 2), metric_cut=0)
        with pytest.raises(LitotesError, match="'metric_cut' parameter of AdoreLoss must be an int"):
            AdoreLoss(0)
        with pytest.raises(LitotesError, match="'scale' parameter of AdoreLoss must be a float"):
            AdoreLoss(scale=0.0)

    def test_positives_appended_behind_the_cut_still_push(self):
        z = vectors(1, 6).requires_grad_()
        adore_loss(z, one_positive(6, 6), metric_cut=3).backward()
        assert (z.grad[0, :3] > 0).all()
        assert not z.grad[0, 3:5].any()  # both positions behind the cut: weight 0
        assert z.grad[0, 5] < 0

    def test_appended_positives_get_positions_behind_k_not_their_true_rank(self):
        queries, documents = torch.ones(1, 1), torch.arange(20.0, 0, -1)[:, None]  # document i has rank i + 1
        loss, lists = step(queries, documents, torch.tensor([[19]]), k=2, metric_cut=None)
        assert lists.ids.tolist() == [[0, 1, 19]]
        expected = ((1 - 1 / 3) * F.softplus(torch.tensor(19.0)) + (1 / 2 - 1 / 3) * F.softplus(torch.tensor(18.0))) / 2
        torch.testing.assert_close(loss, expected)

    def test_scores_are_not_sorted_again_after_the_search(self):
        """A compressed index ranks otherwise than the scores: the list order gives the weights."""
        z, y = torch.tensor([[1.0, 5.0]]), one_positive(2, 2)
        assert adore_loss(z, y, metric_cut=1).item() == pytest.approx(math.log(1 + math.exp(1 - 5)))
        swapped = adore_loss(z.flip(1), y.flip(1), metric_cut=1)
        assert swapped == adore_loss(z, y, metric_cut=1)  # |rho_p - rho_n| is the same; the gap did not move

    def test_weights_are_constants(self):
        rho = torch.tensor([[1.0, 0.5, 0.25]], requires_grad=True)
        z = torch.zeros(1, 3, requires_grad=True)
        adore_loss(z, one_positive(2, 3), weights=rho).backward()
        assert rho.grad is None
        assert z.grad is not None

    def test_documents_are_frozen(self):
        queries, documents = vectors(QUERIES, DIM).requires_grad_(), vectors(DOCUMENTS, DIM, seed=1).requires_grad_()
        loss, _ = step(queries, documents, torch.tensor([[0], [1], [2]]))
        loss.backward()
        assert queries.grad.abs().max() > 0
        assert documents.grad is None or not documents.grad.any()

    def test_a_document_outside_the_list_changes_nothing(self):
        queries, documents = vectors(QUERIES, DIM), vectors(DOCUMENTS, DIM, seed=1)
        relevant = torch.tensor([[0], [1], [2]])
        loss, lists = step(queries, documents, relevant)
        outside = next(i for i in range(DOCUMENTS) if i not in lists.ids)
        changed = documents.clone()
        changed[outside] *= 0.5
        changed_loss, changed_lists = step(queries, changed, relevant)
        assert torch.equal(changed_lists.ids, lists.ids)
        assert changed_loss == loss

    def test_no_length_by_length_matrix_is_made(self):
        """Peak memory of a list of 20,000 with two positives: an L x L float32 matrix alone would be 1.5 GiB."""
        length = 20_000
        y = torch.zeros(1, length, dtype=torch.bool)
        y[0, [3, 70]] = True
        with _LargestTensor() as largest:
            adore_loss(torch.zeros(1, length, requires_grad=True), y).backward()
        assert 2 * (length - 2) <= largest.elements <= 2 * length


def test_flagged_places_can_be_cleared():
    lists = ranked_lists(torch.tensor([[5, 3, 1]]), torch.tensor([[1]]))
    cleared = RankedLists(lists.ids, lists.positives, lists.keep & (lists.ids != 5))
    queries, documents = vectors(1, DIM), vectors(1, 3, DIM, seed=1)
    z = torch.einsum("qd,qld->ql", queries, documents)
    expected = (1 / 2 - 1 / 3) * F.softplus(z[0, 1] - z[0, 2])
    torch.testing.assert_close(AdoreLoss()(queries, documents, cleared), expected)


class _LargestTensor(torch.utils._python_dispatch.TorchDispatchMode):
    """Notes the size of the largest tensor that any operation returns."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in torch.utils._pytree.tree_leaves(out):
            if isinstance(tensor, torch.Tensor):
                self.elements = max(self.elements, tensor.numel())
        return out
