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

from litotes.core.checks import check_choice, check_float, check_int
from litotes.core.errors import LitotesError
from litotes.losses.cells import Reduction, reduce_kept
from litotes.losses.difficulty import Level, WeightNorm, check_difficulty, query_weights
from litotes.losses.partition_plan import Plan, Which
from litotes.losses.shared_ids import SharedIds
from litotes.losses.tiled_partition import tiled_partition

__all__ = ["check_tiled", "negatives_plan", "own_and_known", "reverse_plan", "tiled_info_nce"]

_NAME = "tiled_info_nce"


def tiled_info_nce(
    queries: Float[Tensor, "queries dim"],
    documents: Float[Tensor, "documents dim"],
    *,
    positives: Int[Tensor, "queries"] | None = None,
    owners: Int[Tensor, "documents"] | None = None,
    document_ids: Int[Tensor, "documents"] | None = None,
    known_ids: Int[Tensor, "queries most"] | None = None,
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
            ``known_ids``, is left out for this query, its own positive's column excepted. -1 is an empty place, left
            out for all.
        known_ids: ids of each query's known positives, padded with -1.
        temperature: tau.
        normalize: whether vectors are divided by their lengths; False for inner products, or unit vectors.
        beta: strength of the weights.
        which: the negatives that are weighted: ``"all_negatives"``, ``"hard_negatives"`` (the query's own) or
            ``"in_batch_negatives"`` (every document of the other queries). Others keep weight 1.
        weight_norm: ``"mean"``, the mean weight of a query's chosen negatives is 1; or ``None``, exp(beta s).
        level: ``"pair"``, or ``"query"``: whole queries weigh by the mean similarity of their chosen negatives.
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
        losses = losses * query_weights(found.difficulty, found.chosen > 0, beta=beta, weight_norm=weight_norm)
    if symmetric:
        known = None if document_ids is None else own_and_known(plan.positives, document_ids, known_ids)
        own = torch.arange(len(queries), device=queries.device)
        back = reverse_plan(queries, own, plan, document_ids, known, tile=tile, max_bytes=max_bytes)
        losses = (losses + tiled_partition(documents[plan.positives], queries, back).losses) / 2
    return reduce_kept(_NAME, losses, torch.ones_like(losses, dtype=torch.bool), reduction)


def negatives_plan(
    queries: Float[Tensor, "queries dim"],
    documents: Float[Tensor, "documents dim"],
    *,
    positives: Int[Tensor, "queries"] | None = None,
    owners: Int[Tensor, "documents"] | None = None,
    document_ids: Int[Tensor, "documents"] | None = None,
    known_ids: Int[Tensor, "queries most"] | None = None,
    temperature: float = 0.05,
    normalize: bool = True,
    beta: float = 0.0,
    which: Which = "all_negatives",
    weight_norm: WeightNorm = "mean",
    level: Level = "pair",
    margin: float | None = None,
    ratio: float | None = None,
    tile: int | tuple[int, int] | None = None,
    max_bytes: int = 2**26,
) -> Plan:
    """What :func:`tiled_info_nce` sums, from its arguments; :func:`~litotes.losses.tiled_partition` sums it.

    Raises:
        LitotesError: shapes that do not fit each other, a positive that is no column, ids without what they need.
    """
    check_difficulty(_NAME, temperature, beta, weight_norm, level)
    check_tiled(_NAME, which, margin, ratio, max_bytes)
    for name, ids, size in (
        ("positives", positives, len(queries)), ("owners", owners, len(documents)),
        ("document_ids", document_ids, len(documents)), ("known_ids", known_ids, len(queries)),
    ):  # fmt: skip
        if ids is not None and (len(ids) != size or ids.is_floating_point() or ids.ndim != 1 + (name == "known_ids")):
            each = " a column" if name == "known_ids" else ""
            raise LitotesError(
                f"The {name!r} parameter of {_NAME} must hold {size} whole numbers{each}. "
                f"Got {ids.dtype} of shape {tuple(ids.shape)} instead."
            )
    positives, owners = _places(queries, documents, positives, owners, which)
    shape = _tile_shape(len(queries), len(documents), queries, tile, max_bytes)
    shared = absent = None
    if document_ids is not None:
        shared = SharedIds(own_and_known(positives, document_ids, known_ids), document_ids[:, None], shape[1])
        absent = (document_ids < 0).index_fill(0, positives, False)
        absent = absent if absent.any() else None
    elif known_ids is not None:
        raise LitotesError(f"{_NAME} got known_ids but no document_ids to compare them with: pass both.")
    return Plan(
        positives, shared=shared, absent=absent, owners=owners, which=which, temperature=temperature,
        beta=beta if level == "pair" else 0.0, mean_one=weight_norm == "mean", normalize=normalize, margin=margin,
        ratio=ratio, difficulty=level == "query" and beta != 0, tile=shape,
    )  # fmt: skip


def reverse_plan(
    queries: Float[Tensor, "queries dim"],
    own: Int[Tensor, "rows"],
    plan: Plan,
    document_ids: Int[Tensor, "documents"] | None,
    known_ids: Int[Tensor, "queries most"] | None,
    *,
    tile: int | tuple[int, int] | None,
    max_bytes: int,
) -> Plan:
    """Each positive of a plan against all queries; those that know it as a positive of theirs are left out.

    Args:
        queries: all of the batch.
        own: for each row of the plan, which of them it is.
        plan: of the other direction.
        document_ids: of all documents.
        known_ids: of all queries, their own positives' ids among them.
        tile, max_bytes: as in :func:`tiled_info_nce`.
    """
    shape, shared = _tile_shape(len(own), len(queries), queries, tile, max_bytes), None
    if document_ids is not None and known_ids is not None:
        shared = SharedIds(document_ids[plan.positives][:, None], known_ids, shape[1])
    return Plan(
        own, shared=shared, temperature=plan.temperature, normalize=plan.normalize, margin=plan.margin,
        ratio=plan.ratio, tile=shape,
    )  # fmt: skip


def own_and_known(
    positives: Int[Tensor, "queries"],
    document_ids: Int[Tensor, "documents"],
    known_ids: Int[Tensor, "queries most"] | None,
) -> Int[Tensor, "queries all"]:
    """The ids of each query's known positives, its own positive's first."""
    own = document_ids[positives][:, None]
    return own if known_ids is None else torch.cat([own, known_ids.to(own)], dim=1)


def check_tiled(owner: str, which: Which, margin: float | None, ratio: float | None, max_bytes: int) -> None:
    """The parameters that this loss and its module have."""
    check_choice(owner, "which", which, ("all_negatives", "hard_negatives", "in_batch_negatives"))
    for name, value in {"margin": margin, "ratio": ratio}.items():
        if value is not None:
            check_float(owner, name, value)
    check_int(owner, "max_bytes", max_bytes, at_least=2**10)


def _places(
    queries: Tensor, documents: Tensor, positives: Tensor | None, owners: Tensor | None, which: Which
) -> tuple[Tensor, Tensor | None]:
    n, m = len(queries), len(documents)
    if queries.ndim != 2 or documents.ndim != 2 or queries.shape[1] != documents.shape[1]:
        raise LitotesError(
            f"{_NAME} got queries of shape {tuple(queries.shape)} and documents of shape {tuple(documents.shape)}. "
            "Expected two matrices with vectors of one width."
        )
    if positives is None:
        if m % n or not m:
            raise LitotesError(
                f"{_NAME} got {n} queries and {m} documents. Expected as many documents for each query, its positive "
                "first; or pass positives=, the column of each query's positive."
            )
        positives = torch.arange(n, device=queries.device) * (m // n)
        own = torch.arange(m, device=queries.device) // (m // n)
        owners = own if owners is None else owners
    positives = positives.to(queries.device)
    if int(positives.min()) < 0 or int(positives.max()) >= m:
        raise LitotesError(
            f"The 'positives' parameter of {_NAME} must hold columns in the range [0, {m - 1}]. "
            f"Got {int(positives.min())} to {int(positives.max())} instead."
        )
    if owners is None and which != "all_negatives":
        raise LitotesError(
            f"{_NAME} with which={which!r} must know whose documents are whose: pass owners=, the query that each "
            "document was given for, beside positives=."
        )
    return positives, owners


def _tile_shape(
    rows: int, cols: int, vectors: Tensor, tile: int | tuple[int, int] | None, max_bytes: int
) -> tuple[int, int]:
    """Nearly square tiles; on a CPU small enough to stay in its cache."""
    if tile is not None:
        shape = (tile, tile) if isinstance(tile, int) else tile
        return (check_int(_NAME, "tile", shape[0], at_least=1), check_int(_NAME, "tile", shape[1], at_least=1))
    per_cell = 2 * (8 if vectors.dtype == torch.float64 else 4) + 4  # two tiles of numbers, and what is left out
    cells = max_bytes // per_cell
    if vectors.device.type == "cpu":
        cells = min(cells, 2**20 * torch.get_num_threads())
    width = min(cols, 2 ** max(0, (cells.bit_length() - 1) // 2))
    return min(rows, max(1, cells // width)), width
