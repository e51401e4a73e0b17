"""Losses that break one promise each, beside one that keeps them all."""

import math

import torch
from torch import nn

from litotes.losses import info_nce
from litotes.losses.cells import full_precision


def make_inputs(generator: torch.Generator) -> dict:
    keep = torch.ones(4, 5, dtype=torch.bool)
    keep[0, 3] = keep[1, 2] = keep[2, 0] = False
    return {
        "scores": torch.randn(4, 5, generator=generator),
        "positives": torch.eye(4, 5, dtype=torch.bool),
        "keep": keep,
    }


def make_vectors(generator: torch.Generator) -> dict:
    return {name: torch.randn(4, 6, generator=generator) for name in ("queries", "documents")}


def right(scores, positives, keep=None, reduction="mean", chunk_size=None):
    if chunk_size is None:
        return info_nce(scores, positives, keep=keep, temperature=1.0, reduction=reduction)
    keep = torch.ones_like(positives) if keep is None else keep
    parts = zip(*(x.split(chunk_size) for x in (scores, positives, keep)), strict=True)
    each = torch.cat([info_nce(s, p, keep=k, temperature=1.0, reduction="none") for s, p, k in parts])
    return each if reduction == "none" else each.sum() if reduction == "sum" else each.mean()


def of_kept_rows(scores, positives, keep, reduction="mean"):
    """Its mask is of rows."""
    if keep.shape != scores.shape[:1] or keep.dtype != torch.bool:
        raise ValueError("keep")
    return info_nce(scores, positives, keep=keep[:, None].expand_as(scores), temperature=1.0, reduction=reduction)


def mean_of_kept_rows(scores, positives, keep):
    return of_kept_rows(scores, positives, keep)


def make_square(generator: torch.Generator) -> dict:
    scores = torch.randn(4, 4, generator=generator)
    return {"scores": scores, "positives": torch.eye(4, dtype=torch.bool), "keep": torch.arange(4) != 1}


def by_hand(scores, positives, keep) -> float:
    total = 0.0
    for row in zip(scores.exp().tolist(), positives.tolist(), keep.tolist(), strict=True):
        kept = [(x, yes) for x, yes, kept in zip(*row, strict=True) if kept]
        total -= math.log(sum(x for x, yes in kept if yes) / sum(x for x, _ in kept))
    return total / len(scores)


def in_batch(queries, documents):
    queries, documents = (nn.functional.normalize(full_precision(x), dim=1) for x in (queries, documents))
    scores = queries @ documents.T
    return nn.functional.cross_entropy(scores, torch.arange(len(queries)))


