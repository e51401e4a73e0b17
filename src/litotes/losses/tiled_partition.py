"""The partition function of InfoNCE over a batch of any size, tile by tile: exact in value and gradient.

A tile of scores is made, its exponentials are added to a running sum of each row, and it is overwritten by the next
one (online softmax, as in attention kernels; for contrastive losses Inf-CL, Cheng et al. 2024). The backward makes each
tile again: only the vectors and a few numbers a row are kept between the two. Four products of tiles stand where a
dense matrix has three, and no memory is filled that the processor's cache does not hold.

Few cells of a tile do not count (each row's positive, documents of shared ids, the queries' own hard negatives where
they are weighted otherwise), so they are overwritten by their place; no mask is made unless a guard asks for it.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from litotes.losses.left_out import LeftOut
from litotes.losses.log_sum import LogSum, log_sum_by_row
from litotes.losses.partition_plan import Plan
from litotes.losses.unit_rows import UnitRows, blocks

__all__ = ["Partition", "tiled_partition"]

_SAFE = {torch.float32: 60.0, torch.float64: 600.0}  # exponentials of such numbers may be summed as they are


class Partition(NamedTuple):
    """Parts of each row's log-partition."""

    positives: Float[Tensor, "rows"]
    """Logit of the positive, s / tau."""
    negatives: Float[Tensor, "rows"]
    """Log of the weighted sum over the negatives; -inf where there is none."""
    difficulty: Float[Tensor, "rows"]
    """Mean similarity of the chosen negatives; 0 where there is none, or where the plan does not ask. No gradient."""
    chosen: Int[Tensor, "rows"]
    """How many negatives are chosen; 0 where nothing asks for it."""

    @property
    def log_partition(self) -> Float[Tensor, "rows"]:
        """L: the log of the sum over the positive and all negatives."""
        return torch.logaddexp(self.positives, self.negatives)

    @property
    def losses(self) -> Float[Tensor, "rows"]:
        """L minus the positive's logit, in all digits also where it is small."""
        return -F.logsigmoid(self.positives - self.negatives)


def tiled_partition(queries: Float[Tensor, "rows dim"], documents: Float[Tensor, "cols dim"], plan: Plan) -> Partition:
    """Sums of exponentials of each query's similarities with all documents, in memory O((rows + cols) dim).

    Sums and gradients are accumulated in float32 at least. The gradient holds the weights constant.
    """
    return Partition(*_TiledPartition.apply(queries, documents, plan))


class _TiledPartition(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, queries: Tensor, documents: Tensor, plan: Plan) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        rows, cols = _read(queries, documents, plan)
        if plan.normalize:
            (rows, cols), bound = (rows.normalized(), cols.normalized()), 1.0
        else:
            bound = float(rows.lengths().amax() * cols.lengths().amax())
        found = _Sums(rows, cols, plan, bound)
        positives = found.positive_similarities()
        negatives, shift, difficulty, chosen = found.of_all(positives)
        ctx.plan, ctx.bound = plan, bound
        ctx.save_for_backward(queries, documents, rows.norms, cols.norms, positives, negatives, shift)
        ctx.mark_non_differentiable(difficulty, chosen)
        return positives / plan.temperature, negatives, difficulty, chosen

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_positives: Tensor, of_negatives: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        queries, documents, row_norms, col_norms, positives, negatives, shift = ctx.saved_tensors
        plan, some = ctx.plan, negatives != -torch.inf
        rows, cols = _read(queries, documents, plan)
        rows.norms, cols.norms = row_norms, col_norms
        of_rows = rows.no_gradient() if ctx.needs_input_grad[0] else None
        of_cols = cols.no_gradient() if ctx.needs_input_grad[1] else None
        found = _Gradients(rows, cols, plan, ctx.bound)
        found.add_of_positives(of_rows, of_cols, of_positives / plan.temperature)
        share = of_negatives.where(some, 0.0) / plan.temperature
        found.add_of_negatives(of_rows, of_cols, share, positives, negatives.where(some, 0.0), shift)
        return (
            None if of_rows is None else rows.through(of_rows),
            None if of_cols is None else cols.through(of_cols),
            None,
        )


