"""Dense mining against bare faiss and against sentence-transformers: seconds in one process, and memory in fresh ones.

Setting: 10,000 queries, 100,000 documents, 384 numbers each, float32, one observed positive a query, 50 negatives
wanted. Vectors are ready, so nothing but mining is measured. Who is first changes from round to round; that all find
the same is asserted before anything is timed.

- ``search``: litotes' exact search (positives left out, ties settled, every score recomputed) beside ``faiss`` alone:
  ``IndexFlatIP.search`` of the same depth on a ready index, and with ``add``, which copies the documents.
- ``mine``: from lists of texts to a dataset of n-tuples: ``DenseMiner`` and ``to_dataset``, beside
  ``mine_hard_negatives`` with both of its back ends and a model that hands out the ready vectors.
- ``memory``: the peak of a fresh process over what it held with the inputs in memory, in GiB.

``python benchmarks/mining.py --out FILE`` writes JSON; ``--small`` is a check of seconds.
"""

import argparse
import contextlib
import importlib.metadata
import io
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TOP = 50
LIBRARIES = ("litotes", "faiss-cpu", "sentence-transformers", "torch", "numpy", "datasets", "pyarrow")


@dataclass(frozen=True)
class Inputs:
    """Vectors of length 1; the positive of query i is document i."""

    queries: np.ndarray
    documents: np.ndarray

    @classmethod
    def make(cls, n_queries: int, n_documents: int, width: int) -> "Inputs":
        """Documents around a thousand centres, queries around documents."""
        rng = np.random.default_rng(0)
        centres = rng.standard_normal((1000, width), dtype=np.float32)
        documents = rng.standard_normal((n_documents, width), dtype=np.float32)
        for start in range(0, n_documents, 8192):
            block = documents[start : start + 8192]
            block += centres[rng.integers(0, 1000, len(block))]
            block /= np.linalg.norm(block, axis=1, keepdims=True)
        queries = documents[:n_queries] + 0.05 * rng.standard_normal((n_queries, width), dtype=np.float32)
        return cls(queries / np.linalg.norm(queries, axis=1, keepdims=True), documents)

    @property
    def query_texts(self) -> list[str]:
        """One text a query."""
        return [f"query number {i}" for i in range(len(self.queries))]

    @property
    def document_texts(self) -> list[str]:
        """One text a document."""
        return [f"document number {i}" for i in range(len(self.documents))]


# --- the contestants ------------------------------------------------------------------------------------------------


def litotes_search(inputs: Inputs) -> np.ndarray:
    """Columns, int64 [n, TOP]."""
    from litotes.mining.exact_search import search

    n = len(inputs.queries)
    return search(inputs.queries, inputs.documents, TOP, exclude=(np.arange(n + 1), np.arange(n)))[1]


def faiss_search(inputs: Inputs, index: object | None = None) -> np.ndarray:
    """Columns, int64 [n, TOP + 1], the positive among them."""
    import faiss

    if index is None:
        index = faiss.IndexFlatIP(inputs.documents.shape[1])
        index.add(inputs.documents)
    return index.search(inputs.queries, TOP + 1)[1]


def litotes_mine(inputs: Inputs):
    """A dataset: anchor, positive, negative_1 ... negative_50."""
    import pyarrow as pa

    from litotes.core import Collection, LabelMatrix
    from litotes.mining.dense import DenseMiner

    queries, documents = inputs.query_texts, inputs.document_texts
    row_ids, col_ids = [f"q{i}" for i in range(len(queries))], [f"d{i}" for i in range(len(documents))]
    positives = np.arange(len(queries))
    labels = LabelMatrix(row_ids, col_ids, positives, positives, np.ones(len(queries)))
    tables = pa.table({"id": row_ids, "text": queries}), pa.table({"id": col_ids, "text": documents})
    data = Collection(labels, *tables)
    return DenseMiner(ReadyVectors(inputs), top=TOP).mine(data).to_dataset("n-tuple", data)


