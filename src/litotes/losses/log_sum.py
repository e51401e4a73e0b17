"""Logarithms of sums of exponentials that arrive in parts, without overflow and without NaN where there is nothing."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["LogSum", "log_sum_by_row"]


class LogSum:
    """A running log-sum of each row; -inf before anything was added, and after nothing but -inf.

    Args:
        rows: how many.
        like: a tensor of the precision and device to work in.
        safe: the exponentials may be summed as they are, which saves two passes over each part.
    """

    def __init__(self, rows: int, like: Float[Tensor, "..."], safe: bool = False) -> None:
        self._total = like.new_zeros(rows)
        self._largest = None if safe else like.new_full((rows,), -torch.inf)

    def add_(self, logits: Float[Tensor, "rows cols"]) -> None:
        """Add the exponentials of one more part, which is overwritten."""
        if self._largest is not None:
            largest = torch.maximum(self._largest, logits.amax(dim=1))
            logits.sub_(_finite(largest)[:, None])
            self._total *= (self._largest - _finite(largest)).exp_()
            self._largest = largest
        self._total += logits.exp_().sum(dim=1)

    def log(self) -> Float[Tensor, "rows"]:
        """The logarithms of the sums so far."""
        return self._total.log() if self._largest is None else self._total.log() + self._largest


def log_sum_by_row(logits: Float[Tensor, "n"], rows: Int[Tensor, "n"], n_rows: int) -> Float[Tensor, "n_rows"]:
    """The log-sum of the logits of each row, given as a list of cells; -inf for a row without one."""
    largest = logits.new_full((n_rows,), -torch.inf).scatter_reduce(0, rows, logits, "amax")
    total = logits.new_zeros(n_rows).index_add(0, rows, (logits - _finite(largest)[rows]).exp())
    return total.log() + largest


def _finite(largest: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """0 in place of -inf: what may be subtracted where there is nothing to subtract from."""
    return largest.masked_fill(largest == -torch.inf, 0.0)
