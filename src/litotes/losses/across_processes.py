"""What the processes of a distributed run hold together: each keeps its own queries and sees everybody's documents."""

import os
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, distributed
from torch.autograd.function import once_differentiable

from litotes.core.errors import LitotesError

__all__ = ["gathered", "n_processes", "rank"]


def gathered(tensor: Shaped[Tensor, "n *rest"]) -> Shaped[Tensor, "all *rest"]:
    """The tensors of all processes, one after the other by rank; as many entries in each.

    A gradient goes back to the process that the entries came from, summed over all that used them, in float32 at least.
    With the mean loss of each process's queries and gradients averaged over processes, as DistributedDataParallel does,
    the step is that of one process with all queries. Without a process group this is the tensor itself.

    Raises:
        LitotesError: tensors of different shapes; every process raises it.
    """
    if not _is_distributed():
        return tensor
    shape = torch.tensor(tensor.shape, device=tensor.device)
    shapes = [torch.empty_like(shape) for _ in range(distributed.get_world_size())]
    distributed.all_gather(shapes, shape)
    if any(not torch.equal(shape, other) for other in shapes):
        raise LitotesError(
            f"The processes hold tensors of shapes {', '.join(str(tuple(other.tolist())) for other in shapes)}, and "
            "only equal ones can be gathered. Give every process as many lines a step: dataloader_drop_last=True, and "
            "the same batch size everywhere."
        )
    return _Gathered.apply(tensor)


def rank() -> int:
    """The number of this process, 0 without a process group."""
    return distributed.get_rank() if _is_distributed() else 0


def n_processes() -> int:
    """How many processes the run has, or will have: before they meet, torchrun and accelerate say so in WORLD_SIZE."""
    return distributed.get_world_size() if _is_distributed() else int(os.environ.get("WORLD_SIZE") or 1)


class _Gathered(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        ctx.n = len(tensor)
        parts = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for _ in range(n_processes())]
        distributed.all_gather(parts, tensor.contiguous())
        return torch.cat(parts)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Float[Tensor, "all *rest"]) -> Float[Tensor, "n *rest"]:
        total = gradient.to(torch.promote_types(gradient.dtype, torch.float32), copy=True).contiguous()
        distributed.all_reduce(total)
        return total[rank() * ctx.n : (rank() + 1) * ctx.n].to(gradient.dtype, copy=True)  # the rest is let go


def _is_distributed() -> bool:
    return distributed.is_available() and distributed.is_initialized()
