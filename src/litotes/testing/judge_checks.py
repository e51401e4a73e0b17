"""What a judge is held to, on candidates of the collections of :mod:`litotes.testing.examples`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from litotes.core import Candidates, Collection
from litotes.testing.check import Suite, demand
from litotes.testing.examples import every_example, example_candidates, example_collection
from litotes.testing.making import Making
from litotes.testing.same_cells import numbers_differ, tables_differ
from litotes.testing.snapshot import changed_parts, snapshot, with_truth

__all__ = ["SUITE", "JudgeCase"]

SUITE = Suite("judge")


@dataclass(frozen=True)
class JudgeCase:
    """What the checks of a judge work with."""

    make: Making
    gives_trust: bool
    gives: frozenset[str]
    tolerance: float

    def __str__(self) -> str:
        return str(self.make)

    def judged(self, candidates: Candidates, data: Collection) -> tuple[Candidates, str]:
        """What a new judge makes of them, and its name."""
        judge = self.make(data)
        found = judge.judge(candidates, data)
        demand(isinstance(found, Candidates), f"judge() gives {type(found).__name__}, not Candidates.")
        demand(isinstance(getattr(judge, "name", None), str), "its name must be a string.")
        return found, judge.name

    def all(self) -> Iterator[tuple[Candidates, Candidates, str]]:
        """For every example: the candidates, and what a new judge of that name makes of them."""
        for data in every_example():
            candidates = example_candidates(data)
            yield candidates, *self.judged(candidates, data)


@SUITE
def adds_its_column(case: JudgeCase) -> None:
    """It adds ``judge.<name>`` of its own name, ``trust.<name>`` if it gives trust, ``weight`` and ``target`` if they
    are announced (``gives=``), no weight negative or without a number, and nothing under other names.
    """
    for before, found, name in case.all():
        new = set(found.table.column_names) - set(before.table.column_names)
        demand(f"judge.{name}" in new, f"it is called {name!r} and adds {sorted(new) or 'no column'}.")
        foreign = new - {f"judge.{name}", f"trust.{name}", *case.gives}
        hint = "; announce it with gives=" if foreign & {"weight", "target"} else ""
        demand(not foreign, f"it is called {name!r} and adds {sorted(foreign)}{hint}.")
        lacks = case.gives - set(found.table.column_names)
        demand(not lacks, f"it is said to give {sorted(lacks)}, and does not.")
        weights = found.column("weight") if "weight" in case.gives else np.zeros(0)
        wrong = weights[~(np.isfinite(weights) & (weights >= 0))]
        demand(not len(wrong), f"{len(wrong)} of {len(weights)} cells have a weight like {wrong[:1].tolist()}.")


@SUITE
def drops_nothing(case: JudgeCase) -> None:
    """Every cell that came in goes out, and no other: to drop is the user's to decide."""
    for before, found, _ in case.all():
        ours, theirs = (set(zip(c.row.tolist(), c.col.tolist(), strict=True)) for c in (before, found))
        demand(
            ours == theirs,
            f"of {len(ours)} cells {len(ours - theirs)} are gone, and {len(theirs - ours)} are new.",
        )


@SUITE
def keeps_order(case: JudgeCase) -> None:
    """Cells stand where they stood."""
    for before, found, _ in case.all():
        size = min(len(before), len(found))
        moved = np.flatnonzero((before.row[:size] != found.row[:size]) | (before.col[:size] != found.col[:size]))
        demand(
            not len(moved),
            f"{len(moved)} of {size} cells stand elsewhere, the first of them was number {moved[:1].tolist()}.",
        )


@SUITE
def keeps_columns(case: JudgeCase) -> None:
    """What miners and other judges said stays as it was."""
    for before, found, _ in case.all():
        for column in before.table.column_names:
            demand(column in found.table.column_names, f"the column {column!r} is gone.")
            differs = len(found) == len(before) and not found.table[column].equals(before.table[column])
            demand(not differs, f"the column {column!r} holds other values than before.")
        demand(found.counts == before.counts, "the miners' counts are others.")
        demand(found.made_from == before.made_from, "the candidates no longer say which data they were made from.")


@SUITE
def values_are_numbers(case: JudgeCase) -> None:
    """A raw value is a finite number, or null where there is nothing to judge; some cells have one."""
    some = False
    for _, found, name in case.all():
        values = found.column(f"judge.{name}")
        endless = int(np.isinf(values).sum())
        demand(not endless, f"{endless} of {len(values)} values of 'judge.{name}' are infinite.")
        some |= bool(np.isfinite(values).any())
    demand(some, "it judges not a single cell of the examples.")


@SUITE
def trust_withheld(case: JudgeCase) -> None:
    """A judge that neither returns probabilities nor was calibrated fills no ``trust``."""
    for before, found, _ in case.all():
        added = sorted(set(found.trusted_by) - set(before.trusted_by))
        demand(not added, f"it fills trust.{added[0] if added else ''}; say gives_trust=True if that is a probability.")


