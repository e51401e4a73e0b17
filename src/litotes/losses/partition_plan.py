"""What a tiled partition function sums, and how: everything that is constant in its gradient."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from litotes.losses.shared_ids import SharedIds

__all__ = ["Plan", "Which"]

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
