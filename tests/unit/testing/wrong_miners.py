"""Miners that break one promise each, beside one that keeps them all."""

from collections.abc import Iterable

import numpy as np

from litotes.core import Candidates, Collection


def common_words(data: Collection, row: int, col: int) -> float:
    """How many words of the column the row has too."""
    row_words, col_words = (data.row_texts[row] or "").lower().split(), (data.col_texts[col] or "").lower().split()
    return float(sum(word in row_words for word in col_words))


class Plain:
    """Cell by cell, nothing clever."""

    def __init__(self, top: int = 8, block: int = 4):
        self.name, self.top, self.block = "plain", top, block

    def mine(self, data: Collection, rows: np.ndarray | None = None) -> Candidates:
        found = []
        for row in self.rows(data, rows):
            ranked = sorted((-self.score(data, row, col), self.tie(col), col) for col in self.free(data, row))
            found += [(row, col, -minus, place + 1) for place, (minus, _, col) in enumerate(self.taken(ranked))]
        return self.built(found, data)

    def rows(self, data: Collection, rows: np.ndarray | None) -> Iterable[int]:
        asked = np.arange(data.n_rows) if rows is None else np.unique(rows)
        return [row for row in asked.tolist() if data.row_texts[row] is not None]

    def free(self, data: Collection, row: int) -> list[int]:
        cols = np.arange(data.n_cols)
        return cols[~data.is_positive(np.full(data.n_cols, row), cols) & data.cols_with_content].tolist()

    def score(self, data: Collection, row: int, col: int) -> float:
        return common_words(data, row, col)

    def tie(self, col: int) -> int:
        return col

    def taken(self, ranked: list) -> list:
        return ranked[: self.top]

    def built(self, found: list, data: Collection) -> Candidates:
        row, col, score, rank = (np.array([cell[i] for cell in found], dtype=kind) for i, kind in enumerate("iidi"))
        return Candidates.build(row, col, miner=self.name, score=score, rank=rank, data=data)


class SkipsThree(Plain):
    """Of the tiny example nothing is left behind them."""

    skip = 3

    def taken(self, ranked):
        return ranked[3 : 3 + self.top]

    def built(self, found, data):
        return super().built([(row, col, score, rank + 3) for row, col, score, rank in found], data)


class ReturnsAList(Plain):
    def built(self, found, data):
        return found


class UnderAnotherName(Plain):
    def mine(self, data, rows=None):
        found = super().mine(data, rows)
        self.name = "other"
        return found


class ForgetsItsData(Plain):
    def built(self, found, data):
        return Candidates(super().built(found, data).table)


class FillsUpWithMinusOne(Plain):
    def taken(self, ranked):
        return (ranked + [(0.0, 0, -1)] * self.top)[: self.top]


class CountsBeyondTheLast(Plain):
    def built(self, found, data):
        return super().built([(row, col + data.n_cols, score, rank) for row, col, score, rank in found], data)


class MinesAllRows(Plain):
    def rows(self, data, rows):
        return super().rows(data, None)


class NeedsRowsInOrder(Plain):
    def mine(self, data, rows=None):
        if rows is not None and (np.diff(rows) < 0).any():
            raise ValueError("rows must ascend")
        return super().mine(data, rows)


class TakesTheFirstRowsOnly(Plain):
    """As many rows as were asked for, repeated ones counted."""

    def rows(self, data, rows):
        asked = list(super().rows(data, rows))
        return asked if rows is None else asked[: 2 * len(asked) - len(rows)]


class FindsNothingInSmallData(Plain):
    def free(self, data, row):
        return super().free(data, row) if data.n_cols > 20 else []


class FindsPositives(Plain):
    def free(self, data, row):
        return np.flatnonzero(data.cols_with_content).tolist()


class FindsTwins(Plain):
    def free(self, data, row):
        return [col for col in np.flatnonzero(data.cols_with_content) if col not in data.labels.positives(row)]


class FindsEmptyColumns(Plain):
    def free(self, data, row):
        cols = np.arange(data.n_cols)
        return cols[~data.is_positive(np.full(data.n_cols, row), cols)].tolist()

    def __init__(self):
        super().__init__(top=100)


class MinesEmptyRows(Plain):
    def rows(self, data, rows):
        return range(data.n_rows) if rows is None else rows.tolist()


class FindsTheFirstTwice(Plain):
    def taken(self, ranked):
        return (ranked[:1] + ranked)[: self.top]


class TakesOneTooMany(Plain):
    def taken(self, ranked):
        return ranked[: self.top + 1]


class NeedsAsManyAsTop(Plain):
    def taken(self, ranked):
        places = np.argpartition(np.array([cell[0] for cell in ranked]), self.top - 1)[: self.top]
        return [ranked[place] for place in sorted(places)]


