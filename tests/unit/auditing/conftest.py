"""What the tests share: for audits the library and the evidence on it; for the report a small collection with aliases,
and runs made by hand from its cells.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from litotes.auditing.evidence_table import EvidenceTable
from litotes.auditing.gathering import gather
from litotes.core import Candidates, Collection, LabelMatrix, RunFolder
from litotes.core.candidate_run import judge_shard, miner_shard
from litotes.core.candidates import data_parts
from litotes.core.fingerprint import digest
from litotes.judging import DocumentJudge
from tests.unit.auditing.audit_data import library, word_encoder

ROWS, COLS = 4, 12


def small_collection(truth: bool = True) -> Collection:
    """Four questions over twelve documents; ``d i`` and ``d i + 4`` both answer question i, the first is labelled."""
    topics = ["matrix inverse", "sorting arrays", "random numbers", "string joining"]
    texts = [f"{topics[i % 4]} explained, part {i}" for i in range(COLS)]
    cols = pa.table({"id": [f"d{i}" for i in range(COLS)], "title": [f"lib.f{i}" for i in range(COLS)], "text": texts})
    rows = pa.table({"id": [f"q{i}" for i in range(ROWS)], "text": [f"how does {topic} work" for topic in topics]})
    labels = LabelMatrix(rows["id"].to_pylist(), cols["id"].to_pylist(), range(ROWS), range(ROWS))
    known = LabelMatrix(labels.row_ids, labels.col_ids, [*range(ROWS)] * 2, [*range(ROWS), *range(4, 8)])
    return Collection(labels, rows, cols, name="small", origin="by hand", split="train", truth=known if truth else None)


@pytest.fixture(scope="session")
def audited() -> Collection:
    """The library with every fault once."""
    return library()


@pytest.fixture(scope="session")
def evidence(audited: Collection, tmp_path_factory: pytest.TempPathFactory) -> EvidenceTable:
    """What an audit of it gathers with BM25, word counts and the document judge."""
    run = RunFolder.open(tmp_path_factory.mktemp("evidence"))
    return gather(run, audited, word_encoder(), [DocumentJudge()], top=10, say=lambda _: None)


@pytest.fixture
def data() -> Collection:
    return small_collection()


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., RunFolder]:
    """A finished run: ``miners`` maps a name to (row, col, score, rank), ``judges`` a name to what it says."""

    def make(data: Collection, miners: dict, judges: dict | None = None, cut: int = 2, name: str = "run") -> RunFolder:
        run = RunFolder.open(tmp_path / name)
        found = {miner: _candidates(data, miner, *cells) for miner, cells in miners.items()}
        for miner, cells in found.items():
            tables = [miner_shard(cells.filter(_rows(cells, shard, cut)), miner) for shard in range(-(-ROWS // cut))]
            _write(run, f"candidates/{miner}", tables, {"top": 8}, data_parts(data), {"cells": len(cells)})
        digests = {key: digest(stage["digests"]) for key, stage in run.stages.items()}
        merged = next(iter(found.values())).merge(*list(found.values())[1:])
        for judge, said in (judges or {}).items():
            spoken = merged.with_columns({f"{column}.{judge}": said(merged, column) for column in said.columns})
            tables = [judge_shard(spoken.filter(_rows(spoken, shard, cut)), judge) for shard in range(-(-ROWS // cut))]
            parts = {**data_parts(data), "judge": said.kind, **digests}
            trusted = len(spoken) if "trust" in said.columns else 0
            summary = {"cells": len(spoken), "judged": len(spoken), "trusted": trusted}
            _write(run, f"judgements/{judge}", tables, {}, parts, summary | said.summary)
        return run

    return make


class Says:
    """What a hand-made judge writes: a function of the candidates for each of its columns."""

    def __init__(self, kind: str, summary: dict | None = None, **columns: Callable[[Candidates], np.ndarray]) -> None:
        self.kind, self.columns, self.summary = kind, columns, summary or {}

    def __call__(self, cells: Candidates, column: str) -> np.ndarray:
        return self.columns[column](cells)


def every_cell(data: Collection, depth: int = 8) -> tuple[np.ndarray, ...]:
    """For each row its first ``depth`` columns that are no positive, ranked in their order."""
    row = np.repeat(np.arange(data.n_rows), depth)
    cols = [[col for col in range(data.n_cols) if col != r][:depth] for r in range(data.n_rows)]
    rank = np.tile(np.arange(1, depth + 1), data.n_rows)
    return row, np.concatenate(cols), 1.0 / rank, rank


def is_alias(cells: Candidates) -> np.ndarray:
    """Whether a candidate is the second answer of its row."""
    return cells.col == cells.row + 4


def _candidates(data: Collection, miner: str, row, col, score, rank) -> Candidates:
    counts = {"excluded_positive": ROWS, "short_rows": 1}
    return Candidates.build(row, col, miner=miner, score=score, rank=rank, data=data, counts=counts)


def _rows(cells: Candidates, shard: int, cut: int) -> np.ndarray:
    return (cells.row >= shard * cut) & (cells.row < (shard + 1) * cut)


def _write(run: RunFolder, key: str, tables: list[pa.Table], config: dict, fingerprints: dict, summary: dict) -> None:
    stage = run.stage(key, verb="by hand", config=config, fingerprints=fingerprints, shards=len(tables))
    for shard, table in enumerate(tables):
        stage.write(shard, table)
    stage.finish(summary)
