r"""What a linear head says of the first k channels, for all k in one pass.

With features h [B, D] and a head V [C, D], the logits of k channels are those of k - 1 and one more term,

.. math:: \text{logits}_k = \text{logits}_{k-1} + h_k V_{:,k},

so all k together cost as much as one product of B D C, where D masked products cost D times that. The number of
channels is chosen on validation data by the best accuracy, fewer channels winning where it is the same (Chen et al.
2022; the running sum is this project's).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from litotes.core.checks import check_float, check_int
from litotes.core.errors import LitotesError

__all__ = ["accuracy_by_channels", "choose_channels", "logits_by_channels"]

_Head = tuple[Tensor, Tensor, Tensor | None]


@torch.no_grad()
def logits_by_channels(
    features: Float[Tensor, "batch dim"],
    weight: Float[Tensor, "classes dim"],
    bias: Float[Tensor, "classes"] | None = None,
) -> Float[Tensor, "dim batch classes"]:
    """The logits of the first 1, 2, ... D channels; entry j keeps j + 1. It holds D times B times C numbers.

    >>> logits_by_channels(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 1.0], [0.0, 3.0]])).tolist()
    [[[1.0, 0.0]], [[3.0, 6.0]]]
    """
    nets = _heads([features], [weight], [bias])
    ((_, logits),) = _running(nets, features.shape[1])
    return logits.transpose(1, 2)


@torch.no_grad()
def accuracy_by_channels(
    features: Float[Tensor, "batch dim"] | Sequence[Float[Tensor, "batch dim"]],
    weight: Float[Tensor, "classes dim"] | Sequence[Float[Tensor, "classes dim"]],
    labels: Int[Tensor, "batch"],
    *,
    bias: Float[Tensor, "classes"] | Sequence[Float[Tensor, "classes"] | None] | None = None,
    max_bytes: int = 2**22,
) -> Float[np.ndarray, "dim"]:
    """The share of right answers with the first 1, 2, ... D channels, float64; entry j keeps j + 1.

    Several networks answer together, by the mean of their logits, each with the same number of channels.

    Args:
        features: what the head takes, of one network or of each.
        weight: of the head, of one network or of each.
        labels: the classes, 0 .. C - 1.
        bias: of the head, where it has one.
        max_bytes: working memory, over the inputs.

    Raises:
        LitotesError: shapes that do not fit, no example, a label that is no class, or a feature that is not finite.
    """
    check_int("accuracy_by_channels", "max_bytes", max_bytes, at_least=1)
    of_all = [features] if isinstance(features, Tensor) else features
    weights = [weight] if isinstance(weight, Tensor) else weight
    biases = [bias] * len(of_all) if bias is None or isinstance(bias, Tensor) else bias
    nets = _heads(of_all, weights, biases)
    (h, v, _), n = nets[0], len(labels)
    n_classes, dim = v.shape
    if not n or n != len(h):
        raise LitotesError(f"accuracy_by_channels takes a label for each example. Got {n} labels for {len(h)} rows.")
    wrong = labels[(labels < 0) | (labels >= n_classes)]
    if len(wrong):
        raise LitotesError(
            f"accuracy_by_channels takes labels from 0 to {n_classes - 1}, as the head has {n_classes} classes. Got "
            f"{int(wrong[0])}."
        )
    right = torch.zeros(dim, dtype=torch.int64, device=v.device)
    size = v.element_size()
    # few rows at a time, so that a block of logits stays in the cache; then as many channels as memory allows
    rows = max(1, min(n, 2**18 // (size * n_classes)))
    block = max(1, min(dim, max_bytes // (size * n_classes * rows + 8 * rows)))
    for start in range(0, n, rows):
        part = [(h[start : start + rows], v, b) for h, v, b in nets]
        truth = labels[start : start + rows].to(v.device)
        for first, logits in _running(part, block):
            right[first : first + len(logits)] += _is_right(logits, truth).sum(dim=1)
    return right.cpu().numpy() / n


def choose_channels(accuracy: Float[np.ndarray, "dim"] | Sequence[float], penalty: float = 1e-5) -> int:
    """How many channels to keep: the k of the best accuracy less ``penalty`` times (k - 1), the smallest where equal.

    Args:
        accuracy: as a *fraction*, entry j with the first j + 1 channels; in percent the penalty would mean nothing.
        penalty: what one more channel must bring.

    >>> choose_channels([0.5, 0.7, 0.70001, 0.7])  # a hundred-thousandth is not worth a channel
    2
    """
    check_float("choose_channels", "penalty", penalty, at_least=0.0)
    values = np.asarray(accuracy, dtype=np.float64)
    if values.ndim != 1 or not len(values) or not ((values >= 0) & (values <= 1)).all():
        raise LitotesError(
            "choose_channels takes the accuracy of each number of channels, as fractions from 0 to 1. Got "
            f"{np.array2string(values, threshold=6)}."
        )
    return int(np.argmax(values - penalty * np.arange(len(values)))) + 1


def _heads(features: Sequence[Tensor], weights: Sequence[Tensor], biases: Sequence[Tensor | None]) -> list[_Head]:
    """Features and heads by network, checked against each other; half precision in float32."""
    if not (len(features) == len(weights) == len(biases) >= 1):
        raise LitotesError(f"One head for each network: got {len(features)} features and {len(weights)} weights.")
    nets = [
        (_full_precision(h), _full_precision(v), None if b is None else _full_precision(b))
        for h, v, b in zip(features, weights, biases, strict=True)
    ]
    for h, v, b in nets:
        of_first = nets[0][0].shape, nets[0][1].shape
        if h.ndim != 2 or v.ndim != 2 or h.shape[1] != v.shape[1] or (h.shape, v.shape) != of_first:
            raise LitotesError(
                f"Features [rows, channels] go with a head [classes, channels], equal for all networks. Got "
                f"{tuple(h.shape)} and {tuple(v.shape)}."
            )
        if b is not None and b.shape != v.shape[:1]:
            raise LitotesError(f"A head of {v.shape[0]} classes has a bias of as many. Got {tuple(b.shape)}.")
        if not h.isfinite().all():
            raise LitotesError(f"{int((~h.isfinite()).sum())} features are NaN or infinite; mend them first.")
    return nets


def _full_precision(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()


def _running(nets: Sequence[_Head], block: int) -> Iterator[tuple[int, Tensor]]:
    """The mean logits of the first k channels in blocks of k: (k - 1 of the first, [block, classes, rows])."""
    columns = [((v / len(nets)).T.contiguous(), h.T.contiguous()) for h, v, _ in nets]
    (dim, rows), n_classes = columns[0][1].shape, columns[0][0].shape[1]
    dtype = torch.promote_types(columns[0][0].dtype, columns[0][1].dtype)
    last = torch.zeros(n_classes, rows, dtype=dtype, device=columns[0][0].device)
    for _, _, b in nets:
        last += 0.0 if b is None else b[:, None] / len(nets)
    for first in range(0, dim, block):
        logits = last.new_empty(min(block, dim - first), n_classes, rows)
        for j in range(len(logits)):
            for i, (v, h) in enumerate(columns):
                torch.addr(logits[j] if i else last, v[first + j], h[first + j], out=logits[j])
            last = logits[j]
        last = last.clone()  # whoever gets the block may write into it
        yield first, logits


def _is_right(logits: Tensor, truth: Tensor) -> Tensor:
    """Whether argmax over the classes is the truth, bool [block, rows]; writes into the logits.

    The largest of the *other* classes is found many times faster than where the largest stands, and suffices but for
    ties, which go to the first class as in argmax.
    """
    at = truth.expand(len(logits), 1, -1)
    own = logits.gather(1, at)
    others = logits.scatter_(1, at, -torch.inf).amax(dim=1, keepdim=True)
    right = (own > others).squeeze(1)
    block, rows = (own == others).squeeze(1).nonzero(as_tuple=True)
    if len(rows):
        logits.scatter_(1, at, own)
        right[block, rows] = logits[block, :, rows].argmax(dim=1) == truth[rows]
    return right
