"""From a judge's raw values to trust, on cells of known truth.

The cells are those candidates of which more is known than the data's own labels say: what will be judged are candidates
too, so the fit is for cells like them. A candidate that the known judgements do not mention is *unknown*, not negative,
and is left out; only ``complete=True`` says that whatever is not mentioned is negative.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from litotes.core import Candidates, Collection, LabelMatrix, LitotesError
from litotes.core import progress as core_progress
from litotes.core.errors import DataError, StaleError
from litotes.core.fingerprint import difference
from litotes.data.beir import read_beir_judgements
from litotes.data.judgements import Judgements
from litotes.data.lines import parsed_lines
from litotes.data.trec import read_trec_judgements
from litotes.judging.calibration import Calibration
from litotes.judging.named import Judge

__all__ = ["CalibratedJudge", "calibrate", "calibrated_values", "known_cells", "read_known"]

_MANY_POSITIVES = 1 / 3  # a larger share among the known cells says that they were not drawn from the candidates


def calibrate(
    judge: Judge,
    candidates: Candidates,
    data: Collection,
    known: LabelMatrix | str | os.PathLike[str],
    *,
    complete: bool = False,
    say: Callable[[str], None] = core_progress.say,
) -> CalibratedJudge:
    """The judge with a calibration of its raw values, fitted on those candidates whose truth is known.

    Args:
        known: judgements beyond the data's own: a matrix over any ids, or a qrels file (TREC, or BEIR's TSV).
        complete: every cell that ``known`` does not mention, in a row that it does, is truly negative.
        say: takes one line of text for people: how many cells of each kind there were.

    Raises:
        LitotesError: no candidate is known, or only candidates of one kind are.
    """
    is_known, is_positive = known_cells(candidates, data, known, complete=complete)
    cells = candidates.filter(is_known)
    values = calibrated_values(judge, judge.judge(cells, data), data)
    n_positives, without = int(is_positive.sum()), int(np.isnan(values).sum())
    say(
        f"{judge.name}: calibrated on {len(cells):,} of {len(candidates):,} candidates, those of known truth: "
        f"{n_positives:,} positives, {len(cells) - n_positives:,} negatives"
        + (f"; {without:,} of them have no raw value." if without else ".")
    )
    fitted = Calibration.fit(values, is_positive, rows=cells.row, data=data, judge=_values_parts(judge))
    if n_positives > _MANY_POSITIVES * len(cells):
        say(
            f"{judge.name}: {n_positives / len(cells):.0%} of these known cells are positives, far more than among "
            "candidates at large: judgements are mostly made of what was found relevant, so too much will be "
            "suspected. Judge a random sample of the candidates, or let trust only order them."
        )
    return CalibratedJudge(judge, fitted)


class CalibratedJudge:
    """A judge whose raw values a calibration turns into ``trust.<name>``.

    Raises:
        StaleError: the calibration was fitted to the values of another judge; the message names the part that differs.
        LitotesError: the calibration reads more than one value.
    """

    def __init__(self, judge: Judge, calibration: Calibration) -> None:
        self.inner, self.calibration = judge, calibration
        self.name, self.kind = judge.name, getattr(judge, "kind", judge.name)
        if len(calibration.features) != 1:
            raise LitotesError(
                f"The calibration reads {', '.join(calibration.features)}; the judge {self.name!r} gives one raw value."
            )
        differs = difference(_values_parts(judge), dict(calibration.judge)) if calibration.judge else []
        if differs:
            raise StaleError(
                f"The calibration was fitted to another judge: the {' and the '.join(differs)} differ. "
                "Fit one to this judge with litotes judge --calibrate."
            )

    @property
    def calibrations(self) -> tuple[Calibration, ...]:
        """The calibrations in use."""
        return (self.calibration,)

    def judge(self, candidates: Candidates, data: Collection) -> Candidates:
        """The candidates with ``judge.<name>`` and ``trust.<name>``; none is dropped."""
        found = self.inner.judge(candidates, data)
        trust = self.calibration.trust(calibrated_values(self.inner, found, data), found.assumed)
        return found.with_columns({f"trust.{self.name}": trust})

    def fingerprint(self) -> dict[str, str]:
        """What decides the columns, by part."""
        return {**self.inner.fingerprint(), "calibration": self.calibration.fingerprint}

    def says(self, data: Collection) -> str:
        """In words, whether the trust holds for ``data``."""
        return self.calibration.says(data)


def calibrated_values(judge: Judge, found: Candidates, data: Collection) -> np.ndarray:
    """What a calibration reads of judged candidates, float64 ``[cells]``: ``judge.<name>``, or what the judge names
    instead with ``to_calibrate(found, data)`` where its column is only a part of what it knows.
    """
    named = getattr(judge, "to_calibrate", None)
    return found.column(f"judge.{judge.name}") if named is None else named(found, data)


def known_cells(
    candidates: Candidates,
    data: Collection,
    known: LabelMatrix | str | os.PathLike[str],
    *,
    complete: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Which candidates are known, bool ``[cells]``, and which of the known ones are positive, bool ``[known]``.

    What is known of a column is known of its text twins.
    """
    candidates.check_data(data)
    if not isinstance(known, LabelMatrix):
        known = read_known(known, data.labels.min_grade)
    rows, cols, grades = known.cells()
    rows = data.row_ids.positions(known.row_ids.values, missing=-1)[rows]
    cols = data.col_ids.positions(known.col_ids.values, missing=-1)[cols]
    ours = (rows >= 0) & (cols >= 0)
    rows, cols, positive = rows[ours], data.first_twin[cols[ours]], grades[ours] >= known.min_grade
    truth = LabelMatrix(data.row_ids, data.col_ids, rows, cols, positive.astype(float), duplicates="max")
    grade = truth.grades_at(candidates.row, data.first_twin[candidates.col])
    if complete:
        grade[np.isnan(grade) & np.isin(candidates.row, rows)] = 0
    is_known = ~np.isnan(grade)
    if not is_known.any():
        raise LitotesError(
            f"None of the {len(candidates):,} candidates is among the {len(known):,} cells of known truth "
            f"({len(rows):,} of which belong to this data). A candidate that was not judged is unknown, not negative: "
            "judge some candidates of both kinds."
        )
    return is_known, grade[is_known] >= 1


def read_known(path: str | os.PathLike[str], min_grade: float = 1.0) -> LabelMatrix:
    """The judgements of a qrels file, over the ids that stand in it: TREC's four columns, or BEIR's three with tabs.

    Raises:
        DataError: no such file, a line that is no judgement, or two judgements of one cell that differ.
    """
    path = Path(path)
    first = next(parsed_lines(path, str, Counter()), None)
    if first is None:
        raise DataError(f"{path}: there is not a single judgement.")
    found = Judgements()
    read = read_beir_judgements if first[1].count("\t") == 2 else read_trec_judgements
    read(path, found, Counter(), False)
    return found.matrix(list(found.row_ids), list(found.col_ids), min_grade=min_grade, duplicates="refuse")


def _values_parts(judge: Judge) -> dict[str, str]:
    """What decides the raw values: the judge's fingerprint without a calibration of its own."""
    return {part: value for part, value in judge.fingerprint().items() if part != "calibration"}
