"""Which of the nearest documents become negatives: the pool, the rules, the window of ranks, the draw.

1. The *pool* of a row is what stands among its ``depth`` nearest documents, its positives counted. Positives then leave
   the pool, unless they are to be ranked too.
2. *Rules* drop candidates by their scores: the margins against the row's lowest positive, and the two bounds.
3. Of what is left, ranked anew by score, the *window* takes the ranks from ``range_min`` to ``range_max`` and in it the
   best, or a draw that depends on seed, row and column alone.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from litotes.core.checks import check_choice, check_float, check_int
from litotes.core.errors import LitotesError
from litotes.core.seeds import uniform_hash
from litotes.judging.margin import highest_unsuspected

__all__ = ["Cells", "Rules", "Window", "pool"]

_OWNER = "mine_hard_negatives"


@dataclass(frozen=True)
class Cells:
    """Scored cells, flat."""

    row: np.ndarray  # int64 [cells]
    col: np.ndarray  # int64 [cells]
    score: np.ndarray  # float32 [cells]

    def __len__(self) -> int:
        return len(self.row)

    @property
    def parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, columns, scores."""
        return self.row, self.col, self.score

    def joined(self, other: Cells) -> Cells:
        """These cells, then the other ones."""
        return Cells(*(np.concatenate(parts) for parts in zip(self.parts, other.parts, strict=True)))

    def take(self, chosen: np.ndarray | slice) -> Cells:
        """The cells at these places, or where this mask is true."""
        return Cells(self.row[chosen], self.col[chosen], self.score[chosen])

    def rescored(self, score: np.ndarray) -> Cells:
        """The same cells with other scores."""
        return replace(self, score=score.astype(np.float32))

    def order(self) -> np.ndarray:
        """The places in order: by row, best score first, equal scores by column."""
        return np.lexsort((self.col, -self.score, self.row))

    def in_order(self) -> Cells:
        """The cells in that order; seeing that they stand so already takes one pass, sorting many."""
        row, col, score = (part[:-1] for part in self.parts)
        next_row, next_col, next_score = (part[1:] for part in self.parts)
        tied = (score == next_score) & (col < next_col)
        is_ordered = (row < next_row) | ((row == next_row) & ((score > next_score) | tied))
        return self if is_ordered.all() else self.take(self.order())


def pool(found: Cells, positives: Cells, depth: int, with_positives: bool) -> Cells:
    """What stands at the first ``depth`` ranks of each row, its positives counted; with or without these."""
    both = found.joined(positives)
    order = both.order()
    inside = _place(both.row[order]) < depth
    return both.take(order[inside & (with_positives | (order < len(found)))])


@dataclass(frozen=True)
class Rules:
    """Bounds on the score of a negative; None where there is none."""

    absolute_margin: float | None = None
    relative_margin: float | None = None
    max_score: float | None = None
    min_score: float | None = None

    @classmethod
    def checked(cls, **bounds: float | None) -> Rules:
        """The rules, or an error that names the parameter."""
        rules = cls(
            **{name: None if value is None else check_float(_OWNER, name, value) for name, value in bounds.items()}
        )
        if rules.min_score is not None and rules.max_score is not None and rules.min_score > rules.max_score:
            raise LitotesError(
                f"min_score={rules.min_score} is above max_score={rules.max_score}, so nothing can pass."
            )
        return rules

    @property
    def given(self) -> dict[str, float]:
        """The rules that there are."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def passed_by(self, cells: Cells, positives: Cells, n_rows: int) -> tuple[Cells, dict[str, int]]:
        """The cells that no rule drops, and how many each rule dropped of those that the ones before it had left."""
        least = np.full(n_rows, np.inf, dtype=np.float32)
        np.minimum.at(least, positives.row, positives.score)
        dropped = {}
        for rule, bound in self.given.items():
            if rule == "min_score":
                keep = cells.score >= bound
            else:
                keep = cells.score <= highest_unsuspected(least[cells.row], **{rule: bound})
            dropped[rule] = int((~keep).sum())
            cells = cells.take(keep)
        return cells, dropped


@dataclass(frozen=True)
class Window:
    """The ranks that negatives may have, from 0, ``range_max`` excluded, and how many a row gets."""

    range_min: int
    range_max: int
    num_negatives: int

    @classmethod
    def checked(
        cls, range_min: int, range_max: int | None, num_negatives: int, most_positives: int, rules: bool
    ) -> Window:
        """The window; without ``range_max`` it holds ten times what is needed where rules may drop much of it.

        Raises:
            LitotesError: a parameter out of its range, or a window too small for ``num_negatives``.
        """
        check_int(_OWNER, "num_negatives", num_negatives, at_least=1)
        check_int(_OWNER, "range_min", range_min, at_least=0)
        if range_max is None:
            range_max = range_min + num_negatives * (10 if rules else 1) + most_positives
        check_int(_OWNER, "range_max", range_max, at_least=1)
        if range_max - range_min < num_negatives:
            raise LitotesError(
                f"Ranks {range_min} to {range_max} leave {max(range_max - range_min, 0)} candidates a query, and "
                f"num_negatives={num_negatives} are asked for. Raise range_max, or lower range_min or num_negatives."
            )
        return cls(int(range_min), int(range_max), int(num_negatives))

    def choose(self, cells: Cells, strategy: str, seed: int) -> Cells:
        """The negatives of each row, best first."""
        check_choice(_OWNER, "sampling_strategy", strategy, ("top", "random"))
        cells = cells.in_order()
        place = _place(cells.row)
        cells = cells.take((place >= self.range_min) & (place < self.range_max))
        if strategy == "top":
            return cells.take(_place(cells.row) < self.num_negatives)
        order = np.lexsort((uniform_hash(seed, 0, cells.row, cells.col), cells.row))
        return cells.take(np.sort(order[_place(cells.row) < self.num_negatives]))


def _place(row: np.ndarray) -> np.ndarray:
    """How many cells of the same row stand before each; rows stand together."""
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    return np.arange(len(row)) - np.repeat(starts, np.diff(starts, append=len(row)))
