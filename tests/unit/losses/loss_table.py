"""Every loss of ``litotes.losses`` as :func:`litotes.testing.check_loss` takes it, each with a slow, obvious version.

An entry of :data:`LOSSES` says how to make inputs, what the loss promises, and which promises it does *not* make, each
with the reason.
"""

import math
from typing import Any

import torch

from litotes.losses import (
    TargetMemory,
    adore_loss,
    difficulty_info_nce,
    early_learning_term,
    elr_loss,
    elr_plus_loss,
    info_nce,
    multiple_negatives_ranking_loss,
    pairwise_logistic_loss,
    soft_cross_entropy,
    star_loss,
    tiled_info_nce,
    triplet_loss,
    weighted_pair_loss,
)

ROWS, COLS, DIM = 3, 5, 4


def softplus(x: float) -> float:
    """log(1 + e^x) by the definition; Python floats overflow beyond 700, the inputs here do not."""
    return math.log1p(math.exp(x))


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


# --- info_nce -----------------------------------------------------------------------------------------------------


def make_info_nce(g: torch.Generator) -> dict:
    positives = torch.zeros(ROWS, COLS, dtype=torch.bool)
    positives[0, 0] = positives[1, 1] = positives[1, 2] = positives[2, 4] = True
    keep = torch.ones(ROWS, COLS, dtype=torch.bool)
    keep[0, 3] = keep[1, 2] = keep[2, 0] = False  # one of them is a positive
    return {"scores": torch.randn(ROWS, COLS, generator=g), "positives": positives, "keep": keep, "temperature": 0.7}


def loop_info_nce(scores, positives, keep, temperature) -> float:
    losses = []
    for s, p, k in zip(scores.tolist(), positives.tolist(), keep.tolist(), strict=True):
        kept = [math.exp(x / temperature) for x, kept in zip(s, k, strict=True) if kept]
        good = [math.exp(x / temperature) for x, yes, kept in zip(s, p, k, strict=True) if yes and kept]
        if good:
            losses.append(-math.log(sum(good) / sum(kept)))
    return mean(losses)


# --- weighted by difficulty, with the matrix and without ----------------------------------------------------------


def make_difficulty(g: torch.Generator) -> dict:
    inputs = make_info_nce(g)
    chosen = torch.ones(ROWS, COLS, dtype=torch.bool)
    chosen[0, 1] = chosen[1] = False  # row 1 has negatives and none of them is chosen
    return inputs | {"chosen": chosen, "beta": 1.5}


def make_difficulty_of_weights(g: torch.Generator) -> dict:
    return make_info_nce(g) | {"weights": 3 * torch.rand(ROWS, COLS, generator=g)}


def loop_difficulty(scores, positives, keep, temperature, chosen=None, beta=0.0, weights=None) -> float:
    losses = []
    for i in range(len(scores)):
        s = scores[i].tolist()
        good = [j for j in range(len(s)) if positives[i, j] and keep[i, j]]
        bad = [j for j in range(len(s)) if not positives[i, j] and keep[i, j]]
        c = [j for j in bad if chosen is not None and chosen[i, j]]
        mean_weight = mean([math.exp(beta * s[j]) for j in c]) or 1.0
        w = {j: math.exp(beta * s[j]) / mean_weight if j in c else 1.0 for j in bad}
        w = w if weights is None else {j: float(weights[i, j]) for j in bad}
        if good:
            top = sum(math.exp(s[j] / temperature) for j in good)
            losses.append(math.log(top + sum(w[j] * math.exp(s[j] / temperature) for j in bad)) - math.log(top))
    return mean(losses)


def make_tiled(g: torch.Generator) -> dict:
    """Two hard negatives a query; some documents are known positives of others, one place is empty."""
    return {
        "queries": torch.randn(ROWS, DIM, generator=g),
        "documents": torch.randn(3 * ROWS, DIM, generator=g),
        "document_ids": torch.tensor([0, 1, 2, 3, 0, -1, 4, 5, 3]),
        "known_ids": torch.tensor([[1, 7], [5, -1], [-1, -1]]),
        "temperature": 0.5,
    }


def make_weighted_tiled(g: torch.Generator) -> dict:
    return make_tiled(g) | {"beta": 2.0, "which": "in_batch_negatives"}


