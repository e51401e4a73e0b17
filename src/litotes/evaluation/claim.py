"""A claim of a paper as data: which arms are run on what, and which comparison between them must come out how.

A claim is committed before its result. Its digest covers everything that decides the outcome (words, data, arms with
their configuration and the values tried on dev, seeds, comparison), so that a result can be held to the claim it was
made for. The functions that run an arm stand in the claims module, under the same commit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any

from litotes.core.errors import LitotesError
from litotes.core.fingerprint import digest

__all__ = ["Arm", "Claim", "Holds"]

OPERATORS = (">", "<", "=")
TUNING_SEED = 1000  # trials on dev are run with a seed of their own, never with one that is reported

Holds = tuple[str, str, str | float]
"""One comparison: an arm, ``>``, ``<`` or ``=``, and another arm or a number."""


@dataclass(frozen=True)
class Arm:
    """One way of doing it.

    Attributes:
        command: what is run, in the words of the claims module (for a recipe: its training command).
        config: its options where they are not the defaults.
        start: the arm whose result this one starts from, made with the same seed, once for all that share it.
        trials: options to try on dev, each a change of ``config``; the best takes part. Empty: nothing is chosen.
        seconds: about how long one run takes on two cores, for the plan; no part of the digest.
    """

    command: str
    config: Mapping[str, Any] = field(default_factory=dict)
    start: Arm | None = None
    trials: Sequence[Mapping[str, Any]] = ()
    seconds: float = 60.0

    def to_dict(self) -> dict[str, Any]:
        """What decides the arm's numbers."""
        return {
            "command": self.command,
            "config": dict(self.config),
            "start": None if self.start is None else self.start.to_dict(),
            "trials": [dict(trial) for trial in self.trials],
        }

    def chain(self) -> Iterator[Arm]:
        """The arms to make, first to last: those it starts from, then itself."""
        if self.start is not None:
            yield from self.start.chain()
        yield self


@dataclass(frozen=True)
class Claim:
    """What a paper promises, and the experiment that asks whether it holds here.

    Attributes:
        name: a short word for file names and the command line, unique among the system's claims.
        says: the promise in a sentence.
        source: where the paper makes it (abstract, section 4.2, checklist line).
        data: a public name, such as ``pydocs`` or ``nfcorpus``.
        metric: what is compared; one of those that a run of an arm returns.
        arms: by name; the first named in a comparison is what the claim speaks of.
        seeds: at least five; every arm is run with each, and differences are paired by seed.
        holds: the comparisons that must all come out; each is tested at 5 % over their number.
        effect: the size of difference that the page speaks of. An interval narrower than it that still includes 0 says
            *not separable here*; a wider one says nothing.
        margin: for ``=``: differences within it count as equal.
        choose_by: the metric by which trials on dev are compared, the highest first. By default ``metric``, the highest
            first; the lowest where every comparison is ``<``.
        shown: further metrics to print beside.
        note: what a reader must know to read the result, such as a control that is missing.
    """

    name: str
    says: str
    source: str
    data: str
    metric: str
    arms: Mapping[str, Arm]
    holds: Sequence[Holds]
    effect: float
    seeds: Sequence[int] = range(5)
    margin: float | None = None
    choose_by: str | None = None
    shown: Sequence[str] = ()
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a claim that cannot be decided fairly."""
        if len(set(self.seeds)) < 5:
            raise LitotesError(f"The claim {self.name!r} has {len(set(self.seeds))} seeds; five are the least.")
        if len(set(self.seeds)) < len(self.seeds):
            raise LitotesError(f"The claim {self.name!r} names a seed twice.")
        if TUNING_SEED in self.seeds:
            raise LitotesError(
                f"The claim {self.name!r} reports the seed {TUNING_SEED}, with which options are chosen."
            )
        if not self.holds:
            raise LitotesError(f"The claim {self.name!r} compares nothing.")
        for a, operator, b in self.holds:
            if not (isinstance(b, str) or (isinstance(b, int | float) and not isinstance(b, bool) and isfinite(b))):
                raise LitotesError(
                    f"The claim {self.name!r} compares {a!r} with {b!r}, which is neither an arm nor a finite number."
                )
            if a == b:
                raise LitotesError(f"The claim {self.name!r} compares the arm {a!r} with itself.")
            if operator not in OPERATORS:
                raise LitotesError(f"The claim {self.name!r} compares by {operator!r}; it must be one of > < =.")
            unknown = [arm for arm in (a, b) if arm not in self.arms and (arm is a or isinstance(arm, str))]
            if unknown:
                raise LitotesError(f"The claim {self.name!r} speaks of an arm {unknown[0]!r} that it does not have.")
            if operator == "=" and self.margin is None:
                raise LitotesError(f"The claim {self.name!r} says 'equal' without the margin= that counts as equal.")
            if operator == "=" and not 0 < (self.margin or 0) < inf:
                raise LitotesError(f"The claim {self.name!r} says 'equal', which needs a finite margin= above 0.")
        tried = {name: len(arm.trials) for name, arm in self.arms.items()}
        if len(set(tried.values())) > 1:
            raise LitotesError(f"The arms of the claim {self.name!r} have unequal numbers of trials on dev: {tried}.")
        if not 0 < self.effect < inf:
            raise LitotesError(f"The claim {self.name!r} needs the effect that its page speaks of, finite and above 0.")

    @property
    def is_lower_better(self) -> bool:
        """Whether the lowest trial on dev is taken."""
        return self.choose_by is None and all(operator == "<" for _, operator, _ in self.holds)

    def to_dict(self) -> dict[str, Any]:
        """Everything that the digest covers."""
        return {
            "name": self.name,
            "says": self.says,
            "source": self.source,
            "data": self.data,
            "metric": self.metric,
            "arms": {name: arm.to_dict() for name, arm in self.arms.items()},
            "holds": [list(comparison) for comparison in self.holds],
            "effect": float(self.effect),
            "seeds": list(self.seeds),
            "margin": self.margin,
            "choose_by": self.choose_by,
        }

    @property
    def digest(self) -> str:
        """One word for all of it; an edit of any part gives another."""
        return digest(self.to_dict())
