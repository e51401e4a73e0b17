"""What a negative sampler is held to, on the collections of :mod:`litotes.testing.examples`."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from litotes.core import Collection
from litotes.testing.check import Suite, demand
from litotes.testing.examples import FULL_ROW, every_example, example_collection
from litotes.testing.making import Making
from litotes.testing.snapshot import changed_parts, snapshot

__all__ = ["SUITE", "SamplerCase"]

SUITE = Suite("negative sampler")

_K, _MANY, _LEAST = 7, 20_000, 5.0
_RARE = 4.75  # standard deviations of a normal: one in a million


@dataclass(frozen=True)
class SamplerCase:
    """What the checks of a negative sampler work with."""

    make: Making
    expected: Callable[[Collection, int], np.ndarray] | None
    make_generator: Callable[[int], Any]

    def __str__(self) -> str:
        return str(self.make)

    def drawn(self, data: Collection, seed: int = 0, k: int = _K) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows and positives of a batch of all usable positive cells, and what a new sampler draws for it."""
        rows, cols = batch(data)
        return rows, cols, self.make(data).sample(rows, cols, k, self.make_generator(seed))

    def all(self) -> Iterator[tuple[Collection, np.ndarray, np.ndarray]]:
        """For every example: the data, the rows, and columns drawn for them, checked to be positions."""
        for data in every_example():
            rows, _, found = self.drawn(data, k=50)
            yield data, np.repeat(rows, 50), _positions(found, len(rows), 50, data).ravel()


@SUITE
def shape_and_range(case: SamplerCase) -> None:
    """``k`` columns for each cell, whole numbers ``[n, k]`` that are positions in the data; none for an empty batch."""
    for data in every_example():
        rows, _, found = case.drawn(data)
        _positions(found, len(rows), _K, data)
        none = np.zeros(0, dtype=np.int64)
        nothing = case.make(data).sample(none, none, _K, case.make_generator(0))
        shape = getattr(nothing, "shape", None)
        demand(shape == (0, _K), f"for an empty batch it gives shape {shape}, not (0, {_K}).")


@SUITE
def never_positive(case: SamplerCase) -> None:
    """An observed positive of the row is never drawn."""
    for data, rows, found in case.all():
        _none_of(data, rows, found, data.labels.is_positive(rows, found), "an observed positive")


@SUITE
def never_twin(case: SamplerCase) -> None:
    """A column whose normalised text is that of a positive of the row is never drawn."""
    for data, rows, found in case.all():
        twin = data.is_positive(rows, found) & ~data.labels.is_positive(rows, found)
        _none_of(data, rows, found, twin, "which has the text of a positive")


@SUITE
def never_empty(case: SamplerCase) -> None:
    """A column without content is never drawn."""
    for data, rows, found in case.all():
        _none_of(data, rows, found, ~data.cols_with_content[found], "which has no content")


@SUITE
def same_seed_same_draws(case: SamplerCase) -> None:
    """The generator's seed decides the draws, to the byte, whoever draws."""
    for data in every_example():
        rows, cols, first = case.drawn(data)
        _, _, second = case.drawn(data)
        demand(_same(first, second), "the same seed gives other columns.")
        sampler, others = case.make(data), case.make_generator(1)
        sampler.sample(rows, cols, _K, others)
        third = sampler.sample(rows, cols, _K, case.make_generator(0))
        demand(_same(first, third), "the same seed gives other columns after other draws: something is remembered.")


@SUITE
def other_seed_other_draws(case: SamplerCase) -> None:
    """Another seed gives other columns, and so does drawing on with the same generator."""
    data = example_collection()
    rows, cols, first = case.drawn(data, seed=0)
    _, _, second = case.drawn(data, seed=1)
    demand(not _same(first, second), "seeds 0 and 1 give the same columns.")
    sampler, generator = case.make(data), case.make_generator(0)
    one, two = (sampler.sample(rows, cols, _K, generator) for _ in range(2))
    demand(not _same(one, two), "it draws the same columns again from one generator: the next epoch is this one.")


@SUITE
def resumed(case: SamplerCase) -> None:
    """Stopped in the second epoch and resumed with the saved generator, it draws as if never stopped."""
    data = example_collection()
    rows, cols = batch(data)
    half = len(rows) // 2
    parts = [(rows, cols), (rows[:half], cols[:half]), (rows[half:], cols[half:]), (rows, cols)]
    sampler, generator = case.make(data), case.make_generator(3)
    for part in parts[:2]:
        sampler.sample(*part, _K, generator)
    saved = copy.deepcopy(generator)
    expected = [sampler.sample(*part, _K, generator) for part in parts[2:]]
    other = case.make(data)
    found = [other.sample(*part, _K, saved) for part in parts[2:]]
    same = all(_same(one, two) for one, two in zip(expected, found, strict=True))
    demand(same, "resumed, it draws other columns than one that was never stopped: its state is not the generator's.")


@SUITE
def blocks(case: SamplerCase) -> None:
    """A batch cut in blocks, drawn one after the other from one generator, gets the columns that it gets at once."""
    for data in every_example():
        rows, cols, whole = case.drawn(data)
        for step in (1, 3):
            sampler, generator = case.make(data), case.make_generator(0)
            starts = range(0, len(rows), step)
            parts = [sampler.sample(rows[s : s + step], cols[s : s + step], _K, generator) for s in starts]
            demand(
                _same(np.concatenate(parts), whole), f"drawn in blocks of {step} it gives other columns than at once."
            )


