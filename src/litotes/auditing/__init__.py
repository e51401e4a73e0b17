"""What is wrong with my data or model? Audits of labels, reviews brought back into them, and the report on a run."""

from typing import TYPE_CHECKING

from litotes.core.lazy import lazy_names

if TYPE_CHECKING:
    from litotes.auditing.apply import Applied as Applied
    from litotes.auditing.apply import apply_review as apply_review
    from litotes.auditing.judge_quality import judges_against as judges_against
    from litotes.auditing.report import write_report as write_report
    from litotes.auditing.retrieval_audit import Audit as Audit
    from litotes.auditing.retrieval_audit import audit_retrieval as audit_retrieval

_HOMES = {
    "Applied": "litotes.auditing.apply",
    "Audit": "litotes.auditing.retrieval_audit",
    "apply_review": "litotes.auditing.apply",
    "audit_retrieval": "litotes.auditing.retrieval_audit",
    "judges_against": "litotes.auditing.judge_quality",
    "write_report": "litotes.auditing.report",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES, extra="retrieval")
