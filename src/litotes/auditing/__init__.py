"""What is wrong with my data or model? Audits of labels, reviews brought back into them, and the report on a run."""

from typing import TYPE_CHECKING

from litotes.core.lazy import lazy_names

if TYPE_CHECKING:
    from litotes.auditing.apply import Applied as Applied
    from litotes.auditing.apply import apply_review as apply_review
    from litotes.auditing.error_report import changed_labels as changed_labels
    from litotes.auditing.error_report import error_report as error_report
    from litotes.auditing.flag_agreement import flag_agreement as flag_agreement
    from litotes.auditing.judge_quality import judges_against as judges_against
    from litotes.auditing.label_apply import AppliedLabels as AppliedLabels
    from litotes.auditing.label_apply import apply_label_review as apply_label_review
    from litotes.auditing.label_audit import LabelAudit as LabelAudit
    from litotes.auditing.label_audit import audit_labels as audit_labels
    from litotes.auditing.label_detectors import Detector as Detector
    from litotes.auditing.report import write_report as write_report
    from litotes.auditing.retrieval_audit import Audit as Audit
    from litotes.auditing.retrieval_audit import audit_retrieval as audit_retrieval
    from litotes.auditing.sentence_attributes import sentence_attributes as sentence_attributes

_HOMES = {
    "Applied": "litotes.auditing.apply",
    "AppliedLabels": "litotes.auditing.label_apply",
    "Audit": "litotes.auditing.retrieval_audit",
    "Detector": "litotes.auditing.label_detectors",
    "LabelAudit": "litotes.auditing.label_audit",
    "apply_label_review": "litotes.auditing.label_apply",
    "apply_review": "litotes.auditing.apply",
    "audit_labels": "litotes.auditing.label_audit",
    "audit_retrieval": "litotes.auditing.retrieval_audit",
    "changed_labels": "litotes.auditing.error_report",
    "error_report": "litotes.auditing.error_report",
    "flag_agreement": "litotes.auditing.flag_agreement",
    "judges_against": "litotes.auditing.judge_quality",
    "sentence_attributes": "litotes.auditing.sentence_attributes",
    "write_report": "litotes.auditing.report",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES, extra="retrieval")
