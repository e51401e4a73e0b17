"""The contract suite of a negative sampler: :func:`check_negative_sampler`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from litotes.core import Collection
from litotes.testing.check import Check
from litotes.testing.making import Making
from litotes.testing.negative_sampler_checks import SUITE, SamplerCase

__all__ = ["check_negative_sampler"]


def check_negative_sampler(
    make: Callable[[Collection], Any],
    *,
    expected: Callable[[Collection, int], np.ndarray] | None = None,
    blocks: bool = False,
    make_generator: Callable[[int], Any] = np.random.default_rng,
    expected_failures: Mapping[str, str] | None = None,
) -> list[Check]:
    """Checks of a negative sampler: ``sample(rows, cols, k, generator) -> cols``, int64 ``[n, k]``.

    They run on the collections of :func:`~litotes.testing.example_collection`, for positive cells whose row and column
    have a text.

    Args:
        make: ``make(data)`` gives a new sampler.
        expected: the distribution it states: how likely each column is for a row, float ``[n_cols]``, up to a factor.
        blocks: it promises that a batch cut in two, drawn one after the other, gives what it gives at once.
        make_generator: makes a generator from a seed; for torch, ``lambda seed: torch.Generator().manual_seed(seed)``.
        expected_failures: the checks that fail, and shall: name and written reason. One that holds is a failure.

    Raises:
        LitotesError: an expected failure without a reason, or that no check is called.
    """
    case = SamplerCase(Making(make, "negative sampler", "sample"), expected, make_generator)
    without = [name for name, given in (("frequencies", expected is not None), ("blocks", blocks)) if not given]
    return SUITE.over(case, without=without, expected_failures=expected_failures)
