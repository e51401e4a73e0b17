"""The nearest negatives of 10,000 false negatives among 100,000, beside bare faiss: seconds in one process, and memory.

Setting: 100,000 points and 10,000 queries of 384 numbers, float32, k = 3, Euclidean, as the intrinsic strategy asks.
litotes moves and scales the points, fetches with faiss, measures what was fetched again in float64 and settles ties;
``faiss`` is ``IndexFlatL2.search`` of the same k on a ready index, and with ``add``. Who is first changes from round to
round. That all find the same points is asserted before anything is timed.

``memory`` is the peak of a fresh process over what it held with the inputs in memory, in GiB; a matrix of all distances
would take 3.7 GiB.
"""

import argparse
import subprocess
import sys

import numpy as np

from benchmarks import measuring

K = 3
SIZES, QUICK = (10_000, 100_000, 384), (200, 2_000, 64)


def made(n_queries: int, n_points: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Points around two hundred centres, queries around points."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((200, width), dtype=np.float32)
    points = centres[rng.integers(0, 200, n_points)] + 0.7 * rng.standard_normal((n_points, width), dtype=np.float32)
    chosen = rng.choice(n_points, n_queries, replace=False)
    return points[chosen] + 0.5 * rng.standard_normal((n_queries, width), dtype=np.float32), points


def ours(queries: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Columns, int64 [n, K]."""
    from litotes.mining.nearest import nearest

    return nearest(queries, points, K).cols


def bare(queries: np.ndarray, points: np.ndarray, index: object | None = None) -> np.ndarray:
    """Columns, int64 [n, K]."""
    import faiss

    if index is None:
        index = faiss.IndexFlatL2(points.shape[1])
        index.add(points)
    return index.search(queries, K)[1]


def share_of_equal(queries: np.ndarray, points: np.ndarray) -> float:
    """Share of equal columns; where two differ, float32 could not tell the two distances apart."""
    found, theirs = ours(queries, points), bare(queries, points)
    rows, places = np.nonzero(found != theirs)
    asked = queries[rows].astype(np.float64)
    a, b = (((asked - points[cols[rows, places]]) ** 2).sum(axis=1) for cols in (found, theirs))
    assert np.abs(a - b).max(initial=0.0) <= 1e-4 * a.max(initial=1.0), "the two find different points"
    assert (a <= b + 1e-9).all(), "what was found is not the nearest"
    return float((found == theirs).mean())


def memory_of(contestant: str, sizes: tuple[int, int, int]) -> float:
    """GiB, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.neighbour_search", "--memory-of", contestant, "--sizes"]
    done = subprocess.run([*command, *map(str, sizes)], check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def measure(options: argparse.Namespace) -> dict:
    """Everything, as JSON holds it."""
    run = {"litotes": ours, "faiss with add": bare}
    if options.memory_of:
        run[options.memory_of](*made(*QUICK))  # libraries and their threads
        inputs = made(*options.sizes)
        print(measuring.peak_over_inputs(lambda: run[options.memory_of](*inputs)))
        raise SystemExit
    import faiss

    sizes = QUICK if options.quick else SIZES
    queries, points = made(*sizes)
    share = share_of_equal(queries, points)
    index = faiss.IndexFlatL2(sizes[2])
    index.add(points)
    contestants = {
        "litotes": lambda: ours(queries, points),
        "faiss": lambda: bare(queries, points, index),
        "faiss with add": lambda: bare(queries, points),
    }
    seconds = measuring.in_turns(contestants, options.rounds or (1 if options.quick else 6))
    peaks = {name: {f"{sizes[1]:,} points": memory_of(name, sizes)} for name in run}
    return measuring.result(
        name="neighbour_search",
        says="The nearest points by Euclidean distance, as neighbour cleaning asks: exact search of litotes (float64 "
        "distances, ties settled, equal for every cut) beside bare `faiss`.",
        equal="both find the same points, but for distances that float32 cannot tell apart",
        setting={"queries": sizes[0], "points": sizes[1], "width": sizes[2], "k": K},
        libraries=("litotes", "faiss-cpu", "numpy"),
        seconds=[measuring.part("search", seconds, goal={"peer": "faiss", "at_most": 1.25})],
        memory=[measuring.memory_part("search", peaks, goal={"at_most": 1.0})],
        facts={"share of equal columns": round(share, 6)},
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """For the fresh processes that memory is measured in."""
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    parser.add_argument("--sizes", nargs=3, type=int, help=argparse.SUPPRESS)


if __name__ == "__main__":
    measuring.run(__doc__, measure, add_options)
