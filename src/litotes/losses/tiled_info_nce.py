r"""InfoNCE over tens of thousands of candidates, exact and without the matrix of scores.

As many negatives as a batch can hold teach a retriever most (PEG, Wu et al. 2023, trains with 80,000 and five hard ones
a query), but a dense score matrix of 13,334 x 80,004 float32 takes 4.3 GB, and as much again for its gradient. Here
tiles of it come and go (:mod:`litotes.losses.tiled_partition`): memory is that of the vectors and their gradients, and
a few MB.

.. math:: \ell_i = -\frac{s_i^+}{\tau} + \log\Big(e^{s_i^+/\tau} + \sum_{j \in N_i} w_{ij}\, e^{s_{ij}/\tau}\Big)

The weights are those of :mod:`litotes.losses.difficulty`; beta 0 makes them 1. Known positives are left out by id.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from litotes.core.checks import check_choice
from litotes.losses.cells import Reduction, reduce_kept
from litotes.losses.difficulty import Level, WeightNorm, query_weights
from litotes.losses.partition_plan import Which, negatives_plan, own_and_known, reverse_plan
from litotes.losses.shared_ids import IdSets
from litotes.losses.tiled_partition import tiled_partition

__all__ = ["tiled_info_nce"]

_NAME = "tiled_info_nce"


def tiled_info_nce(
    queries: Float[Tensor, "queries dim"],
    documents: Float[Tensor, "documents dim"],
    *,
    positives: Int[Tensor, "queries"] | None = None,
    owners: Int[Tensor, "documents"] | None = None,
    document_ids: Int[Tensor, "documents"] | None = None,
    known_ids: Int[Tensor, "queries most"] | IdSets | None = None,
    temperature: float = 0.05,
    normalize: bool = True,
    beta: float = 0.0,
    which: Which = "all_negatives",
    weight_norm: WeightNorm = "mean",
    level: Level = "pair",
    margin: float | None = None,
    ratio: float | None = None,
    symmetric: bool = False,
    tile: int | tuple[int, int] | None = None,
    max_bytes: int = 2**26,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    """Each query against its positive and all other documents of the batch that are not known positives of it.

    By default the documents stand query by query: a query's positive, then its own hard negatives, as many for each.
    Everything else is said by ``positives`` and ``owners``. A query without a negative contributes 0 with zero gradient
    and is counted in the mean. Sums and gradients are accumulated in float32 at least; the gradient comes back in the
    precision of the vectors. It holds the weights constant, and a second derivative is not to be had.

    Args:
        queries, documents: the vectors.
        positives: the column of each query's positive; by default ``i * (documents // queries)``.
        owners: the query that each document was given for, -1 for none. Needed with ``positives`` where ``which`` tells
            a query's own hard negatives from the others.
        document_ids: id of each document. A document with the id of a query's positive, or with one of its
            ``known_ids``, is no negative of this query. A document with a negative id, such as -1, is an empty place
            and no negative of anybody, whatever is in it; unless it is some query's positive: then it is a document of
            unknown id, which only its own query leaves out.
        known_ids: ids of each query's known positives. Negative ids fill up a row and say nothing. As
            :class:`~litotes.losses.shared_ids.IdSets` one query with thousands of them costs the others nothing.
        temperature: tau.
        normalize: whether vectors are divided by their lengths; False for inner products, or unit vectors.
        beta: strength of the weights.
        which: the negatives that are weighted: ``"all_negatives"``, ``"hard_negatives"`` (the query's own) or
            ``"in_batch_negatives"`` (every document of the other queries). Others keep weight 1.
        weight_norm: ``"mean"``, the mean weight of a query's chosen negatives is 1; or ``None``, exp(beta s).
        level: ``"pair"``, or ``"query"``: whole queries weigh by the mean similarity of their chosen negatives, with
            mean 1 over the batch whatever ``weight_norm`` says.
        margin: leave out negatives with s > s_positive + margin, which may be positives that nobody judged.
        ratio: the same where s > ratio * s_positive.
        symmetric: the mean of this and the loss of each positive against the batch's queries, unweighted.
        tile: rows and columns of a tile; by default from ``max_bytes``.
        max_bytes: of memory for the tiles at one time.
        reduction: ``"none"`` gives the losses of the queries.

    >>> tiled_info_nce(torch.eye(3), torch.eye(3), temperature=1.0)  # log(1 + 2 / e)
    tensor(0.5514)
    """
    check_choice(_NAME, "reduction", reduction, ("mean", "sum", "none"))
    if not len(queries):
        return reduce_kept(_NAME, queries.sum(dim=1).float(), queries.any(dim=1), reduction)
    plan = negatives_plan(
        queries, documents, positives=positives, owners=owners, document_ids=document_ids, known_ids=known_ids,
        temperature=temperature, normalize=normalize, beta=beta, which=which, weight_norm=weight_norm, level=level,
        margin=margin, ratio=ratio, tile=tile, max_bytes=max_bytes,
    )  # fmt: skip
    found = tiled_partition(queries, documents, plan)
    losses = found.losses
    if plan.difficulty:
        losses = losses * query_weights(found.difficulty, found.chosen > 0, beta=beta)
    if symmetric:
        known = [] if document_ids is None else own_and_known(plan.positives, document_ids, known_ids)
        own = torch.arange(len(queries), device=queries.device)
        back = reverse_plan(queries, own, plan, document_ids, known, tile=tile, max_bytes=max_bytes)
        losses = (losses + tiled_partition(documents[plan.positives], queries, back).losses) / 2
    return reduce_kept(_NAME, losses, torch.ones_like(losses, dtype=torch.bool), reduction)
