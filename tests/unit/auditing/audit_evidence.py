"""The evidence of an audit of a small collection, in memory of one test."""

from pathlib import Path

from litotes.auditing.evidence_table import EvidenceTable
from litotes.auditing.gathering import gather
from litotes.core import Collection, RunFolder
from litotes.judging import DocumentJudge
from tests.unit.auditing.audit_data import word_encoder


def evidence_of(data: Collection, folder: Path, top: int = 10) -> EvidenceTable:
    """What the audit gathers with BM25, word counts and the document judge."""
    return gather(RunFolder.open(folder), data, word_encoder(), [DocumentJudge()], top=top, say=lambda _: None)
