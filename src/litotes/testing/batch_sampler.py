"""The contract suite of a batch sampler: :func:`check_batch_sampler`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from litotes.core.errors import LitotesError
from litotes.testing.batch_sampler_checks import SUITE, BatchCase
from litotes.testing.check import Check

__all__ = ["check_batch_sampler"]


def check_batch_sampler(
    make: Callable[[], Any],
    *,
    rows: int | Sequence[int] | np.ndarray,
    drop_last: bool = False,
    expected_failures: Mapping[str, str] | None = None,
) -> list[Check]:
    """Checks of a batch sampler: a torch ``Sampler`` of index lists with ``set_epoch``, ``state_dict`` and
    ``load_state_dict``.

    The state says how far the epoch went in which it was taken. After the last batch of an epoch, and just the same
    when the loop has ended, it says that nothing of that epoch is left: the sampler that loads it gives no batch until
    ``set_epoch`` names another epoch.

    Args:
        make: ``make()`` gives a new sampler, with the same seed each time, of at least five batches an epoch.
        rows: what an epoch goes through: positions, or their number.
        drop_last: the rows of a last, smaller batch may be left out.
        expected_failures: the checks that fail, and shall: name and written reason. One that holds is a failure.

    Raises:
        LitotesError: no rows; an expected failure without a reason, or that no check is called.
    """
    positions = np.arange(rows) if isinstance(rows, int | np.integer) else np.asarray(rows)
    if not positions.size:
        raise LitotesError("check_batch_sampler needs the rows that an epoch goes through. Got none.")
    case = BatchCase(make, frozenset(positions.tolist()), drop_last)
    return SUITE.over(case, expected_failures=expected_failures)
