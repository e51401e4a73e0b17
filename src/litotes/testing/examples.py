"""Small collections that the suites try parts on: the same every time, with all that goes wrong in real data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from litotes.core import Candidates, Collection, LabelMatrix
from litotes.core.checks import check_choice
from litotes.core.seeds import rng

__all__ = ["EXAMPLES", "FULL_ROW", "every_example", "example_candidates", "example_collection"]

FULL_ROW = "row-with-nothing-left"
"""Id of the row of ``"mixed"`` whose every column is a positive, the twin of one, or without content."""

_WORDS = "river stone cloud bread iron red blue fast slow cat dog tree snow lamp".split()
_N_ROWS, _N_COLS = 24, 48


def example_collection(name: str = "mixed") -> Collection:
    """One of the suites' collections, made anew.

    ``"mixed"`` is 24 rows over 48 columns: text twins, a row with many positives, one without any, one whose every
    column is forbidden, judged zeros, ids without content, positives that the row repeats word for word. ``"tiny"`` has
    three rows and four columns, fewer than a miner is usually asked for. ``"ties"`` has four rows and twelve columns,
    of which all but the positives say the same.
    """
    check_choice("example_collection", "name", name, EXAMPLES)
    return EXAMPLES[name]()


def example_candidates(data: Collection, per_row: int = 6, seed: int = 0) -> Candidates:
    """Cells that are neither positives nor their twins, drawn at random, as two miners and one judge left them.

    Some cells were found by one miner and some by both, a few are assumed positive, some ids have no content.
    """
    draws = rng(seed, "example candidates")
    every = np.arange(data.n_cols)
    free = [np.flatnonzero(~data.is_positive(np.full(data.n_cols, row), every)) for row in range(data.n_rows)]
    found = [draws.permutation(cols)[:per_row] for cols in free]
    row, col = np.repeat(np.arange(data.n_rows), list(map(len, found))), np.concatenate(found)
    rank = np.concatenate([np.arange(len(cols)) + 1 for cols in found])
    first, second = draws.random(len(row)) < 0.7, draws.random(len(row)) < 0.6
    second |= ~first
    parts = [
        Candidates.build(row[m], col[m], miner=miner, score=-1.0 * rank[m], rank=rank[m], data=data, assumed=-1)
        for miner, m in (("one", first), ("two", second))
    ]
    merged = parts[0].merge(parts[1])
    assumed = np.where(draws.random(len(merged)) < 0.1, 1, -1).astype(np.int8)
    place = merged.table.column_names.index("assumed")
    table = merged.table.set_column(place, "assumed", pa.array(assumed, pa.int8()))
    spoken = Candidates(table, counts=merged.counts, made_from=merged.made_from)
    trust = np.where(draws.random(len(merged)) < 0.2, np.nan, draws.random(len(merged)))
    return spoken.with_columns({"judge.earlier": draws.normal(size=len(merged)), "trust.earlier": trust})


def _mixed(seed: int = 0) -> Collection:
    draws = rng(seed, "example collection")
    cols: list[str | None] = [_text(draws, 2, 8) for _ in range(_N_COLS)]
    for col in range(5):
        cols[40 + col] = f"  {cols[col]} ".upper()  # twins of the first five
    cols[30:34] = [cols[30]] * 4
    cols[9] = cols[27] = None
    positives = {(row, int(col)) for row in range(_N_ROWS) for col in draws.choice(_N_COLS, 1 + row % 2, replace=False)}
    positives = {(row, col) for row, col in positives if row not in (0, 1, 5)}
    positives |= {(0, col) for col in range(0, 40, 2)}  # row 0 has twenty; row 1 has none
    positives |= {(4, 0), (6, 41), (7, 9), (8, 2)}  # twins on either side; a positive without content
    positives |= {(5, col) for col in range(_N_COLS) if col not in (9, 27, 40, 41)}
    zeros = {(3, 11), (3, 12), (8, 13)} - positives
    rows: list[str | None] = [_text(draws, 1, 5) for _ in range(_N_ROWS)]
    for row, col in sorted(positives):
        if row % 3 != 2:
            rows[row] = cols[col] or rows[row]  # the positive lies nearest
    rows[2] = None
    row_ids = [FULL_ROW if row == 5 else f"q{row}" for row in range(_N_ROWS)]
    return _collection(row_ids, rows, cols, sorted(positives), sorted(zeros), "mixed")


def _tiny() -> Collection:
    rows, cols = ["river stone", "iron", "red cloud"], ["river stone", "iron bread", "red cloud", "blue cat"]
    return _collection(["q0", "q1", "q2"], rows, cols, [(0, 0), (1, 1), (2, 2)], [], "tiny")


def _ties() -> Collection:
    cols = ["stone river"] * 12
    cols[3], cols[7] = "iron bread", "red cloud"
    rows = ["stone river", "stone", "river bread", "stone cloud"]
    return _collection([f"q{row}" for row in range(4)], rows, cols, [(0, 3), (1, 7), (2, 3), (3, 7)], [], "ties")


def every_example() -> list[Collection]:
    """The named examples, and two more of the first kind with other words and cells."""
    return [_mixed(), _mixed(1), _mixed(2), _tiny(), _ties()]


EXAMPLES = {"mixed": _mixed, "tiny": _tiny, "ties": _ties}


def _text(draws: np.random.Generator, shortest: int, longest: int) -> str:
    return " ".join(draws.choice(_WORDS, size=draws.integers(shortest, longest)))


def _collection(
    row_ids: list[str],
    rows: Sequence[str | None],
    cols: Sequence[str | None],
    positives: Sequence[tuple[int, int]],
    zeros: Sequence[tuple[int, int]],
    name: str,
) -> Collection:
    cells = np.array([*positives, *zeros], dtype=np.int64).reshape(-1, 2)
    grades = np.array([1.0] * len(positives) + [0.0] * len(zeros))
    col_ids = [f"d{col}" for col in range(len(cols))]
    labels = LabelMatrix(row_ids, col_ids, cells[:, 0], cells[:, 1], grades)
    return Collection(labels, _table(row_ids, rows), _table(col_ids, cols), name=name)


def _table(ids: list[str], texts: Sequence[str | None]) -> pa.Table:
    lines = [(key, text) for key, text in zip(ids, texts, strict=True) if text is not None]
    return pa.table({"id": [key for key, _ in lines], "text": [text for _, text in lines]})