def peer_mine(inputs: Inputs, use_faiss: bool):
    """The same by sentence-transformers."""
    from datasets import Dataset
    from sentence_transformers.util import mine_hard_negatives

    queries, documents = inputs.query_texts, inputs.document_texts
    pairs = Dataset.from_dict({"anchor": queries, "positive": documents[: len(queries)]})
    wanted = {"num_negatives": TOP, "output_format": "n-tuple", "use_faiss": use_faiss, "verbose": False}
    with contextlib.redirect_stderr(io.StringIO()):  # its bars, which no option turns off
        return mine_hard_negatives(pairs, ReadyModel(inputs), corpus=documents, **wanted)


class ReadyVectors:
    """An encoder of ours that only hands out."""

    similarity = "cosine"

    def __init__(self, inputs: Inputs) -> None:
        self.sides = {"query": inputs.queries, "document": inputs.documents}

    def encode(self, texts, role, *, ids=None, progress=True):
        """The vectors that are ready."""
        return self.sides[role]

    def fingerprint(self, role):
        """Enough to remember them by."""
        return {"ready": role}


class ReadyModel:
    """What mine_hard_negatives asks of a model, with vectors that are ready."""

    def __init__(self, inputs: Inputs) -> None:
        import torch
        from sentence_transformers.util import dot_score, pairwise_dot_score

        self.inputs, self.device = inputs, torch.device("cpu")
        self.similarity, self.similarity_pairwise = dot_score, pairwise_dot_score

    def get_embedding_dimension(self) -> int:
        """Numbers a vector."""
        return self.inputs.queries.shape[1]

    def encode_query(self, texts, **options):
        """The vectors that are ready."""
        return self.inputs.queries

    def encode_document(self, texts, **options):
        """The vectors that are ready."""
        return self.inputs.documents


# --- equal results, seconds -----------------------------------------------------------------------------------------


def assert_equal_results(inputs: Inputs) -> dict[str, float]:
    """All find the same cells; where two differ, the two documents' scores differ by less than 1e-5."""
    ours = litotes_search(inputs)
    theirs = np.stack([row[row != i][:TOP] for i, row in enumerate(faiss_search(inputs))])
    _assert_same_but_for_ties(inputs, ours, theirs)
    number = {text: i for i, text in enumerate(inputs.document_texts)}
    shares = {"faiss": float((ours == theirs).mean())}
    for name, dataset in {
        "DenseMiner": litotes_mine(inputs),
        "mine_hard_negatives, faiss": peer_mine(inputs, True),
        "mine_hard_negatives, torch": peer_mine(inputs, False),
    }.items():
        assert dataset["anchor"] == inputs.query_texts, name
        columns = [[number[text] for text in dataset[f"negative_{j + 1}"]] for j in range(TOP)]
        found = np.array(columns, dtype=np.int64).T
        _assert_same_but_for_ties(inputs, ours, found)
        shares[name] = float((ours == found).mean())
    return shares


def _assert_same_but_for_ties(inputs: Inputs, ours: np.ndarray, theirs: np.ndarray) -> None:
    assert ours.shape == theirs.shape
    rows, places = np.nonzero(ours != theirs)
    queries = inputs.queries[rows].astype(np.float64)
    scores = [(queries * inputs.documents[cols[rows, places]]).sum(axis=1) for cols in (ours, theirs)]
    assert np.abs(scores[0] - scores[1]).max(initial=0.0) < 1e-5
    assert len(rows) < 0.001 * ours.size