@SUITE
def frequencies(case: SamplerCase) -> None:
    """Over 20,000 draws a row, columns come as often as is stated (chi-square, one in a million; columns of which fewer
    than five draws are expected count together).
    """
    assert case.expected is not None
    data = example_collection()
    sampler, generator = case.make(data), case.make_generator(0)
    rows, cols = batch(data)
    first = np.unique(rows, return_index=True)[1]
    for row, col in zip(rows[first].tolist(), cols[first].tolist(), strict=True):
        weights = np.asarray(case.expected(data, row), dtype=np.float64)
        name = data.row_ids[row]
        demand(weights.shape == (data.n_cols,), f"expected() gives shape {weights.shape}, not ({data.n_cols},).")
        wrong = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
        demand(
            not len(wrong),
            f"expected() must be finite and not negative; for row {name!r} it gives {weights[wrong[:1]].tolist()} for "
            f"column {wrong[:1].tolist()}.",
        )
        demand(weights.sum() > 0, f"expected() gives no column of row {name!r} a chance, and it has columns left.")
        found = sampler.sample(np.full(_MANY // 100, row), np.full(_MANY // 100, col), 100, generator)
        counts, means = np.bincount(np.ravel(found), minlength=data.n_cols), _MANY * (weights / weights.sum())
        never = np.flatnonzero((weights == 0) & (counts > 0))
        demand(not len(never), f"row {name!r} gets column {never[:1].tolist()}, whose stated chance is 0.")
        rare = np.flatnonzero((means > 0) & (means < _LEAST))
        came, stated = int(counts[rare].sum()), float(means[rare].sum())
        demand(
            stated >= _LEAST or _chance_of(came, stated) >= 1e-6,
            f"row {name!r}: columns {rare.tolist()} came {came} times of {_MANY}, and {stated:.3g} are stated.",
        )
        groups = [*np.flatnonzero(means >= _LEAST)[:, None], *([rare] if stated >= _LEAST else [])]
        came_each, stated_each = (np.array([x[group].sum() for group in groups]) for x in (counts, means))
        shares = (came_each - stated_each) ** 2 / stated_each
        chi_square, limit, off = float(shares.sum()), _highest_chi_square(len(groups) - 1), int(shares.argmax())
        which = f"column {groups[off][0]} came" if len(groups[off]) == 1 else f"columns {groups[off].tolist()} came"
        demand(
            chi_square <= limit,
            f"row {name!r}: chi-square is {chi_square:.1f}, at most {limit:.1f} is chance; {which} {came_each[off]} "
            f"times of {_MANY}, {stated_each[off]:.1f} are stated.",
        )


@SUITE
def full_row_named(case: SamplerCase) -> None:
    """A row that has no column left is an error that names it, not a positive in disguise or an endless search."""
    data = example_collection()
    row = data.row_ids.index(FULL_ROW)
    rows, cols = batch(data)
    rows, cols = np.append(rows[:3], row), np.append(cols[:3], data.labels.positives(row)[0])
    try:
        found = case.make(data).sample(rows, cols, _K, case.make_generator(0))
    except Exception as error:
        if FULL_ROW in str(error):
            return
        raise AssertionError(f"its error does not name the row {FULL_ROW!r}: {error}") from error
    raise AssertionError(f"for row {FULL_ROW!r}, which has no column left, it draws {np.asarray(found)[-1].tolist()}.")


@SUITE
def inputs_unchanged(case: SamplerCase) -> None:
    """Sampling leaves the data and the batch as they were."""
    for data in every_example():
        before, (rows, cols) = snapshot(data), batch(data)
        given = rows.copy(), cols.copy()
        case.make(data).sample(*given, _K, case.make_generator(0))
        changed = changed_parts(before, data)
        demand(not changed, f"after sampling, the {', the '.join(changed)} of the data are others.")
        same = bool((given[0] == rows).all() and (given[1] == cols).all())
        demand(same, "after sampling, the batch's rows or columns are others.")


def batch(data: Collection) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the positive cells on which one can train: both with a text, and a column left to draw."""
    rows, cols = data.labels.positive_cells()
    usable = data.rows_with_content[rows] & data.cols_with_content[cols]
    usable &= np.array([data.row_ids[row] != FULL_ROW for row in rows], dtype=bool)
    return rows[usable].copy(), cols[usable].copy()


def _positions(found: Any, n: int, k: int, data: Collection) -> np.ndarray:
    shape = getattr(found, "shape", None)
    demand(shape == (n, k), f"for {n} cells and k={k} it gives shape {shape}, not ({n}, {k}).")
    found = np.asarray(found)
    demand(found.dtype.kind in "iu", f"its columns are {found.dtype}, not whole numbers.")
    outside = found[(found < 0) | (found >= data.n_cols)]
    demand(not len(outside), f"it draws column {outside[:1].tolist()} of data that has {data.n_cols}.")
    return found


def _none_of(data: Collection, rows: np.ndarray, found: np.ndarray, wrong: np.ndarray, what: str) -> None:
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        row, col = data.row_ids[rows[place]], data.col_ids[found[place]]
        raise AssertionError(f"row {row!r} gets column {col!r}, {what}; {int(wrong.sum())} such draws of {len(wrong)}.")


def _same(one: Any, other: Any) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    return one.shape == other.shape and one.dtype == other.dtype and bool((one == other).all())


def _chance_of(count: int, mean: float) -> float:
    """The chance that as many or more come where ``mean``, below five, are expected (Poisson)."""
    return 1 - sum(math.exp(-mean) * mean**n / math.factorial(n) for n in range(min(count, 100)))


def _highest_chi_square(freedom: int) -> float:
    """What chi-square exceeds by chance once in a million (Wilson and Hilferty 1931)."""
    spread = 2 / (9 * max(freedom, 1))
    return max(freedom, 1) * (1 - spread + _RARE * spread**0.5) ** 3
