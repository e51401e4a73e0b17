"""Which public function answers which kind of golden case.

An adapter renames, casts, builds what the case describes and calls public names of litotes, in at most 15 lines. Every
output that is part of the method comes from litotes; gradients are taken by the harness. This file imports numpy, torch
and litotes only.
"""

import numpy as np
import torch

from litotes.core.text import normalise
from litotes.evaluation import measure_scores
from litotes.judging.neighbour_votes import extrinsic_flags, intrinsic_flags
from litotes.judging.small_loss import num_kept, small_loss
from litotes.losses import (
    AdoreLoss,
    TargetMemory,
    ar2_ranker_loss,
    ar2_scores,
    ar2_terms,
    cached_encode,
    coupled_losses,
    difficulty_weights,
    elr_loss,
    elr_plus_loss,
    elr_plus_targets,
    multiple_negatives_ranking_loss,
    negatives_plan,
    pairwise_logistic_loss,
    ranked_lists,
    sigmoid_ramp,
    star_loss,
    star_scores,
    tiled_info_nce,
    tiled_partition,
    triplet_loss,
)
from litotes.mining.bm25 import bm25_scores
from litotes.mining.exact_search import search
from litotes.mining.exclusion import Allowed, Window, top_of_scores
from litotes.models.cumulative_logits import choose_channels
from litotes.models.nested_dropout import add_nested_dropout, nested_prior
from litotes.training.alternation import Alternation
from litotes.training.co_teaching import cross_update


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


def adapt_cet(x, params, grads):
    a, o = leaf(x["relevance_scores"]), leaf(x["selection_scores"])
    cap = float(params.get("max_weight") or "inf")
    options = {"temperature": float(params["debias_ratio"]), "max_weight": cap}
    options["normalize_weights"] = params.get("normalize_weights", False)
    found = coupled_losses(a, o, keep=mask(x.get("mask")), **options)
    outputs = {f"weight_for_{name}": getattr(found, f"weights_for_{name}") for name in ("relevance", "selection")}
    for name in ("relevance", "selection"):
        outputs[f"{name}_loss"] = getattr(found, name)
        outputs[f"{name}_loss_unweighted"] = getattr(found, f"{name}_unweighted")
    return {**outputs, **grads(found.relevance, {"grad_relevance": a}), **grads(found.selection, {"grad_selection": o})}


def adapt_cet_pairs(x, params, grads):
    found = adapt_cet(x, params, grads)
    return {name: value.flatten() if name.startswith("weight") else value for name, value in found.items()}


def adapt_ar2_retriever(x, params, grads, adv_form="official"):
    q, ctx = leaf(x["q"]), leaf(x["ctx"])
    options = {name: params[name] for name in ("adv_lambda", "temperature", "eps") if name in params}
    scores = ar2_scores(q, ctx, scale_similarity=params.get("scale_similarity_by_sqrt_dim", False))
    found = ar2_terms(scores, torch.from_numpy(x["ranker_logits"]), adv_form=adv_form, **options)
    outputs = {
        "retriever_probs": found.probabilities,
        "reward": found.reward,
        "distill_loss": found.distillation,
        "adv_loss": found.adversarial,
        "loss": found.loss,
    }
    return {**outputs, **grads(found.loss, {"grad_q": q, "grad_ctx": ctx})}


def adapt_ar2_expected(x, params, grads):
    return adapt_ar2_retriever(x, params, grads, adv_form="expected")


def adapt_ar2_ranker(x, params, grads):
    logits = leaf(x["ranker_logits"])
    loss = ar2_ranker_loss(logits)
    return {"loss": loss, **grads(loss, {"grad": logits})}


def adapt_ar2_schedule(x, params, grads):
    turns = Alternation(params["iteration_steps"], params["ranker_steps"])
    return {"train_ranker": turns.turns(params["total"]), "refresh_after": turns.round_ends(params["total"])}


def adapt_peg_infonce(x, params, grads):
    q, docs = leaf(x["q"]), leaf(x["docs"])
    options = {"temperature": 1 / params["scale"], "normalize": params["normalize"]}
    loss = tiled_info_nce(q, docs.flatten(0, 1), **options)
    found = tiled_partition(q, docs.flatten(0, 1), negatives_plan(q, docs.flatten(0, 1), **options))
    return {"loss": loss, "lse": found.log_partition, **grads(loss, {"grad_q": q, "grad_docs": docs})}


