"""InfoNCE over all documents of a batch without the matrix of scores, forwards and backwards, beside dense and peers.

Unit vectors in float32, a positive and five hard negatives a query that are as near as it, temperature 0.02, one loss
value and the gradients of all vectors. Who is first changes from round to round; values and gradients are asserted
before to be those of the dense form in float64.

- seconds where a dense matrix fits: 2,048 queries against 12,288 documents, 64 and 768 numbers wide, beside
  ``torch.nn.functional.cross_entropy`` of the matrix and sentence-transformers' ``CachedMultipleNegativesRankingLoss``
  given ready vectors; NT-Xent of pytorch-metric-learning, which pairs each positive with all negatives, at 512 queries.
- memory with 80,004 documents (13,334 queries): the peak of a fresh process over what it held with the inputs, less the
  gradients that everyone must return, in GiB. A dense matrix there takes 4.0 GiB by itself, and its gradient as much.

"""

import argparse
import subprocess
import sys
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks import measuring

HARD = 5
TEMPERATURE = 0.02
LIBRARIES = ("litotes", "sentence-transformers", "pytorch-metric-learning", "torch")
PEER = "sentence-transformers, cached"
METRIC = "pytorch-metric-learning, NT-Xent"


@dataclass(frozen=True)
class Batch:
    """Queries, and documents query by query, the positive first; all of length 1."""

    queries: Tensor
    documents: Tensor

    @classmethod
    def make(cls, n_queries: int, width: int) -> "Batch":
        """Documents around queries.

        Were the positives nearer, the loss of 768 numbers a vector would be 4e-5 in truth, which float32 cannot take
        from a log-partition of 35: there the dense form is wrong in the fourth digit and the cached peer in the third,
        so nobody could be compared with them.
        """
        generator = torch.Generator().manual_seed(0)
        queries = torch.randn(n_queries, width, generator=generator)
        documents = torch.randn(n_queries, 1 + HARD, width, generator=generator) + queries[:, None]
        return cls(F.normalize(queries, dim=-1), F.normalize(documents.flatten(0, 1), dim=-1))

    @property
    def gradient_gib(self) -> float:
        """What the gradients take."""
        return 4 * (self.queries.numel() + self.documents.numel()) / 2**30


# --- the contestants ------------------------------------------------------------------------------------------------


def litotes(batch: Batch, **options) -> tuple[Tensor, Tensor, Tensor]:
    """Loss, and the gradients of queries and documents."""
    from litotes.losses import tiled_info_nce

    q, d = batch.queries.detach().requires_grad_(), batch.documents.detach().requires_grad_()
    loss = tiled_info_nce(q, d, temperature=TEMPERATURE, **options)
    loss.backward()
    return loss.detach(), q.grad, d.grad


