"""Encoders whose activations are forgotten and made again: exact gradients with the memory of one mini-batch.

Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup" (GradCache):

1. every mini-batch is encoded without a graph, and the state of the random numbers before it is remembered;
2. the loss of all vectors is made as always; its backward brings the gradient of each vector;
3. each mini-batch is encoded again under its own random numbers, so that dropout is the same, and its part of the
   gradient goes on to the parameters.

The two passes are one node of the graph, so whatever holds for autograd holds here: any loss, several towers that share
parameters, several forwards before a backward, scaling, ``torch.autograd.grad``. sentence-transformers has the same for
its own losses (``CachedLossMixin``, used by :class:`~litotes.losses.ProgressiveInfoNCELoss`); this is for every other
encoder. ``torch.utils.checkpoint`` would keep a graph for each mini-batch, or not answer ``torch.autograd.grad``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import get_device_states, set_device_states

from litotes.core.checks import check_int
from litotes.core.errors import LitotesError

__all__ = ["cached_encode"]

_NAME = "cached_encode"


def cached_encode(
    encoder: Callable[[Any], Tensor],
    inputs: Tensor | Mapping[str, Any] | Sequence[Any],
    mini_batch_size: int,
    *,
    parameters: Iterable[Tensor] | None = None,
) -> Float[Tensor, "n *rest"]:
    """``encoder(inputs)``, in mini-batches, with the gradient of its parameters and without keeping activations.

    Costs about one more forward, and a second copy of the parameters' gradients while they are summed. Each further
    call in one graph holds one more, so texts of two columns are best encoded in one call. Inputs get no gradient.

    Args:
        encoder: takes part of the inputs and gives a tensor of as many rows. It must treat each input by itself: a
            batch norm in training would see other neighbours. In an ``nn.Module`` it is refused; behind a function it
            cannot be seen, and the gradients would be those of mini-batches normalised one by one.
        inputs: a tensor, a mapping whose tensors are cut along their first axis, or a sequence such as a list of texts.
        mini_batch_size: inputs encoded at one time.
        parameters: what the encoder has gradients for; by default the parameters of an ``nn.Module``. Frozen ones are
            passed over, and those of tied towers may be named by each.

    Raises:
        LitotesError: a function without ``parameters=``, inputs that want a gradient, batch norm in training; the
            encoder used a parameter that is not among the given ones. That is seen at the backward, or at once where
            none of the given ones has a gradient and there will be no backward.

    >>> layer = nn.Linear(3, 2)
    >>> vectors = cached_encode(layer, torch.ones(5, 3), mini_batch_size=2)
    >>> vectors.sum().backward()
    >>> layer.bias.grad
    tensor([5., 5.])
    """
    check_int(_NAME, "mini_batch_size", mini_batch_size, at_least=1)
    if parameters is None:
        if not isinstance(encoder, nn.Module):
            raise LitotesError(
                f"{_NAME} must know what the encoder has gradients for: pass an nn.Module, or parameters= beside a "
                "function."
            )
        parameters = encoder.parameters()
    _check_encoder(encoder)
    parts = list(_cut(inputs, mini_batch_size))
    wanted = {id(p): p for p in parameters if p.requires_grad}.values()  # each once, or its gradient would be doubled
    return _CachedEncode.apply(encoder, parts, *wanted) if wanted else _constants(encoder, parts)


class _CachedEncode(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, encoder: Callable[[Any], Tensor], parts: list[Any], *parameters: Tensor) -> Tensor:
        ctx.encoder, ctx.parts = encoder, parts
        ctx.circumstances, vectors = [], []
        for part in parts:
            ctx.circumstances.append(_Circumstances(part, parameters))
            with ctx.circumstances[-1].autocast():
                vectors.append(encoder(part))
        ctx.save_for_backward(*parameters)
        return torch.cat(vectors)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        parameters, start = ctx.saved_tensors, 0
        totals = [_Total() for _ in parameters]
        for part, circumstances in zip(ctx.parts, ctx.circumstances, strict=True):
            with torch.enable_grad(), circumstances.again():
                vectors = ctx.encoder(part)
            _check_all_known(vectors, parameters)
            of_vectors = gradient[start : start + len(vectors)].to(vectors.dtype)
            start += len(vectors)
            if vectors.requires_grad:
                found = torch.autograd.grad(vectors, parameters, of_vectors, allow_unused=True)
                for total, new in zip(totals, found, strict=True):
                    total.add(new)
                del found
        return None, None, *(total.sum for total in totals)


class _Circumstances:
    """What the encoder's answer depends on beside its input: random numbers, and the precision of autocast."""

    def __init__(self, part: Any, parameters: Sequence[Tensor]) -> None:
        tensors = [*(part.values() if isinstance(part, Mapping) else [part]), *parameters]
        self.devices, self.device_states = get_device_states(*tensors)
        self.cpu_state = torch.get_rng_state()
        kinds = {"cpu", *(x.device.type for x in tensors if isinstance(x, Tensor))}
        self.precisions = [
            (kind, torch.get_autocast_dtype(kind), torch.is_autocast_enabled(kind)) for kind in sorted(kinds)
        ]

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """Without its cache of cast weights: in some versions of torch it hands those of a pass without a graph on."""
        with ExitStack() as stack:
            for kind, dtype, enabled in self.precisions:
                stack.enter_context(torch.autocast(kind, dtype=dtype, enabled=enabled, cache_enabled=False))
            yield

    @contextmanager
    def again(self) -> Iterator[None]:
        """The same once more; random numbers go on afterwards as if nothing had been."""
        with torch.random.fork_rng(devices=self.devices), self.autocast():
            torch.set_rng_state(self.cpu_state)
            set_device_states(self.devices, self.device_states)
            yield


