"""Running the arms of claims: each arm with each seed is one cell, made once, kept, and never made twice.

A cell is filed under the fingerprint of what decides it (data, arm, seed, split, and the source of this package), so
that a killed experiment goes on where it stopped, two claims with an arm in common share its cells, and nothing made by
older code is taken for a result. An arm that starts from another one finds that one's folder made with the same seed.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from litotes.core.errors import LitotesError
from litotes.core.files import make_folder, read_json, write_json
from litotes.core.fingerprint import digest
from litotes.core.progress import say
from litotes.evaluation.claim import TUNING_SEED, Arm, Claim

__all__ = ["Cell", "Choice", "Experiment", "Outcome", "Plan", "Run"]


@dataclass(frozen=True)
class Cell:
    """One arm with one seed, to be run.

    Attributes:
        data: the public name.
        arm: what to run; the options chosen on dev are in its ``config``.
        split: ``test``, or ``dev`` while options are being chosen.
        folder: the cell's own, for run folders and models; it may hold the remains of a killed run, to go on with.
        start: the folder that ``arm.start`` was made in with this seed.
    """

    data: str
    arm: Arm
    seed: int
    split: str
    folder: Path
    start: Path | None


@dataclass(frozen=True)
class Outcome:
    """What a cell found.

    Attributes:
        metrics: name to value, finite.
        per_query: for a metric that is a mean over queries, ``{metric: {query: value}}``.
        facts: whatever else is worth keeping, ready for JSON; ``data`` in it names the data and its fingerprint.
    """

    metrics: Mapping[str, float]
    per_query: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A cell that was run: its outcome, and the seconds it took (those of the run that made it)."""

    outcome: Outcome
    seconds: float


@dataclass(frozen=True)
class Choice:
    """What was tried for an arm on dev, and what was taken."""

    arm: Arm
    tried: list[dict[str, Any]]
    """``{"options": ..., metric: value on dev}`` in the order of the trials."""


@dataclass(frozen=True)
class Plan:
    """What an experiment still has to do.

    Attributes:
        cells: all runs, trials on dev included.
        left: those that are not kept from before.
        seconds: about how long they take on two cores, from the claims' own estimates.
        by_claim: ``{claim: (runs left, seconds)}``; a run that claims share counts for the first.
    """

    cells: int
    left: int
    seconds: float
    by_claim: dict[str, tuple[int, float]]


