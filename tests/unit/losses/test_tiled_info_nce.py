"""InfoNCE without the matrix: the identities of PEG's page, each of its traps, and the dense loss in every option."""

import itertools
import math
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from litotes.core.errors import LitotesError
from litotes.losses import difficulty_info_nce, negatives_plan, tiled_info_nce, tiled_partition
from litotes.losses.left_out import LeftOut
from litotes.losses.shared_ids import IdSets
from litotes.testing.largest_tensor import LargestTensor
from tests.unit.losses.stand_ins import vectors

B, H, DIM = 5, 2, 4
N = B * (1 + H)
OWN = torch.arange(B) * (1 + H)
TILES = st.sampled_from([(1, 1), (2, 3), (5, 7), (3, 15), (7, 17), (100, 2)])


def inputs(seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    return (
        vectors(B, DIM, seed=seed, dtype=dtype).requires_grad_(),
        vectors(N, DIM, seed=seed + 1).to(dtype).requires_grad_(),
    )


def unit(*tensors: torch.Tensor) -> list[torch.Tensor]:
    return [F.normalize(x, dim=-1) for x in tensors]


def gradients(loss: torch.Tensor, *leaves: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, leaves, retain_graph=True))


def assert_same(mine: torch.Tensor, theirs: torch.Tensor, *leaves: torch.Tensor, rtol: float = 1e-10) -> None:
    """Values, and gradients under an upstream gradient that differs from row to row."""
    torch.testing.assert_close(mine, theirs, rtol=rtol, atol=1e-12)
    upstream = torch.linspace(-1, 2, mine.numel(), dtype=mine.dtype).view_as(mine)
    for ours, other in zip(
        gradients((mine * upstream).sum(), *leaves), gradients((theirs * upstream).sum(), *leaves), strict=True
    ):
        torch.testing.assert_close(ours, other, rtol=rtol, atol=1e-11)


