"""Running the arms of claims: each arm with each seed is one cell, made once, kept, and never made twice.

A cell is filed under the fingerprint of what decides it (data, arm, seed, split, the package's own files and the
versions of the libraries), so that a killed experiment goes on where it stopped, two claims with an arm in common share
its cells, and nothing made by older code is taken for a result. It keeps what made it, as do the cells that it starts
from. An arm that starts from another one finds that one's folder made with the same seed.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from litotes.core.errors import LitotesError
from litotes.core.files import make_folder, read_json, write_json
from litotes.core.fingerprint import digest
from litotes.core.folder_lock import Presence
from litotes.core.progress import say
from litotes.evaluation.claim import TUNING_SEED, Arm, Claim
from litotes.evaluation.provenance import Made

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
        per_query: for a metric that is a mean over queries (or over their pseudo-values), ``{metric: {query: value}}``.
        facts: whatever else is worth keeping, ready for JSON; ``data`` in it names the data and its fingerprint.
    """

    metrics: Mapping[str, float]
    per_query: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A cell that was run: its outcome, the seconds it took (those of the run that made it), and what made it.

    ``made`` has more than one entry where the cells that it starts from were made by something else.
    """

    outcome: Outcome
    seconds: float
    made: Sequence[Made] = ()


@dataclass(frozen=True)
class Choice:
    """What was tried for an arm on dev, and what was taken."""

    arm: Arm
    tried: list[dict[str, Any]]
    """``{"options": ..., metric: value on dev}`` in the order of the trials."""
    made: Sequence[Made] = ()
    """What made the trials, and those of the arms that it starts from."""


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
        look: says by what a number is made at the moment (:func:`litotes.evaluation.provenance.made_now`); cells made
            by other files or versions are not taken.
    """

    def __init__(self, slug: str, run: Callable[[Cell], Outcome], folder: Path, look: Callable[[], Made]) -> None:
        self.slug, self._run, self._folder, self._look = slug, run, folder, look
        self._began = look()
        self._left = self._left_seconds = 0.0
        self._presence: Presence | None = None

    def choose(self, claim: Claim, name: str) -> Choice:
        """The arm ``name`` of ``claim`` with the options that did best on dev, as do all arms that it starts from."""
        return self._choose(claim, claim.arms[name], name)

    def run(self, claim: Claim, name: str, seed: int) -> Run:
        """The arm ``name`` of ``claim`` with one seed, on test.

        Raises:
            LitotesError: it does not measure the claim's metric, or a number is none; or the package's files were
                changed while it ran.
        """
        run = self._made(claim, self.choose(claim, name).arm, seed, "test", name)
        _value(run.outcome, claim.metric, claim, name)
        return run

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
        """Remove models and run folders of finished cells; their outcomes stay.

        Nothing is removed while another program is at work in the folder, which may need it: the last one does it.
        """
        if not self._folder.is_dir() or not self._present().is_alone():
            self._presence = None
            return
        for outcome in self._folder.glob("*/outcome.json"):
            items = [item for item in outcome.parent.iterdir() if item.name != "outcome.json"]
            if items:  # said first: a tidying that is killed must not leave half a model to start from
                write_json(outcome, {**read_json(outcome), "tidied": True})
            for item in items:
                shutil.rmtree(item) if item.is_dir() else item.unlink()
        self._presence = None

    def _present(self) -> Presence:
        """Others see that somebody is at work here."""
        if self._presence is None:
            self._presence = Presence(make_folder(self._folder))
        return self._presence

    def _choose(self, claim: Claim, arm: Arm, name: str) -> Choice:
        before = None if arm.start is None else self._choose(claim, arm.start, f"start of {name}")
        start, made = (None, []) if before is None else (before.arm, list(before.made))
        trials = [replace(arm, config={**arm.config, **trial}, start=start, trials=()) for trial in arm.trials]
        if not trials:
            return Choice(replace(arm, start=start), [], made)
        metric = claim.choose_by or claim.metric
        values = []
        for place, trial in enumerate(trials, start=1):
            run = self._made(claim, trial, TUNING_SEED, "dev", f"{name}, trial {place} of {len(trials)}")
            _value(run.outcome, claim.metric, claim, name)  # a name that nobody measures shows at once
            values.append(_value(run.outcome, metric, claim, name))
            made += run.made
        tried = [{"options": dict(t), metric: v} for t, v in zip(arm.trials, values, strict=True)]
        return Choice(trials[_best(values, claim)], tried, list(_each_once(made)))

    def _made(self, claim: Claim, arm: Arm, seed: int, split: str, name: str, *, whole: bool = False) -> Run:
        """The cell, made if it must be; ``whole``: with its folder, so one that was tidied away is made again."""
        self._present()
        cell = self._cell(claim.data, arm, seed, split)
        kept = self._kept(cell, whole=whole)
        if kept is not None:
            return kept
        start: Sequence[Made] = ()
        if arm.start is not None:
            start = self._made(claim, arm.start, seed, split, f"start of {name}", whole=True).made
        if (cell.folder / "outcome.json").is_file():  # tidied: what may be left of it is of no use
            shutil.rmtree(cell.folder)
        make_folder(cell.folder)
        began = time.monotonic()
        outcome = self._run(cell)
        seconds = time.monotonic() - began
        made = list(_each_once([self._made_by(outcome, name, seed), *start]))
        record = {
            "key": self._key(cell),
            "seconds": round(seconds, 2),
            "made": [each.to_dict() for each in made],
            "metrics": dict(outcome.metrics),
            "per_query": {metric: dict(values) for metric, values in outcome.per_query.items()},
            "facts": dict(outcome.facts),
        }
        self._check(outcome, record, name, seed)
        write_json(cell.folder / "outcome.json", record)
        self._say(claim, cell, name, outcome, seconds)
        return Run(outcome, seconds, made)

    def _made_by(self, outcome: Outcome, name: str, seed: int) -> Made:
        """What made a cell that has just been run."""
        now = self._look()
        if (now.package, dict(now.versions)) != (self._began.package, dict(self._began.versions)):
            raise LitotesError(
                f"The files of litotes were changed while {self.slug} ran the arm {name!r} with seed {seed}: "
                "no version of them made what it measured, and it is not kept. "
                "Begin again, and change nothing meanwhile."
            )
        data = outcome.facts.get("data", {}).get("fingerprint")
        return replace(self._began, clean=self._began.clean and now.clean, data=data)

    def _check(self, outcome: Outcome, record: Mapping[str, Any], name: str, seed: int) -> None:
        """Refuse what is no number, or cannot be written down."""
        tables = {"": outcome.metrics, **outcome.per_query}
        for metric, table in tables.items():
            for key, value in table.items():
                if not math.isfinite(value):
                    what = f"{metric} = {value} for the query {key!r}" if metric else f"{key} = {value}"
                    raise LitotesError(
                        f"The arm {name!r} of {self.slug} with seed {seed} measured {what}. "
                        "This run is not kept; those that were finished are."
                    )
        try:
            json.dumps(record, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise LitotesError(
                f"The facts of the arm {name!r} of {self.slug} with seed {seed} are not fit for JSON: {error}."
            ) from None

    def _kept(self, cell: Cell, *, whole: bool = False) -> Run | None:
        """The cell as it was made before; ``whole``: only if its folder was not tidied since."""
        path = cell.folder / "outcome.json"
        if not path.is_file():
            return None
        record = read_json(path)
        if record["key"] != self._key(cell) or (whole and record.get("tidied")):
            return None
        made = [Made(**each) for each in record["made"]]
        return Run(Outcome(record["metrics"], record["per_query"], record["facts"]), record["seconds"], made)

    def _cell(self, data: str, arm: Arm, seed: int, split: str) -> Cell:
        start = None if arm.start is None else self._cell(data, arm.start, seed, split).folder
        cell = Cell(data, arm, seed, split, Path(), start)
        words = [data, arm.command, str(seed), self._key(cell)[:12]]
        return replace(cell, folder=self._folder / "-".join(words).replace("/", "-"))

    def _key(self, cell: Cell) -> str:
        return digest(self.slug, cell.data, cell.arm.to_dict(), cell.seed, cell.split, *self._source)

    @property
    def _source(self) -> tuple[str, Mapping[str, str]]:
        return self._began.package, self._began.versions

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
        values = [run.outcome.metrics[metric] for run in runs if run is not None and metric in run.outcome.metrics]
        return trials[_best(values, claim)] if len(values) == len(trials) else trials[0]

    def _say(self, claim: Claim, cell: Cell, name: str, outcome: Outcome, seconds: float) -> None:
        """One line a cell, with what remains."""
        self._left = max(0.0, self._left - 1)
        self._left_seconds = max(0.0, self._left_seconds - cell.arm.seconds)
        metric = claim.metric if claim.metric in outcome.metrics else (claim.choose_by or claim.metric)
        value = f"{metric} {outcome.metrics[metric]:.4f}, " if metric in outcome.metrics else ""
        seed = "dev" if cell.split == "dev" else f"seed {cell.seed}"
        left = f"; {self._left:.0f} runs left, about {self._left_seconds / 60:.0f} min" if self._left else ""
        say(f"{self.slug}, {cell.data}, {name}, {seed}: {value}{seconds:.0f} s{left}")


def _best(values: Sequence[float], claim: Claim) -> int:
    """The place of the trial to take; of equal ones the first."""
    return values.index(min(values) if claim.is_lower_better else max(values))


def _each_once(made: Iterable[Made]) -> Iterator[Made]:
    seen: list[Made] = []
    for each in made:
        if each not in seen:
            seen.append(each)
            yield each


def _value(outcome: Outcome, metric: str, claim: Claim, name: str) -> float:
    if metric not in outcome.metrics:
        raise LitotesError(
            f"The claim {claim.name!r} compares by {metric!r}, and the arm {name!r} measures "
            f"{', '.join(outcome.metrics)}."
        )
    return outcome.metrics[metric]
