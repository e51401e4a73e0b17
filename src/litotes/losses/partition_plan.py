"""What a tiled partition function sums, and how: everything that is constant in its gradient."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from litotes.core.checks import check_choice, check_float, check_int
from litotes.core.errors import LitotesError
from litotes.losses.difficulty import Level, WeightNorm, check_difficulty
from litotes.losses.shared_ids import IdSets, SharedIds

__all__ = ["Plan", "Which", "check_tiled", "negatives_plan", "own_and_known", "reverse_plan"]

_NAME = "tiled_info_nce"
Which = Literal["all_negatives", "hard_negatives", "in_batch_negatives"]


@dataclass(frozen=True, eq=False)
class Plan:
    """Rows are queries, columns documents; or the other way round."""

    positives: Int[Tensor, "rows"]
    """The column of each row's positive."""
    shared: SharedIds | None = None
    """Cells that are left out, other than the positive's."""
    absent: Bool[Tensor, "cols"] | None = None
    """Columns that are empty places; nothing in them, not even NaN, is seen."""
    owners: Int[Tensor, "cols"] | None = None
    """The row that each column was given for, -1 for none; needed for a proper subset of chosen negatives."""
    which: Which = "all_negatives"
    """The chosen negatives: those that are weighted, and whose mean is the difficulty."""
    temperature: float = 0.05
    beta: float = 0.0
    mean_one: bool = True
    """Whether the weights of a row's chosen negatives have mean 1."""
    normalize: bool = True
    margin: float | None = None
    ratio: float | None = None
    difficulty: bool = False
    """Whether the mean similarity of the chosen negatives is wanted."""
    tile: tuple[int, int] = (1024, 1024)

    @property
    def splits(self) -> bool:
        """Whether a query's own hard negatives are summed apart."""
        return self.which != "all_negatives" and (self.beta != 0 or self.difficulty)

    @property
    def weighs(self) -> bool:
        """Whether weights have to be brought to mean 1."""
        return self.beta != 0 and self.mean_one

    @property
    def guards(self) -> bool:
        """Whether negatives that score too near their positive are left out."""
        return self.margin is not None or self.ratio is not None

    def chooses(self, *, own: bool) -> bool:
        """Whether a query's own hard negatives, or the rest, are chosen; all are where they are not split."""
        return not self.splits or self.which == ("hard_negatives" if own else "in_batch_negatives")

    def slope(self, *, own: bool) -> float:
        """What a similarity is multiplied by in the exponent."""
        return 1 / self.temperature + (self.beta if self.chooses(own=own) else 0.0)

    def ceiling(self, positives: Float[Tensor, "some"]) -> Float[Tensor, "some"]:
        """The similarity above which a negative is taken for a positive that nobody judged."""
        limits = [] if self.margin is None else [positives + self.margin]
        limits += [] if self.ratio is None else [positives * self.ratio]
        return torch.stack(limits).amin(dim=0)


def negatives_plan(
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
    tile: int | tuple[int, int] | None = None,
    max_bytes: int = 2**26,
) -> Plan:
    """What :func:`~litotes.losses.tiled_info_nce` sums, from its arguments; :func:`~litotes.losses.tiled_partition`
    sums it.

    Raises:
        LitotesError: shapes that do not fit each other, a positive that is no column, ids without what they need.
    """
    check_difficulty(_NAME, temperature, beta, weight_norm, level)
    check_tiled(_NAME, which, margin, ratio, max_bytes)
    _check_ids(len(queries), len(documents), positives, owners, document_ids, known_ids)
    positives, owners = _places(queries, documents, positives, owners, which)
    shape = _tile_shape(len(queries), len(documents), queries, tile, max_bytes)
    shared = absent = None
    if document_ids is not None:
        shared = SharedIds(own_and_known(positives, document_ids, known_ids), document_ids, shape[1])
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
    known: Sequence[IdSets],
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
        known: the ids of all queries, their own positives' among them.
        tile, max_bytes: as in :func:`~litotes.losses.tiled_info_nce`.
    """
    shape, shared = _tile_shape(len(own), len(queries), queries, tile, max_bytes), None
    if document_ids is not None:
        shared = SharedIds(known, document_ids[plan.positives], shape[0], flipped=True)
    return Plan(
        own, shared=shared, temperature=plan.temperature, normalize=plan.normalize, margin=plan.margin,
        ratio=plan.ratio, tile=shape,
    )  # fmt: skip


def own_and_known(
    positives: Int[Tensor, "queries"],
    document_ids: Int[Tensor, "documents"],
    known_ids: Int[Tensor, "queries most"] | IdSets | None,
) -> list[IdSets]:
    """The ids of each query's known positives, its own positive's first."""
    own = IdSets.single(document_ids[positives])
    if known_ids is None:
        return [own]
    known = known_ids if isinstance(known_ids, IdSets) else IdSets.unpadded(known_ids)
    return [own, IdSets(*(x.to(own.ids) for x in known))]


def check_tiled(owner: str, which: Which, margin: float | None, ratio: float | None, max_bytes: int) -> None:
    """The parameters that this loss and its module have."""
    check_choice(owner, "which", which, ("all_negatives", "hard_negatives", "in_batch_negatives"))
    if margin is not None:
        check_float(owner, "margin", margin)
    if ratio is not None:
        check_float(owner, "ratio", ratio, above=0.0)
    check_int(owner, "max_bytes", max_bytes, at_least=2**10)


def _check_ids(
    queries: int, documents: int, positives: Tensor | None, owners: Tensor | None, document_ids: Tensor | None,
    known_ids: Tensor | IdSets | None,
) -> None:  # fmt: skip
    known = known_ids.of if isinstance(known_ids, IdSets) else known_ids
    for name, ids, size in (
        ("positives", positives, queries), ("owners", owners, documents), ("document_ids", document_ids, documents),
        ("known_ids", known, queries),
    ):  # fmt: skip
        padded = ids is known_ids
        if ids is not None and (len(ids) != size or ids.is_floating_point() or ids.ndim != 1 + padded):
            raise LitotesError(
                f"The {name!r} parameter of {_NAME} must hold {size} whole numbers{' a column' if padded else ''}. "
                f"Got {ids.dtype} of shape {tuple(ids.shape)} instead."
            )


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
