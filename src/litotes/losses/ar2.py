"""AR2: a retriever that looks for what fools the ranker, and a ranker that learns from what it found.

Zhang et al. 2022, "Adversarial Retriever-Ranker for dense text retrieval" (ICLR, arXiv 2110.03611), section 3. A list
of M = 1 + n candidates stands for a query: its labelled positive in column 0, then n documents that the retriever found
in the round before. With s the retriever's scores, r the ranker's logits (a constant here), p = softmax(s) over the
list, p~ = softmax(s_1 .. s_n) over its negatives and p_D = softmax(r / temperature):

==============  ====================================================  ==================================================
                ``adv_form="expected"``                               ``adv_form="official"``, eps = 1e-7
==============  ====================================================  ==================================================
reward          R_i = log sigmoid(r_0 - r_i), i >= 1                  R_i = log(sigmoid(r_0 - r_i) + eps), i >= 0
adversarial     mean over queries of sum_i p~_i R_i                   sum over queries of sum_i R_i log(p_i + eps)
distillation    mean over queries of -sum_i p_D,i log p_i             mean over queries of -sum_i p_D,i log(p_i + eps)
loss            lambda * adversarial + (1 - lambda) * distillation    the same
==============  ====================================================  ==================================================

The *expected* form is the exact expectation of the paper's objective; the *official* one is the published code, whose
adversarial term grows with the batch and pushes the positive up, too. There eps decides: it floors the logarithm of a
candidate that the retriever finds hopeless, and takes its gradient away. The ranker's own loss is cross entropy.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from litotes.core.checks import check_choice, check_float
from litotes.core.errors import LitotesError
from litotes.losses.cells import Reduction, cell_mask, full_precision, reduce_kept
from litotes.losses.info_nce import info_nce
from litotes.losses.sentence_features import embed_groups
from litotes.models.precision import autocast

__all__ = ["OFFICIAL_EPS", "AdvForm", "Ar2Loss", "Ar2Terms", "ar2_loss", "ar2_ranker_loss", "ar2_scores", "ar2_terms"]

AdvForm = Literal["official", "expected"]

OFFICIAL_EPS = 1e-7


class Ar2Terms(NamedTuple):
    """What the retriever's loss is made of.

    Attributes:
        probabilities: p over all candidates, ``[batch, candidates]``; 0 where not kept.
        reward: R, a constant: ``[batch, candidates]`` in the official form, ``[batch, candidates - 1]`` in the expected
            one, which gives the positive none. 0 where not kept.
        adversarial: the term that lambda multiplies.
        distillation: the term that 1 - lambda multiplies.
        loss: both.
    """

    probabilities: Float[Tensor, "batch candidates"]
    reward: Float[Tensor, "batch rewarded"]
    adversarial: Float[Tensor, ""]
    distillation: Float[Tensor, ""]
    loss: Float[Tensor, ""]


def ar2_loss(
    scores: Float[Tensor, "batch candidates"],
    ranker_logits: Float[Tensor, "batch candidates"],
    *,
    keep: Bool[Tensor, "batch candidates"] | None = None,
    adv_form: AdvForm = "expected",
    adv_lambda: float = 0.5,
    temperature: float = 1.0,
    eps: float = OFFICIAL_EPS,
) -> Float[Tensor, ""]:
    """The retriever's loss over lists whose first column is the positive; the ranker's logits are constants.

    There is no ``reduction``: in the official form one term is a sum over queries and the other a mean.

    Args:
        scores: s, of the retriever.
        ranker_logits: r, raw; no gradient flows into them.
        keep: False where a list is padded. A query whose positive is not kept contributes nothing and is not counted;
            one without negatives has an adversarial term of 0 (official: log(1/2) log(1 + eps)).
        adv_form: ``"expected"`` or ``"official"``, see above.
        adv_lambda: lambda; 0 is distillation from the ranker alone, 1 the adversary alone.
        temperature: divides the logits in the distillation's target, nowhere else.
        eps: in the logarithms of the official form; the expected form has none.

    Half-precision scores are computed in float32.

    >>> ar2_loss(torch.zeros(1, 3), torch.zeros(1, 3))  # (log(1/2) + log(3)) / 2
    tensor(0.2027)
    """
    options = {"adv_form": adv_form, "adv_lambda": adv_lambda, "temperature": temperature, "eps": eps}
    return ar2_terms(scores, ranker_logits, keep=keep, **options).loss  # type: ignore[arg-type]


def ar2_terms(
    scores: Float[Tensor, "batch candidates"],
    ranker_logits: Float[Tensor, "batch candidates"],
    *,
    keep: Bool[Tensor, "batch candidates"] | None = None,
    adv_form: AdvForm = "expected",
    adv_lambda: float = 0.5,
    temperature: float = 1.0,
    eps: float = OFFICIAL_EPS,
) -> Ar2Terms:
    """:func:`ar2_loss` with what it is made of."""
    check_choice("ar2_loss", "adv_form", adv_form, ("official", "expected"))
    check_float("ar2_loss", "adv_lambda", adv_lambda, at_least=0.0, at_most=1.0)
    check_float("ar2_loss", "temperature", temperature, above=0.0)
    check_float("ar2_loss", "eps", eps, above=0.0)
    _check_lists("ar2_loss", scores, ranker_logits)
    used = cell_mask("ar2_loss", "keep", keep, scores)
    used = used & used[:, :1]
    s = full_precision(scores).where(used, 0.0)
    r = ranker_logits.detach().to(s.dtype).where(used, 0.0)
    target = _log_softmax(r / temperature, used).exp() * used
    log_p = _log_softmax(s, used)
    p = log_p.exp() * used
    r_gap = r[:, :1] - r
    if adv_form == "expected":
        negatives = used[:, 1:]
        reward = nn.functional.logsigmoid(r_gap[:, 1:]) * negatives
        of_negatives = _log_softmax(s[:, 1:], negatives).exp()
        adversarial = reduce_kept("ar2_loss", (of_negatives * reward).sum(dim=1), used[:, 0], "mean")
    else:
        log_p = (p + eps).log().where(used, 0.0)
        reward = (r_gap.sigmoid() + eps).log() * used
        adversarial = (reward * log_p).sum()
    distillation = reduce_kept("ar2_loss", -(target * log_p).sum(dim=1), used[:, 0], "mean")
    loss = adv_lambda * adversarial + (1 - adv_lambda) * distillation
    return Ar2Terms(p, reward, adversarial, distillation, loss)


def ar2_ranker_loss(
    ranker_logits: Float[Tensor, "batch candidates"],
    *,
    keep: Bool[Tensor, "batch candidates"] | None = None,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    """The ranker's loss: cross entropy with the positive in column 0, at temperature 1.

    A list without negatives costs 0; one whose positive is not kept is not counted.

    >>> ar2_ranker_loss(torch.zeros(1, 4))  # log 4
    tensor(1.3863)
    """
    check_choice("ar2_ranker_loss", "reduction", reduction, ("mean", "sum", "none"))
    _check_lists("ar2_ranker_loss", ranker_logits, ranker_logits)
    keep = cell_mask("ar2_ranker_loss", "keep", keep, ranker_logits)
    positive = torch.zeros_like(keep)
    positive[:, 0] = True
    return info_nce(ranker_logits, positive, keep=keep, temperature=1.0, reduction=reduction)


def ar2_scores(
    queries: Float[Tensor, "batch dim"],
    candidates: Float[Tensor, "*batch candidates dim"],
    *,
    scale_similarity: bool = False,
    scale: float = 1.0,
) -> Float[Tensor, "batch candidates"]:
    """``scale`` times each query's inner products with its candidates, over sqrt(dim) if ``scale_similarity``.

    Candidates are each query's own, ``[batch, candidates, dim]``, or the same for all, ``[candidates, dim]``. Products
    are taken in float32, also under autocast: with 8 bits of mantissa a score of 40 would be off by a tenth.
    """
    with autocast(queries.device.type, "float32"):
        q, d = full_precision(queries), full_precision(candidates)
        scores = (q @ d.T if d.ndim == 2 else torch.einsum("bd,bmd->bm", q, d)) * scale
    return scores / queries.shape[1] ** 0.5 if scale_similarity else scores


class Ar2Loss(nn.Module):
    """:func:`ar2_loss` for a ``SentenceTransformerTrainer``, against logits that a ranker gave before.

    Inputs: columns query, positive, negative_1..n (n may be 0); labels: the ranker's raw logits of the positive and the
    negatives, float ``[B, 1 + n]``, the shape that sentence-transformers' distillation losses take; minus infinity is a
    padded negative.

    Args:
        model: the retriever in training.
        adv_form, adv_lambda, temperature: as in :func:`ar2_loss`.
        similarity: the paper's is the inner product; ``"cosine"`` is for models trained with it.
        scale: multiplies the similarities: 1 for the paper's inner products, about 20 for cosines.
        scale_similarity: divide them by the square root of the vectors' width.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        adv_form: AdvForm = "expected",
        adv_lambda: float = 0.5,
        temperature: float = 1.0,
        similarity: Literal["dot", "cosine"] = "dot",
        scale: float = 1.0,
        scale_similarity: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.adv_form: AdvForm = check_choice("Ar2Loss", "adv_form", adv_form, ("official", "expected"))
        self.adv_lambda = check_float("Ar2Loss", "adv_lambda", adv_lambda, at_least=0.0, at_most=1.0)
        self.temperature = check_float("Ar2Loss", "temperature", temperature, above=0.0)
        self.similarity: Literal["dot", "cosine"] = check_choice("Ar2Loss", "similarity", similarity, ("dot", "cosine"))
        self.scale, self.scale_similarity = check_float("Ar2Loss", "scale", scale, above=0.0), scale_similarity

    def forward(
        self, sentence_features: Iterable[dict[str, Tensor]], labels: Float[Tensor, "batch candidates"]
    ) -> Float[Tensor, ""]:
        """The loss of a batch."""
        queries, positives, negatives = embed_groups(self.model, sentence_features, owner="Ar2Loss")
        candidates = positives[:, None]
        if negatives is not None:
            candidates = torch.cat([candidates, negatives], dim=1)
        if self.similarity == "cosine":
            queries, candidates = (nn.functional.normalize(x, dim=-1) for x in (queries, candidates))
        scores = ar2_scores(queries, candidates, scale_similarity=self.scale_similarity, scale=self.scale)
        if labels is None or not labels.is_floating_point() or labels.shape != scores.shape:
            got = "no labels" if labels is None else f"{labels.dtype} of shape {tuple(labels.shape)}"
            raise LitotesError(
                f"Ar2Loss takes the ranker's logits of each positive and its negatives as labels, a float tensor of "
                f"shape {tuple(scores.shape)} here. Got {got}."
            )
        return ar2_loss(
            scores,
            labels,
            keep=labels != -torch.inf,
            adv_form=self.adv_form,
            adv_lambda=self.adv_lambda,
            temperature=self.temperature,
        )

    def get_config_dict(self) -> dict[str, float | str | bool]:
        """What the model card of sentence-transformers prints."""
        names = ("adv_form", "adv_lambda", "temperature", "similarity", "scale", "scale_similarity")
        return {name: getattr(self, name) for name in names}


def _log_softmax(scores: Float[Tensor, "rows cols"], keep: Bool[Tensor, "rows cols"]) -> Float[Tensor, "rows cols"]:
    """Log softmax over the kept cells of each row; elsewhere 0, with a gradient of 0, also in a row that keeps none."""
    out = keep.any(dim=1, keepdim=True) & ~keep
    return scores.where(keep, 0.0).masked_fill(out, -torch.inf).log_softmax(dim=1).where(keep, 0.0)


def _check_lists(owner: str, scores: Tensor, logits: Tensor) -> None:
    if scores.ndim != 2 or scores.shape != logits.shape or scores.shape[1] < 1:
        raise LitotesError(
            f"{owner} takes lists [queries, 1 + negatives], the positive in column 0, of scores and of logits. "
            f"Got shapes {tuple(scores.shape)} and {tuple(logits.shape)}."
        )
