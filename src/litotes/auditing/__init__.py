"""What is wrong with my data or model? The report on a run's candidates and what its judges say of them."""

from typing import TYPE_CHECKING

from litotes.core.lazy import lazy_names

if TYPE_CHECKING:
    from litotes.auditing.judge_quality import judges_against as judges_against
    from litotes.auditing.report import write_report as write_report

_HOMES = {"judges_against": "litotes.auditing.judge_quality", "write_report": "litotes.auditing.report"}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES, extra="retrieval")
