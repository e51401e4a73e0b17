r"""Bias and variance of classifiers by the Kullback-Leibler divergence, exactly.

Heskes 1998: with p_T the answer of the model that was trained on the random set T (and by random masks), q the target
and the mean answer the *normalised geometric* mean,

.. math:: \bar p(c) \propto e^{E_T \log p_T(c)}, \qquad
    E_T\, KL(q \| p_T) = KL(q \| \bar p) + E_T\, KL(\bar p \| p_T).

The geometric mean of two networks is the softmax of their mean logits. So what the ensemble of Co-teaching wins over
its two networks is exactly their variance: networks that agree win nothing.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import log_softmax, logsumexp, xlogy

from litotes.core.checks import check_choice
from litotes.core.errors import LitotesError

__all__ = ["BiasVariance", "bias_variance", "geometric_mean"]


class BiasVariance(NamedTuple):
    """In nats, means over the examples or one number each; ``error`` is ``bias`` plus ``variance``.

    Attributes:
        error: the mean over models of KL(target || model).
        bias: KL(target || mean answer), the error of the ensemble.
        variance: the mean over models of KL(mean answer || model).
    """

    error: Any
    bias: Any
    variance: Any


def bias_variance(logits: Any, target: Any, *, reduction: Literal["mean", "none"] = "mean") -> BiasVariance:
    """Error, bias and variance of several models on the same examples.

    Args:
        logits: or logarithms of probabilities, ``[models, n, classes]``, finite.
        target: the right classes, whole numbers ``[n]``, or distributions ``[n, classes]``.
        reduction: the mean over the examples, or ``"none"``: arrays ``[n]``.

    Raises:
        LitotesError: shapes that do not fit, a logit that is not finite, a target that is no class or no distribution.

    >>> found = bias_variance([[[0.0, 0.0]], [[2.0, 0.0]]], [0])
    >>> print(*(round(part, 4) for part in found))
    0.41 0.3133 0.0968
    """
    check_choice("bias_variance", "reduction", reduction, ("mean", "none"))
    log_p, q = _answers("bias_variance", logits), np.asarray(target)
    q = _distributions(q, log_p.shape[1:])
    mean = geometric_mean(log_p)
    entropy = xlogy(q, q).sum(axis=1)
    error = entropy - (q * log_p).sum(axis=2).mean(axis=0)
    bias = entropy - (q * mean).sum(axis=1)
    variance = (np.exp(mean) * (mean - log_p)).sum(axis=2).mean(axis=0)
    parts = (error, bias, variance)
    return BiasVariance(*(parts if reduction == "none" else (float(part.mean()) for part in parts)))


def geometric_mean(logits: Any) -> Float[np.ndarray, "n classes"]:
    """Logarithms of the normalised geometric mean of the models' answers, from ``[models, n, classes]``."""
    mean = _answers("geometric_mean", logits).mean(axis=0)
    return mean - logsumexp(mean, axis=1, keepdims=True)


def _answers(owner: str, logits: Any) -> np.ndarray:
    values = np.asarray(logits, dtype=np.float64)
    if values.ndim != 3 or not len(values) or not values.shape[2]:
        raise LitotesError(f"{owner} takes logits [models, examples, classes]. Got the shape {values.shape}.")
    if not np.isfinite(values).all():
        raise LitotesError(f"{owner} takes finite logits; clip probabilities of 0 before their logarithm is taken.")
    return log_softmax(values, axis=2)


def _distributions(target: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    n, n_classes = shape
    if target.shape == (n,) and target.dtype.kind in "iu":
        if n and (target.min() < 0 or target.max() >= n_classes):
            raise LitotesError(
                f"bias_variance takes targets from 0 to {n_classes - 1}. Got {target.min()} to {target.max()}."
            )
        return np.eye(n_classes)[target]
    if target.shape != shape or not (np.all(target >= 0) and np.allclose(target.sum(axis=1), 1.0, atol=1e-6)):
        raise LitotesError(
            f"bias_variance takes a class for each of {n} examples, or distributions {shape} whose rows sum to 1. Got "
            f"{target.dtype} of shape {target.shape}."
        )
    return target.astype(np.float64)
