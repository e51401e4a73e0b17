"""Two models that take turns: which of them a step trains is a function of the step's number and of nothing else.

A round is ``round_steps`` optimiser steps: the first model's turn, then the second's. AR2 (Zhang et al. 2022, algorithm
1) gives the ranker the first turn and the retriever the second, and retrieves new candidates after every round. Its
published code compares ``step <= first_steps``, so the first model gets one step more in every round; that is the
default here, and ``exact`` counts as the paper says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from litotes.core.checks import check_int

__all__ = ["Alternation"]


@dataclass(frozen=True)
class Alternation:
    """The turns.

    Attributes:
        round_steps: optimiser steps a round.
        first_steps: of them, the first model's.
        exact: take ``first_steps`` as they are, instead of one more in every round as the published code does.
    """

    round_steps: int
    first_steps: int
    exact: bool = False

    def __post_init__(self) -> None:
        check_int("Alternation", "round_steps", self.round_steps, at_least=1)
        check_int("Alternation", "first_steps", self.first_steps, at_least=0)

    @property
    def first_turn(self) -> int:
        """Steps of the first model's turn in a whole round."""
        return min(self.first_steps + (not self.exact), self.round_steps)

    def is_first(self, step: int) -> bool:
        """Whether step ``step``, counted from 0 over the whole run, trains the first model."""
        return step % self.round_steps < self.first_turn

    def turns(self, total: int) -> np.ndarray:
        """:meth:`is_first` of each of ``total`` steps; int64, 1 for the first model.

        >>> Alternation(round_steps=4, first_steps=1).turns(8).tolist()
        [1, 1, 0, 0, 1, 1, 0, 0]
        """
        return (np.arange(total) % self.round_steps < self.first_turn).astype(np.int64)

    def counts(self, total: int) -> tuple[int, int]:
        """How many of ``total`` steps train the first model, and how many the second: what their schedules span."""
        rounds, rest = divmod(total, self.round_steps)
        first = rounds * self.first_turn + min(rest, self.first_turn)
        return first, total - first

    def round_ends(self, total: int) -> np.ndarray:
        """Numbers of completed steps, from 1, after which a round is over; the last is ``total``, whole or not.

        >>> Alternation(round_steps=4, first_steps=1).round_ends(10).tolist()
        [4, 8, 10]
        """
        ends = np.arange(self.round_steps, total + 1, self.round_steps, dtype=np.int64)
        return ends if total % self.round_steps == 0 else np.append(ends, np.int64(total))
