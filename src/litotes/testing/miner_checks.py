"""What a miner is held to, on the collections of :mod:`litotes.testing.examples`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from litotes.core import Candidates, Collection
from litotes.testing.check import Suite, demand
from litotes.testing.double_loop import double_loop
from litotes.testing.examples import every_example, example_collection
from litotes.testing.making import Making
from litotes.testing.same_cells import cells_differ, tables_differ
from litotes.testing.snapshot import changed_parts, snapshot, with_truth

__all__ = ["SUITE", "MinerCase"]

SUITE = Suite("miner")


@dataclass(frozen=True)
class MinerCase:
    """What the checks of a miner work with."""

    make: Making
    other: Making | None
    score: Callable[[Collection, int, int], float] | None
    recall: float

    def __str__(self) -> str:
        return str(self.make)

    def mine(self, data: Collection, rows: np.ndarray | None = None, make: Making | None = None) -> Candidates:
        """What a new miner proposes."""
        return _mined(self.answer(data, rows, make))

    def answer(self, data: Collection, rows: np.ndarray | None = None, make: Making | None = None) -> Any:
        """What a new miner returns, whatever that is."""
        miner = (make or self.make)(data)
        return miner.mine(data) if rows is None else miner.mine(data, rows=rows)

    def all(self) -> Iterator[tuple[Collection, Candidates]]:
        """Every example with what a new miner proposes."""
        for data in every_example():
            yield data, self.mine(data)


@SUITE
def returns_candidates(case: MinerCase) -> None:
    """``mine`` gives ``Candidates`` made from the data, with the columns ``score.<name>`` and ``rank.<name>`` of the
    miner's name, a finite score and a rank for every cell. No example whose rows have columns left gets nothing.
    """
    data = example_collection()
    miner = case.make(data)
    found = _mined(miner.mine(data))
    demand(len(found) > 0, f"it proposes nothing for the {data.name} example.")
    for example in map(example_collection, ("tiny", "ties")):
        other = case.make(example)
        bounds = [getattr(other, bound, None) for bound in ("min_score", "max_score")]
        some = bool((_left(example)[example.rows_with_content] > int(getattr(other, "skip", 0))).any())
        if some and all(bound is None or np.isinf(bound) for bound in bounds):
            nothing = not len(_mined(other.mine(example)))
            demand(not nothing, f"it proposes nothing for the {example.name} example, whose rows have columns left.")
    demand(found.made_from != {}, "its candidates do not say which data they were made from; use Candidates.build.")
    found.check_data(data)
    name = getattr(miner, "name", None)
    demand(isinstance(name, str), f"its name must be a string. Got {name!r}.")
    demand(found.miners == [name], f"its candidates have scores of {found.miners}, and it is called {name!r}.")
    for column in (f"score.{name}", f"rank.{name}"):
        bad = int((~np.isfinite(found.column(column))).sum())
        demand(not bad, f"{bad} of {len(found)} cells have no finite {column!r}.")


@SUITE
def positions_in_range(case: MinerCase) -> None:
    """Rows and columns are positions in the data: never -1 for a place that stayed empty, never beyond the last."""
    for data, found in case.all():
        for side, positions, size in (("row", found.row, data.n_rows), ("column", found.col, data.n_cols)):
            outside = positions[(positions < 0) | (positions >= size)]
            demand(not len(outside), f"it proposes {side} {outside[:1].tolist()} of data that has {size} {side}s.")


@SUITE
def only_asked_rows(case: MinerCase) -> None:
    """Cells come from the rows that were asked for, and no rows give no cells."""
    data = example_collection()
    asked = np.array([3, 8, 20])
    found = case.mine(data, asked)
    others = np.setdiff1d(found.row, asked)
    demand(not len(others), f"asked for rows {asked.tolist()} it proposes cells of rows {others.tolist()}.")
    none = case.mine(data, np.zeros(0, dtype=np.int64))
    demand(len(none) == 0, f"asked for no rows it proposes {len(none)} cells.")


@SUITE
def rows_in_any_order(case: MinerCase) -> None:
    """Rows that are asked for out of order, or twice, get what they get in order and once."""
    data = example_collection()
    asked = np.array([3, 8, 20])
    expected = case.mine(data, asked)
    name = expected.miners[0]
    for rows in (asked[[2, 0, 1]], asked[[0, 1, 1, 2, 0]]):
        found = case.mine(data, rows)
        differs = cells_differ(found, expected, name) if found.miners == [name] else f"miners {found.miners}"
        differs = differs or (f"{len(found)} cells and {len(expected)} cells" if len(found) != len(expected) else "")
        demand(not differs, f"asked for rows {rows.tolist()} and for rows {asked.tolist()} it differs: {differs}.")


@SUITE
def never_positive(case: MinerCase) -> None:
    """An observed positive of the row is never proposed."""
    for data, found in case.all():
        _none_of(data, found, data.labels.is_positive(found.row, found.col), "an observed positive")


@SUITE
def never_twin(case: MinerCase) -> None:
    """A column whose normalised text is that of a positive of the row is never proposed."""
    for data, found in case.all():
        twin = data.is_positive(found.row, found.col) & ~data.labels.is_positive(found.row, found.col)
        _none_of(data, found, twin, "which has the text of a positive")


@SUITE
def never_empty(case: MinerCase) -> None:
    """A column without content is never proposed."""
    for data, found in case.all():
        _none_of(data, found, ~data.cols_with_content[found.col], "which has no content")


@SUITE
def rows_without_content(case: MinerCase) -> None:
    """A row without content gets nothing; others do not notice it."""
    data = example_collection()
    for row in np.flatnonzero(~data.rows_with_content).tolist():
        found = case.mine(data, np.array([row]))
        demand(len(found) == 0, f"row {data.row_ids[row]!r} has no text, and gets {len(found)} cells.")


@SUITE
def each_cell_once(case: MinerCase) -> None:
    """No column is proposed twice to one row."""
    for data, found in case.all():
        cells = found.row * data.n_cols + found.col
        twice = len(cells) - len(np.unique(cells))
        demand(not twice, f"{twice} of {len(cells)} cells of the {data.name} example stand there before.")


@SUITE
def at_most_top(case: MinerCase) -> None:
    """No row gets more than ``top`` cells, the miner's attribute."""
    for data in every_example():
        miner = case.make(data)
        top = getattr(miner, "top", None)
        demand(
            isinstance(top, int | np.integer),
            f"its attribute 'top', the most cells of a row, must be an int. Got {top!r}.",
        )
        sizes = np.bincount(_mined(miner.mine(data)).row, minlength=data.n_rows)
        most = int(sizes.argmax())
        demand(sizes[most] <= top, f"row {data.row_ids[most]!r} gets {sizes[most]} cells; top is {top}.")