def adapt_peg_difficulty(x, params, grads):
    q, docs = leaf(x["q"]), leaf(x["docs"])
    options = {"beta": params["beta"], "which": params["which"], "weight_norm": None}
    loss = tiled_info_nce(q, docs.flatten(0, 1), temperature=1 / params["scale"], **options)
    return {"loss": loss, **grads(loss, {"grad_q": q, "grad_docs": docs})}


def adapt_peg_progressive(x, params, grads):
    q, docs = leaf(x["q"]), leaf(x["docs"])
    flat, (n, slots) = docs.flatten(0, 1), docs.shape[:2]
    loss = tiled_info_nce(q, flat, temperature=params["tau"], beta=params["beta"], normalize=False)
    negatives = torch.arange(n * slots) != slots * torch.arange(n)[:, None]
    weights = difficulty_weights((q @ flat.T).detach(), negatives, beta=params["beta"])
    return {"weights": weights, "loss": loss, **grads(loss, {"grad_q": q, "grad_docs": docs})}


def adapt_peg_gradcache(x, params, grads):
    w = {name: leaf(x[name]) for name in ("Wq", "bq", "Wd", "bd")}
    xq, xd, chunks = torch.from_numpy(x["xq"]), torch.from_numpy(x["xd"]), (params["query_chunk"], params["doc_chunk"])
    q = cached_encode(lambda t: (t @ w["Wq"].T + w["bq"]).tanh(), xq, chunks[0], parameters=(w["Wq"], w["bq"]))
    docs = cached_encode(lambda t: (t @ w["Wd"].T + w["bd"]).tanh(), xd, chunks[1], parameters=(w["Wd"], w["bd"]))
    loss = tiled_info_nce(q, docs, temperature=1 / params["scale"], normalize=False)
    return {"loss": loss, **grads(loss, {f"grad_{name}": tensor for name, tensor in w.items()})}


def adapt_peg_tiled(x, params, grads):
    q, docs = map(leaf, unit_vectors(params["seed"], params["B"], params["H"], params["d"]))
    options = {"temperature": 1 / params["scale"], "normalize": False}
    loss = tiled_info_nce(q, docs, **options)
    lse = tiled_partition(q, docs, negatives_plan(q, docs, **options)).log_partition[torch.from_numpy(x["rows"])]
    found = grads(loss, {"q": q, "docs": docs})
    norms = {f"grad_{name}_norm": gradient.double().norm() for name, gradient in found.items()}
    rows = {"grad_q_rows": found["q"][x["rows"]], "grad_docs_rows": found["docs"][x["doc_rows"]]}
    return {"loss": loss, "lse": lse, **rows, **norms}


def adapt_elr_loss(x, params, grads):
    size, momentum = (params["num_examples"], params["num_classes"]), float(params["beta"])
    memory = TargetMemory(*size, target_momentum=momentum, dtype=torch.float64)
    options, found = {"regularization": float(params["lam"]), "clamp": float(params["clamp"])}, []
    for logits, ids, labels in zip(map(leaf, x["logits"]), x["index"], x["labels"], strict=True):
        loss = elr_loss(logits, torch.from_numpy(labels), memory, torch.from_numpy(ids), **options)
        found.append((loss.detach(), grads(loss, {"grad": logits})["grad"], memory.targets.clone()))
    return dict(zip(("loss", "grad_logits", "memory"), map(torch.stack, zip(*found, strict=True)), strict=True))


def adapt_elr_plus(x, params, grads):
    memory = TargetMemory.from_targets(torch.from_numpy(x["memory_before"]), target_momentum=float(params["beta"]))
    ids, order, partner = (torch.from_numpy(x[name]) for name in ("index", "perm", "partner_logits"))
    targets = elr_plus_targets(memory, ids, partner, mix_weight=float(params["mix_weight"]), permutation=order)
    options = {"regularization": float(params["lam"]), "ramp": sigmoid_ramp(params["step"], params["coef_step"])}
    logits, reweight = leaf(x["logits"]), params.get("reweight_labels", False)
    loss = elr_plus_loss(logits, torch.from_numpy(x["soft_labels"]), targets, reweight_labels=reweight, **options)
    after = {"memory_after": memory.targets, "mixed_target": targets}
    return {**after, "loss": loss, **grads(loss, {"grad_logits": logits})}


def adapt_elr_ramp(x, params, grads):
    return {"ramp": np.array([sigmoid_ramp(step, params["length"]) for step in x["step"].tolist()])}


