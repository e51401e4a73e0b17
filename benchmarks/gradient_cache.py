"""A training step whose activations are forgotten and made again, beside the plain step: seconds and memory.

all-MiniLM-L6-v2 without dropout, 256 pairs of 32 tokens, cosine / 0.05, all in-batch negatives: loss, backward, no
optimiser. The plain step holds the activations of 512 texts; the others those of 16. Equal losses and gradients are
asserted before.

- ``cached_encode``: any encoder, as one node of the graph.
- ``ProgressiveInfoNCELoss``: gradient caching by sentence-transformers, scores by tiles.
- sentence-transformers: ``CachedMultipleNegativesRankingLoss``; the plain step is ``MultipleNegativesRankingLoss``.
- memory: the peak of a fresh process over what it held with model and inputs, in GiB; gradients are part of it.

"""

import argparse
import subprocess
import sys

import torch
from torch import Tensor

from benchmarks import measuring

CHUNK = 16
LENGTH = 32
TEMPERATURE = 0.05
LIBRARIES = ("litotes", "sentence-transformers", "transformers", "torch")
PLAIN = "plain step"


class Task:
    """A model and the tokens of both columns."""

    def __init__(self, n_pairs: int) -> None:
        from litotes.models.loading import load_sentence_transformer

        self.model = load_sentence_transformer("builtin:minilm").eval()
        generator = torch.Generator().manual_seed(0)
        tokens = torch.randint(1000, 20_000, (2, n_pairs, LENGTH), generator=generator)
        tokens[1, :, ::2] = tokens[0, :, ::2]  # half of a pair's words are the same
        self.columns = [{"input_ids": ids, "attention_mask": torch.ones_like(ids)} for ids in tokens]

    def step_of(self, contestant: str) -> tuple[Tensor, list[Tensor]]:
        """The loss and the gradients of all parameters that have one."""
        self.model.zero_grad()
        loss = CONTESTANTS[contestant](self.model, [dict(column) for column in self.columns])
        loss.backward()
        return loss.detach(), [p.grad for p in self.model.parameters() if p.grad is not None]


def plain(model, columns) -> Tensor:
    """All texts at once."""
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    return MultipleNegativesRankingLoss(model, scale=1 / TEMPERATURE)(columns, None)


def cached(model, columns) -> Tensor:
    """The peer."""
    from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss

    return CachedMultipleNegativesRankingLoss(model, scale=1 / TEMPERATURE, mini_batch_size=CHUNK)(columns, None)


def progressive(model, columns) -> Tensor:
    """Ours for sentence-transformers' trainer."""
    from litotes.losses import ProgressiveInfoNCELoss

    return ProgressiveInfoNCELoss(model, temperature=TEMPERATURE, mini_batch_size=CHUNK)(columns)


def encoded(model, columns) -> Tensor:
    """Ours for any encoder."""
    from litotes.losses import cached_encode, tiled_info_nce

    def encode(features):
        return model(features)["sentence_embedding"]

    vectors = [cached_encode(encode, column, CHUNK, parameters=model.parameters()) for column in columns]
    return tiled_info_nce(*vectors, temperature=TEMPERATURE)


CONTESTANTS = {
    "litotes": encoded,
    "litotes, ProgressiveInfoNCELoss": progressive,
    PLAIN: plain,
    "sentence-transformers, cached": cached,
}


def assert_equal_results(task: Task) -> float:
    """The same loss, and gradients within 1e-4 of the largest entry; the largest gap."""
    value, gradients = task.step_of(PLAIN)
    gradients, gaps = [g.clone() for g in gradients], []
    largest = max(float(g.abs().max()) for g in gradients)
    for name in CONTESTANTS:
        theirs, others = task.step_of(name)
        assert abs(value - theirs) < 1e-5 * abs(value), name
        gaps.append(max(float((a - b).abs().max()) for a, b in zip(gradients, others, strict=True)) / largest)
        assert gaps[-1] < 1e-4, (name, gaps)
    return max(gaps)


def memory_over_inputs(contestant: str, n_pairs: int) -> float:
    """GiB, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.gradient_cache", "--memory-of", contestant, "--pairs", str(n_pairs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def measure(options: argparse.Namespace) -> dict:
    """Everything, as JSON holds it."""
    if options.memory_of:
        Task(2).step_of(options.memory_of)  # libraries and their threads
        task = Task(options.pairs)
        print(measuring.peak_over_inputs(lambda: task.step_of(options.memory_of)))
        raise SystemExit
    n_pairs = 32 if options.quick else 256
    rounds = options.rounds or (1 if options.quick else 5)
    task = Task(n_pairs)
    gap = assert_equal_results(task)
    work = {name: lambda name=name: task.step_of(name) for name in CONTESTANTS}
    goal = {"peer": PLAIN, "at_most": 1.7}
    seconds = [measuring.part(f"one step of {n_pairs} pairs", measuring.in_turns(work, rounds), goal=goal)]
    memory = {name: {f"{n} pairs": memory_over_inputs(name, n) for n in (CHUNK // 2, n_pairs)} for name in CONTESTANTS}
    return measuring.result(
        name="gradient_cache",
        says="A contrastive step of all-MiniLM-L6-v2 in mini-batches of 16 texts, with gradients of the whole batch.",
        equal="losses within 1e-5, gradients within 1e-4 of the largest entry",
        setting={"pairs": n_pairs, "tokens a text": LENGTH, "mini-batch": CHUNK, "threads": torch.get_num_threads()},
        libraries=LIBRARIES,
        seconds=seconds,
        memory=[measuring.memory_part("peak over model and inputs", memory)],
        facts={"largest gap between gradients, of the largest entry": f"{gap:.1e}"},
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """For the fresh processes that memory is measured in."""
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    parser.add_argument("--pairs", type=int, help=argparse.SUPPRESS)


if __name__ == "__main__":
    measuring.run(__doc__, measure, add_options)
