r"""InfoNCE whose negatives weigh by how hard they are, over a matrix of scores.

.. math:: \ell_i = -\frac{s_i^+}{\tau} + \log\Big(e^{s_i^+/\tau} + \sum_{j \in N_i} w_{ij}\, e^{s_{ij}/\tau}\Big),
          \quad
          w_{ij} = \frac{e^{\beta s_{ij}}}{\frac{1}{|C_i|} \sum_{k \in C_i} e^{\beta s_{ik}}} \text{ if } j \in C_i

beta 0 is InfoNCE, beta > 0 turns the attention to the hardest negatives, beta < 0 away from them (they may be positives
that nobody judged). Without the denominator it is the hardness option of sentence-transformers (Lan et al. 2025,
eq. 5). PEG (Wu et al. 2023) lets such weights grow in the course of training; its formula was not published, and this
one, with a schedule of beta, is this project's reconstruction. :func:`~litotes.losses.tiled_info_nce` is the same
without the matrix.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from litotes.core.checks import check_choice, check_float
from litotes.losses.cells import Reduction, cell_mask, full_precision, reduce_kept

__all__ = ["Level", "WeightNorm", "difficulty_info_nce", "difficulty_weights", "query_weights"]

WeightNorm = Literal["mean"] | None
Level = Literal["pair", "query"]


def difficulty_info_nce(
    scores: Float[Tensor, "rows cols"],
    positives: Bool[Tensor, "rows cols"],
    *,
    chosen: Bool[Tensor, "rows cols"] | None = None,
    keep: Bool[Tensor, "rows cols"] | None = None,
    temperature: float = 0.05,
    beta: float = 0.0,
    weight_norm: WeightNorm = "mean",
    level: Level = "pair",
    weights: Float[Tensor, "rows cols"] | None = None,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    """Minus the log share of the positives among the kept cells, where chosen negatives count by their difficulty.

    A row without a kept positive contributes nothing (0, zero gradient, not counted in the mean); one without a kept
    negative contributes 0 and is counted. Weights are constants of the gradient. Half-precision scores are computed in
    float32.

    Args:
        scores: s, similarities before the temperature.
        positives: of each row; several are summed inside the logarithm.
        chosen: C, which negatives are weighted; ``None`` is all of them. Others keep weight 1.
        keep: False for cells that are neither positive nor negative. ``None`` keeps all.
        temperature: tau.
        beta: strength of the weights.
        weight_norm: ``"mean"``, the mean weight of a row's chosen negatives is 1; or ``None``, w = exp(beta s).
        level: ``"pair"`` as above; ``"query"``: all negatives weigh 1, and each row's loss is multiplied by
            exp(beta times the mean score of its chosen negatives), scaled to mean 1 over the rows that have such,
            whatever ``weight_norm`` says.
        weights: w of each cell in place of those that ``beta`` gives.
        reduction: ``"none"`` gives the losses of the rows.

    >>> scores, own = torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([[True, False, False]])
    >>> difficulty_info_nce(scores, own, temperature=1.0)
    tensor(0.4076)
    >>> difficulty_info_nce(scores, own, temperature=1.0, beta=5.0)  # nearly twice the harder one
    tensor(0.5496)
    """
    check_difficulty("difficulty_info_nce", temperature, beta, weight_norm, level)
    keep = cell_mask("difficulty_info_nce", "keep", keep, scores)
    positives = cell_mask("difficulty_info_nce", "positives", positives, scores) & keep
    counts = positives.any(dim=1)
    negatives = keep & ~positives & counts[:, None]
    chosen = cell_mask("difficulty_info_nce", "chosen", chosen, scores) & negatives
    s = full_precision(scores).where(positives | negatives, 0.0)
    if weights is not None:
        negatives = negatives & (weights > 0)
        log_weights = weights.to(s).detach().where(negatives, 1.0).log()
    else:
        log_weights = _log_weights(s.detach(), chosen, beta if level == "pair" else 0.0, weight_norm)
    logits = s / temperature
    positive = logits.masked_fill(counts[:, None] & ~positives, -torch.inf).logsumexp(dim=1)
    any_negative = negatives.any(dim=1)
    others = (logits + log_weights).masked_fill(any_negative[:, None] & ~negatives, -torch.inf).logsumexp(dim=1)
    losses = -F.logsigmoid(positive - others).where(any_negative, 0.0)
    if level == "query":
        n = chosen.sum(dim=1)
        difficulty = s.detach().where(chosen, 0.0).sum(dim=1) / n.clamp(min=1)
        losses = losses * query_weights(difficulty, n > 0, beta=beta)
    return reduce_kept("difficulty_info_nce", losses, counts, reduction)


def difficulty_weights(
    scores: Float[Tensor, "rows cols"],
    chosen: Bool[Tensor, "rows cols"],
    *,
    beta: float,
    weight_norm: WeightNorm = "mean",
) -> Float[Tensor, "rows cols"]:
    """w of the chosen cells, 1 everywhere else; without a gradient.

    >>> difficulty_weights(torch.tensor([[9.0, 0.5, 0.5]]), torch.tensor([[False, True, True]]), beta=3.0)
    tensor([[1., 1., 1.]])
    """
    check_difficulty("difficulty_weights", 1.0, beta, weight_norm)
    chosen = cell_mask("difficulty_weights", "chosen", chosen, scores)
    return _log_weights(full_precision(scores.detach()), chosen, beta, weight_norm).exp()


def query_weights(
    difficulty: Float[Tensor, "rows"],
    keep: Bool[Tensor, "rows"],
    *,
    beta: float,
) -> Float[Tensor, "rows"]:
    """exp(beta difficulty), scaled to mean 1 over the kept rows; 1 for others. Without a gradient."""
    return _log_weights(difficulty.detach()[None], keep[None], beta, "mean")[0].exp()


def check_difficulty(
    owner: str, temperature: float, beta: float, weight_norm: WeightNorm, level: Level = "pair"
) -> None:
    """The parameters that all losses of this family have."""
    check_float(owner, "temperature", temperature, above=0.0)
    check_float(owner, "beta", beta)
    check_choice(owner, "weight_norm", weight_norm, ("mean", None))
    check_choice(owner, "level", level, ("pair", "query"))


def _log_weights(
    scores: Float[Tensor, "rows cols"], chosen: Bool[Tensor, "rows cols"], beta: float, weight_norm: WeightNorm
) -> Float[Tensor, "rows cols"]:
    """b = beta s - c in the chosen cells, 0 elsewhere."""
    b = beta * scores.where(chosen, 0.0)
    if weight_norm == "mean":
        n = chosen.sum(dim=1, keepdim=True)
        total = b.masked_fill((n > 0) & ~chosen, -torch.inf).logsumexp(dim=1, keepdim=True)
        b = (b - total) + n.clamp(min=1).to(b).log()  # in this order: beside a total of 1e10 log n is rounded away
    return b.where(chosen, 0.0)
