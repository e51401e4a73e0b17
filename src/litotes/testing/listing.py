"""All suites and what their checks promise, as the guide's page shows them: ``python -m litotes.testing.listing``."""

from __future__ import annotations

from litotes.testing import loss  # noqa: F401  fills its suite
from litotes.testing.batch_sampler_checks import SUITE as BATCH_SAMPLER
from litotes.testing.check import Suite
from litotes.testing.judge_checks import SUITE as JUDGE
from litotes.testing.loss_case import SUITE as LOSS
from litotes.testing.miner_checks import SUITE as MINER
from litotes.testing.negative_sampler_checks import SUITE as NEGATIVE_SAMPLER

__all__ = ["SUITES", "table_of_checks"]

SUITES: dict[str, Suite] = {suite.kind: suite for suite in (LOSS, MINER, JUDGE, NEGATIVE_SAMPLER, BATCH_SAMPLER)}
"""Every suite by the kind of part that it is for."""


def table_of_checks(kind: str) -> str:
    """The checks of one suite as a table in Markdown."""
    lines = [("check", "what is promised"), ("---", "---")]
    lines += [(f"`{name}`", text.replace("``", "`")) for name, text in SUITES[kind].explanations.items()]
    return "".join(f"| {name} | {text} |\n" for name, text in lines)


if __name__ == "__main__":
    for kind in SUITES:
        print(f"## {kind}\n\n{table_of_checks(kind)}")
