"""How large the tensors are that a computation makes on its way: what it costs in memory, whatever the machine."""

from __future__ import annotations

from typing import Any, Self

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["LargestTensor"]


class LargestTensor(TorchDispatchMode):
    """A context in which every operation of torch is looked at, forwards and backwards.

    Attributes:
        numel: numbers in the largest storage that was made. A broadcast view has the storage of what it repeats and
            costs nothing until it is computed with.
        shape: the shape of the tensor over it.
    """

    numel = 0
    shape: tuple[int, ...] = ()

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and measure what came of it."""
        made = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(made):
            if isinstance(leaf, Tensor):
                numel = leaf.untyped_storage().nbytes() // leaf.element_size()
                if numel > self.numel:
                    self.numel, self.shape = numel, tuple(leaf.shape)
        return made
