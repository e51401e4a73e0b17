"""One training step with ELR beside one with cross entropy: forward, loss, memory, backward, AdamW.

- all-MiniLM-L6-v2 with a linear head, trained end to end: 32 texts of 32 tokens, 77 classes, 10,000 examples in the
  memory. Here the loss is a small part of the step.
- a small MLP, 64-512-512-10, 64 examples a step: the same arithmetic of the loss beside a hundredth of the network's.

Ids are checked (in range, none twice) and the targets of the batch are moved in every step, as in training. Who is
first changes from round to round; without regularisation the losses and gradients of both are asserted to be equal.
"""

import argparse
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks import measuring

LENGTH = 32
EXAMPLES = 10_000
MLP_STEPS = 50  # of one measurement
LIBRARIES = ("litotes", "sentence-transformers", "transformers", "torch")
PEER = "cross entropy"

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


class Task:
    """A network, its optimiser, and a batch that is trained on again and again under new ids."""

    def __init__(self, network: nn.Module, inputs: Tensor, n_classes: int) -> None:
        from litotes.losses import TargetMemory

        generator = torch.Generator().manual_seed(0)
        self.network, self.inputs = network, inputs
        self.labels = torch.randint(n_classes, (len(inputs),), generator=generator)
        self.order = torch.randperm(EXAMPLES, generator=generator)
        self.memory = TargetMemory(EXAMPLES, n_classes)
        self.optimizer = torch.optim.AdamW(network.parameters(), lr=1e-5)
        self.at = 0

    def elr(self, logits: Tensor, labels: Tensor, ids: Tensor, regularization: float = 3.0) -> Tensor:
        """Ours."""
        from litotes.losses import elr_loss

        return elr_loss(logits, labels, self.memory, ids, regularization=regularization)

    def cross_entropy(self, logits: Tensor, labels: Tensor, ids: Tensor) -> Tensor:
        """What it is measured against."""
        return F.cross_entropy(logits, labels)

    def step(self, loss: Loss) -> float:
        """One step of the optimiser."""
        self.at = (self.at + len(self.inputs)) % (EXAMPLES - len(self.inputs))
        self.optimizer.zero_grad()
        value = loss(self.network(self.inputs), self.labels, self.order[self.at : self.at + len(self.inputs)])
        value.backward()
        self.optimizer.step()
        return float(value.detach())

    def assert_equal_results(self) -> None:
        """Without regularisation, the value and every gradient to the bit."""
        found = []
        for loss in (lambda *batch: self.elr(*batch, regularization=0.0), self.cross_entropy):
            self.network.zero_grad()
            value = loss(self.network(self.inputs), self.labels, self.order[: len(self.inputs)])
            value.backward()
            found.append([value.detach(), *(p.grad.clone() for p in self.network.parameters() if p.grad is not None)])
        assert all(map(torch.equal, *found))


class MiniLM(nn.Module):
    """The encoder with a head, on token ids; without dropout, which both contestants would draw anew."""

    def __init__(self, n_classes: int) -> None:
        from litotes.models.loading import load_sentence_transformer

        super().__init__()
        self.encoder = load_sentence_transformer("builtin:minilm").eval()
        self.head = nn.Linear(384, n_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """The logits."""
        features = {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
        return self.head(self.encoder(features)["sentence_embedding"])


def measure(options: argparse.Namespace) -> dict:
    """Everything, as JSON holds it."""
    torch.manual_seed(0)
    n_texts, rounds = (4, options.rounds or 2) if options.quick else (32, options.rounds or 15)
    mlp = nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
    texts = Task(MiniLM(77), torch.randint(1000, 20_000, (n_texts, LENGTH)), 77)
    numbers = Task(mlp, torch.randn(64, 64), 10)
    for task in (texts, numbers):
        task.assert_equal_results()
    end_to_end = {"litotes": lambda: texts.step(texts.elr), PEER: lambda: texts.step(texts.cross_entropy)}
    small = {
        "litotes": lambda: [numbers.step(numbers.elr) for _ in range(MLP_STEPS)],
        PEER: lambda: [numbers.step(numbers.cross_entropy) for _ in range(MLP_STEPS)],
    }
    seconds = [
        measuring.part(
            "a step of MiniLM, end to end", measuring.in_turns(end_to_end, rounds), goal={"peer": PEER, "at_most": 1.1}
        ),
        measuring.part(f"{MLP_STEPS} steps of a small MLP", measuring.in_turns(small, rounds)),
    ]
    return measuring.result(
        name="elr_step",
        says="A training step with ELR's loss and memory beside one with cross entropy.",
        equal="losses and gradients without regularisation, to the bit",
        setting={
            "texts": n_texts, "tokens a text": LENGTH, "examples in the memory": EXAMPLES,
            "threads": torch.get_num_threads(),
        },
        libraries=LIBRARIES,
        seconds=seconds,
    )  # fmt: skip


if __name__ == "__main__":
    measuring.run(__doc__, measure)
