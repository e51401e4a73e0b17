r"""One number for how much an unjudged cell looks like a positive that nobody judged.

.. math::
    \mathrm{suspicion}(q, d) = \mathrm{resemblance}(d, P_q) + \tfrac12\,\mathrm{document}(d, P_q)
        + \tfrac18 \Bigl(\cos(q, d) + \frac{\mathrm{bm25}(q, d)}{\max_e \mathrm{bm25}(q, e)}\Bigr)

Most weight lies on likeness to what is labelled, by vectors (:mod:`.resemblance`) and by name and words (the raw value
of the document judge); the two retrievers, which also find every good hard negative, only tip the scale. Each further
judge adds an eighth of its place among the candidates (0 to 1).

The weights were fixed before any measurement that is reported, on one draw of hidden judgements in data that no claim
speaks of (Vaswani, the dev queries of NFCorpus, Banking77, the dev queries of pydocs). The number orders cells. It is
not a probability, and it is not comparable from one data set to another.
"""

from __future__ import annotations

import numpy as np

__all__ = ["places", "suspicion"]

DOCUMENT, RETRIEVER = 0.5, 0.125
_NOTHING = -1.0  # stands for resemblance where a query has no positive to resemble: below what unrelated texts get


def suspicion(
    resemblance: np.ndarray,
    document: np.ndarray,
    dense: np.ndarray,
    bm25_share: np.ndarray,
    further: tuple[np.ndarray, ...] = (),
) -> np.ndarray:
    """The number for each cell, float64 ``[cells]``; NaN in an argument is no evidence.

    Args:
        further: places (0 to 1) that further judges give the cells, from :func:`places`.
    """
    total = np.where(np.isnan(resemblance), _NOTHING, resemblance) + DOCUMENT * np.nan_to_num(document)
    for values in (dense, bm25_share, *further):
        total = total + RETRIEVER * np.nan_to_num(values)
    return total


def places(values: np.ndarray) -> np.ndarray:
    """Each value's place among those that are not NaN, from 0 (smallest) to 1 (largest); equals share their mean."""
    from scipy.stats import rankdata

    ranks = rankdata(values, nan_policy="omit")
    return (ranks - 1) / max(int((~np.isnan(values)).sum()) - 1, 1)