class WorstFirst(Plain):
    def taken(self, ranked):
        return ranked[: self.top][::-1]


class RanksFromZero(Plain):
    def built(self, found, data):
        return super().built([(row, col, score, rank - 1) for row, col, score, rank in found], data)


class LastColumnFirst(Plain):
    def tie(self, col):
        return -col


class TakesTheLastOfEquals(Plain):
    """In the order of their columns, but of those that tie at the end the last ones."""

    def taken(self, ranked):
        best = sorted(ranked, key=lambda cell: (cell[0], -cell[2]))[: self.top]
        return sorted(best)


class ChangesWithEachCall(Plain):
    calls = 0

    def score(self, data, row, col):
        return super().score(data, row, col) + (ChangesWithEachCall.calls * col) % 7

    def mine(self, data, rows=None):
        ChangesWithEachCall.calls += 1
        return super().mine(data, rows)


class RemembersTheLastCall(Plain):
    """Right when made anew, wrong when asked again."""

    calls = 0

    def mine(self, data, rows=None):
        self.calls += 1
        return super().mine(data, rows)

    def score(self, data, row, col):
        return super().score(data, row, col) + (self.calls * col) % 7


class ComparesWithItsNeighbours(Plain):
    """Scores depend on which rows are mined together."""

    def rows(self, data, rows):
        self.together = list(super().rows(data, rows))
        return self.together

    def score(self, data, row, col):
        mean = np.mean([common_words(data, other, col) for other in self.together])
        return super().score(data, row, col) - float(mean)


class OrdersByBlock(Plain):
    def tie(self, col):
        return (col % self.block, col)

    def score(self, data, row, col):
        return super().score(data, row, col) + 1e-3 * (col // self.block)


class LooksAtEverySecondColumn(Plain):
    def free(self, data, row):
        return [col for col in super().free(data, row) if col % 2]


class WritesIntoTheTexts(Plain):
    def mine(self, data, rows=None):
        data.col_texts[0] = (data.col_texts[0] or "").upper()
        return super().mine(data, rows)


class SortsTheRows(Plain):
    def mine(self, data, rows=None):
        if rows is not None:
            rows[:] = rows[::-1].copy()
        return super().mine(data, rows)


class ReadsTheTruth(Plain):
    def free(self, data, row):
        known = data.labels if data.truth is None else data.truth
        return [col for col in super().free(data, row) if not known.is_positive(np.array([row]), np.array([col]))[0]]


RIGHT_PARTS = {
    "plain": {"make": Plain, "other_blocks": lambda: Plain(block=7), "score": common_words},
    "skipping": {"make": lambda: SkipsThree()},
    "deep": {"make": lambda data: Plain(top=1000), "score": common_words, "recall": 0.9},
}

WRONG: dict[str, list[dict]] = {
    "returns_candidates": [
        {"make": ReturnsAList},
        {"make": UnderAnotherName},
        {"make": ForgetsItsData},
        {"make": FindsNothingInSmallData},
    ],
    "positions_in_range": [{"make": FillsUpWithMinusOne}, {"make": CountsBeyondTheLast}],
    "only_asked_rows": [{"make": MinesAllRows}],
    "rows_in_any_order": [{"make": NeedsRowsInOrder}, {"make": TakesTheFirstRowsOnly}],
    "never_positive": [{"make": FindsPositives}],
    "never_twin": [{"make": FindsTwins}],
    "never_empty": [{"make": FindsEmptyColumns}],
    "rows_without_content": [{"make": MinesEmptyRows}],
    "each_cell_once": [{"make": FindsTheFirstTwice}],
    "at_most_top": [{"make": TakesOneTooMany}],
    "small_corpus": [{"make": NeedsAsManyAsTop}, {"make": lambda: FindsPositives(top=100)}],
    "ranks_follow_scores": [{"make": WorstFirst}, {"make": RanksFromZero}],
    "ties_by_column": [{"make": LastColumnFirst}, {"make": TakesTheLastOfEquals}],
    "same_result_twice": [{"make": ChangesWithEachCall}, {"make": RemembersTheLastCall}],
    "rows_alone": [{"make": ComparesWithItsNeighbours}],
    "other_blocks": [{"make": OrdersByBlock, "other_blocks": lambda: OrdersByBlock(block=9)}],
    "finds_the_best": [
        {"make": LooksAtEverySecondColumn, "score": common_words},
        {"make": LooksAtEverySecondColumn, "score": common_words, "recall": 0.8},
    ],
    "data_unchanged": [{"make": WritesIntoTheTexts}, {"make": SortsTheRows}],
    "truth_unread": [{"make": ReadsTheTruth}],
}
