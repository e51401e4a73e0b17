"""Every batch sampler of ours runs the contract suite that others run on theirs."""

from typing import Any

import numpy as np
import pytest

from litotes.testing import Check, check_batch_sampler
from litotes.training import ShuffledBatches, SourceBatches

SAMPLERS: dict[str, dict[str, Any]] = {
    "shuffled": {"make": lambda: ShuffledBatches(np.arange(50), 7, seed=3), "rows": 50},
    "shuffled-some-rows": {
        "make": lambda: ShuffledBatches(np.arange(100, 160, 2), 5),
        "rows": np.arange(100, 160, 2),
    },
    "shuffled-drop-last": {
        "make": lambda: ShuffledBatches(np.arange(50), 7, drop_last=True),
        "rows": 50,
        "drop_last": True,
    },
    "one-source": {"make": lambda: SourceBatches(np.arange(50) % 3, 7, seed=3), "rows": 50},
    "one-source-of-two-processes": {
        "make": lambda: SourceBatches(np.arange(50) % 3, 4, processes=2, seed=3),
        "rows": 50,
        "drop_last": True,
    },
}

CHECKS = [
    pytest.param(check, id=f"{name}-{check}")
    for name, sampler in SAMPLERS.items()
    for check in check_batch_sampler(**sampler)
]


@pytest.mark.parametrize("check", CHECKS)
def test_batch_samplers(check: Check):
    check()