@SUITE
def trust_in_range(case: JudgeCase) -> None:
    """``trust.<name>`` is a probability, between 0 and 1, or null; some cells have one."""
    some = False
    for _, found, name in case.all():
        demand(name in found.trusted_by, f"it is said to give trust, and there is no column 'trust.{name}'.")
        trust = found.column(f"trust.{name}")
        outside = trust[(trust < 0) | (trust > 1)]
        demand(not len(outside), f"{len(outside)} cells have a trust outside [0, 1], such as {outside[:1].tolist()}.")
        some |= bool(np.isfinite(trust).any())
    demand(some, "it gives not a single cell of the examples a trust.")


@SUITE
def trust_of_assumed_label(case: JudgeCase) -> None:
    """Trust is the chance that the assumed label is right: for labels assumed the other way it is 1 minus that."""
    for data in every_example():
        candidates = example_candidates(data)
        found, name = case.judged(candidates, data)
        turned, _ = case.judged(_turned(candidates), data)
        trust, other = found.column(f"trust.{name}"), turned.column(f"trust.{name}")
        differs = numbers_differ(other, 1 - trust, max(case.tolerance, 1e-9))
        demand(not differs, f"with labels assumed the other way trust is not 1 minus trust, {differs}.")


@SUITE
def same_result_twice(case: JudgeCase) -> None:
    """Asked again, and made anew, it says the same, to the byte."""
    for data in every_example():
        candidates = example_candidates(data)
        judge = case.make(data)
        first = judge.judge(candidates, data)
        for again, when in (
            (judge.judge(candidates, data), "asked again"),
            (case.judged(candidates, data)[0], "made anew"),
        ):
            differs = tables_differ(first, again)
            demand(not differs, f"{when} it gives another answer: {differs}.")


@SUITE
def cells_alone(case: JudgeCase) -> None:
    """What it says of a cell does not depend on the candidates that are judged with it."""
    for data in every_example():
        candidates = example_candidates(data)
        whole, name = case.judged(candidates, data)
        numbers = np.arange(len(candidates))
        for part in (numbers % 3 == 1, numbers == numbers[-1], candidates.row % 2 == 0):
            found, _ = case.judged(candidates.filter(part), data)
            for column in [c for c in (f"judge.{name}", f"trust.{name}") if c in whole.table.column_names]:
                differs = numbers_differ(found.column(column), whole.column(column)[part], case.tolerance)
                demand(
                    not differs, f"{int(part.sum())} of {len(part)} cells judged without the rest: {column}, {differs}."
                )


@SUITE
def no_candidates(case: JudgeCase) -> None:
    """No candidates at all are accepted, and get the column all the same."""
    data = example_collection()
    candidates = example_candidates(data)
    found, name = case.judged(candidates.filter(np.zeros(len(candidates), dtype=bool)), data)
    demand(len(found) == 0, f"of no candidates it makes {len(found)}.")
    demand(f"judge.{name}" in found.table.column_names, f"without candidates there is no column 'judge.{name}'.")


@SUITE
def other_data_refused(case: JudgeCase) -> None:
    """Candidates that were made from other data are refused, not looked up at the wrong positions."""
    data, other = every_example()[:2]
    candidates = example_candidates(data)
    judge = case.make(other)
    try:
        judge.judge(candidates, other)
    except Exception:  # noqa: BLE001  any error is a refusal
        return
    raise AssertionError("it judges candidates of other data; call candidates.check_data(data) first.")


@SUITE
def inputs_unchanged(case: JudgeCase) -> None:
    """Judging leaves the candidates and the data as they were."""
    for data in every_example():
        candidates = example_candidates(data)
        table, was, before = candidates.to_table(), _arrays(candidates), snapshot(data)
        case.make(data).judge(candidates, data)
        changed = changed_parts(before, data)
        demand(not changed, f"after judging, the {', the '.join(changed)} of the data are others.")
        same = candidates.to_table().equals(table, check_metadata=True) and was == _arrays(candidates)
        demand(same, "after judging, the candidates that were given are others.")


@SUITE
def truth_unread(case: JudgeCase) -> None:
    """``data.truth`` is for evaluation; a judge that reads it is right about nothing else."""
    data = example_collection()
    candidates = example_candidates(data)
    differs = tables_differ(case.judged(candidates, data)[0], case.judged(candidates, with_truth(data))[0])
    demand(not differs, f"with a truth in the data it gives another answer: {differs}.")


def _turned(candidates: Candidates) -> Candidates:
    """The same cells with every label assumed the other way."""
    place = candidates.table.column_names.index("assumed")
    table = candidates.table.set_column(place, "assumed", pa.array(-candidates.assumed, pa.int8()))
    return Candidates(table, counts=candidates.counts, made_from=candidates.made_from)


def _arrays(candidates: Candidates) -> list[Any]:
    """What a judge may have got hold of and written to."""
    return [candidates.row.tolist(), candidates.col.tolist(), candidates.assumed.tolist(), candidates.trust.tobytes()]
