"""What an audit of judgements looks at: candidates from three sides, what judges say of them, and the evidence on all.

Everything goes into the run folder, shard by shard; what is there already is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from litotes.auditing.evidence import evidence_into, read_evidence
from litotes.auditing.evidence_table import EvidenceTable
from litotes.auditing.neighbours import NeighbourMiner
from litotes.core import Collection, RunFolder
from litotes.core import progress as core_progress
from litotes.judging.named import Judge
from litotes.judging.run import judge_into
from litotes.mining.bm25 import BM25Miner
from litotes.mining.dense import DenseMiner
from litotes.mining.run import mine_into
from litotes.models.encoder import resolve_encoder

__all__ = ["gather", "sign_of"]


def gather(
    run: RunFolder,
    data: Collection,
    encoder: Any,
    judges: Sequence[Judge],
    *,
    top: int = 50,
    shard_rows: int = 512,
    force: bool = False,
    say: Callable[[str], None] = core_progress.say,
) -> EvidenceTable:
    """The evidence on the ``top`` candidates a query of BM25, of the encoder and of the neighbours of positives, and on
    everything that was judged.

    Args:
        encoder: see :func:`litotes.models.encoder.resolve_encoder`.
        judges: who looks at the candidates; :mod:`litotes.auditing.suspicion` reads one that is named ``document``.
        shard_rows: queries in one unit of resume.
        force: make again what was made from other things.
        say: takes one line of text for people.

    Raises:
        StaleError: the folder holds an audit of other data or by another encoder.
    """
    ready = resolve_encoder(encoder)
    for miner in (BM25Miner(top=top), DenseMiner(encoder=ready, top=top), NeighbourMiner(encoder=ready, top=top)):
        mine_into(run, miner, data, shard_rows, force=force, say=say)
    for judge in judges:
        judge_into(run, judge, data, force=force, say=say)
    evidence_into(run, data, ready, force=force)
    return read_evidence(run, data)


def sign_of(judge: Judge) -> int:
    """Whether more of a judge's value makes a cell more suspicious (1), or less, as a margin does (-1)."""
    return -1 if getattr(judge, "kind", "") == "margin" else 1