class _Pass:
    """One way over all tiles."""

    def __init__(self, rows: UnitRows, cols: UnitRows, plan: Plan, bound: float) -> None:
        self.rows, self.cols, self.plan, self.bound = rows, cols, plan, bound

    def is_safe(self, slope: float) -> bool:
        """Whether no exponential can overflow or lose digits, so that no largest one need be found; False for NaN."""
        return abs(slope) * self.bound <= _SAFE[self.rows.dtype]

    def buffer(self) -> Tensor:
        """Room for one tile."""
        size = min(self.plan.tile[0], len(self.rows)) * min(self.plan.tile[1], len(self.cols))
        return torch.empty(size, dtype=self.rows.dtype, device=self.rows.vectors.device)

    def left_out(self, s: Tensor, positives: Tensor, start: int, left: int) -> LeftOut:
        """What does not count in the tile of similarities whose first cell is (start, left)."""
        plan, (height, width) = self.plan, s.shape
        absent = None if plan.absent is None else plan.absent[left : left + width].nonzero(as_tuple=True)[0]
        ceiling = plan.ceiling(positives[start : start + height])[:, None] if plan.guards else None
        out = LeftOut(None if ceiling is None else s > ceiling, absent)
        column = plan.positives[start : start + height] - left
        rows = ((column >= 0) & (column < width)).nonzero(as_tuple=True)[0]
        out.add(rows * width + column[rows])
        if plan.splits:
            assert plan.owners is not None
            row = plan.owners[left : left + width] - start
            cols = ((row >= 0) & (row < height)).nonzero(as_tuple=True)[0]
            out.add(row[cols] * width + cols)
        if plan.shared is not None:
            found = plan.shared.in_tile(start, start + height, left, left + width, most=s.numel() // 8)
            for part, (rows, cols) in enumerate(found):
                if part:
                    out.be_many(s)
                out.add(rows * width + cols)
        return out

    def own_blocks(self, positives: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor, Tensor]]:
        """Rows, columns, vectors of both and similarities of the queries' own hard negatives that count."""
        plan = self.plan
        assert plan.owners is not None
        for start, stop in blocks(len(self.cols), self.cols.block):
            rows, cols = plan.owners[start:stop], torch.arange(start, stop, device=plan.owners.device)
            used = (rows >= 0) & (plan.positives[rows.clamp(min=0)] != cols)
            if plan.absent is not None:
                used &= ~plan.absent[start:stop]
            rows, cols = rows[used], cols[used]
            if plan.shared is not None:
                apart = ~plan.shared.of_cells(rows, cols)
                rows, cols = rows[apart], cols[apart]
            query, document = self.rows.at(rows), self.cols.at(cols)
            s = (query * document).sum(dim=1)
            if plan.guards:
                below = ~(s > plan.ceiling(positives)[rows])
                rows, cols, query, document, s = rows[below], cols[below], query[below], document[below], s[below]
            yield rows, cols, query, document, s


