"""The accuracy of the first 1, 2, ... 512 feature channels: one running sum of logits, beside 512 products of the head.

Features and head in float32 from a seed, validation rows as many as a data set of that many classes may have. The peer
does what the definition says: for each k the features times a mask of k ones, the head, and argmax. Beside it, not in
the goal, the same with the first k columns cut out instead of masked, which does half the work. Equal answers are
asserted before, but for rows whose two best logits differ by rounding.

- seconds, at 10 and at 150 classes; the goals are half the peer's, and no more than the peer's
- memory: the peak of a fresh process over what it held with the inputs; the goal is 64 MiB
"""

import argparse
import subprocess
import sys

import numpy as np
import torch
from torch import Tensor

from benchmarks import measuring

DIM = 512
LIBRARIES = ("litotes", "torch")
PEER = "512 masked products"
GOALS = {10: 0.5, 150: 1.0}


def inputs(n_rows: int, n_classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Features after a ReLU, a head that knows something, and labels."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(n_classes, (n_rows,), generator=generator)
    weight = torch.randn(n_classes, DIM, generator=generator)
    features = (weight[labels] + 3 * torch.randn(n_rows, DIM, generator=generator)).relu()
    return features, weight, labels


# --- the contestants ------------------------------------------------------------------------------------------------


def litotes(features: Tensor, weight: Tensor, labels: Tensor) -> np.ndarray:
    """One pass."""
    from litotes.models import accuracy_by_channels

    return accuracy_by_channels(features, weight, labels)


def masked(features: Tensor, weight: Tensor, labels: Tensor) -> np.ndarray:
    """By the definition."""
    masks = torch.ones(DIM, DIM).tril()
    right = [((features * mask) @ weight.T).argmax(dim=1).eq(labels).sum() for mask in masks]
    return torch.stack(right).numpy() / len(labels)


def cut(features: Tensor, weight: Tensor, labels: Tensor) -> np.ndarray:
    """With the first k columns alone."""
    right = [
        (features[:, :k] @ weight[:, :k].T).argmax(dim=1).eq(labels).sum() for k in range(1, DIM + 1)
    ]  # fmt: skip
    return torch.stack(right).numpy() / len(labels)


CONTESTANTS = {"litotes": litotes, PEER: masked, "512 products of columns": cut}


def assert_equal_results(*given: Tensor) -> float:
    """The largest difference of an accuracy, which rounding may move by few rows."""
    ours = litotes(*given)
    gaps = [float(np.abs(ours - contestant(*given)).max()) for contestant in (masked, cut)]
    assert max(gaps) <= max(2 / len(given[2]), 1e-3), gaps
    return max(gaps)


# --- memory ---------------------------------------------------------------------------------------------------------


def memory_over_inputs(contestant: str, sizes: tuple[int, int]) -> float:
    """GiB, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.nested_evaluation", "--memory-of", contestant]
    done = subprocess.run([*command, "--sizes", *map(str, sizes)], check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


# --- the whole ------------------------------------------------------------------------------------------------------


def measure(options: argparse.Namespace) -> dict:
    """Everything, as JSON holds it."""
    if options.memory_of:
        CONTESTANTS[options.memory_of](*inputs(8, 3))  # libraries and their threads
        given = inputs(*options.sizes)
        print(measuring.peak_over_inputs(lambda: CONTESTANTS[options.memory_of](*given)))
        raise SystemExit
    sizes = {10: 300, 150: 300} if options.quick else {10: 5000, 150: 2250}
    rounds = options.rounds or (1 if options.quick else 5)
    seconds, gaps = [], []
    for n_classes, n_rows in sizes.items():
        given = inputs(n_rows, n_classes)
        gaps.append(assert_equal_results(*given))
        work = {name: lambda f=f, given=given: f(*given) for name, f in CONTESTANTS.items()}
        goal = {"peer": PEER, "at_most": GOALS[n_classes]}
        title = f"{n_classes} classes, {n_rows:,} rows"
        seconds.append(measuring.part(title, measuring.in_turns(work, rounds), goal=goal))
    at = {f"{n_classes} classes, {n_rows:,} rows": (n_rows, n_classes) for n_classes, n_rows in sizes.items()}
    memory = {name: {title: memory_over_inputs(name, size) for title, size in at.items()} for name in CONTESTANTS}
    return measuring.result(
        name="nested_evaluation",
        says="The accuracy of a linear head on the first k of 512 features, for every k.",
        equal="accuracies for every k, but for a row or two whose best logits differ by rounding",
        setting={"channels": DIM, "dtype": "float32", "threads": torch.get_num_threads()},
        libraries=LIBRARIES,
        seconds=seconds,
        memory=[measuring.memory_part("over inputs", memory, goal={"at_most": 64 / 1024})],
        facts={"largest difference of an accuracy": f"{max(gaps):.1e}"},
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """For the fresh processes that memory is measured in."""
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    parser.add_argument("--sizes", nargs=2, type=int, help=argparse.SUPPRESS)


if __name__ == "__main__":
    measuring.run(__doc__, measure, add_options)
