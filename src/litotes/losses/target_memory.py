r"""The memory of early-learning regularisation: for every training example, what the network made of it so far.

Liu et al. 2020, "Early-Learning Regularization Prevents Memorization of Noisy Labels" (NeurIPS); temporal ensembling as
in Laine and Aila 2017. With q the network's probabilities for example i at a visit:

.. math:: T_i \leftarrow \beta\, T_i + (1 - \beta)\, q_i, \qquad T_i = 0 \text{ before the first visit}

There is no bias correction: after v visits a row sums to 1 - beta^v, so the targets begin weak by themselves. Rows are
named by *ids*, the examples' positions in the training set, which have to stay the same from epoch to epoch.
"""

from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, distributed, nn

from litotes.core.checks import check_choice, check_float, check_int
from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.core.files import write_atomically
from litotes.losses.cells import full_precision

__all__ = ["TargetMemory"]

_DTYPES = (torch.float16, torch.float32, torch.float64)
_MOMENTUM = "target_momentum"


class TargetMemory(nn.Module):
    """Targets ``[n_examples, n_classes]`` by id, as buffers: in ``state_dict``, on the device of the module, untrained.

    Only :meth:`update` changes them, and no gradient ever reaches them. Under ``torch.distributed`` every process
    updates from the batches of all, so that each holds the whole memory wherever an example turns up next.

    Args:
        n_examples: of the training set.
        n_classes: of the task.
        target_momentum: beta. 0 keeps the last visit alone.
        dtype: of storage; ``torch.float16`` halves what very many classes take. Updates are computed in float32 or
            more, and a row read back sums to no more than 1.
    """

    targets: Float[Tensor, "examples classes"]
    last_visit: Int[Tensor, "examples"]
    """The ``visit`` in which a row was last updated, -1 for none."""

    def __init__(
        self, n_examples: int, n_classes: int, *, target_momentum: float = 0.7, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        check_int("TargetMemory", "n_examples", n_examples, at_least=1)
        check_int("TargetMemory", "n_classes", n_classes, at_least=1)
        check_choice("TargetMemory", "dtype", dtype, _DTYPES)
        self.target_momentum = check_float("TargetMemory", _MOMENTUM, target_momentum, at_least=0.0, below=1.0)
        self.register_buffer("targets", torch.zeros(n_examples, n_classes, dtype=dtype))
        self.register_buffer("last_visit", torch.full((n_examples,), -1, dtype=torch.int64))
        self.visit: int | None = None
        """What a row is updated once in: the number of the optimiser step, say. None: every update counts. A loop that
        may run its loss twice on one batch (a closure, a checkpointed loss) sets it, or has
        :class:`~litotes.training.memory_callback.MemoryCallback` set it.
        """

    @classmethod
    def from_targets(
        cls, targets: Float[Tensor, "examples classes"], *, target_momentum: float = 0.7
    ) -> "TargetMemory":
        """A memory that begins with a copy of the given targets, in their dtype."""
        memory = cls(*targets.shape, target_momentum=target_momentum, dtype=targets.dtype)
        memory.targets.copy_(targets.detach())
        return memory

    @property
    def seen(self) -> Bool[Tensor, "examples"]:
        """Which examples were ever visited."""
        return (self.targets != 0).any(dim=1)

    def read(self, ids: Int[Tensor, "batch"]) -> Float[Tensor, "batch classes"]:
        """The targets of some examples, constants, in float32 or more and on the device of ``ids``.

        Raises:
            LitotesError: an id out of range.
        """
        rows = self.targets[self._checked(ids)]
        if rows.dtype == torch.float16:  # rounded up, they could sum above 1, and log(1 - <t, p>) would have no value
            rows = rows.float()
            rows = rows / rows.sum(dim=1, keepdim=True).clamp(min=1.0)
        return rows.to(ids.device)

    @torch.no_grad()
    def update(self, ids: Int[Tensor, "batch"], probabilities: Float[Tensor, "batch classes"]) -> None:
        """Move the targets of a batch towards ``probabilities``, each row of them scaled to sum 1.

        An example not in the batch keeps its row bit for bit, and so does one that was already updated in this
        ``visit``, or whose probabilities are not finite (the loss shows those).

        Raises:
            LitotesError: an id out of range or twice in the batch, or probabilities of another shape.
        """
        ids = self._checked(ids)
        if tuple(probabilities.shape) != (len(ids), self.targets.shape[1]):
            raise LitotesError(
                f"TargetMemory of {self.targets.shape[1]} classes got {len(ids)} ids and probabilities of shape "
                f"{tuple(probabilities.shape)}. Give one row of {self.targets.shape[1]} for each id."
            )
        values, counts = ids.unique(return_counts=True)
        if len(values) < len(ids):
            raise LitotesError(
                f"TargetMemory got the id {int(values[counts > 1][0])} more than once in one batch. An example is "
                "visited once a batch: use a sampler without replacement, or leave repeats out."
            )
        q = full_precision(probabilities.detach()).to(self.targets.device)
        q = q / q.sum(dim=1, keepdim=True)
        ids, q = _of_all_processes(ids, q)
        due = q.isfinite().all(dim=1)
        if self.visit is not None:
            due &= self.last_visit[ids] != self.visit
        ids, q = ids[due], q[due]
        moved = self.target_momentum * self.read(ids).to(q.dtype) + (1 - self.target_momentum) * q
        self.targets[ids] = moved.to(self.targets.dtype)
        if self.visit is not None:
            self.last_visit[ids] = self.visit

    def forget_visits(self) -> None:
        """Let every row be due again, whatever ``visit`` it was updated in: a new run numbers its steps from 0."""
        self.last_visit.fill_(-1)

    def label_quality(self, labels: Int[Tensor, "examples"]) -> Float[Tensor, "examples"]:
        """``T[i, y_i]``, low where the label looks wrong; NaN for an example that was never visited."""
        self._check_labels(labels)
        labels = labels.to(self.targets.device)
        return full_precision(self.targets).gather(1, labels[:, None])[:, 0].where(self.seen, torch.nan)

    def label_issues(self, labels: Int[Tensor, "examples"]) -> Bool[Tensor, "examples"]:
        """Where the class with the largest target is not the label; never where an example was not visited."""
        self._check_labels(labels)
        return (self.targets.argmax(dim=1) != labels.to(self.targets.device)) & self.seen

    def save(self, path: str | Path) -> None:
        """Write the memory as a safetensors file, whole or not at all."""
        tensors = {"targets": self.targets.detach().cpu().contiguous(), "last_visit": self.last_visit.cpu()}
        write_atomically(path, lambda temporary: save_file(tensors, temporary, {_MOMENTUM: repr(self.target_momentum)}))

    def load(self, path: str | Path) -> None:
        """Take the targets of a file that :meth:`save` wrote.

        Raises:
            DataError: there is no such file.
            StaleError: it is of another number of examples or classes, another dtype or another momentum.
        """
        if not Path(path).exists():
            raise DataError(f"{path}: no such file, so the targets would begin again from nothing.")
        with safe_open(str(path), framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in ("targets", "last_visit")}
            momentum = float((file.metadata() or {}).get(_MOMENTUM, "nan"))
        then = (tuple(tensors["targets"].shape), tensors["targets"].dtype, momentum)
        now = (tuple(self.targets.shape), self.targets.dtype, self.target_momentum)
        for name, there, here in zip(("shape", "dtype", _MOMENTUM), then, now, strict=True):
            if there != here:
                raise StaleError(f"{path} holds targets of {name} {there}, and this memory has {here}.")
        self.targets.copy_(tensors["targets"])
        self.last_visit.copy_(tensors["last_visit"])

    def extra_repr(self) -> str:
        """What ``print`` shows."""
        n_examples, n_classes = self.targets.shape
        return f"{n_examples}, {n_classes}, target_momentum={self.target_momentum}, dtype={self.targets.dtype}"

    def _checked(self, ids: Tensor) -> Tensor:
        n = len(self.targets)
        if ids.ndim != 1 or ids.is_floating_point() or ids.dtype == torch.bool:
            raise LitotesError(
                f"TargetMemory takes ids as a tensor of ints, one for each example of the batch. Got {ids.dtype} of "
                f"shape {tuple(ids.shape)}."
            )
        wrong = ids[(ids < 0) | (ids >= n)]
        if len(wrong):
            raise LitotesError(
                f"TargetMemory holds targets of {n} examples, ids 0 to {n - 1}. Got the id {int(wrong[0])}. Ids are "
                "positions in the training set: give it a column of them, and make the memory with "
                "n_examples=len(dataset)."
            )
        return ids.to(self.targets.device, torch.int64)

    def _check_labels(self, labels: Tensor) -> None:
        n_examples, n_classes = self.targets.shape
        fits = labels.shape == (n_examples,) and not labels.is_floating_point()
        if not fits or not bool(((labels >= 0) & (labels < n_classes)).all()):
            raise LitotesError(
                f"TargetMemory takes labels of all its {n_examples} examples in the order of their ids, ints from 0 to "
                f"{n_classes - 1}. Got {labels.dtype} of shape {tuple(labels.shape)}"
                + (f", from {int(labels.min())} to {int(labels.max())}." if fits else ".")
            )


def _of_all_processes(ids: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    """The batches of all processes, which may be of unequal length; an example that several have counts once."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return ids, q
    counts = [torch.zeros_like(ids.new_empty(1)) for _ in range(distributed.get_world_size())]
    distributed.all_gather(counts, torch.tensor([len(ids)], device=ids.device))
    longest = int(torch.cat(counts).max())
    gathered = []
    for mine in (ids, q):
        padded = mine.new_zeros(longest, *mine.shape[1:])
        padded[: len(mine)] = mine
        parts = [torch.empty_like(padded) for _ in counts]
        distributed.all_gather(parts, padded)
        gathered.append(torch.cat([part[: int(count)] for part, count in zip(parts, counts, strict=True)]))
    ids, q = gathered
    first: dict[int, int] = {}
    for place, one in enumerate(ids.tolist()):  # samplers repeat examples to make the batches of all processes equal
        first.setdefault(one, place)
    places = torch.tensor(list(first.values()), device=ids.device, dtype=torch.int64)
    return ids[places], q[places]