class TestIdentities:
    @settings(max_examples=8)
    @given(st.integers(0, 1000), TILES, st.booleans())
    def test_beta_zero_is_cross_entropy_of_the_dense_logits(self, seed: int, tile: tuple[int, int], normalize: bool):
        q, d = inputs(seed)
        left, right = unit(q, d) if normalize else (q, d)
        dense = F.cross_entropy(left @ right.T / 0.3, OWN, reduction="none")
        mine = tiled_info_nce(q, d, temperature=0.3, normalize=normalize, tile=tile, reduction="none")
        assert_same(mine, dense, q, d)

    def test_a_tile_larger_than_the_matrix_and_the_default_tile_are_the_same(self):
        q, d = inputs()
        assert tiled_info_nce(q, d) == tiled_info_nce(q, d, tile=1000) == tiled_info_nce(q, d, max_bytes=2**30)

    @pytest.mark.parametrize("which", ["all_negatives", "hard_negatives", "in_batch_negatives"])
    def test_unnormalised_weights_are_the_hardness_option_of_sentence_transformers(self, which: str):
        from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss

        q, d = inputs()
        loss = CachedMultipleNegativesRankingLoss(
            torch.nn.Sequential(torch.nn.Identity()), scale=20.0, hardness_mode=which, hardness_strength=4.0
        )
        columns = d.view(B, 1 + H, DIM).unbind(dim=1)
        theirs = loss.calculate_loss([[q], *([column] for column in columns)])
        assert_same(tiled_info_nce(q, d, beta=4.0, which=which, weight_norm=None), theirs, q, d, rtol=1e-8)

    @settings(max_examples=8)
    @given(st.integers(0, 1000), TILES, st.floats(-5, 5), st.sampled_from(["all_negatives", "hard_negatives"]))
    def test_weighted_is_dense_cross_entropy_with_detached_log_weights(self, seed, tile, beta, which):
        q, d = inputs(seed)
        s = torch.mm(*(x if i == 0 else x.T for i, x in enumerate(unit(q, d))))
        own = torch.arange(N) // (1 + H) == torch.arange(B)[:, None]
        negatives = torch.arange(N) != OWN[:, None]
        chosen = negatives & own if which == "hard_negatives" else negatives
        h = beta * s.detach()
        c = h.masked_fill(~chosen, -torch.inf).logsumexp(dim=1) - chosen.sum(dim=1).double().log()
        b = (h - c[:, None]).where(chosen, 0.0)
        dense = F.cross_entropy(s / 0.2 + b, OWN, reduction="none")
        mine = tiled_info_nce(q, d, temperature=0.2, beta=beta, which=which, tile=tile, reduction="none")
        assert_same(mine, dense, q, d)

    @settings(max_examples=8)
    @given(st.floats(-40, 40))
    def test_equal_similarities_give_weights_of_one_for_any_beta_and_log_n(self, beta: float):
        q, d = torch.ones(B, DIM, dtype=torch.float64), torch.ones(N, DIM, dtype=torch.float64)
        for level in ("pair", "query"):
            losses = tiled_info_nce(q, d, beta=beta, level=level, reduction="none")
            torch.testing.assert_close(losses, torch.full((B,), math.log(N), dtype=torch.float64))

    @pytest.mark.parametrize("beta", [0.0, 3.0])
    def test_a_large_temperature_gives_log_n(self, beta: float):
        losses = tiled_info_nce(*inputs(), temperature=1e9, beta=beta, reduction="none")
        torch.testing.assert_close(losses, torch.full((B,), math.log(N), dtype=torch.float64), rtol=1e-7, atol=0)

    @pytest.mark.parametrize("sign", [1, -1])
    def test_beta_to_infinity_leaves_the_hardest_negative_and_to_minus_infinity_the_easiest(self, sign: int):
        q, d = inputs()
        s = torch.mm(*(x if i == 0 else x.T for i, x in enumerate(unit(q, d))))
        others = s.masked_fill(torch.arange(N) == OWN[:, None], -sign * torch.inf)
        extreme = others.amax(dim=1) if sign > 0 else others.amin(dim=1)
        expected = torch.log1p((N - 1) * ((extreme - s[torch.arange(B), OWN]) / 0.2).exp())
        losses = tiled_info_nce(q, d, temperature=0.2, beta=sign * 1e5, reduction="none")
        torch.testing.assert_close(losses, expected)

    @settings(max_examples=8)
    @given(st.floats(-1.5, 8))
    def test_unnormalised_weights_have_the_value_of_another_temperature_and_not_its_gradient(self, beta: float):
        """Of a row whose positive's logit is 0, since only the negatives' temperature changes."""
        q, d = inputs()
        with torch.no_grad():
            d[OWN] -= (d[OWN] * q).sum(dim=1, keepdim=True) / (q * q).sum(dim=1, keepdim=True) * q
        options = {"normalize": False, "reduction": "sum"}
        weighted = tiled_info_nce(q, d, temperature=0.5, beta=beta, weight_norm=None, **options)
        sharper = tiled_info_nce(q, d, temperature=1 / (1 / 0.5 + beta), **options)
        torch.testing.assert_close(weighted, sharper)
        hard = torch.ones(N, dtype=torch.bool)
        hard[OWN] = False  # those that are negatives only
        found, other = (gradients(loss, d)[0][hard] for loss in (weighted, sharper))
        torch.testing.assert_close(found * (1 / 0.5 + beta), other / 0.5)

    @settings(max_examples=8)
    @given(st.permutations(range(N)), TILES)
    def test_columns_in_another_order_give_the_same(self, order: list[int], tile: tuple[int, int]):
        q, d = inputs()
        place = torch.tensor(order).argsort()
        owners = torch.arange(N) // (1 + H)
        for which in ("all_negatives", "hard_negatives", "in_batch_negatives"):
            options = {"beta": 2.0, "which": which, "reduction": "none"}
            moved = tiled_info_nce(q, d[order], positives=place[OWN], owners=owners[order], tile=tile, **options)
            assert_same(moved, tiled_info_nce(q, d, **options), q, d)

    @settings(max_examples=8)
    @given(st.integers(0, 1000), TILES)
    def test_masked_duplicates_are_as_if_they_were_not_there(self, seed: int, tile: tuple[int, int]):
        q, d = inputs(seed)
        ids = torch.arange(N)
        twice, ids_twice = torch.cat([d, d[OWN[1:3]]]), torch.cat([ids, OWN[1:3]])
        options = {"beta": 1.0, "positives": OWN, "reduction": "none"}
        mine = tiled_info_nce(q, twice, document_ids=ids_twice, tile=tile, **options)
        for query, copies in {1: [N + 1], 2: [N]}.items():  # for its own query a copy is not there; the other one is
            columns = torch.cat([d, twice[copies]])
            alone = tiled_info_nce(q[[query]], columns, beta=1.0, positives=OWN[[query]])
            torch.testing.assert_close(mine[query], alone)

    @pytest.mark.parametrize("beta", [0.0, 3.0])
    @pytest.mark.parametrize("which", ["all_negatives", "hard_negatives"])
    def test_a_fully_masked_row_has_its_positive_as_partition_and_no_loss_and_no_gradient(
        self, beta: float, which: str
    ):
        q, d = inputs()
        options = {
            "beta": beta, "which": which, "document_ids": torch.arange(N), "tile": (2, 3),
            "known_ids": torch.where(torch.arange(B)[:, None] == 1, torch.arange(N), -1),
        }  # fmt: skip
        found = tiled_partition(q, d, negatives_plan(q, d, **options))
        assert found.negatives[1] == -torch.inf
        assert found.log_partition[1] == found.positives[1]
        losses = tiled_info_nce(q, d, reduction="none", **options)
        assert losses[1] == 0 and (losses[[0, 2, 3, 4]] > 0).all()
        assert not any(gradient.any() for gradient in gradients(losses[1], q, d))
        assert all(gradient.isfinite().all() for gradient in gradients(losses.sum(), q, d))
        torch.testing.assert_close(losses.mean(), tiled_info_nce(q, d, **options))  # it is counted

    @settings(max_examples=8)
    @given(st.integers(0, 1000), st.floats(-3, 3))
    def test_the_gradients_of_a_rows_similarities_sum_to_zero(self, seed: int, beta: float):
        """Along a vector that all documents share, the loss of inner products does not change."""
        q, d = inputs(seed)
        loss = tiled_info_nce(q, d, normalize=False, temperature=0.7, beta=beta)
        assert gradients(loss, d)[0].sum(dim=0).abs().max() < 1e-12

    def test_gradcheck_at_beta_zero(self):
        q, d = vectors(4, 3).requires_grad_(), vectors(12, 3, seed=1).requires_grad_()
        for options in ({"normalize": True}, {"normalize": False}, {"symmetric": True}):
            assert torch.autograd.gradcheck(
                lambda a, b, o=options: tiled_info_nce(a, b, temperature=0.5, tile=3, **o), (q, d)
            )

    def test_sums_with_and_without_their_largest_exponent_are_equal(self, monkeypatch: pytest.MonkeyPatch):
        q, d = inputs()
        for options in ({}, {"margin": 0.1}, {"which": "in_batch_negatives"}):
            options = options | {"beta": 2.0, "temperature": 0.3, "tile": 3, "reduction": "none"}
            as_they_are = tiled_info_nce(q, d, **options)
            with monkeypatch.context() as patch:
                patch.setitem(sys.modules[tiled_partition.__module__].__dict__, "_SAFE", {torch.float64: 0.0})
                torch.testing.assert_close(tiled_info_nce(q, d, **options), as_they_are)
                found = gradients(tiled_info_nce(q, d, **options).sum(), q, d)
            torch.testing.assert_close(found, gradients(as_they_are.sum(), q, d))