def loop_tiled(queries, documents, document_ids, known_ids, temperature, beta=0.0, which="all_negatives") -> float:
    ids, n, losses = document_ids.tolist(), len(documents) // len(queries), []
    for i, query in enumerate(queries):
        known = {ids[i * n], *known_ids[i].tolist()}
        s = [float(query @ d) / float(query.norm() * d.norm()) for d in documents]
        bad = [j for j in range(len(s)) if j != i * n and ids[j] not in known and ids[j] != -1]
        c = [j for j in bad if which == "all_negatives" or j // n != i]
        mean_weight = mean([math.exp(beta * s[j]) for j in c]) or 1.0
        w = {j: math.exp(beta * s[j]) / mean_weight if j in c else 1.0 for j in bad}
        positive = math.exp(s[i * n] / temperature)
        total = positive + sum(w[j] * math.exp(s[j] / temperature) for j in bad)
        losses.append(math.log(total / positive))
    return mean(losses)


# --- pairwise and star --------------------------------------------------------------------------------------------


def make_pairwise(g: torch.Generator) -> dict:
    keep = torch.rand(ROWS, COLS, generator=g) < 0.7
    keep[0] = False  # a row without a usable pair
    keep[1, :2] = torch.tensor([True, False])
    return {"positive": torch.randn(ROWS, generator=g), "negatives": torch.randn(ROWS, COLS, generator=g), "keep": keep}


def loop_pairwise(positive, negatives, keep) -> float:
    rows, cols = negatives.shape
    pairs = [(i, j) for i in range(rows) for j in range(cols) if keep[i, j]]
    return mean([softplus(float(negatives[i, j] - positive[i])) for i, j in pairs])


def make_weighted_pair(g: torch.Generator) -> dict:
    inputs = make_pairwise(g)
    weights = 1 + torch.rand(ROWS, COLS, generator=g).exp().double()
    return inputs | {"weights": weights.where(inputs["keep"], torch.inf)}  # 0 * inf is NaN


def loop_weighted_pair(positive, negatives, keep, weights) -> float:
    rows, cols = negatives.shape
    pairs = [(i, j) for i in range(rows) for j in range(cols) if keep[i, j]]
    return mean([float(weights[i, j]) * softplus(float(negatives[i, j] - positive[i])) for i, j in pairs])


def make_star(g: torch.Generator) -> dict:
    keep = torch.ones(ROWS, ROWS, dtype=torch.bool)
    keep[0, 1] = False
    keep_hard = torch.ones(ROWS, COLS, dtype=torch.bool)
    keep_hard[1, 2] = keep_hard[2, 0] = False
    return {
        "in_batch": 2 * torch.randn(ROWS, ROWS, generator=g),
        "hard": 2 * torch.randn(ROWS, COLS, generator=g),
        "keep": keep,
        "keep_hard": keep_hard,
        "random_weight": 0.3,
    }


def loop_star(in_batch, hard, keep, keep_hard, random_weight) -> float:
    numerator = denominator = 0.0
    for i in range(len(in_batch)):
        groups = [
            (in_batch[i], [k and j != i for j, k in enumerate(keep[i].tolist())], random_weight),
            (hard[i], keep_hard[i].tolist(), 1.0),
        ]
        for scores, kept, weight in groups:
            for s, k in zip(scores.tolist(), kept, strict=True):
                if k:
                    numerator += weight * softplus(s - float(in_batch[i, i]))
                    denominator += weight
    return numerator / denominator


# --- adore --------------------------------------------------------------------------------------------------------


def make_adore(g: torch.Generator) -> dict:
    positives = torch.zeros(4, 6, dtype=torch.bool)
    positives[0, 2] = positives[1, 0] = positives[1, 5] = positives[2, 1] = positives[2, 3] = True  # none in list 3
    keep = torch.ones(4, 6, dtype=torch.bool)
    keep[0, 5] = keep[1, 2] = keep[2, 3] = keep[2, 0] = False
    return {"scores": torch.randn(4, 6, generator=g), "positives": positives, "keep": keep, "metric_cut": 4}


def loop_adore(scores, positives, keep, metric_cut) -> float:
    losses = []
    for z, y, k in zip(scores.tolist(), positives.tolist(), keep.tolist(), strict=True):
        rho = [1 / j if j <= metric_cut else 0.0 for j in range(1, len(z) + 1)]
        up = [j for j in range(len(z)) if y[j] and k[j]]
        down = [j for j in range(len(z)) if not y[j] and k[j]]
        if up and down:
            total = sum(abs(rho[p] - rho[n]) * softplus(z[n] - z[p]) for p in up for n in down)
            losses.append(total / (len(up) * len(down)))
    return mean(losses)


def make_long_lists(g: torch.Generator) -> dict:
    """Lists as ADORE meets them: long, with one or two positives each."""
    positives = torch.zeros(64, 200, dtype=torch.bool)
    positives[torch.arange(64), torch.randint(200, (64,), generator=g)] = True
    positives[:, 7] |= torch.rand(64, generator=g) < 0.5
    keep = torch.rand(64, 200, generator=g) < 0.9
    return {"scores": torch.randn(64, 200, generator=g), "positives": positives, "keep": keep, "metric_cut": 200}


# --- losses of vectors --------------------------------------------------------------------------------------------


def make_mnrl(g: torch.Generator) -> dict:
    queries, positives, negatives = (torch.randn(ROWS, DIM, generator=g) for _ in range(3))
    keep = torch.ones(ROWS, 2 * ROWS, dtype=torch.bool)
    keep[0, 1] = keep[2, 4] = keep[1, 1] = False  # so query 1 contributes nothing
    keep[:, 3] = False  # a document that nobody keeps
    return {"queries": queries, "positives": positives, "negatives": negatives, "keep": keep, "scale": 3.0}


def loop_mnrl(queries, positives, negatives, keep, scale) -> float:
    documents, losses = [*positives, *negatives], []
    for i, query in enumerate(queries):
        exponentials = {
            j: math.exp(scale * float(query @ d) / float(query.norm() * d.norm()))
            for j, d in enumerate(documents)
            if keep[i, j]
        }
        if i in exponentials:
            losses.append(-math.log(exponentials[i] / sum(exponentials.values())))
    return mean(losses)


def vectors_that_nobody_keeps(inputs: dict) -> dict[str, torch.Tensor]:
    """Which numbers of the vectors must not count: those of a document that no query with a kept positive keeps, and
    those of a query whose own positive is not kept.
    """
    used = inputs["keep"] & inputs["keep"].diagonal()[:, None]
    documents = ~used.any(dim=0)[:, None]
    return {"queries": ~used.any(dim=1)[:, None], "positives": documents[:ROWS], "negatives": documents[ROWS:]}


def make_triplet(g: torch.Generator) -> dict:
    anchors, positives, negatives = (torch.randn(ROWS, DIM, generator=g) for _ in range(3))
    keep = torch.tensor([True, False, True])
    return {"anchors": anchors, "positives": positives, "negatives": negatives, "keep": keep, "margin": 4.0}


def loop_triplet(anchors, positives, negatives, keep, margin) -> float:
    rows = zip(anchors.tolist(), positives.tolist(), negatives.tolist(), keep.tolist(), strict=True)
    return mean([max(0.0, math.dist(a, p) - math.dist(a, n) + margin) for a, p, n, kept in rows if kept])


def make_cosine_triplet(g: torch.Generator) -> dict:
    return make_triplet(g) | {"margin": 0.5, "distance": "cosine"}


def loop_cosine_triplet(anchors, positives, negatives, keep, margin, distance) -> float:
    def cosine(x, y):
        return float(x @ y) / float(x.norm() * y.norm())

    rows = zip(anchors, positives, negatives, keep.tolist(), strict=True)
    return mean([max(0.0, cosine(a, n) - cosine(a, p) + margin) for a, p, n, kept in rows if kept])


def kept_margin(scores, up, down) -> torch.Tensor:
    """The smallest difference of a kept positive and a kept negative of one row."""
    gaps = scores[:, :, None] - scores[:, None, :]
    return gaps[up[:, :, None] & down[:, None, :]].min()


# --- elr ----------------------------------------------------------------------------------------------------------


def make_term(g: torch.Generator) -> dict:
    """Targets as after a few visits: rows of a distribution, times less than 1."""
    targets = torch.randn(ROWS, COLS, generator=g).double().softmax(dim=1) * torch.tensor([[0.9], [0.3], [0.05]])
    return {"logits": 2 * torch.randn(ROWS, COLS, generator=g), "targets": targets}


def make_kl_term(g: torch.Generator) -> dict:
    return make_term(g) | {"form": "kl"}


def make_dot_term(g: torch.Generator) -> dict:
    return make_term(g) | {"form": "dot"}


def probabilities(logits: list[float], clamp: float = 1e-4) -> list[float]:
    total = sum(map(math.exp, logits))
    return [min(max(math.exp(z) / total, clamp), 1 - clamp) for z in logits]


def loop_terms(logits, targets, form="log") -> list[float]:
    losses = []
    for z, t in zip(logits.tolist(), targets.tolist(), strict=True):
        p = probabilities(z)
        s = sum(a * b for a, b in zip(t, p, strict=True))
        kl = sum(a * math.log(a / b) for a, b in zip(t, p, strict=True) if a)
        losses.append({"log": math.log(1 - s), "dot": -s, "kl": kl}[form])
    return losses


def loop_term(logits, targets, form="log") -> float:
    return mean(loop_terms(logits, targets, form))


def make_soft(g: torch.Generator) -> dict:
    soft_labels = torch.randn(ROWS, COLS, generator=g).double().softmax(dim=1)
    return {"logits": 2 * torch.randn(ROWS, COLS, generator=g), "soft_labels": soft_labels}


def loop_softs(logits, soft_labels) -> list[float]:
    rows = zip(logits.tolist(), soft_labels.tolist(), strict=True)
    return [-sum(y * math.log(p) for y, p in zip(Y, probabilities(z, 0.0), strict=True)) for z, Y in rows]


def loop_soft(logits, soft_labels) -> float:
    return mean(loop_softs(logits, soft_labels))


def make_elr_plus(g: torch.Generator) -> dict:
    return make_soft(g) | {"targets": make_term(g)["targets"], "regularization": 2.0, "ramp": 0.4}


def loop_elr_plus(logits, soft_labels, targets, regularization, ramp) -> float:
    pairs = zip(loop_softs(logits, soft_labels), loop_terms(logits, targets), strict=True)
    return mean([ce + ramp * regularization * term for ce, term in pairs])


def held_elr_loss(logits, labels, targets, reduction="mean") -> torch.Tensor:
    """``elr_loss`` with a memory that holds these targets and does not move."""
    memory = TargetMemory.from_targets(targets.float() if targets.dtype == torch.bfloat16 else targets)
    return elr_loss(logits, labels, memory, torch.arange(len(logits)), update=False, reduction=reduction)


held_elr_loss.__name__ = "elr_loss"


def make_elr(g: torch.Generator) -> dict:
    return make_term(g) | {"labels": torch.tensor([0, 3, 1])}


def loop_elr(logits, labels, targets) -> float:
    one_hot = torch.nn.functional.one_hot(labels, COLS).double()
    pairs = zip(loop_softs(logits, one_hot), loop_terms(logits, targets), strict=True)
    return mean([ce + 3.0 * term for ce, term in pairs])


TILED_LEFT_OUT = {
    "row_wise": "the documents of other rows are this row's negatives",
    "permutable": "its columns are documents: permuting them is tested instead",
    "masked": "it takes ids, not a mask: what they leave out is tested instead",
}

LOSSES: dict[str, dict[str, Any]] = {
    "info_nce": {
        "loss": info_nce,
        "make_inputs": make_info_nce,
        "promises": {"row_wise", "permutable", "differentiable", "direction", "masked"},
        "reference": loop_info_nce,
        "measure": lambda x: kept_margin(x["scores"], x["positives"] & x["keep"], ~x["positives"] & x["keep"]),
    },
    "difficulty_info_nce": {
        "loss": difficulty_info_nce,
        "make_inputs": make_difficulty,
        "promises": {"row_wise", "permutable", "direction", "masked"},
        "left_out": {"differentiable": "finite differences move the weights, which the gradient holds constant"},
        "reference": loop_difficulty,
        "measure": lambda x: kept_margin(x["scores"], x["positives"] & x["keep"], ~x["positives"] & x["keep"]),
    },
    "difficulty_info_nce-weights": {
        "loss": difficulty_info_nce,
        "make_inputs": make_difficulty_of_weights,
        "promises": {
            "row_wise": True,
            "permutable": True,
            "differentiable": ("scores",),
            "direction": +1,
            "masked": {"keep": "scores"},
        },
        "reference": loop_difficulty,
        "measure": lambda x: kept_margin(x["scores"], x["positives"] & x["keep"], ~x["positives"] & x["keep"]),
    },
    "tiled_info_nce": {
        "loss": tiled_info_nce,
        "make_inputs": make_tiled,
        "promises": {"differentiable": True, "direction": +1, "chunked": "tile"},
        "left_out": TILED_LEFT_OUT,
        "reference": loop_tiled,
        "measure": lambda x: -torch.tensor(loop_tiled(**x)),
    },
    "tiled_info_nce-weighted": {
        "loss": tiled_info_nce,
        "make_inputs": make_weighted_tiled,
        "promises": {"direction": +1, "chunked": "tile"},
        "left_out": TILED_LEFT_OUT
        | {"differentiable": "finite differences move the weights, which the gradient holds constant"},
        "reference": loop_tiled,
        "measure": lambda x: -torch.tensor(loop_tiled(**x)),
    },
    "pairwise_logistic_loss": {
        "loss": pairwise_logistic_loss,
        "make_inputs": make_pairwise,
        "promises": {
            "row_wise": True,
            "permutable": ("negatives", "keep"),
            "differentiable": True,
            "direction": +1,
            "masked": {"keep": "negatives"},
        },
        "reference": loop_pairwise,
        "measure": lambda x: (x["positive"][:, None] - x["negatives"])[x["keep"]].min(),
    },
    "weighted_pair_loss": {
        "loss": weighted_pair_loss,
        "make_inputs": make_weighted_pair,
        "promises": {
            "row_wise": True,
            "permutable": ("negatives", "keep", "weights"),
            "differentiable": ("positive", "negatives"),
            "direction": +1,
            "masked": {"keep": "negatives"},
        },
        "reference": loop_weighted_pair,
        "measure": lambda x: (x["positive"][:, None] - x["negatives"])[x["keep"]].min(),
    },
    "star_loss": {
        "loss": star_loss,
        "make_inputs": make_star,
        "promises": {
            "permutable": ("hard", "keep_hard"),
            "differentiable": True,
            "direction": +1,
            "masked": {"keep": "in_batch", "keep_hard": "hard"},
        },
        "left_out": {"row_wise": "row i finds its own positive in column i, so rows cannot be taken out alone"},
        "reference": loop_star,
        "measure": lambda x: torch.minimum(
            (x["in_batch"].diagonal()[:, None] - x["in_batch"])[x["keep"] & ~torch.eye(ROWS, dtype=torch.bool)].min(),
            (x["in_batch"].diagonal()[:, None] - x["hard"])[x["keep_hard"]].min(),
        ),
    },
    "adore_loss": {
        "loss": adore_loss,
        "make_inputs": make_adore,
        "promises": {"row_wise", "differentiable", "direction", "masked"},
        "left_out": {"permutable": "a column's place in the list is its rank, which weighs it"},
        "reference": loop_adore,
        "measure": lambda x: kept_margin(x["scores"], x["positives"] & x["keep"], ~x["positives"] & x["keep"]),
        "make_large": make_long_lists,
    },
    "multiple_negatives_ranking_loss": {
        "loss": multiple_negatives_ranking_loss,
        "make_inputs": make_mnrl,
        "promises": {"differentiable": True, "direction": +1, "masked": vectors_that_nobody_keeps},
        "left_out": {
            "row_wise": "the documents of other rows are this row's negatives",
            "permutable": "its columns are documents: permuting the batch is tested instead",
        },
        "reference": loop_mnrl,
        "measure": lambda x: -torch.tensor(loop_mnrl(**x)),
    },
    "triplet_loss": {
        "loss": triplet_loss,
        "make_inputs": make_triplet,
        "promises": {"row_wise", "differentiable", "direction", "masked"},
        "left_out": {"permutable": "a row has one positive and one negative"},
        "reference": loop_triplet,
        "measure": lambda x: -torch.tensor(loop_triplet(**x)),
    },
    "triplet_loss-cosine": {
        "loss": triplet_loss,
        "make_inputs": make_cosine_triplet,
        "promises": {"row_wise", "differentiable", "direction", "masked"},
        "left_out": {"permutable": "a row has one positive and one negative"},
        "reference": loop_cosine_triplet,
        "measure": lambda x: -torch.tensor(loop_cosine_triplet(**x)),
    },
    "soft_cross_entropy": {
        "loss": soft_cross_entropy,
        "make_inputs": make_soft,
        "promises": {"row_wise": True, "permutable": True, "differentiable": ("logits",), "direction": +1},
        "reference": loop_soft,
        "measure": lambda x: -torch.tensor(loop_soft(**x)),
    },
    **{
        name: {
            "loss": early_learning_term,
            "make_inputs": make,
            "promises": {"row_wise": True, "permutable": True, "differentiable": ("logits",), "direction": +1},
            "reference": loop_term,
            "measure": lambda x: (x["targets"] * x["logits"].softmax(dim=1)).sum(),
        }
        for name, make in (
            ("early_learning_term", make_term),
            ("early_learning_term-kl", make_kl_term),
            ("early_learning_term-dot", make_dot_term),
        )
    },
    "elr_loss": {
        "loss": held_elr_loss,
        "make_inputs": make_elr,
        "promises": {"row_wise": True, "differentiable": ("logits",), "direction": +1},
        "left_out": {"permutable": "a label names its column; elr_plus_loss, whose labels have columns, promises it"},
        "reference": loop_elr,
        "measure": lambda x: -torch.tensor(loop_elr(**x)),
    },
    "elr_plus_loss": {
        "loss": elr_plus_loss,
        "make_inputs": make_elr_plus,
        "promises": {"row_wise": True, "permutable": True, "differentiable": ("logits",), "direction": +1},
        "reference": loop_elr_plus,
        "measure": lambda x: -torch.tensor(loop_elr_plus(**x)),
    },
}
