"""Negative samplers that break one promise each, beside those that keep them all."""

import numpy as np
import torch

from litotes.core import Collection


class Plain:
    """Row by row, nothing clever; one number of the generator a draw."""

    def __init__(self, data: Collection):
        self.data = data

    def sample(self, rows, cols, k, generator):
        found = [self.drawn(row, col, k, generator) for row, col in zip(rows.tolist(), cols.tolist(), strict=True)]
        return np.array(found, dtype=np.int64).reshape(len(rows), k)

    def drawn(self, row, col, k, generator):
        free = self.free(row)
        if not len(free):
            raise ValueError(f"nothing left for {self.data.row_ids[row]}")
        return free[(generator.random(k) * len(free)).astype(int)]

    def free(self, row):
        cols = np.arange(self.data.n_cols)
        return cols[~self.data.is_positive(np.full(len(cols), row), cols) & self.data.cols_with_content]


class OfTorch(Plain):
    def drawn(self, row, col, k, generator):
        free = self.free(row)
        if not len(free):
            raise ValueError(f"nothing left for {self.data.row_ids[row]}")
        return free[torch.randint(len(free), (k,), generator=generator).numpy()]


class TheOtherWayRound(Plain):
    def sample(self, rows, cols, k, generator):
        return super().sample(rows, cols, k, generator).T


class OfFloats(Plain):
    def sample(self, rows, cols, k, generator):
        return super().sample(rows, cols, k, generator).astype(float)


class FillsUpWithMinusOne(Plain):
    def drawn(self, row, col, k, generator):
        return np.append(super().drawn(row, col, k - 1, generator), -1)


class NeedsACell(Plain):
    def sample(self, rows, cols, k, generator):
        return np.stack([self.drawn(row, col, k, generator) for row, col in zip(rows, cols, strict=True)])


class DrawsPositives(Plain):
    def free(self, row):
        return np.flatnonzero(self.data.cols_with_content)


class DrawsTwins(Plain):
    def free(self, row):
        cols = np.flatnonzero(self.data.cols_with_content)
        return cols[~np.isin(cols, self.data.labels.positives(row))]


class DrawsEmptyColumns(Plain):
    def free(self, row):
        cols = np.arange(self.data.n_cols)
        return cols[~self.data.is_positive(np.full(len(cols), row), cols)]


class HasItsOwnChance(Plain):
    own = np.random.default_rng(0)

    def drawn(self, row, col, k, generator):
        return super().drawn(row, col, k, self.own)


class IgnoresTheGenerator(Plain):
    def drawn(self, row, col, k, generator):
        return super().drawn(row, col, k, np.random.default_rng(row))


class CountsItsCalls(Plain):
    """The generator and a number that nobody saves."""

    calls = 0

    def sample(self, rows, cols, k, generator):
        self.calls += 1
        self.shift = self.calls
        return super().sample(rows, cols, k, generator)

    def drawn(self, row, col, k, generator):
        return np.roll(self.free(row), self.shift)[(generator.random(k) * len(self.free(row))).astype(int)]


class OneSeedACall(Plain):
    def sample(self, rows, cols, k, generator):
        return super().sample(rows, cols, k, np.random.default_rng(generator.integers(2**31)))


class PrefersTheFirst(Plain):
    def drawn(self, row, col, k, generator):
        free = self.free(row)
        return free[(generator.random(k) ** 1.2 * len(free)).astype(int)]


class NamesNobody(Plain):
    def drawn(self, row, col, k, generator):
        return self.free(row)[generator.integers(len(self.free(row)), size=k)]


class TakesAnythingAtLast(Plain):
    def free(self, row):
        free = super().free(row)
        return free if len(free) else np.arange(self.data.n_cols)


class SortsTheBatch(Plain):
    def sample(self, rows, cols, k, generator):
        rows[:] = rows[::-1].copy()
        return super().sample(rows, cols, k, generator)


class NotesWhatItDrew(Plain):
    def sample(self, rows, cols, k, generator):
        self.data.notes["drawn"] = self.data.notes.get("drawn", 0) + len(rows)
        return super().sample(rows, cols, k, generator)


def equally(data: Collection, row: int) -> np.ndarray:
    return np.isin(np.arange(data.n_cols), Plain(data).free(row)).astype(float)


RARE = 1e-5


class DrawsSomeRarely(Plain):
    """A tenth of the columns has a hundred-thousandth of the others' chance: of each less than one draw is expected."""

    rare = RARE

    def drawn(self, row, col, k, generator):
        free = self.free(row)
        if not len(free):
            raise ValueError(f"nothing left for {self.data.row_ids[row]}")
        ends = np.cumsum(np.where(free % 10 == 1, self.rare, 1.0))
        return free[np.searchsorted(ends, generator.random(k) * ends[-1], side="right")]


class DrawsThemTooOften(DrawsSomeRarely):
    rare = 2e-2


class DrawsRareOnesTooOften(DrawsSomeRarely):
    """Each of them less than five times, all together often."""

    rare = 3e-3


def rarely(data: Collection, row: int) -> np.ndarray:
    return equally(data, row) * np.where(np.arange(data.n_cols) % 10 == 1, RARE, 1.0)


def less_rarely(data: Collection, row: int) -> np.ndarray:
    """Of each a few draws are expected, of all together more than five."""
    return equally(data, row) * np.where(np.arange(data.n_cols) % 10 == 1, 0.006, 1.0)


def not_a_number(data: Collection, row: int) -> np.ndarray:
    return np.full(data.n_cols, np.nan)


def below_nothing(data: Collection, row: int) -> np.ndarray:
    return equally(data, row) - 0.5


def nowhere(data: Collection, row: int) -> np.ndarray:
    return np.zeros(data.n_cols)


def only_the_first_half(data: Collection, row: int) -> np.ndarray:
    return equally(data, row) * (np.arange(data.n_cols) < data.n_cols // 2)


def of_torch(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


RIGHT_PARTS = {
    "plain": {"make": Plain, "expected": equally, "blocks": True},
    "some rarely": {"make": DrawsSomeRarely, "expected": rarely},
    "of torch": {"make": OfTorch, "expected": equally, "make_generator": of_torch},
}

WRONG: dict[str, list[dict]] = {
    "shape_and_range": [{"make": make} for make in (TheOtherWayRound, OfFloats, FillsUpWithMinusOne, NeedsACell)],
    "never_positive": [{"make": DrawsPositives}],
    "never_twin": [{"make": DrawsTwins}],
    "never_empty": [{"make": DrawsEmptyColumns}],
    "same_seed_same_draws": [{"make": HasItsOwnChance}, {"make": CountsItsCalls}],
    "other_seed_other_draws": [{"make": IgnoresTheGenerator}],
    "resumed": [{"make": CountsItsCalls}, {"make": HasItsOwnChance}],
    "blocks": [{"make": OneSeedACall, "blocks": True}],
    "frequencies": [
        {"make": PrefersTheFirst, "expected": equally},
        {"make": Plain, "expected": only_the_first_half},
        {"make": DrawsThemTooOften, "expected": rarely},
        {"make": DrawsThemTooOften, "expected": less_rarely},
        {"make": DrawsRareOnesTooOften, "expected": rarely},
        {"make": Plain, "expected": not_a_number},
        {"make": Plain, "expected": below_nothing},
        {"make": Plain, "expected": nowhere},
    ],
    "full_row_named": [{"make": NamesNobody}, {"make": TakesAnythingAtLast}],
    "inputs_unchanged": [{"make": SortsTheBatch}, {"make": NotesWhatItDrew}],
}
