"""Data whose missing judgements are known: three sets with judgements hidden on purpose, one that lacks them as it is.

- ``cranfield``: judged nearly exhaustively; ``nfcorpus``: 100 of its test queries; ``clinc150``: 300 test utterances
  are queries, the others documents, and what has the same intent is relevant, so the truth is complete. Of the
  judgements of queries with at least two positives 30 % are hidden; every such query keeps one.
- ``pydocs``: 200 of its test queries. The unlabelled members of a query's group are what is missing; nothing is hidden.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from litotes.core.fingerprint import digest
from litotes.core.seeds import rng

if TYPE_CHECKING:
    from litotes.auditing.evidence_table import EvidenceTable
    from litotes.core import Collection, LabelMatrix
    from litotes.models import Encoder

__all__ = ["Hidden", "hidden", "hide"]

SHARE = 0.3
TOP = 20  # candidates a query from each side: every ranker, a cross-encoder too, can read all suspects
QUERIES = {"nfcorpus": 100, "clinc150": 300, "pydocs": 200}
_SAMPLE_SEED = 0  # of the queries, which are the same for all seeds of hiding
_SPLITS = {"cranfield": "all", "nfcorpus": "test"}


class Hidden(NamedTuple):
    """What an audit sees, and what it should find.

    Attributes:
        data: the collection with what is left of its judgements.
        missing: ``[cells, 2]``: rows and columns of the positives that are not among them.
        evidence: what the audit gathers, unjudged cells only.
        queries: how many queries there are in the whole set; ``data`` may hold some of them.
        fingerprint: of the set with all its judgements, which is the same for every seed of hiding.
    """

    data: Collection
    missing: np.ndarray
    evidence: EvidenceTable
    queries: int
    fingerprint: str


@lru_cache(maxsize=8)
def hidden(name: str, seed: int) -> Hidden:
    """The set with its judgements hidden by ``seed``, and the audit's evidence by MiniLM on 128 tokens and BM25."""
    from litotes.auditing.gathering import gather
    from litotes.core import RunFolder
    from litotes.judging import DocumentJudge, MarginJudge

    data, queries = _taken(name)
    fingerprint = digest(data.fingerprint, None if data.truth is None else data.truth.fingerprint)
    if data.truth is not None:
        rows, cols = data.truth.positive_cells()
        missing = np.stack([rows, cols], axis=1)[~data.labels.is_positive(rows, cols)]
    else:
        missing = hide(data.labels, seed)
        data = data.with_labels(data.labels.without_cells(*missing.T))
    judges = [DocumentJudge(calibration=None), MarginJudge(encoder=encoder())]
    with tempfile.TemporaryDirectory(prefix="litotes-claims-") as folder:
        evidence = gather(RunFolder.open(Path(folder)), data, encoder(), judges, top=TOP, say=_nobody)
    return Hidden(data, missing, evidence.unjudged(), queries, fingerprint)


def hide(labels: LabelMatrix, seed: int) -> np.ndarray:
    """30 % of the positives of rows with at least two, drawn so that each row keeps one; int64 ``[cells, 2]``."""
    rows, cols = labels.positive_cells()
    several = labels.positive_counts()[rows] >= 2
    drawn = rng(seed, "hidden judgements").random(len(rows))
    order = np.lexsort((drawn, rows))
    kept = np.zeros(len(rows), dtype=bool)
    kept[order[np.unique(rows[order], return_index=True)[1]]] = True  # the lowest number of each row stays
    free = np.flatnonzero(several & ~kept)
    count = min(round(SHARE * int(several.sum())), len(free))
    chosen = np.sort(free[np.argsort(drawn[free], kind="stable")[:count]])
    return np.stack([rows[chosen], cols[chosen]], axis=1)


@lru_cache(maxsize=1)
def encoder() -> Encoder:
    """All-MiniLM-L6-v2 on short texts; its vectors are kept on disk."""
    from litotes.models import resolve_encoder

    return resolve_encoder("builtin:minilm", query_length=64, corpus_length=128)


@lru_cache(maxsize=4)
def _taken(name: str) -> tuple[Collection, int]:
    """The set with all its judgements and those of its queries that take part, and how many there are of them all."""
    from litotes.data.builtin import load_builtin
    from litotes.data.load import load
    from litotes.data.public import public_folder

    if name == "pydocs":
        return _some(load_builtin("pydocs", "test"), name)
    if name == "clinc150":
        return _by_intent(public_folder(name) / "full.jsonl.gz", QUERIES[name])
    return _some(load(public_folder(name), split=_SPLITS[name]), name)


def _some(data: Collection, name: str) -> tuple[Collection, int]:
    count = QUERIES.get(name, data.n_rows)
    rows = rng(_SAMPLE_SEED, name).permutation(data.n_rows)[:count]
    return data.select_rows(np.sort(rows)), data.n_rows


def _by_intent(path: Path, queries: int) -> tuple[Collection, int]:
    """Test utterances as a retrieval set: some are queries, the others documents, relevant is what means the same; and
    how many utterances there are.
    """
    import pyarrow as pa

    from litotes.core import Collection, LabelMatrix
    from litotes.data.lines import parse_object, parsed_lines

    lines = [line for _, line in parsed_lines(path, parse_object, Counter())]
    used = [line for line in lines if line["split"] == "test" and line["intent"] != "oos"]
    texts, intents = [line["text"] for line in used], np.array([line["intent"] for line in used])
    order = rng(_SAMPLE_SEED, "clinc150").permutation(len(used))
    asked, rest = np.sort(order[:queries]), np.sort(order[queries:])
    rows = pa.table({"id": [f"q{i}" for i in asked], "text": [texts[i] for i in asked]})
    cols = pa.table({"id": [f"d{i}" for i in rest], "text": [texts[i] for i in rest]})
    same = np.nonzero(intents[asked][:, None] == intents[rest][None, :])
    labels = LabelMatrix(rows["id"].to_pylist(), cols["id"].to_pylist(), *same)
    return Collection(labels, rows, cols, name="clinc150", origin=str(path), split="test"), len(used)


def _nobody(message: Any) -> None:
    """Cells of an experiment say nothing of their own."""