OPTIONS = list(
    itertools.product(
        ("all_negatives", "hard_negatives", "in_batch_negatives"),
        ("mean", None),
        ("pair", "query"),
        ({}, {"margin": 0.1}, {"ratio": 0.9}, {"margin": 0.5, "ratio": 0.7}),
    )
)


@pytest.mark.parametrize("option", range(len(OPTIONS)))
@pytest.mark.parametrize("with_ids", [False, True], ids=["", "ids"])
def test_every_option_equals_the_dense_loss(option: int, with_ids: bool):
    which, weight_norm, level, guard = OPTIONS[option]
    normalize = (option // 4 + option % 4 + with_ids) % 2 == 0  # every guard, set and level comes with and without
    q, d = inputs(option)
    g = torch.Generator().manual_seed(option)
    s = (F.normalize(q) @ F.normalize(d).T) if normalize else q @ d.T
    keep, ids = torch.ones(B, N, dtype=torch.bool), {}
    if with_ids:
        document_ids, known = torch.randint(-1, 9, (N,), generator=g), torch.randint(-1, 9, (B, 2), generator=g)
        ids = {"document_ids": document_ids, "known_ids": known}
        known = torch.cat([document_ids[OWN][:, None], known], dim=1)
        keep &= ~((known[:, :, None] == document_ids) & (known[:, :, None] >= 0)).any(dim=1)
        absent = document_ids < 0
        absent[OWN] = False
        keep &= ~absent
    positive = s.detach()[torch.arange(B), OWN]
    for name, limit in {"margin": lambda x: positive + x, "ratio": lambda x: positive * x}.items():
        if name in guard:
            keep &= s.detach() <= limit(guard[name])[:, None]
    own = torch.arange(N) == OWN[:, None]
    mine_too = torch.arange(N) // (1 + H) == torch.arange(B)[:, None]
    chosen = {"all_negatives": ~own, "hard_negatives": mine_too, "in_batch_negatives": ~mine_too}[which]
    for beta in (0.0, -1.5 if option % 2 else 1.5):
        options = {"temperature": 0.4, "beta": beta, "weight_norm": weight_norm, "level": level, "reduction": "none"}
        dense = difficulty_info_nce(s, own, chosen=chosen, keep=keep | own, **options)
        tile = (3 + option % 3, 4 + option % 7)
        mine = tiled_info_nce(q, d, which=which, normalize=normalize, tile=tile, **guard, **ids, **options)
        assert_same(mine, dense, q, d, rtol=1e-9)


class TestTraps:
    def test_no_matrix_is_made_forwards_or_backwards(self):
        n, hard = 64, 3
        q, d = vectors(n, 8, dtype=torch.float32), vectors(n * (1 + hard), 8, seed=1, dtype=torch.float32)
        ids = {"document_ids": torch.arange(len(d)) // 2, "known_ids": torch.arange(n)[:, None]}
        hard, by_query = {"beta": 2.0, "which": "hard_negatives"}, {"margin": 0.1, "level": "query", "beta": 1.0}
        for options in ({}, ids, ids | hard, by_query, ids | {"symmetric": True}):
            with LargestTensor() as largest:
                tiled_info_nce(q.requires_grad_(), d.requires_grad_(), tile=16, **options).backward()
            assert largest.numel <= 2 * d.numel(), options

    def test_one_id_everywhere_is_masked_without_a_matrix(self, monkeypatch: pytest.MonkeyPatch):
        by_place, fill_ = [], LeftOut.fill_
        monkeypatch.setattr(
            LeftOut, "fill_", lambda out, *x: by_place.append(sum(map(len, out._cells))) or fill_(out, *x)
        )
        q, d = vectors(64, 4, dtype=torch.float32).requires_grad_(), vectors(128, 4, seed=1, dtype=torch.float32)
        with LargestTensor() as largest:
            loss = tiled_info_nce(q, d.requires_grad_(), document_ids=torch.zeros(128, dtype=torch.int64), tile=16)
            loss.backward()
        assert loss == 0 and not q.grad.any()
        assert 0 < max(by_place) <= 16 * 16 // 4, "more cells than that stand in a mask"
        assert largest.numel <= 2 * d.numel()

    def test_nothing_but_vectors_and_numbers_of_rows_is_kept_for_the_backward(self):
        q, d = inputs()
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x.numel()) or x, lambda x: x):
            tiled_info_nce(q, d, beta=1.0)
        assert max(kept) == d.numel() and sum(kept) <= q.numel() + d.numel() + N + 20 * B

    def test_sharp_logits_do_not_overflow_float32(self):
        q, d = inputs(dtype=torch.float32)
        for options in ({"temperature": 0.001}, {"temperature": 0.01, "normalize": False, "beta": 50.0}):
            loss = tiled_info_nce(100 * q, 100 * d, tile=2, **options)
            exact = tiled_info_nce(100 * q.double(), 100 * d.double(), **options)
            assert loss.item() == pytest.approx(exact.item(), rel=1e-4)
            assert all(gradient.isfinite().all() for gradient in gradients(loss, q, d))

    @pytest.mark.parametrize("beta", [3.0, -3.0])
    @pytest.mark.parametrize("weight_norm", ["mean", None])
    def test_queries_weigh_with_mean_one_also_where_vectors_are_huge(self, beta: float, weight_norm: str | None):
        q, d = inputs(dtype=torch.float32)
        plain, weighing = {"normalize": False, "tile": 3}, {"beta": beta, "level": "query", "weight_norm": weight_norm}
        for factor in (1.0, 1e4):
            plan = negatives_plan(factor * q, factor * d, **plain, **weighing)
            partition = tiled_partition(factor * q, factor * d, plan)
            losses = tiled_info_nce(factor * q, factor * d, reduction="none", **plain, **weighing)
            weights = B * (beta * partition.difficulty.double()).softmax(dim=0)
            torch.testing.assert_close(losses.double(), partition.losses.double() * weights, rtol=1e-4, atol=1e-30)
            assert weights.max() > 1.5
            assert all(x.isfinite().all() for x in (losses, *gradients(losses.sum(), q, d)))

    def test_a_small_loss_has_all_its_digits(self):
        """The dense form takes it from a log-partition of 35, and three digits are left."""
        n, near = 32, torch.tensor([1.0, 0.5, 0.5])
        q = vectors(n, 768, dtype=torch.float32).requires_grad_()
        d = near[:, None] * q.detach()[:, None] + vectors(n, 3, 768, seed=1, dtype=torch.float32)
        d = d.flatten(0, 1).requires_grad_()
        dense, exact = (
            F.cross_entropy(F.normalize(a) @ F.normalize(b).T / 0.02, 3 * torch.arange(n))
            for a, b in ((q, d), (q.double(), d.double()))
        )
        mine = tiled_info_nce(q, d, temperature=0.02)
        assert mine.item() == pytest.approx(exact.item(), rel=1e-5) and 0 < exact < 1e-4
        assert abs(dense - exact) > 1e-5 * exact, "the test would say nothing"
        for found, wanted in zip(gradients(mine, q, d), gradients(exact, q, d), strict=True):
            assert (found - wanted).abs().max() < 5e-5 * wanted.abs().max()

    def test_a_row_whose_first_tile_is_masked_whole_has_no_nan(self):
        q, d = inputs()
        known = torch.arange(N)[:6].expand(B, 6)
        options = {"temperature": 0.001, "document_ids": torch.arange(N), "known_ids": known, "beta": 1.0}
        mine = tiled_info_nce(q, d, tile=3, reduction="none", **options)
        assert_same(mine, tiled_info_nce(q, d, reduction="none", **options), q, d)
        assert mine.isfinite().all()

    def test_no_gradient_flows_through_the_weights(self):
        q, d = inputs()
        found = gradients(tiled_info_nce(q, d, temperature=0.5, beta=3.0, normalize=False), q, d)
        s = q @ d.T
        own = torch.arange(N) == OWN[:, None]
        weights = (F.softmax((3.0 * s).masked_fill(own, -torch.inf), dim=1) * (N - 1)).masked_fill(own, 1.0)
        constant, flowing = (F.cross_entropy(s / 0.5 + w.log(), OWN) for w in (weights.detach(), weights))
        torch.testing.assert_close(found, gradients(constant, q, d))
        assert (gradients(flowing, q)[0] - found[0]).abs().max() > 1e-3

    def test_the_positive_is_no_part_of_the_mean_weight(self):
        q = torch.tensor([[1.0, 0.0]])
        d = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
        w = torch.tensor([math.exp(2 * 0.6), 1.0])
        w = w / w.mean()
        expected = math.log(math.e + w[0] * math.exp(0.6) + w[1]) - 1.0
        assert tiled_info_nce(q, d, temperature=1.0, beta=2.0).item() == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize("options", [{}, {"which": "hard_negatives"}, {"symmetric": True}], ids=str)
    def test_known_ids_as_sets_are_those_of_the_padded_matrix(self, options: dict):
        q, d = inputs()
        padded = torch.tensor([[7, 3], [-1, -1], [1, -1], [7, 3], [-5, 14]])
        sets = IdSets(torch.tensor([2, 0, 1, 2, 3]), torch.tensor([0, 0, 1, 3, 4]), torch.tensor([1, 3, 7, 14]))
        options = {"beta": 2.0, "tile": (2, 4), "reduction": "none", "document_ids": torch.arange(N), **options}
        mine, theirs = (tiled_info_nce(q, d, known_ids=known, **options) for known in (sets, padded))
        assert_same(mine, theirs, q, d)
        assert (mine != tiled_info_nce(q, d, **options)).any()

    def test_a_positive_without_an_id_is_still_a_document_for_the_others(self):
        q, d = inputs()
        ids = torch.arange(N)
        ids[OWN[2]] = -1
        assert_same(
            tiled_info_nce(q, d, document_ids=ids, reduction="none"), tiled_info_nce(q, d, reduction="none"), q, d
        )

    def test_the_number_of_negatives_differs_by_row_where_some_are_masked(self):
        q, d = inputs()
        ids = {
            "document_ids": torch.arange(N),
            "known_ids": torch.tensor([[-1, -1], [0, 3], [7, -1], [-1, -1], [-1, -1]]),
        }
        found = tiled_partition(q, d, negatives_plan(q, d, beta=2.0, tile=4, **ids))
        assert found.chosen.tolist() == [N - 1, N - 2, N - 2, N - 1, N - 1]  # 3 is query 1's own positive

    def test_positives_stand_query_by_query_unless_they_are_said_to_stand_elsewhere(self):
        q, d = inputs()
        by_slot = d.view(B, 1 + H, DIM).transpose(0, 1).flatten(0, 1)
        moved = tiled_info_nce(q, by_slot, positives=torch.arange(B))
        torch.testing.assert_close(moved, tiled_info_nce(q, d))
        assert abs(moved - tiled_info_nce(q, by_slot)) > 1e-3

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_half_precision_is_summed_in_float32(self, dtype: torch.dtype):
        g = torch.Generator().manual_seed(0)
        q, d = (torch.randn(n, 16, generator=g).to(dtype).requires_grad_() for n in (64, 4096))
        mine, exact = tiled_info_nce(q, d), tiled_info_nce(q.double(), d.double())
        assert mine.dtype == torch.float32
        assert mine.item() == pytest.approx(exact.item(), rel=1e-5)
        for found, wanted in zip(gradients(mine, q, d), gradients(exact, q, d), strict=True):
            assert found.dtype == dtype
            torch.testing.assert_close(found, wanted, rtol=1e-2, atol=1e-6)

    def test_autocast_does_not_reach_the_sums(self):
        q, d = inputs(dtype=torch.float32)
        plain = gradients(tiled_info_nce(q, d), q, d)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = tiled_info_nce(q, d)
            found = gradients(loss, q, d)
        assert loss == tiled_info_nce(q, d)
        assert all(torch.equal(*pair) for pair in zip(found, plain, strict=True))

    def test_an_empty_place_is_not_seen_whatever_is_in_it(self):
        q, d = inputs()
        ids = torch.arange(N)
        ids[[2, 7, 8]] = -1
        holes = d.detach().clone()
        holes[[2, 7, 8]] = torch.nan
        holes.requires_grad_()
        for options in (
            {},
            {"beta": 2.0, "which": "hard_negatives"},
            {"normalize": False},
            {"margin": 0.2},
            {"symmetric": True},
        ):
            mine = tiled_info_nce(q, holes, document_ids=ids, tile=2, **options)
            torch.testing.assert_close(mine, tiled_info_nce(q, d, document_ids=ids, **options))
            of_q, of_d = gradients(mine, q, holes)
            assert of_q.isfinite().all() and of_d.isfinite().all() and not of_d[[2, 7, 8]].any()

    def test_a_nan_that_counts_stays_visible(self):
        q, d = (x.detach() for x in inputs())
        d[4] = torch.nan
        for normalize in (True, False):
            assert tiled_info_nce(q, d, normalize=normalize, beta=1.0).isnan()


