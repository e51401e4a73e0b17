"""``litotes.compat.mine_hard_negatives`` against the function of sentence-transformers whose arguments it takes.

One call each, from a dataset of pairs and a list of documents to a dataset of n-tuples with scores, under the margin
that NV-Retriever recommends. Vectors are ready, so nothing but mining is measured: both get a model that hands them
out. The original runs with both of its back ends. A tenth of the queries has two positives.

- 2,000 queries against 20,000 documents, and 10,000 against 100,000, 384 numbers each, float32, ten negatives wanted.
- Memory is the peak of a fresh process over what it held with the inputs in memory, in GiB.
"""

import argparse
import contextlib
import io
import subprocess
import sys
from dataclasses import dataclass

import numpy as np

from benchmarks import measuring
from benchmarks.mining import Inputs, ReadyModel, ReadyVectors

NEGATIVES = 10
OPTIONS = {
    "num_negatives": NEGATIVES,
    "relative_margin": 0.05,
    "output_format": "n-tuple",
    "output_scores": True,
    "verbose": False,
}
LIBRARIES = ("litotes", "sentence-transformers", "faiss-cpu", "torch", "numpy", "datasets", "pyarrow")
CONTESTANTS = ("litotes", "sentence-transformers, faiss", "sentence-transformers, torch")


@dataclass(frozen=True)
class Task:
    """Pairs and documents as a user holds them, and the vectors that stand under them."""

    inputs: Inputs
    pairs: object  # a datasets.Dataset
    documents: list[str]

    @classmethod
    def make(cls, sizes: tuple[int, int, int]) -> "Task":
        """The positive of query i is document i; every tenth query has the document after the last query's too."""
        from datasets import Dataset

        inputs = Inputs.make(*sizes)
        queries, documents = inputs.query_texts, inputs.document_texts
        second = range(0, len(queries), 10)
        anchors = queries + [queries[i] for i in second]
        positives = documents[: len(queries)] + [documents[len(queries) + i // 10] for i in second]
        return cls(inputs, Dataset.from_dict({"query": anchors, "answer": positives}), documents)

    def mined_by(self, contestant: str):
        """The dataset that a contestant makes."""
        if contestant == "litotes":
            from litotes.compat import mine_hard_negatives

            return mine_hard_negatives(self.pairs, ReadyVectors(self.inputs), corpus=self.documents, **OPTIONS)
        from sentence_transformers.util import mine_hard_negatives as original

        use_faiss = contestant.endswith("faiss")
        with contextlib.redirect_stderr(io.StringIO()):  # its bars, which no option turns off
            return original(self.pairs, ReadyModel(self.inputs), corpus=self.documents, use_faiss=use_faiss, **OPTIONS)


def assert_equal_results(task: Task) -> dict[str, float]:
    """The same lines, and in them the same negatives but where two scores lie within 1e-5; returns the equal share."""
    ours = task.mined_by(CONTESTANTS[0])
    assert len(ours) > 0.5 * len(task.pairs)  # else the margin would have left nothing to compare
    shares = {}
    for name in CONTESTANTS[1:]:
        theirs = task.mined_by(name)
        assert ours.column_names == theirs.column_names, name
        assert len(ours) == len(theirs), name
        same = 0
        for column in ours.column_names[:-1]:
            equal = np.array(ours[column]) == np.array(theirs[column])
            assert equal.all() or column.startswith("negative"), (name, column)
            same += int(equal.sum()) if column.startswith("negative") else 0
        gap = np.abs(np.array(ours["scores"]) - np.array(theirs["scores"])).max()
        assert gap < 1e-5, (name, gap)
        shares[name] = same / (len(ours) * NEGATIVES)
        assert shares[name] > 0.999, (name, shares[name])
    return shares


def memory_over_inputs(contestant: str, sizes: tuple[int, int, int]) -> float:
    """GiB, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.compat", "--memory-of", contestant, "--sizes", *map(str, sizes)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def measure(options: argparse.Namespace) -> dict:
    """Everything, as JSON holds it."""
    if options.memory_of:
        Task.make((100, 2000, options.sizes[2])).mined_by(options.memory_of)  # libraries and their threads
        task = Task.make(tuple(options.sizes))
        print(measuring.peak_over_inputs(lambda: task.mined_by(options.memory_of)))
        raise SystemExit
    small, large = ((2000, 20_000, 384), (10_000, 100_000, 384))
    if options.quick:
        small, large = ((200, 2000, 64), (400, 4000, 64))
    seconds, facts = [], {}
    for sizes, rounds in ((small, 10), (large, 5)):
        title = f"{sizes[0]:,} queries, {sizes[1]:,} documents"
        task = Task.make(sizes)
        shares = assert_equal_results(task)
        facts |= {f"share of equal negatives, {title}, {name}": round(share, 6) for name, share in shares.items()}
        work = {name: lambda name=name, task=task: task.mined_by(name) for name in CONTESTANTS}
        rounds = options.rounds or (1 if options.quick else rounds)
        seconds.append(measuring.part(title, measuring.in_turns(work, rounds)))
        del task, work
    memory = {
        name: {f"{sizes[0]:,} x {sizes[1]:,}": memory_over_inputs(name, sizes) for sizes in (small, large)}
        for name in CONTESTANTS
    }
    return measuring.result(
        name="compat",
        says="`litotes.compat.mine_hard_negatives` beside the function of sentence-transformers with the same "
        "arguments: from pairs and documents to n-tuples with scores, with vectors that are ready.",
        equal="the same lines with the same negatives, but for ties within 1e-5, and scores within 1e-5",
        setting={"width": large[2], "negatives": NEGATIVES, "relative_margin": OPTIONS["relative_margin"]},
        libraries=LIBRARIES,
        seconds=seconds,
        memory=[measuring.memory_part("peak over inputs, queries x documents", memory)],
        facts=facts,
    )


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    parser.add_argument("--sizes", nargs=3, type=int, help=argparse.SUPPRESS)


def main() -> None:
    """Measure, print, write."""
    measuring.run(__doc__, measure, _add_options)


if __name__ == "__main__":
    main()