@SUITE
def small_corpus(case: MinerCase) -> None:
    """Where fewer columns are left than ``top``, a row gets fewer; where none is left, nothing."""
    for data in every_example():
        free = _left(data)
        sizes = np.bincount(case.mine(data).row, minlength=data.n_rows)
        for row in np.flatnonzero(sizes > free).tolist():
            raise AssertionError(
                f"row {data.row_ids[row]!r} of the {data.name} example gets {sizes[row]} cells; {free[row]} are left."
            )


@SUITE
def ranks_follow_scores(case: MinerCase) -> None:
    """Ranks of a row count on from ``skip + 1`` without a gap, and no score is higher than one of a better rank."""
    for data in every_example():
        miner = case.make(data)
        found = _mined(miner.mine(data))
        first = 1 + int(getattr(miner, "skip", 0))
        for row, score, rank in _lists(found, miner.name):
            expected = np.arange(first, first + len(rank))
            demand(
                bool((rank == expected).all()),
                f"row {data.row_ids[row]!r} has ranks {_few(rank)}, which should be {_few(expected)}.",
            )
            worse = np.flatnonzero(np.diff(score) > 0)
            demand(
                not len(worse),
                f"row {data.row_ids[row]!r} scores {score[worse[:1]].tolist()} at rank {rank[worse[:1]].tolist()} and "
                f"{score[worse[:1] + 1].tolist()} behind it.",
            )


@SUITE
def ties_by_column(case: MinerCase) -> None:
    """Cells of one score stand in the order of their columns, and where not all of them fit, the first columns do."""
    for data in every_example():
        miner = case.make(data)
        found = _mined(miner.mine(data))
        for row, score, _ in _lists(found, miner.name):
            col, name = found.col[found.row == row], data.row_ids[row]
            turned = np.flatnonzero((np.diff(score) == 0) & (np.diff(col) < 0))
            demand(
                not len(turned),
                f"row {name!r} has column {col[turned[:1]].tolist()} before {col[turned[:1] + 1].tolist()}, and both "
                f"score {score[turned[:1]].tolist()}.",
            )
            if data.name == "ties" and not getattr(miner, "skip", 0) and (score == score[0]).all():
                alike = np.setdiff1d(np.arange(data.n_cols), data.labels.positive_cells()[1])
                demand(
                    bool((col == alike[: len(col)]).all() or not np.isin(col, alike).all()),
                    f"row {name!r} gets columns {_few(col)} of {_few(alike)}, all of score {score[0]}; take the first.",
                )


