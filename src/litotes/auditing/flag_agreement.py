"""How far runs agree on what is wrong: the same strategy with another model, or the same model with another seed.

An example that every run flags is a safer bet than one that a single run flags, and runs that agree no more than chance
have found nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from litotes.core.errors import ArrayError

__all__ = ["FlagAgreement", "PairAgreement", "flag_agreement"]


@dataclass(frozen=True)
class PairAgreement:
    """Two runs.

    Attributes:
        both, only_first, only_second: flagged examples.
        jaccard: both over either; None where neither flags anything.
        lift: ``both`` over what two runs that flag as many at random would share; None where that is nothing.
    """

    first: str
    second: str
    both: int
    only_first: int
    only_second: int
    jaccard: float | None
    lift: float | None


@dataclass(frozen=True)
class FlagAgreement:
    """All runs.

    Attributes:
        runs: their names.
        times: how many runs flag each example, int64 ``[n]``.
        pairs: every two of them.
    """

    runs: tuple[str, ...]
    times: np.ndarray
    pairs: list[PairAgreement]

    def at_least(self, runs: int) -> np.ndarray:
        """The examples that so many runs flag, ascending; int64."""
        return np.flatnonzero(self.times >= max(runs, 1))

    @property
    def by_all(self) -> np.ndarray:
        """Those that every run flags."""
        return self.at_least(len(self.runs))

    @property
    def by_any(self) -> np.ndarray:
        """Those that some run flags."""
        return self.at_least(1)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON: counts by number of runs, and the pairs."""
        counts = {str(n): int((self.times == n).sum()) for n in range(1, len(self.runs) + 1)}
        return {"runs": list(self.runs), "flagged_by": counts, "pairs": [vars(pair) for pair in self.pairs]}


def flag_agreement(flags: Mapping[str, Any], n: int | None = None) -> FlagAgreement:
    """Compare what runs flag.

    Args:
        flags: by the name of the run, bool ``[n]``, or the flagged positions.
        n: how many examples there are; needed where positions are given.

    >>> found = flag_agreement({"seed 1": [0, 1, 2], "seed 2": [1, 2, 9]}, n=10)
    >>> found.by_all.tolist(), found.pairs[0].jaccard
    ([1, 2], 0.5)
    """
    if not flags:
        raise ArrayError("flag_agreement compares the flags of at least one run. Got none.")
    masks = {name: _mask(name, np.asarray(each), n) for name, each in flags.items()}
    sizes = {len(mask) for mask in masks.values()}
    if len(sizes) > 1:
        raise ArrayError(f"The runs are about sets of {', '.join(map(str, sorted(sizes)))} examples; they must be one.")
    names = tuple(masks)
    pairs = [
        _pair(first, second, masks[first], masks[second])
        for place, first in enumerate(names)
        for second in names[place + 1 :]
    ]
    return FlagAgreement(names, np.sum([mask.astype(np.int64) for mask in masks.values()], axis=0), pairs)


def _pair(first: str, second: str, a: np.ndarray, b: np.ndarray) -> PairAgreement:
    both, either = int((a & b).sum()), int((a | b).sum())
    by_chance = float(a.sum()) * float(b.sum()) / len(a) if len(a) else 0.0
    return PairAgreement(
        first,
        second,
        both,
        int(a.sum()) - both,
        int(b.sum()) - both,
        both / either if either else None,
        both / by_chance if by_chance else None,
    )


def _mask(name: str, flags: np.ndarray, n: int | None) -> np.ndarray:
    if flags.dtype == bool and flags.ndim == 1:
        return flags
    if n is None:
        raise ArrayError(f"The flags of {name!r} are positions: say with n= how many examples there are.")
    if flags.ndim != 1 or (len(flags) and (flags.dtype.kind not in "iu" or flags.min() < 0 or flags.max() >= n)):
        raise ArrayError(f"The flags of {name!r} must be booleans, or positions from 0 to {n - 1}.")
    mask = np.zeros(n, dtype=bool)
    mask[flags.astype(np.int64)] = True
    return mask
