"""Which public function answers which kind of golden case.

An adapter renames, casts, builds what the case describes and calls public names of litotes, in at most 15 lines. Every
output that is part of the method comes from litotes; gradients are taken by the harness. This file imports numpy, torch
and litotes only.
"""

import numpy as np
import torch

from litotes.core.text import normalise
from litotes.evaluation import measure_scores
from litotes.losses import (
    AdoreLoss,
    multiple_negatives_ranking_loss,
    pairwise_logistic_loss,
    ranked_lists,
    star_loss,
    star_scores,
    triplet_loss,
)
from litotes.mining.bm25 import bm25_scores
from litotes.mining.exact_search import search
from litotes.mining.exclusion import Allowed, Window, top_of_scores


def adapt_star_loss(x, params, grads):
    q, pos, hard = (leaf(x.get(name)) for name in ("q", "pos", "hard"))
    in_batch, scored = star_scores(q, pos, hard)
    keep, keep_hard = mask(x.get("rel_pair_mask")), mask(x.get("hard_pair_mask"))
    loss = star_loss(in_batch, scored, keep=keep, keep_hard=keep_hard)
    return {"loss": loss, **grads(loss, {"grad_q": q, "grad_pos": pos, "grad_hard": hard})}


def adapt_randneg(x, params, grads):
    q, pos, hard = (leaf(x[name]) for name in ("q", "pos", "hard"))
    in_batch, scored = star_scores(q, pos, hard)
    loss = pairwise_logistic_loss(in_batch.diagonal(), scored, keep=mask(x.get("hard_pair_mask")))
    return {"loss": loss, **grads(loss, {"grad_q": q, "grad_pos": pos, "grad_hard": hard})}


def adapt_adore(x, params, grads):
    q, passages = leaf(x["q"]), torch.from_numpy(x["passages"])
    _, cols, found = search(x["q"], x["passages"], params["neg_topk"])
    retrieved = torch.from_numpy(np.where(found, cols, -1))
    lists = ranked_lists(retrieved, torch.from_numpy(x["rel"]))
    loss = AdoreLoss(params["metric_cut"])(q, passages[lists.ids.clamp(min=0)], lists)
    return {"retrieved": retrieved[:, found.any(axis=0)], "loss": loss, **grads(loss, {"grad_q": q})}


def adapt_ranking_losses(x, params, grads):
    q, p, n = (leaf(x[name]) for name in ("query", "positive", "negative"))
    mnrl = multiple_negatives_ranking_loss(q, p, n, scale=params["scale"])
    triplet = triplet_loss(q, p, n, margin=params["margin"])
    of_mnrl = grads(mnrl, {"grad_mnrl_query": q, "grad_mnrl_positive": p, "grad_mnrl_negative": n})
    of_triplet = grads(triplet, {"grad_triplet_query": q, "grad_triplet_positive": p, "grad_triplet_negative": n})
    return {"mnrl": mnrl, "triplet": triplet, **of_mnrl, **of_triplet}


def adapt_bm25_mining(x, params, grads):
    documents = x["document"].tolist()
    scores = bm25_scores(documents, x["query"].tolist(), params["k1"], params["b"])
    texts = np.array([normalise(text) for text in documents])
    twins = [np.flatnonzero(texts == texts[positive]) for positive in x["positive"]]
    sizes = np.cumsum([0, *map(len, twins)])
    allowed = Allowed(sizes, np.concatenate(twins), usable=np.ones(len(documents), dtype=bool))
    chosen = top_of_scores(scores.copy(), allowed, Window(top=1, skip=params["skip_top"]))
    return {"scores": scores, "negative": chosen.col}


def adapt_ir_metrics(x, params, grads):
    per_query, mean = measure_scores(x["scores"], x["relevance"], ["nDCG@10", "P@10", "R@100"])
    return {"per_query": per_query, "mean": mean}


ADAPTERS = {
    "star-adore/star_loss": adapt_star_loss,
    "star-adore/randneg": adapt_randneg,
    "star-adore/adore": adapt_adore,
    "dont-retrieve-generate/bm25_mining": adapt_bm25_mining,
    "dont-retrieve-generate/ir_metrics": adapt_ir_metrics,
    "dont-retrieve-generate/ranking_losses": adapt_ranking_losses,
}


def leaf(array):
    """A tensor that gradients are taken of; None stays None."""
    return None if array is None else torch.from_numpy(array).requires_grad_()


def mask(array):
    """0 and 1 as a bool tensor; None stays None."""
    return None if array is None else torch.from_numpy(array).bool()