def adapt_nested_prior(x, params, grads):
    return {"prior": nested_prior(params["dim"], params["std"], params["mu"])}


def adapt_small_loss(x, params, grads):
    rate = params["forget_rate"]
    pairs = [(torch.from_numpy(x[f"logits{n}"]), torch.from_numpy(x[f"labels{n}"])) for n in (1, 2)]
    keep1, keep2 = (small_loss(logits, labels, rate) for logits, labels in pairs)
    return {"keep1": keep1, "keep2": keep2, "num_keep": num_kept(len(x["labels1"]), rate)}


def adapt_coteach_step(x, params, grads):
    halves = [(torch.from_numpy(x[f"x{n}"]), torch.from_numpy(x[f"y{n}"])) for n in (1, 2)]
    keep = [torch.from_numpy(x[f"keep{n}"]) for n in (1, 2)]
    nets = [torch.nn.Sequential(linear(x[f"W{n}"], x[f"b{n}"]), linear(x[f"V{n}"])) for n in (1, 2)]
    weights = [{f"gW{n}": net[0].weight, f"gV{n}": net[1].weight} for n, net in enumerate(nets, 1)]
    for net in nets:
        add_nested_dropout(net, std=1.0, head="1")
    losses = cross_update(nets, halves, keep, kept=[params["k"] + 1])
    found = {f"loss{n}": loss for n, loss in enumerate(losses, 1)}
    return {**found, **grads(losses[0], weights[0]), **grads(losses[1], weights[1])}


def adapt_choose_channels(x, params, grads):
    return {"k": choose_channels(x["accuracy"], params["penalty"]) - 1}


def adapt_tacred_strategies(x, params, grads):
    k, negative, everyone = params["k"], params["negative_label"], params["clean_positives_too"]
    inner = intrinsic_flags(x["x"], x["y"], x["pred"], k, negative=negative)
    clean = x["clean_x"], x["clean_y"]
    outer = extrinsic_flags(x["x"], x["y"], *clean, k, negative=negative, with_positives=everyone)
    removed = np.flatnonzero(inner.flagged)
    inside = {"fn": inner.false_negatives, "is_eliminate": removed, "is_relabel_to": inner.new_label[removed]}
    return {**inside, "es_eliminate": outer.rows, "es_relabel_to": outer.new_label}


ADAPTERS = {
    "ar2/ranker_step": adapt_ar2_ranker,
    "ar2/retriever_expected": adapt_ar2_expected,
    "ar2/retriever_step": adapt_ar2_retriever,
    "ar2/schedule": adapt_ar2_schedule,
    "cet/coupled_step": adapt_cet_pairs,
    "cet/multi_negative": adapt_cet,
    "compress-features/choose_k": adapt_choose_channels,
    "compress-features/coteach_step": adapt_coteach_step,
    "compress-features/nested_prior": adapt_nested_prior,
    "compress-features/select": adapt_small_loss,
    "elr/elr_loss": adapt_elr_loss,
    "elr/elr_plus": adapt_elr_plus,
    "elr/ramp": adapt_elr_ramp,
    "peg/difficulty_all": adapt_peg_difficulty,
    "peg/gradcache": adapt_peg_gradcache,
    "peg/infonce": adapt_peg_infonce,
    "peg/progressive_norm": adapt_peg_progressive,
    "peg/tiled": adapt_peg_tiled,
    "tacred-noise/strategies": adapt_tacred_strategies,
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


def linear(weight, bias=None):
    """A linear layer with these weights; without a bias where none is given."""
    given = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
    layer = torch.nn.Linear(*weight.shape[::-1], bias=bias is not None, dtype=torch.from_numpy(weight).dtype)
    layer.load_state_dict({name: torch.from_numpy(x) for name, x in given.items()})
    return layer


def mask(array):
    """0 and 1 as a bool tensor; None stays None."""
    return None if array is None else torch.from_numpy(array).bool()


def unit_vectors(seed, n, hard, width):
    """The unit queries [n, width] and documents [n * (1 + hard), width] that a case of peg/tiled describes, float32."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((n, width))
    q = centres + 0.8 * rng.standard_normal((n, width))
    far = np.array([0.8] + [1.6] * hard)
    docs = centres[:, None, :] + rng.standard_normal((n, 1 + hard, width)) * far[None, :, None]
    unit = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (q, docs.reshape(-1, width)))
    return tuple(x.astype(np.float32) for x in unit)
