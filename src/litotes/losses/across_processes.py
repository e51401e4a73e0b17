"""What the processes of a distributed run hold together: each keeps its own queries and sees everybody's documents."""

import torch
from jaxtyping import Shaped
from torch import Tensor, distributed

__all__ = ["gathered", "rank"]


def gathered(tensor: Shaped[Tensor, "n *rest"]) -> Shaped[Tensor, "all *rest"]:
    """The tensors of all processes, one after the other by rank; as many entries in each.

    A gradient goes back to the process that the entries came from, summed over all that used them. With the mean loss
    of each process's queries and gradients averaged over processes, as DistributedDataParallel does, the step is that
    of one process with all queries. Without a process group this is the tensor itself.
    """
    if not _is_distributed():
        return tensor
    if tensor.requires_grad:
        from torch.distributed.nn.functional import all_gather

        return torch.cat(all_gather(tensor))
    parts = [torch.empty_like(tensor) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, tensor.contiguous())
    return torch.cat(parts)


def rank() -> int:
    """The number of this process, 0 without a process group."""
    return distributed.get_rank() if _is_distributed() else 0


def _is_distributed() -> bool:
    return distributed.is_available() and distributed.is_initialized()