class TestSymmetric:
    def test_is_the_mean_of_both_directions_over_positives_only(self):
        q, d = inputs()
        forth = F.cross_entropy(q @ d.T, OWN)
        back = F.cross_entropy(d[OWN] @ q.T, torch.arange(B))
        mine = tiled_info_nce(q, d, temperature=1.0, normalize=False, symmetric=True, tile=2)
        assert_same(mine, (forth + back) / 2, q, d)

    def test_leaves_out_queries_that_know_the_document(self):
        q, d = inputs()
        known = torch.full((B, 1), -1)
        known[3] = OWN[1]  # query 1's positive is one of query 3 too
        mine = tiled_info_nce(q, d, temperature=1.0, normalize=False, symmetric=True, tile=2,
                              document_ids=torch.arange(N), known_ids=known, reduction="none")  # fmt: skip
        forth, back = (q @ d.T).clone(), (d[OWN] @ q.T).clone()
        forth[3, OWN[1]] = back[1, 3] = -torch.inf
        both = F.cross_entropy(forth, OWN, reduction="none") + F.cross_entropy(back, torch.arange(B), reduction="none")
        assert_same(mine, both / 2, q, d)


class TestDoor:
    def test_no_queries_give_zero(self):
        q = torch.zeros(0, DIM, requires_grad=True)
        loss = tiled_info_nce(q, torch.zeros(0, DIM))
        loss.backward()
        assert loss == 0

    def test_a_second_derivative_is_refused(self):
        q, d = inputs()
        (first,) = torch.autograd.grad(tiled_info_nce(q, d), q, create_graph=True)
        with pytest.raises(RuntimeError, match="once_differentiable"):
            first.sum().backward()

    def test_only_the_side_that_wants_a_gradient_gets_one(self):
        q, d = inputs()
        both = gradients(tiled_info_nce(q, d, beta=1.0, which="hard_negatives"), q, d)
        for alone, whole in ((q, both[0]), (d, both[1])):
            other = tiled_info_nce(
                q if alone is q else q.detach(), d if alone is d else d.detach(), beta=1.0, which="hard_negatives"
            )
            torch.testing.assert_close(gradients(other, alone)[0], whole)

    def test_a_vector_of_zeros_is_divided_as_torch_does(self):
        q, d = inputs()
        with torch.no_grad():
            q[1], d[4] = 0.0, 0.0
        dense = F.cross_entropy(F.normalize(q) @ F.normalize(d).T, OWN)
        mine = tiled_info_nce(q, d, temperature=1.0)
        torch.testing.assert_close(mine, dense)
        torch.testing.assert_close(gradients(mine, q, d), gradients(dense, q, d))

    def test_what_does_not_fit_is_refused_in_words(self, unchecked_shapes: None):
        q, d = inputs()
        with pytest.raises(LitotesError, match="got 5 queries and 14 documents. Expected as many documents for each"):
            tiled_info_nce(q, d[:-1])
        with pytest.raises(
            LitotesError,
            match=r"'positives' parameter of tiled_info_nce must hold columns in the range \[0, 14\]. Got 0 to 15",
        ):
            tiled_info_nce(q, d, positives=torch.tensor([0, 1, 2, 3, 15]))
        with pytest.raises(
            LitotesError, match="which='hard_negatives' must know whose documents are whose: pass owners="
        ):
            tiled_info_nce(q, d, positives=OWN, which="hard_negatives")
        with pytest.raises(LitotesError, match="got known_ids but no document_ids to compare them with: pass both"):
            tiled_info_nce(q, d, known_ids=torch.zeros(B, 1, dtype=torch.int64))
        with pytest.raises(LitotesError, match="'document_ids' parameter of tiled_info_nce must hold 15 whole numbers"):
            tiled_info_nce(q, d, document_ids=torch.arange(B))
        with pytest.raises(
            LitotesError,
            match=r"queries of shape \(5, 4\) and documents of shape \(15, 3\). Expected two matrices with",
        ):
            tiled_info_nce(q, d[:, :3])
        with pytest.raises(LitotesError, match=r"'known_ids' parameter of .* must hold 5 whole numbers a column. Got"):
            tiled_info_nce(q, d, document_ids=torch.arange(N), known_ids=torch.arange(B))
        with pytest.raises(LitotesError, match=r"'known_ids' parameter of tiled_info_nce must hold 5 whole numbers. G"):
            tiled_info_nce(q, d, document_ids=torch.arange(N), known_ids=IdSets.single(torch.arange(4)))
        numbers = {"temperature": 0.0, "beta": torch.nan, "margin": torch.inf, "max_bytes": 0, "tile": 0, "ratio": 0.0}
        words = {"which": "hard", "weight_norm": "sum", "level": "pairs", "reduction": "average"}
        for bad in ({name: value} for name, value in {**numbers, **words}.items()):
            with pytest.raises(LitotesError, match=f"{next(iter(bad))!r} parameter of tiled_info_nce"):
                tiled_info_nce(q, d, **bad)
