"""SIGKILL in every stage of an audit, then the same command again: the same bytes as if it had never been killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.killed_audit import ROWS, SHARD_ROWS

ROOT = Path(__file__).parents[2]
SHARDS = ROWS // SHARD_ROWS
STAGES = ("candidates/bm25", "candidates/dense", "candidates/neighbours", "judgements/document", "evidence/cells")
OF_THE_CLOCK = ("run.json", "log.jsonl")


def start(folder: Path) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    program = [sys.executable, str(ROOT / "tests/integration/killed_audit.py"), "audit"]
    return subprocess.Popen(program, env=environment, cwd=folder, stderr=subprocess.PIPE, text=True)


def finish(folder: Path) -> None:
    process = start(folder)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def shards_made(folder: Path, stage: str) -> int:
    try:
        return len(json.loads((folder / "audit" / stage / "manifest.json").read_text()))
    except FileNotFoundError:
        return 0


def kill_within(folder: Path, stage: str, after_shards: int) -> int:
    """Start, wait until some shards of a stage are made, kill; how many there are then."""
    process = start(folder)
    try:
        while process.poll() is None and shards_made(folder, stage) < after_shards:
            time.sleep(0.0005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, "it had finished before it could be killed: the test says nothing"
    return shards_made(folder, stage)


def contents(folder: Path) -> dict[str, bytes]:
    kept = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in OF_THE_CLOCK)
    paths = [path for path in kept if not path.match(".run.json.*.partial")]  # a kill while run.json was written
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    finish(folder)
    made = contents(folder)
    assert "audit/report.html" in made and "audit/false-negatives.csv" in made
    assert sum(name.endswith(".parquet") for name in made) == len(STAGES) * SHARDS
    return made


def test_a_kill_in_each_stage_leaves_the_same_bytes(whole, tmp_path):
    """One folder, killed in one stage after the other: each start goes on where the last was killed."""
    caught = {stage: kill_within(tmp_path, stage, after_shards=5) for stage in STAGES}
    assert sum(0 < made < SHARDS for made in caught.values()) >= 3, f"too few kills fell between two shards: {caught}"
    assert not (tmp_path / "audit" / "report.json").exists()
    finish(tmp_path)
    assert contents(tmp_path) == whole
