"""How fast ``LabelMatrix.is_observed`` looks cells up, and that it answers what a set of tuples answers, only faster.

``python benchmarks/labels.py`` prints a table; ``--out FILE`` also writes it as JSON. A million cells are observed, and
half of those asked for. They are asked for grouped by row (as a miner does) and in random order (as a batch does). The
goal is ten million cells a second. Both ways use one thread, so seconds of CPU stand beside those of the clock: on a
busy machine only they mean something.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from litotes.core import LabelMatrix

GOAL = 10e6  # cells a second
N_ROWS, N_COLS, OBSERVED = 100_000, 50_000, 1_000_000


def main() -> None:
    """Build the matrix and the set, ask both the same, compare answers and seconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--asked", type=int, default=4_000_000, help="cells asked for at once")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    matrix = _matrix(rng)
    tuples = set(zip(*(part.tolist() for part in matrix.cells()[:2]), strict=True))
    cases = {"random": _asked(rng, matrix, options.asked)}
    rows, cols = cases["random"]
    order = np.argsort(rows, kind="stable")
    cases["grouped by row"] = rows[order], cols[order]
    result: dict[str, Any] = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "cores": os.cpu_count(),
        "observed": len(matrix),
        "asked": options.asked,
        "goal": GOAL,
        "cases": {},
    }
    for name, (rows, cols) in cases.items():
        result["cases"][name] = _case(matrix, tuples, rows, cols, options.repeats)
        numbers = result["cases"][name]
        met = "goal met" if numbers["matrix_cells_a_cpu_second"] >= GOAL else "BELOW THE GOAL"
        print(f"{name}: LabelMatrix {_both(numbers, 'matrix')}, set of tuples {_both(numbers, 'set')}; ", end="")
        print(f"{numbers['ratio']:.1f} times as fast, {met}")
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _both(numbers: dict[str, float], way: str) -> str:
    clock, cpu = numbers[f"{way}_cells_a_second"] / 1e6, numbers[f"{way}_cells_a_cpu_second"] / 1e6
    return f"{clock:.1f} M cells/s ({cpu:.1f} by CPU time)"


def _matrix(rng: np.random.Generator) -> LabelMatrix:
    cells = rng.choice(N_ROWS * N_COLS, size=OBSERVED, replace=False)
    return LabelMatrix(range(N_ROWS), range(N_COLS), *np.divmod(cells, N_COLS))


def _asked(rng: np.random.Generator, matrix: LabelMatrix, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Half observed cells, half any, shuffled."""
    rows, cols, _ = matrix.cells()
    some = rng.integers(0, len(matrix), size=n // 2)
    any_rows, any_cols = rng.integers(0, N_ROWS, size=n - n // 2), rng.integers(0, N_COLS, size=n - n // 2)
    order = rng.permutation(n)
    return np.concatenate([rows[some], any_rows])[order], np.concatenate([cols[some], any_cols])[order]


def _case(
    matrix: LabelMatrix, tuples: set[tuple[int, int]], rows: np.ndarray, cols: np.ndarray, repeats: int
) -> dict[str, float]:
    asked = list(
        zip(rows.tolist(), cols.tolist(), strict=True)
    )  # a set's user has tuples in hand; made outside the clock
    ways: dict[str, Callable[[], Any]] = {
        "matrix": lambda: matrix.is_observed(rows, cols),
        "set": lambda: [cell in tuples for cell in asked],
    }
    answers = {name: np.asarray(way()) for name, way in ways.items()}
    assert np.array_equal(answers["matrix"], answers["set"]), "the two give different answers"
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(repeats):
        for name in sorted(ways, reverse=repeat % 2 == 1):  # in turns, order swapped
            start, start_cpu = time.perf_counter(), time.process_time()
            ways[name]()
            seconds[name].append(time.perf_counter() - start)
            cpu[name].append(time.process_time() - start_cpu)
    found: dict[str, float] = {}
    for name in ways:
        found[f"{name}_seconds"], found[f"{name}_cpu_seconds"] = map(statistics.median, (seconds[name], cpu[name]))
        found[f"{name}_cells_a_second"] = len(rows) / found[f"{name}_seconds"]
        found[f"{name}_cells_a_cpu_second"] = len(rows) / found[f"{name}_cpu_seconds"]
    return {**found, "ratio": found["set_cpu_seconds"] / found["matrix_cpu_seconds"]}


if __name__ == "__main__":
    main()
