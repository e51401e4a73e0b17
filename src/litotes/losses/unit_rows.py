"""Rows of a matrix of vectors, each divided by its length when it is read: no second copy of the matrix is made."""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["UnitRows", "blocks"]

_LEAST_NORM = 1e-12  # as torch.nn.functional.normalize


class UnitRows:
    """Vectors in the precision that they are worked with.

    Args:
        vectors: the matrix.
        dtype: the precision.
        block: rows that are touched at one time where all are.
        absent: rows that are read as zeros, whatever is in them, and get no gradient.
        norms: lengths to divide by; None reads the vectors as they are.
    """

    def __init__(
        self,
        vectors: Float[Tensor, "rows dim"],
        dtype: torch.dtype,
        block: int,
        absent: Bool[Tensor, "rows"] | None = None,
        norms: Float[Tensor, "rows"] | None = None,
    ) -> None:
        self.vectors, self.dtype, self.block, self.absent, self.norms = vectors, dtype, block, absent, norms

    def __len__(self) -> int:
        return len(self.vectors)

    def lengths(self) -> Float[Tensor, "rows"]:
        """The length of each vector; 1 of an absent one."""
        found = torch.empty(len(self), dtype=self.dtype, device=self.vectors.device)
        for start, stop in blocks(len(self), self.block):
            torch.linalg.vector_norm(self.vectors[start:stop].to(self.dtype), dim=1, out=found[start:stop])
        return found if self.absent is None else found.masked_fill(self.absent, 1.0)

    def normalized(self) -> "UnitRows":
        """The same vectors, divided by their lengths when they are read."""
        norms = self.lengths().clamp(min=_LEAST_NORM)
        return UnitRows(self.vectors, self.dtype, self.block, self.absent, norms)

    def rows(self, start: int, stop: int) -> Float[Tensor, "some dim"]:
        """A range of vectors; may share memory with the matrix."""
        part = self.vectors[start:stop]
        if self.absent is not None:
            part = part.masked_fill(self.absent[start:stop, None], 0.0)
        part = part.to(self.dtype)
        return part if self.norms is None else part / self.norms[start:stop, None]

    def at(self, rows: Int[Tensor, "some"]) -> Float[Tensor, "some dim"]:
        """The vectors of these rows, none of them absent."""
        part = self.vectors[rows].to(self.dtype)
        return part if self.norms is None else part / self.norms[rows, None]

    def no_gradient(self) -> Float[Tensor, "rows dim"]:
        """Zeros to add the gradient of what ``rows`` and ``at`` gave to."""
        return torch.zeros_like(self.vectors, dtype=self.dtype)

    def through(self, gradient: Float[Tensor, "rows dim"]) -> Float[Tensor, "rows dim"]:
        """The gradient of the vectors, in their own precision; ``gradient`` is overwritten."""
        for start, stop in blocks(len(self), self.block) if self.norms is not None else ():
            part, unit, norm = gradient[start:stop], self.rows(start, stop), self.norms[start:stop, None]  # type: ignore[index]
            unit *= torch.where(norm > _LEAST_NORM, (part * unit).sum(dim=1, keepdim=True), 0.0)
            part.sub_(unit).div_(norm)
        return gradient.to(self.vectors.dtype)


def blocks(n: int, size: int) -> Iterator[tuple[int, int]]:
    """Start and stop of n things in blocks; the last may be smaller."""
    for start in range(0, n, size):
        yield start, min(start + size, n)
