"""How fast ``LabelMatrix.is_observed`` looks cells up, and that it answers what a set of tuples answers, only faster.

A million cells are observed, and half of those asked for. They are asked for grouped by row (as a miner does) and in
random order (as a batch does). The goal is ten million cells a second. Both ways use one thread.
"""

import argparse

import numpy as np

from benchmarks import measuring
from litotes.core import LabelMatrix

GOAL = 10e6  # cells a second
N_ROWS, N_COLS = 100_000, 50_000


def measure(options: argparse.Namespace) -> dict:
    """Build the matrix and the set, ask both the same, compare answers and seconds."""
    n_observed, n_asked = (20_000, 50_000) if options.quick else (1_000_000, 4_000_000)
    rounds = options.rounds or (1 if options.quick else 7)
    rng = np.random.default_rng(0)
    cells = rng.choice(N_ROWS * N_COLS, size=n_observed, replace=False)
    matrix = LabelMatrix(range(N_ROWS), range(N_COLS), *np.divmod(cells, N_COLS))
    tuples = set(zip(*(part.tolist() for part in matrix.cells()[:2]), strict=True))
    rows, cols = _asked(rng, matrix, n_asked)
    order = np.argsort(rows, kind="stable")
    parts, facts = [], {}
    for name, places in {"in random order": slice(None), "grouped by row": order}.items():
        seconds = _seconds(matrix, tuples, rows[places], cols[places], rounds)
        parts.append(measuring.part(f"{n_asked:,} cells {name}", seconds))
        for contestant, numbers in seconds.items():
            facts[f"million cells a second, {name}, {contestant}"] = round(n_asked / numbers["median"] / 1e6, 2)
    return measuring.result(
        name="labels",
        says="Looking up which cells were observed: `LabelMatrix.is_observed` beside a Python set of tuples.",
        equal="both give the same answer for every cell",
        setting={"rows": N_ROWS, "columns": N_COLS, "observed cells": n_observed, "asked at once": n_asked},
        libraries=("litotes", "numpy"),
        seconds=parts,
        facts={**facts, "goal, million cells a second": GOAL / 1e6},
    )


def _asked(rng: np.random.Generator, matrix: LabelMatrix, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Half observed cells, half any, shuffled."""
    rows, cols, _ = matrix.cells()
    some = rng.integers(0, len(matrix), size=n // 2)
    any_rows, any_cols = rng.integers(0, N_ROWS, size=n - n // 2), rng.integers(0, N_COLS, size=n - n // 2)
    order = rng.permutation(n)
    return np.concatenate([rows[some], any_rows])[order], np.concatenate([cols[some], any_cols])[order]


def _seconds(
    matrix: LabelMatrix, tuples: set[tuple[int, int]], rows: np.ndarray, cols: np.ndarray, rounds: int
) -> dict[str, dict[str, float]]:
    asked = list(zip(rows.tolist(), cols.tolist(), strict=True))  # who uses a set has tuples in hand
    ours, theirs = matrix.is_observed(rows, cols), np.array([cell in tuples for cell in asked])
    assert np.array_equal(ours, theirs), "the two give different answers"
    contestants = {
        "litotes": lambda: matrix.is_observed(rows, cols),
        "set of tuples": lambda: [cell in tuples for cell in asked],
    }
    return measuring.in_turns(contestants, rounds)


if __name__ == "__main__":
    measuring.run(__doc__, measure)