class Momentum(nn.Module):
    """Keeps a running mean of the loss, and gives what exceeds a tenth of it."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros((), dtype=torch.float64))

    def forward(self, scores, positives, keep=None):
        value, before = right(scores, positives, keep), self.mean.clone()
        self.mean += 0.5 * (value.detach() - self.mean)
        return value - 0.1 * before


def remembers_in_place(scores, positives, memory, keep=None):
    value, before = right(scores, positives, keep), memory.clone()
    memory += 0.5 * (value.detach() - memory)
    return value - 0.1 * before


def make_with_memory(generator: torch.Generator) -> dict:
    return make_inputs(generator) | {"memory": torch.zeros((), dtype=torch.float64)}


# --- the wrong ones ---------------------------------------------------------------------------------------------------


def without_chunks(scores, positives, keep=None):
    return right(scores, positives, keep)


def off_by_a_little(scores, positives, keep=None, reduction="mean"):
    return 1.001 * right(scores, positives, keep, reduction)


def never_the_same_twice():
    calls = []

    def loss(scores, positives, keep=None):
        calls.append(1)
        return right(scores, positives, keep) * len(calls)

    return loss


def divides_in_place(scores, positives, keep=None):
    with torch.no_grad():
        scores /= 2
    return right(scores, positives, keep)


def overflows(scores, positives, keep=None):
    weights = scores.exp() * (1 if keep is None else keep)
    return -((weights * positives).sum(1) / weights.sum(1)).log().mean()


def stays_in_half_precision(scores, positives, keep=None):
    shares = scores.masked_fill(~keep, -torch.inf).log_softmax(dim=1)
    return -shares.masked_fill(~positives, 0.0).sum() / len(scores)


def broadcasts_the_cosine(queries, documents):
    scores = nn.functional.cosine_similarity(queries.float()[:, None], documents.float()[None, :], dim=-1)
    return nn.functional.cross_entropy(scores, torch.arange(len(queries)))


def broadcasts_a_product(queries, documents):
    scores = (full_precision(queries)[:, None] * full_precision(documents)[None, :]).sum(dim=-1)
    return nn.functional.cross_entropy(scores, torch.arange(len(queries)))


def vectors_of(n: int, width: int):
    return lambda generator: {name: torch.randn(n, width, generator=generator) for name in ("queries", "documents")}


def broadcasts_only_backwards(queries, documents):
    """The gradient of a euclidean distance, one pair at a time in one tensor."""

    class Distance(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return torch.cdist(x, y)

        @staticmethod
        def backward(ctx, grad):
            x, y = ctx.saved_tensors
            gaps = x[:, None] - y[None, :]
            gaps = gaps / gaps.norm(dim=-1, keepdim=True) * grad[..., None]
            return gaps.sum(1), -gaps.sum(0)

    scores = -Distance.apply(queries.float(), documents.float())
    return nn.functional.cross_entropy(scores, torch.arange(len(queries)))


def hides_nan(scores, positives, keep=None):
    return right(scores.nan_to_num(0.0), positives, keep)


def entries_of_another_loss(scores, positives, keep=None, reduction="mean"):
    return right(scores, positives, keep, reduction) * (2 if reduction == "none" else 1)


def mean_is_a_sum(scores, positives, keep=None, reduction="mean"):
    return right(scores, positives, keep, "sum" if reduction == "mean" else reduction)


def takes_any_reduction(scores, positives, keep=None, reduction="mean"):
    return right(scores, positives, keep, reduction if reduction in ("sum", "none") else "mean")


def detaches_too_much(scores, positives, keep=None):
    return right(scores, positives, keep) * (1 + scores.square().mean().detach())


def always_nought(scores, positives, keep=None):
    return 0 * right(scores, positives, keep)


def normalises_over_the_batch(scores, positives, keep=None, reduction="mean"):
    return right(scores / scores.detach().abs().mean(), positives, keep, reduction)


def normalises_without_a_reduction(scores, positives, keep=None):
    return normalises_over_the_batch(scores, positives, keep)


def weighs_by_column(scores, positives, keep=None):
    return right(scores * torch.arange(1, scores.shape[1] + 1), positives, keep)


def weighs_by_neighbour(scores):
    """Turning the columns round changes nothing, exchanging two of them does."""
    return (scores * scores.roll(1, dims=1).square()).sum(dim=1).mean()


def weighs_the_first(scores):
    return scores[:, 0].square().mean() + scores.mean()


def scores_of(n_cols: int):
    return lambda generator: {"scores": torch.randn(5, n_cols, generator=generator)}


LEFT_OUT = dict.fromkeys(("row_wise", "differentiable", "direction"), "this is about columns alone")


def turns_the_sign(scores, positives, keep=None):
    return right(-scores, positives, keep)


def multiplies_by_the_mask(scores, positives, keep):
    return right(scores * keep - 1e4 * ~keep, positives)


def reads_what_is_masked(scores, positives, keep):
    return right(scores, positives, keep) + 0.01 * scores.nan_to_num(7.0).detach().mean()


def leaks_a_gradient(scores, positives, keep):
    zero = scores.nan_to_num(0.0)
    return right(scores, positives, keep) + 0.01 * (zero - zero.detach()).sum()


def entries_read_what_is_masked(scores, positives, keep, reduction="mean"):
    each = right(scores, positives, keep, reduction)
    return each + 0 * scores.sum(dim=1) if reduction == "none" else each


def sum_leaks_a_gradient(scores, positives, keep, reduction="mean"):
    zero = scores.nan_to_num(0.0)
    return right(scores, positives, keep, reduction) + (
        0.01 * (zero - zero.detach()).sum() if reduction == "sum" else 0
    )


def mean_of_nothing(scores, positives, keep):
    each = right(scores, positives, keep, "none")
    return each.sum() / (positives & keep).any(dim=1).sum()


def broadcasts_the_mask(scores, positives, keep):
    return right(scores, positives, (keep > 0).expand_as(scores))


def mean_of_chunk_means(scores, positives, keep=None, chunk_size=1000):
    parts = zip(*(x.split(chunk_size) for x in (scores, positives, keep)), strict=True)
    return torch.stack([right(*part) for part in parts]).mean()


class SharedMomentum(Momentum):
    """All objects have one mean."""

    shared = torch.zeros((), dtype=torch.float64)

    def __init__(self):
        super().__init__()
        self.mean = SharedMomentum.shared


class StandsStill(Momentum):
    """Its state never changes."""

    def forward(self, scores, positives, keep=None):
        return right(scores, positives, keep)


class CountsInSecret(Momentum):
    """How often it was called counts, and is in no state."""

    calls = 0

    def forward(self, scores, positives, keep=None):
        self.calls += 1
        return super().forward(scores, positives, keep) * self.calls


def changes_no_memory(scores, positives, memory, keep=None):
    return right(scores, positives, keep) - memory


def remembers_elsewhere():
    calls = []

    def loss(scores, positives, memory, keep=None):
        calls.append(1)
        return remembers_in_place(scores, positives, memory, keep) * len(calls)

    return loss


PROMISES = ("row_wise", "permutable", "differentiable", "direction", "masked")
RIGHT = {
    "loss": right,
    "make_inputs": make_inputs,
    "promises": (*PROMISES, "chunked"),
    "reference": by_hand,
}
RIGHT_VECTORS = {
    "loss": in_batch,
    "make_inputs": make_vectors,
    "promises": ("differentiable", "direction"),
    "left_out": {"row_wise": "others' documents are negatives", "permutable": "columns are numbers of a vector"},
    "measure": lambda x: -in_batch(**x),
}
RIGHT_STATE = {
    "loss": Momentum,
    "make_inputs": make_inputs,
    "promises": ("stateful", "permutable", "differentiable", "direction", "masked"),
    "left_out": {"row_wise": "what was seen before counts"},
}
RIGHT_MEMORY = RIGHT_STATE | {"loss": remembers_in_place, "make_inputs": make_with_memory}
RIGHT_MEMORY |= {
    "promises": {
        "stateful": ("memory",),
        "permutable": True,
        "differentiable": ("scores",),
        "direction": 1,
        "masked": True,
    }
}
RIGHT_ROWS = {
    "loss": of_kept_rows,
    "make_inputs": make_square,
    "promises": PROMISES,
}
RIGHT_PARTS = {
    "plain": RIGHT,
    "rows left out": RIGHT_ROWS,
    "mean of kept rows": RIGHT_ROWS | {"loss": mean_of_kept_rows},
    "vectors": RIGHT_VECTORS,
    "object with a state": RIGHT_STATE,
    "memory": RIGHT_MEMORY,
}


def like(base: dict, loss, **changes) -> dict:
    return {**base, "loss": loss, **changes}


def scores(loss, **changes) -> dict:
    """Checked as :func:`right` is, but for the chunks and the value by hand."""
    return {"loss": loss, "make_inputs": make_inputs, "promises": PROMISES, **changes}


class NotFinite(Exception):
    pass


WRONG: dict[str, list[dict]] = {
    "equals_reference": [scores(off_by_a_little, reference=by_hand)],
    "same_result_twice": [scores(never_the_same_twice())],
    "inputs_unchanged": [scores(divides_in_place)],
    "finite_at_extremes": [scores(overflows), scores(without_chunks, raises_at_extremes=NotFinite)],
    "half_precision": [scores(stays_in_half_precision)],
    "memory": [
        like(RIGHT_VECTORS, broadcasts_the_cosine),
        *(
            like(RIGHT_VECTORS, broadcasts_a_product, make_large=vectors_of(n, d))
            for n, d in ((64, 3), (64, 8), (256, 8))
        ),
        like(RIGHT_VECTORS, broadcasts_only_backwards),
    ],
    "nan_stays_visible": [scores(hides_nan)],
    "reductions_agree": [scores(entries_of_another_loss), scores(mean_is_a_sum)],
    "wrong_reduction_refused": [scores(takes_any_reduction)],
    "differentiable": [
        scores(detaches_too_much),
        scores(always_nought),
    ],
    "row_wise": [scores(normalises_over_the_batch), scores(normalises_without_a_reduction)],
    "permutable": [scores(weighs_by_column)]
    + [
        {"loss": loss, "make_inputs": scores_of(n), "promises": ("permutable",), "left_out": LEFT_OUT}
        for loss, n in (
            (weighs_by_neighbour, 3),
            (weighs_by_neighbour, 5),
            (weighs_the_first, 3),
            (weighs_the_first, 2),
        )
    ],
    "direction": [
        scores(turns_the_sign),
        scores(without_chunks, promises=dict.fromkeys(PROMISES, True) | {"direction": -1}),
    ],
    "masked": [
        scores(multiplies_by_the_mask),
        scores(reads_what_is_masked),
        scores(leaks_a_gradient),
        scores(entries_read_what_is_masked),
        scores(sum_leaks_a_gradient),
    ],
    "nothing_left": [scores(mean_of_nothing)],
    "wrong_mask_refused": [scores(broadcasts_the_mask)],
    "chunked": [scores(mean_of_chunk_means, promises=(*PROMISES, "chunked"))],
    "stateful": [
        like(RIGHT_STATE, SharedMomentum),
        like(RIGHT_STATE, StandsStill),
        like(RIGHT_MEMORY, changes_no_memory),
    ],
    "resumed": [like(RIGHT_STATE, CountsInSecret), like(RIGHT_MEMORY, remembers_elsewhere())],
}
