"""Contract suites for parts that others write: a loss, a miner, a judge, a negative sampler, a batch sampler.

Each function here takes a part, or a factory of one, and returns a list of small named checks. Under pytest::

    @pytest.mark.parametrize("check", check_miner(lambda: MyMiner(top=5)), ids=str)
    def test_my_miner(check):
        check()

or without it: ``for check in check_miner(MyMiner): check()``. A broken promise is an ``AssertionError`` whose message
says which promise it was and with which numbers. Nothing here imports pytest; torch is loaded by the losses' and the
batch samplers' suites alone.
"""

from typing import TYPE_CHECKING

from litotes.core.lazy import lazy_names

if TYPE_CHECKING:
    from litotes.testing.batch_sampler import check_batch_sampler as check_batch_sampler
    from litotes.testing.check import Check as Check
    from litotes.testing.examples import example_candidates as example_candidates
    from litotes.testing.examples import example_collection as example_collection
    from litotes.testing.judge import check_judge as check_judge
    from litotes.testing.loss import check_loss as check_loss
    from litotes.testing.miner import check_miner as check_miner
    from litotes.testing.negative_sampler import check_negative_sampler as check_negative_sampler

_HOMES = {
    "Check": "litotes.testing.check",
    "check_batch_sampler": "litotes.testing.batch_sampler",
    "check_judge": "litotes.testing.judge",
    "check_loss": "litotes.testing.loss",
    "check_miner": "litotes.testing.miner",
    "check_negative_sampler": "litotes.testing.negative_sampler",
    "example_candidates": "litotes.testing.examples",
    "example_collection": "litotes.testing.examples",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES, extra="retrieval")