def _constants(encoder: Callable[[Any], Tensor], parts: list[Any]) -> Tensor:
    """Vectors of an encoder that has nothing to train, as its caller says."""
    vectors = []
    for part in parts:
        vectors.append(encoder(part))
        _check_all_known(vectors[-1], ())
    return torch.cat(vectors)


def _cut(inputs: Any, size: int) -> Iterator[Any]:
    tensors = list(inputs.values()) if isinstance(inputs, Mapping) else [inputs]
    tensors = [x for x in tensors if isinstance(x, Tensor)]
    if any(x.requires_grad for x in tensors):
        raise LitotesError(f"{_NAME} gives no gradient to its inputs, and one of them wants it: detach it.")
    n = len(tensors[0]) if isinstance(inputs, Mapping) and tensors else len(inputs)
    if not n:
        raise LitotesError(f"{_NAME} got no inputs to encode.")
    for start in range(0, n, size):
        cut = slice(start, start + size)
        if isinstance(inputs, Mapping):
            yield {key: x[cut] if isinstance(x, Tensor) and x.ndim else x for key, x in inputs.items()}
        else:
            yield inputs[cut]


def _check_encoder(encoder: Callable[[Any], Tensor]) -> None:
    for name, module in encoder.named_modules() if isinstance(encoder, nn.Module) else ():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.training:
            raise LitotesError(
                f"{_NAME}: the encoder's {name or type(encoder).__name__} is a batch norm in training, whose answer "
                "depends on the other inputs of a mini-batch. Put it in eval mode or use another norm."
            )


def _check_all_known(vectors: Tensor, parameters: Sequence[Tensor]) -> None:
    """No leaf of the graph may be missing from the parameters: its gradient would be lost without a word."""
    known = {id(p) for p in parameters}
    seen = {p.grad_fn for p in parameters if p.grad_fn is not None}  # what a parameter was made of is not our concern
    open_nodes = [] if vectors.grad_fn is None or vectors.grad_fn in seen else [vectors.grad_fn]
    while open_nodes:
        node = open_nodes.pop()
        leaf = getattr(node, "variable", None)
        if leaf is not None and id(leaf) not in known:
            raise LitotesError(
                f"{_NAME}: the encoder used a parameter of shape {tuple(leaf.shape)} that is not among parameters=; "
                "its gradient would be lost. Pass all that have gradients."
            )
        new = [after for after, _ in node.next_functions if after is not None and after not in seen]
        seen.update(new)
        open_nodes += new


class _Total:
    """The gradient of one parameter so far; None where it has none."""

    def __init__(self) -> None:
        self.sum: Tensor | None = None
        self._is_ours = False  # what autograd hands out may share its memory with other gradients

    def add(self, new: Tensor | None) -> None:
        """One more mini-batch."""
        if new is None:
            return
        if self.sum is None:
            self.sum = new
        elif self._is_ours:
            self.sum += new
        else:
            self.sum, self._is_ours = self.sum + new, True
