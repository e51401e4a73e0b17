r"""How much the first k feature channels can tell about the input: an upper bound, for all k at once.

With Gaussian noise of variance s^2 added to every channel, the channel capacity for the features' covariance bounds

.. math:: I(h_{1:k} + \text{noise};\, x) \le I_k = \tfrac12 \ln\det\!\big(I + \mathrm{Cov}(h_{1:k}) / s^2\big).

All I_k come from one Cholesky factor: the determinant of a leading block is the product of the first k squared diagonal
entries. This project's reading of the information bottleneck in Chen et al.; the paper's own form was not read.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from litotes.core.checks import check_float
from litotes.core.errors import LitotesError

__all__ = ["information_by_channels"]


def information_by_channels(features: Any, noise: float = 1.0) -> Float[np.ndarray, "dim"]:
    """The bound I_k in nats for k = 1 .. D, float64; entry j is of the first j + 1 channels. It never falls with k.

    Args:
        features: ``[n, dim]`` of the same examples; the covariance is divided by n.
        noise: s. Compare two models at the same one.

    Raises:
        LitotesError: features that are not finite, or of another shape.

    >>> information_by_channels([[1.0, 0.0], [-1.0, 0.0]]).round(4).tolist()  # ln(1 + 1) / 2, and a constant adds none
    [0.3466, 0.3466]
    """
    check_float("information_by_channels", "noise", noise, above=0.0)
    h = np.asarray(features, dtype=np.float64)
    if h.ndim != 2 or not h.size or not np.isfinite(h).all():
        raise LitotesError(
            f"information_by_channels takes finite features [examples, channels]. Got the shape {h.shape}"
            f"{'' if np.isfinite(h).all() else ', with NaN or infinity'}."
        )
    h = (h - h.mean(axis=0)) / noise
    factor = np.linalg.cholesky(np.eye(h.shape[1]) + h.T @ h / len(h))
    return np.log(np.maximum(factor.diagonal(), 1.0)).cumsum()  # below 1 by rounding only