@SUITE
def same_result_twice(case: MinerCase) -> None:
    """Asked again, and made anew, it proposes the same cells with the same scores, to the byte."""
    for data in every_example():
        miner = case.make(data)
        first = _mined(miner.mine(data))
        for again, when in ((_mined(miner.mine(data)), "asked again"), (case.mine(data), "made anew")):
            differs = tables_differ(first, again)
            demand(not differs, f"{when} it gives another answer: {differs}.")


@SUITE
def rows_alone(case: MinerCase) -> None:
    """What a row gets does not depend on the rows that are mined with it, up to 1e-6 in scores and to ties."""
    data = example_collection()
    whole = case.mine(data)
    name = whole.miners[0]
    for step in (1, 7):
        blocks = [np.arange(start, min(start + step, data.n_rows)) for start in range(0, data.n_rows, step)]
        miner = case.make(data)
        parts = [_mined(miner.mine(data, rows=block)) for block in blocks]
        differs = cells_differ(parts[0].merge(*parts[1:]), whole, name)
        demand(not differs, f"mined {step} row(s) at a time and all at once it differs: {differs}.")


@SUITE
def other_blocks(case: MinerCase) -> None:
    """Another block or batch size changes nothing, up to 1e-6 in scores and to ties."""
    for data in every_example():
        found = case.mine(data)
        differs = cells_differ(case.mine(data, make=case.other), found, found.miners[0]) if len(found) else ""
        demand(not differs, f"with other blocks it differs: {differs}.")


@SUITE
def finds_the_best(case: MinerCase) -> None:
    """It finds what the double loop over all cells finds; an approximate miner finds the share of it that it states."""
    assert case.score is not None
    for data in every_example():
        miner = case.make(data)
        found = _mined(miner.mine(data, rows=np.flatnonzero(data.rows_with_content)))
        window = {"skip": getattr(miner, "skip", 0)}
        window |= {n: getattr(miner, n) for n in ("min_score", "max_score") if getattr(miner, n, None) is not None}
        loop = double_loop(lambda row, col, data=data: case.score(data, row, col), data, miner.top, **window)  # type: ignore[misc]
        expected = {(row, col) for row, col, _, _ in loop if data.rows_with_content[row]}
        cells = set(zip(found.row.tolist(), found.col.tolist(), strict=True))
        share = len(cells & expected) / len(expected) if expected else 1.0
        demand(
            share >= case.recall and (case.recall < 1 or cells == expected),
            f"of the {len(expected)} cells of the double loop over the {data.name} example it finds "
            f"{len(cells & expected)}, and {len(cells - expected)} others; recall should be {case.recall:g}.",
        )


@SUITE
def data_unchanged(case: MinerCase) -> None:
    """Mining leaves the data, and the array of rows, as they were."""
    for data in every_example():
        before, rows = snapshot(data), np.arange(data.n_rows)
        case.answer(data, rows)
        changed = changed_parts(before, data)
        demand(not changed, f"after mining, the {', the '.join(changed)} of the data are others.")
        demand(bool((rows == np.arange(data.n_rows)).all()), "after mining, the array of rows is another.")


@SUITE
def truth_unread(case: MinerCase) -> None:
    """``data.truth`` is for evaluation; a miner that reads it finds what it could not find."""
    data = example_collection()
    differs = tables_differ(case.mine(data), case.mine(with_truth(data)))
    demand(not differs, f"with a truth in the data it gives another answer: {differs}.")


def _mined(found: Any) -> Candidates:
    """``found``, if it is what a miner returns."""
    demand(isinstance(found, Candidates), f"mine() gives {type(found).__name__}, not Candidates.")
    return found


def _left(data: Collection) -> np.ndarray:
    """How many columns each row may get, int64 ``[n_rows]``."""
    rows, cols = np.divmod(np.arange(data.n_rows * data.n_cols), data.n_cols)
    free = ~data.is_positive(rows, cols) & data.cols_with_content[cols]
    return np.bincount(rows[free], minlength=data.n_rows)


def _none_of(data: Collection, found: Candidates, wrong: np.ndarray, what: str) -> None:
    places = np.flatnonzero(wrong)
    if len(places):
        row, col = int(found.row[places[0]]), int(found.col[places[0]])
        raise AssertionError(
            f"row {data.row_ids[row]!r} of the {data.name} example gets column {data.col_ids[col]!r}, {what}; "
            f"{len(places)} such cells of {len(found)}."
        )


def _lists(found: Candidates, name: str) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Scores and ranks of each row, in the order of the candidates, which is that of the ranks."""
    score, rank = found.column(f"score.{name}"), found.column(f"rank.{name}")
    for row in np.unique(found.row).tolist():
        inside = found.row == row
        yield row, score[inside], rank[inside].astype(np.int64)


def _few(values: np.ndarray) -> str:
    return f"{values[:8].tolist()}{' ...' if len(values) > 8 else ''}"