def seconds_of(contestants: dict[str, Callable[[], object]], rounds: int) -> dict[str, dict[str, float]]:
    """Median and quantiles; the order turns round with every round, and a first round is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        order = list(contestants) if turn % 2 else list(contestants)[::-1]
        for name in order:
            start = time.perf_counter()
            contestants[name]()
            if turn:
                taken[name].append(time.perf_counter() - start)
    return {name: _summary(times) for name, times in taken.items()}


def _summary(times: list[float]) -> dict[str, float]:
    low, middle, high = np.quantile(times, [0.2, 0.5, 0.8]).tolist()
    return {"median": middle, "q20": low, "q80": high, "least": min(times), "rounds": len(times)}


# --- memory ---------------------------------------------------------------------------------------------------------


def memory_over_inputs(contestant: str, sizes: tuple[int, int, int]) -> float:
    """GiB, measured in a process of its own."""
    command = [sys.executable, __file__, "--memory-of", contestant, "--sizes", *map(str, sizes)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def measure_memory(contestant: str, sizes: tuple[int, int, int]) -> float:
    """Peak resident memory while the contestant works, over what stands when inputs and libraries are loaded."""
    run = {
        "litotes search": litotes_search,
        "litotes mine": litotes_mine,
        "faiss": faiss_search,
        "mine_hard_negatives, faiss": lambda inputs: peer_mine(inputs, True),
        "mine_hard_negatives, torch": lambda inputs: peer_mine(inputs, False),
    }[contestant]
    run(Inputs.make(100, 2000, sizes[2]))  # libraries and their threads
    inputs = Inputs.make(*sizes)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts from here
    before = _resident("VmRSS")
    result = run(inputs)
    assert result is not None
    return (_resident("VmHWM") - before) / 2**20


def _resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1])  # KiB


# --- the whole ------------------------------------------------------------------------------------------------------


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--small", action="store_true", help="a hundredth of the work")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    parser.add_argument("--sizes", nargs=3, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        print(measure_memory(options.memory_of, tuple(options.sizes)))
        return
    sizes, larger = (
        ((1000, 10_000, 64), (1000, 40_000, 64)) if options.small else ((10_000, 100_000, 384), (10_000, 400_000, 384))
    )
    result = measure(sizes, larger, options.rounds)
    for line in table(result):
        print(line)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def measure(sizes: tuple[int, int, int], larger: tuple[int, int, int], rounds: int) -> dict:
    """Everything, as JSON holds it."""
    import faiss

    load_before = os.getloadavg()[0]
    inputs = Inputs.make(*sizes)
    shares = assert_equal_results(inputs)
    index = faiss.IndexFlatIP(sizes[2])
    index.add(inputs.documents)
    search = seconds_of(
        {
            "litotes": lambda: litotes_search(inputs),
            "faiss": lambda: faiss_search(inputs, index),
            "faiss with add": lambda: faiss_search(inputs),
        },
        rounds,
    )
    del index
    mine = seconds_of(
        {
            "litotes": lambda: litotes_mine(inputs),
            "mine_hard_negatives, faiss": lambda: peer_mine(inputs, True),
            "mine_hard_negatives, torch": lambda: peer_mine(inputs, False),
        },
        rounds,
    )
    del inputs
    contestants = (
        "litotes search",
        "litotes mine",
        "faiss",
        "mine_hard_negatives, faiss",
        "mine_hard_negatives, torch",
    )
    memory = {name: {str(sizes[1]): memory_over_inputs(name, sizes)} for name in contestants}
    for name in ("litotes search", "litotes mine", "faiss"):
        memory[name][str(larger[1])] = memory_over_inputs(name, larger)
    return {
        "setting": {"queries": sizes[0], "documents": sizes[1], "width": sizes[2], "top": TOP, "positives a query": 1},
        "machine": {"processor": _processor(), "cpus": os.cpu_count(), "load before": load_before},
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}},
        "share of equal columns (others are ties within 1e-5)": shares,
        "search seconds": search,
        "mine seconds": mine,
        "memory over inputs, GiB": memory,
        "ratios": {
            "search: litotes / faiss": search["litotes"]["median"] / search["faiss"]["median"],
            "search: litotes / faiss with add": search["litotes"]["median"] / search["faiss with add"]["median"],
            **{f"{name} / litotes": mine[name]["median"] / mine["litotes"]["median"] for name in list(mine)[1:]},
        },
    }


def table(result: dict) -> list[str]:
    """The numbers for people."""
    lines = []
    for part in ("search seconds", "mine seconds"):
        for name, numbers in result[part].items():
            spread = f"{numbers['q20']:.2f} to {numbers['q80']:.2f}"
            lines.append(f"{part:15s} {name:28s} {numbers['median']:8.2f}   ({spread})")
    for name, numbers in result["memory over inputs, GiB"].items():
        shown = ", ".join(f"{value:.2f} at {int(size):,}" for size, value in numbers.items())
        lines.append(f"{'memory, GiB':15s} {name:28s} {shown}")
    return [*lines, *(f"{'ratio':15s} {name:44s} {value:.2f}" for name, value in result["ratios"].items())]


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "not installed as a package"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


if __name__ == "__main__":
    main()