class _Sums(_Pass):
    """Forwards."""

    def positive_similarities(self) -> Tensor:
        """s of each row with its positive, product by product."""
        found = torch.empty(len(self.rows), dtype=self.rows.dtype, device=self.rows.vectors.device)
        for start, stop in blocks(len(found), self.rows.block):
            document = self.cols.at(self.plan.positives[start:stop])
            found[start:stop] = (self.rows.rows(start, stop) * document).sum(dim=1)
        return found

    def of_all(self, positives: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """A: log-sum over the negatives; c: what is subtracted from chosen logits; difficulty; how many are chosen."""
        plan, rest = self.plan, self._of_tiles(positives)
        own = self._of_own(positives) if plan.splits else None
        chosen, other = (own, rest) if own is not None and plan.chooses(own=True) else (rest, own)
        shift = torch.zeros_like(positives)
        if plan.weighs:
            shift = (chosen.weight - chosen.cells.to(shift).log()).masked_fill(chosen.cells == 0, 0.0)
        negatives = chosen.logits - shift
        if other is not None:
            negatives = torch.logaddexp(negatives, other.logits)
        return negatives, shift, chosen.total / chosen.cells.clamp(min=1), chosen.cells

    def _of_tiles(self, positives: Tensor) -> "_Found":
        """Over all cells that are made in tiles: all negatives, or all but the queries' own."""
        plan, chosen, slope = self.plan, self.plan.chooses(own=False), self.plan.slope(own=False)
        weighs, asks = plan.weighs and chosen, plan.difficulty and chosen
        as_they_are = weighs or asks or plan.guards  # the similarities are needed, not only the logits
        found, scores, spare = _Found.of(positives), self.buffer(), self.buffer() if weighs else None
        for start, stop in blocks(len(self.rows), plan.tile[0]):
            query = self.rows.rows(start, stop)
            logits = LogSum(stop - start, positives, self.is_safe(slope))
            weight = LogSum(stop - start, positives, self.is_safe(plan.beta))
            for left, right in blocks(len(self.cols), plan.tile[1]):
                s = _products(scores, query, self.cols.rows(left, right), 1.0 if as_they_are else slope)
                out = self.left_out(s, positives, start, left)
                if weighs or asks:
                    found.cells[start:stop] += right - left - out.counts(s)
                if asks:
                    found.total[start:stop] += out.fill_(s, 0.0).sum(dim=1)
                if spare is not None:
                    by = torch.mul(s, plan.beta, out=spare[: s.numel()].view_as(s))
                    weight.add_(out.fill_(by, -torch.inf))
                logits.add_(out.fill_(s.mul_(slope) if as_they_are else s, -torch.inf))
            found.logits[start:stop], found.weight[start:stop] = logits.log(), weight.log()
        return found

    def _of_own(self, positives: Tensor) -> "_Found":
        """The same over the queries' own hard negatives, which are no more cells than there are columns."""
        plan, found = self.plan, _Found.of(positives)
        cells = [(rows, s) for rows, _, _, _, s in self.own_blocks(positives)]
        rows, s = (torch.cat(parts) for parts in zip(*cells, strict=True))
        found.cells.index_add_(0, rows, torch.ones_like(rows))
        found.total.index_add_(0, rows, s)
        found.logits.copy_(log_sum_by_row(s * plan.slope(own=True), rows, len(positives)))
        if plan.weighs and plan.chooses(own=True):
            found.weight.copy_(log_sum_by_row(s * plan.beta, rows, len(positives)))
        return found


class _Gradients(_Pass):
    """Backwards: each adds to the gradients of the vectors as they are read, of unit length where they are normalised.

    A gradient that nobody asked for is None.
    """

    def add_of_positives(self, of_rows: Tensor | None, of_cols: Tensor | None, share: Tensor) -> None:
        """``share`` is d loss / d s of each row's positive."""
        for start, stop in blocks(len(self.rows), self.rows.block):
            part, at = share[start:stop, None], self.plan.positives[start:stop]
            if of_rows is not None:
                of_rows[start:stop] += part * self.cols.at(at)
            _add_at(of_cols, at, part, self.rows.rows(start, stop))

    def add_of_negatives(
        self, of_rows: Tensor | None, of_cols: Tensor | None, share: Tensor,
        positives: Tensor, negatives: Tensor, shift: Tensor,
    ) -> None:  # fmt: skip
        """``share`` is shared out among a row's negatives as their exponentials are: the weights are constants."""
        if not self.plan.splits:
            return self._add_of_tiles(of_rows, of_cols, share, positives, negatives + shift)
        by_tile, by_own = (negatives + shift * self.plan.chooses(own=own) for own in (False, True))
        self._add_of_tiles(of_rows, of_cols, share, positives, by_tile)
        for rows, cols, query, document, s in self.own_blocks(positives):
            part = (share[rows] * (s * self.plan.slope(own=True) - by_own[rows]).exp())[:, None]
            _add_at(of_rows, rows, part, document)
            _add_at(of_cols, cols, part, query)
        return None

    def _add_of_tiles(
        self, of_rows: Tensor | None, of_cols: Tensor | None, share: Tensor, positives: Tensor, by: Tensor
    ) -> None:
        """``by`` is subtracted from the logits."""
        plan, slope, scores = self.plan, self.plan.slope(own=False), self.buffer()
        if safe := self.is_safe(slope):  # then each row is divided by its sum, not each cell
            share = share * (-by).exp()
        for start, stop in blocks(len(self.rows), plan.tile[0]):
            query, part = self.rows.rows(start, stop), share[start:stop, None]
            weighted, sums = query * part, torch.zeros_like(query)
            for left, right in blocks(len(self.cols), plan.tile[1]):
                document = self.cols.rows(left, right)
                s = _products(scores, query, document, 1.0 if plan.guards else slope)
                out = self.left_out(s, positives, start, left)
                s = s.mul_(slope) if plan.guards else s
                s = out.fill_(s if safe else s.sub_(by[start:stop, None]), -torch.inf).exp_()
                if of_rows is not None:
                    sums.addmm_(s, document)
                if of_cols is not None:
                    of_cols[left:right].addmm_(s.T, weighted)
            if of_rows is not None:
                of_rows[start:stop] += sums.mul_(part)


class _Found(NamedTuple):
    """For each row: log-sums of logits and of weights, the sum of similarities, and how many cells."""

    logits: Tensor
    weight: Tensor
    total: Tensor
    cells: Tensor

    @classmethod
    def of(cls, like: Tensor) -> "_Found":
        """Nothing found yet."""
        nothing = torch.full_like(like, -torch.inf)
        return cls(nothing, nothing.clone(), torch.zeros_like(like), torch.zeros_like(like, dtype=torch.int64))


def _read(queries: Tensor, documents: Tensor, plan: Plan) -> tuple[UnitRows, UnitRows]:
    """Both sides as they are, in float32 at least: a sum over 80,000 terms wants more than 8 bits."""
    dtype = torch.promote_types(torch.promote_types(queries.dtype, documents.dtype), torch.float32)
    block = max(1, plan.tile[0] * plan.tile[1] // max(queries.shape[1], 1))
    return UnitRows(queries, dtype, block), UnitRows(documents, dtype, block, plan.absent)


def _products(buffer: Tensor, query: Tensor, document: Tensor, scale: float) -> Tensor:
    """``scale`` times all products, written into the buffer; what is written in place, autocast leaves alone."""
    s = buffer[: len(query) * len(document)].view(len(query), len(document))
    return torch.addmm(s, query, document.T, beta=0, alpha=scale, out=s)


def _add_at(gradient: Tensor | None, at: Tensor, share: Tensor, vectors: Tensor) -> None:
    if gradient is not None:
        gradient.index_add_(0, at, share * vectors)
