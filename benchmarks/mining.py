"""Dense mining against bare faiss and against sentence-transformers: seconds in one process, and memory in fresh ones.

Setting: 10,000 queries, 100,000 documents, 384 numbers each, float32, one observed positive a query, 50 negatives
wanted. Vectors are ready, so nothing but mining is measured. Who is first changes from round to round; that all find
the same is asserted before anything is timed.

- ``search``: litotes' exact search (positives left out, ties settled, every score recomputed) beside ``faiss`` alone:
  ``IndexFlatIP.search`` of the same depth on a ready index, and with ``add``, which copies the documents.
- ``mine``: from lists of texts to a dataset of n-tuples: ``DenseMiner`` and ``to_dataset``, beside
  ``mine_hard_negatives`` with both of its back ends and a model that hands out the ready vectors.
- ``memory``: the peak of a fresh process over what it held with the inputs in memory, in GiB.

"""

import argparse
import contextlib
import io
import subprocess
import sys
from dataclasses import dataclass

import numpy as np

from benchmarks import measuring

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


# --- equal results --------------------------------------------------------------------------------------------------


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


# --- memory ---------------------------------------------------------------------------------------------------------


def memory_over_inputs(contestant: str, sizes: tuple[int, int, int]) -> float:
    """GiB, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.mining", "--memory-of", contestant, "--sizes", *map(str, sizes)]
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
    return measuring.peak_over_inputs(lambda: run(inputs))


# --- the whole ------------------------------------------------------------------------------------------------------


def measure(options: argparse.Namespace) -> dict:
    """Everything, as JSON holds it."""
    if options.memory_of:
        print(measure_memory(options.memory_of, tuple(options.sizes)))
        raise SystemExit
    sizes, larger = ((10_000, 100_000, 384), (10_000, 400_000, 384))
    if options.quick:
        sizes, larger = ((200, 2_000, 64), (200, 8_000, 64))
    rounds = options.rounds or (1 if options.quick else 6)
    inputs = Inputs.make(*sizes)
    shares = assert_equal_results(inputs)
    parts = [
        measuring.part("search", seconds_of_search(inputs, rounds), goal={"peer": "faiss", "at_most": 1.25}),
        measuring.part(
            "mine, texts to n-tuples",
            seconds_of_mining(inputs, rounds),
            goal={"peer": "mine_hard_negatives, faiss", "at_most": 0.77},
        ),
    ]
    del inputs
    return measuring.result(
        name="mining",
        says="Dense mining with vectors that are ready: exact search beside bare faiss, and the whole way from lists "
        "of texts to a dataset of n-tuples beside `mine_hard_negatives` of sentence-transformers.",
        equal="all find the same cells, but for ties within 1e-5",
        setting={"queries": sizes[0], "documents": sizes[1], "width": sizes[2], "top": TOP, "positives a query": 1},
        libraries=LIBRARIES,
        seconds=parts,
        memory=memory_parts(sizes, larger),
        facts={f"share of equal columns, {name}": round(share, 6) for name, share in shares.items()},
    )


def seconds_of_search(inputs: Inputs, rounds: int) -> dict[str, dict[str, float]]:
    """Ours, and faiss on a ready index and with building one."""
    import faiss

    index = faiss.IndexFlatIP(inputs.documents.shape[1])
    index.add(inputs.documents)
    contestants = {
        "litotes": lambda: litotes_search(inputs),
        "faiss": lambda: faiss_search(inputs, index),
        "faiss with add": lambda: faiss_search(inputs),
    }
    return measuring.in_turns(contestants, rounds)


def seconds_of_mining(inputs: Inputs, rounds: int) -> dict[str, dict[str, float]]:
    """Ours, and the peer with both of its back ends."""
    contestants = {
        "litotes": lambda: litotes_mine(inputs),
        "mine_hard_negatives, faiss": lambda: peer_mine(inputs, True),
        "mine_hard_negatives, torch": lambda: peer_mine(inputs, False),
    }
    return measuring.in_turns(contestants, rounds)


def memory_parts(sizes: tuple[int, int, int], larger: tuple[int, int, int]) -> list[dict]:
    """Peaks at both sizes; the peer's only at the first, since its torch back end would take many GiB."""
    both = {f"{size[1]:,} documents": size for size in (sizes, larger)}

    def peaks(contestant: str, every: bool = True) -> dict[str, float]:
        return {name: memory_over_inputs(contestant, size) for name, size in list(both.items())[: 2 if every else 1]}

    goal = {"at_most": 0.4}
    searching = {"litotes": peaks("litotes search"), "faiss": peaks("faiss")}
    mining = {"litotes": peaks("litotes mine")}
    mining |= {name: peaks(f"mine_hard_negatives, {name}", every=False) for name in ("faiss", "torch")}
    mining = {name if name == "litotes" else f"mine_hard_negatives, {name}": found for name, found in mining.items()}
    return [measuring.memory_part("search", searching, goal=goal), measuring.memory_part("mine", mining, goal=goal)]


def add_options(parser: argparse.ArgumentParser) -> None:
    """For the fresh processes that memory is measured in."""
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    parser.add_argument("--sizes", nargs=3, type=int, help=argparse.SUPPRESS)


if __name__ == "__main__":
    measuring.run(__doc__, measure, add_options)