def litotes_weighted(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """The same with weights of mean 1, which take a second sum."""
    return litotes(batch, beta=3.0)


def dense(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """The matrix, normalised rows and cross entropy."""
    q, d = batch.queries.detach().requires_grad_(), batch.documents.detach().requires_grad_()
    scores = F.normalize(q, dim=-1) @ F.normalize(d, dim=-1).T / TEMPERATURE
    loss = F.cross_entropy(scores, torch.arange(len(q)) * (1 + HARD))
    loss.backward()
    return loss.detach(), q.grad, d.grad


def cached(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """The loss stage of sentence-transformers' gradient caching, in its default mini-batches of 32 rows."""
    from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss

    model = torch.nn.Sequential(torch.nn.Identity())
    loss = CachedMultipleNegativesRankingLoss(model, scale=1 / TEMPERATURE, mini_batch_size=32)
    q = batch.queries.detach().requires_grad_()
    columns = [x.contiguous().requires_grad_() for x in batch.documents.view(len(q), 1 + HARD, -1).unbind(dim=1)]
    value = loss.calculate_loss([[q], *([column] for column in columns)], with_backward=True)
    return value, q.grad, torch.stack([column.grad for column in columns], dim=1).flatten(0, 1)


def nt_xent(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Queries as embeddings, documents as references; a hard negative has a label of its own."""
    from pytorch_metric_learning.losses import NTXentLoss

    q, d = batch.queries.detach().requires_grad_(), batch.documents.detach().requires_grad_()
    labels = torch.arange(len(d))
    loss = NTXentLoss(temperature=TEMPERATURE)(q, labels[:: 1 + HARD], ref_emb=d, ref_labels=labels)
    loss.backward()
    return loss.detach(), q.grad, d.grad


CONTESTANTS = {
    "litotes": litotes,
    "litotes, weighted": litotes_weighted,
    "dense": dense,
    PEER: cached,
    METRIC: nt_xent,
}


# --- equal results --------------------------------------------------------------------------------------------------


def assert_equal_results(batch: Batch, names: tuple[str, ...]) -> float:
    """To the dense form in float64: values within 1e-5, gradients within 5e-5 of the largest; the largest gap.

    A float32 logit of 50 is rounded by up to 4e-6, so nobody's gradient can be much nearer.
    """
    value, *gradients = dense(Batch(batch.queries.double(), batch.documents.double()))
    gaps = []
    for name in names:
        theirs, *others = CONTESTANTS[name](batch)
        assert abs(value - theirs) < 1e-5 * value, (name, value, theirs)
        gaps += [float((a - b).abs().max() / a.abs().max()) for a, b in zip(gradients, others, strict=True)]
        assert max(gaps) < 5e-5, (name, gaps)
    return max(gaps)


# --- memory ---------------------------------------------------------------------------------------------------------


def memory_over_inputs(contestant: str, sizes: tuple[int, int]) -> float:
    """GiB, measured in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.tiled_info_nce",
        "--memory-of",
        contestant,
        "--sizes",
        *map(str, sizes),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def measure_memory(contestant: str, sizes: tuple[int, int]) -> float:
    """Peak resident memory over inputs and gradients."""
    CONTESTANTS[contestant](Batch.make(64, sizes[1]))  # libraries and their threads
    batch = Batch.make(*sizes)
    return max(0.0, measuring.peak_over_inputs(lambda: CONTESTANTS[contestant](batch)) - batch.gradient_gib)


# --- the whole ------------------------------------------------------------------------------------------------------


def measure(options: argparse.Namespace) -> dict:
    """Everything, as JSON holds it."""
    if options.memory_of:
        print(measure_memory(options.memory_of, tuple(options.sizes)))
        raise SystemExit
    fits, few, all_of_them, widths = 2048, 512, 13_334, (64, 768)
    if options.quick:
        fits, few, all_of_them, widths = 256, 64, 512, (16, 64)
    rounds = options.rounds or (1 if options.quick else 5)
    seconds, gaps = [], []
    for width in widths:
        batch, small = Batch.make(fits, width), Batch.make(few, width)
        gaps += [
            assert_equal_results(batch, ("litotes", "dense", PEER)),
            assert_equal_results(small, ("litotes", METRIC)),
        ]
        work = {
            name: lambda name=name, b=batch: CONTESTANTS[name](b)
            for name in ("litotes", "litotes, weighted", "dense", PEER)
        }
        title = f"{fits:,} x {len(batch.documents):,}, width {width}"
        goal = {"peer": "dense", "at_most": 1.25}
        seconds.append(measuring.part(title, measuring.in_turns(work, rounds), goal=goal))
        work = {name: lambda name=name, b=small: CONTESTANTS[name](b) for name in ("litotes", METRIC)}
        title = f"{few:,} x {len(small.documents):,}, width {width}"
        seconds.append(measuring.part(title, measuring.in_turns(work, rounds)))
    large = {f"{all_of_them * (1 + HARD):,} documents, width {width}": (all_of_them, width) for width in widths}
    at_large = {
        name: {title: memory_over_inputs(name, sizes) for title, sizes in large.items()}
        for name in ("litotes", "litotes, weighted", PEER)
    }
    fitting = {f"{fits * (1 + HARD):,} documents, width {width}": (fits, width) for width in widths}
    at_small = {
        name: {title: memory_over_inputs(name, sizes) for title, sizes in fitting.items()}
        for name in ("litotes", "dense", PEER)
    }
    at_few = {
        name: {f"{few * (1 + HARD):,} documents": memory_over_inputs(name, (few, widths[0]))}
        for name in ("litotes", METRIC)
    }
    what = "over inputs and gradients"
    return measuring.result(
        name="tiled_info_nce",
        says="InfoNCE of each query against all documents of a batch, value and gradients, without a score matrix.",
        equal="values within 1e-5 of the dense form in float64, gradients within 5e-5 of the largest entry",
        setting={
            "hard negatives": HARD,
            "temperature": TEMPERATURE,
            "dtype": "float32",
            "threads": torch.get_num_threads(),
        },
        libraries=LIBRARIES,
        seconds=seconds,
        memory=[
            measuring.memory_part(f"{what}, {all_of_them:,} queries", at_large, goal={"at_most": 0.186}),
            measuring.memory_part(f"{what}, {fits:,} queries", at_small),
            measuring.memory_part(f"{what}, {few:,} queries", at_few),
        ],
        facts={
            "largest gap between gradients, of the largest entry": f"{max(gaps):.1e}",
            f"GiB of one dense score matrix, {all_of_them:,} queries": round(
                4 * all_of_them**2 * (1 + HARD) / 2**30, 2
            ),
        },
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """For the fresh processes that memory is measured in."""
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    parser.add_argument("--sizes", nargs=2, type=int, help=argparse.SUPPRESS)


if __name__ == "__main__":
    measuring.run(__doc__, measure, add_options)