class Experiment:
    """The claims of one system, and the function that runs a cell of theirs.

    Args:
        slug: the system.
        run: makes one cell.
        folder: where cells are kept.
        source: what stands for the code that runs; cells of another one are not taken.
    """

    def __init__(self, slug: str, run: Callable[[Cell], Outcome], folder: Path, source: str) -> None:
        self.slug, self._run, self._folder, self._source = slug, run, folder, source
        self._left = self._left_seconds = 0.0

    def choose(self, claim: Claim, name: str) -> Choice:
        """The arm ``name`` of ``claim`` with the options that did best on dev, as do all arms that it starts from."""
        return self._choose(claim, claim.arms[name], name)

    def run(self, claim: Claim, name: str, seed: int) -> Run:
        """The arm ``name`` of ``claim`` with one seed, on test."""
        return self._made(claim, self.choose(claim, name).arm, seed, "test", name)

    def plan(
        self, claims: Sequence[Claim], arms: Sequence[str] = (), seeds: Mapping[str, Sequence[int]] | None = None
    ) -> Plan:
        """What is left to run: all arms or some, with the claims' seeds or, by claim, others.

        Arms whose options are not chosen yet are counted with their first trial's.
        """
        known: dict[str, bool] = {}  # whether it is to be made
        missing: dict[tuple[str, bool], bool] = {}
        by_claim = {}
        for claim in claims:
            left = seconds = 0.0
            for name in arms or claim.arms:
                with_seeds = claim.seeds if seeds is None else seeds[claim.name]
                for chain in self._all_chains(claim, claim.arms[name], with_seeds):
                    needed, whole = True, False
                    for cell in reversed(chain):  # a start is needed only where what starts from it is made
                        key = self._key(cell)
                        if needed and (key, whole) not in missing:
                            missing[key, whole] = self._kept(cell, whole=whole) is None
                        to_make = needed and missing[key, whole]
                        if to_make and not known.get(key):
                            left += 1
                            seconds += cell.arm.seconds
                        known[key] = known.get(key, False) or to_make
                        needed = whole = to_make
            by_claim[claim.name] = (int(left), seconds)
        total = sum(seconds for _, seconds in by_claim.values())
        plan = Plan(len(known), sum(left for left, _ in by_claim.values()), total, by_claim)
        self._left, self._left_seconds = plan.left, plan.seconds
        return plan

    def tidy(self) -> None:
        """Remove models and run folders of finished cells; their outcomes stay."""
        for outcome in self._folder.glob("*/outcome.json"):
            items = [item for item in outcome.parent.iterdir() if item.name != "outcome.json"]
            if items:  # said first: a tidying that is killed must not leave half a model to start from
                write_json(outcome, {**read_json(outcome), "tidied": True})
            for item in items:
                shutil.rmtree(item) if item.is_dir() else item.unlink()

    def _choose(self, claim: Claim, arm: Arm, name: str) -> Choice:
        start = None if arm.start is None else self._choose(claim, arm.start, f"start of {name}").arm
        trials = [replace(arm, config={**arm.config, **trial}, start=start, trials=()) for trial in arm.trials]
        if not trials:
            return Choice(replace(arm, start=start), [])
        metric = claim.choose_by or claim.metric
        values = []
        for place, trial in enumerate(trials, start=1):
            run = self._made(claim, trial, TUNING_SEED, "dev", f"{name}, trial {place} of {len(trials)}")
            values.append(_value(run.outcome, metric, claim, name))
        tried = [{"options": dict(t), metric: v} for t, v in zip(arm.trials, values, strict=True)]
        return Choice(trials[values.index(max(values))], tried)

    def _made(self, claim: Claim, arm: Arm, seed: int, split: str, name: str, *, whole: bool = False) -> Run:
        """The cell, made if it must be; ``whole``: with its folder, so one that was tidied away is made again."""
        cell = self._cell(claim.data, arm, seed, split)
        kept = self._kept(cell, whole=whole)
        if kept is not None:
            return kept
        if arm.start is not None:
            self._made(claim, arm.start, seed, split, f"start of {name}", whole=True)
        if (cell.folder / "outcome.json").is_file():  # tidied: what may be left of it is of no use
            shutil.rmtree(cell.folder)
        make_folder(cell.folder)
        began = time.monotonic()
        outcome = self._run(cell)
        seconds = time.monotonic() - began
        wrong = [metric for metric, value in outcome.metrics.items() if not math.isfinite(value)]
        if wrong:
            raise LitotesError(f"The arm {name!r} of {self.slug} measured {wrong[0]} = {outcome.metrics[wrong[0]]}.")
        record = {
            "key": self._key(cell),
            "seconds": round(seconds, 2),
            "metrics": dict(outcome.metrics),
            "per_query": {metric: dict(values) for metric, values in outcome.per_query.items()},
            "facts": dict(outcome.facts),
        }
        write_json(cell.folder / "outcome.json", record)
        self._say(claim, cell, name, outcome, seconds)
        return Run(outcome, seconds)

    def _kept(self, cell: Cell, *, whole: bool = False) -> Run | None:
        """The cell as it was made before; ``whole``: only if its folder was not tidied since."""
        path = cell.folder / "outcome.json"
        if not path.is_file():
            return None
        record = read_json(path)
        if record["key"] != self._key(cell) or (whole and record.get("tidied")):
            return None
        return Run(Outcome(record["metrics"], record["per_query"], record["facts"]), record["seconds"])

    def _cell(self, data: str, arm: Arm, seed: int, split: str) -> Cell:
        start = None if arm.start is None else self._cell(data, arm.start, seed, split).folder
        cell = Cell(data, arm, seed, split, Path(), start)
        words = [data, arm.command, str(seed), self._key(cell)[:12]]
        return replace(cell, folder=self._folder / "-".join(words).replace("/", "-"))

    def _key(self, cell: Cell) -> str:
        return digest(self.slug, cell.data, cell.arm.to_dict(), cell.seed, cell.split, self._source)

    def _all_chains(self, claim: Claim, arm: Arm, seeds: Sequence[int]) -> Iterator[list[Cell]]:
        """Every cell behind an arm: trials on dev of it and of what it starts from, then the seeds on test.

        Each comes after those that it starts from.
        """
        chosen: Arm | None = None
        for link in arm.chain():
            trials = [replace(link, config={**link.config, **t}, start=chosen, trials=()) for t in link.trials]
            for trial in trials:
                yield self._chain(claim.data, trial, TUNING_SEED, "dev")
            chosen = self._known_best(claim, trials) if trials else replace(link, start=chosen)
        assert chosen is not None
        for seed in seeds:
            yield self._chain(claim.data, chosen, seed, "test")

    def _chain(self, data: str, arm: Arm, seed: int, split: str) -> list[Cell]:
        return [self._cell(data, link, seed, split) for link in arm.chain()]

    def _known_best(self, claim: Claim, trials: Sequence[Arm]) -> Arm:
        """The trial that won, if all were run; else the first, which stands for it in a plan."""
        runs = [self._kept(self._cell(claim.data, trial, TUNING_SEED, "dev")) for trial in trials]
        metric = claim.choose_by or claim.metric
        values = [run.outcome.metrics.get(metric, -math.inf) for run in runs if run is not None]
        return trials[values.index(max(values))] if len(values) == len(trials) else trials[0]

    def _say(self, claim: Claim, cell: Cell, name: str, outcome: Outcome, seconds: float) -> None:
        """One line a cell, with what remains."""
        self._left = max(0.0, self._left - 1)
        self._left_seconds = max(0.0, self._left_seconds - cell.arm.seconds)
        metric = claim.metric if claim.metric in outcome.metrics else (claim.choose_by or claim.metric)
        value = f"{metric} {outcome.metrics[metric]:.4f}, " if metric in outcome.metrics else ""
        seed = "dev" if cell.split == "dev" else f"seed {cell.seed}"
        left = f"; {self._left:.0f} runs left, about {self._left_seconds / 60:.0f} min" if self._left else ""
        say(f"{self.slug}, {cell.data}, {name}, {seed}: {value}{seconds:.0f} s{left}")


def _value(outcome: Outcome, metric: str, claim: Claim, name: str) -> float:
    if metric not in outcome.metrics:
        raise LitotesError(
            f"The claim {claim.name!r} compares by {metric!r}, and the arm {name!r} measures "
            f"{', '.join(outcome.metrics)}."
        )
    return outcome.metrics[metric]
