"""SIGKILL while mining and judging, then the same command again: the same Parquet bytes as if it had never been killed.

``benchmarks/kill.py`` does the same with the command line, real data and twenty kills.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.integration.killed_program import ROWS, SHARD_ROWS

ROOT = Path(__file__).parents[2]
SHARDS = ROWS // SHARD_ROWS
KILLS = [("mine", "candidates/bm25"), ("mine", "candidates/bm25"), ("mine", "candidates/random")]
KILLS += [("judge", "judgements/margin"), ("judge", "judgements/margin")]


def start(folder: Path, verb: str) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    program = [sys.executable, str(ROOT / "tests/integration/killed_program.py"), str(folder), verb]
    return subprocess.Popen(program, env=environment, stderr=subprocess.PIPE, text=True)


def finish(folder: Path, verb: str) -> None:
    process = start(folder, verb)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def shards_made(folder: Path, stage: str) -> int:
    manifest = folder / stage / "manifest.json"
    try:
        return len(json.loads(manifest.read_text())) if manifest.exists() else 0
    except FileNotFoundError:
        return 0


def kill_within(folder: Path, verb: str, stage: str, after_shards: int, seconds: float) -> int:
    """Start, wait until some shards are made and a little longer, kill; how many shards there are then."""
    process = start(folder, verb)
    try:
        while process.poll() is None and shards_made(folder, stage) < after_shards:
            time.sleep(0.001)
        time.sleep(seconds)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, "it had finished before it could be killed: the test says nothing"
    return shards_made(folder, stage)


def parquet(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


@pytest.fixture(scope="module")
def mined(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("mined")
    finish(folder, "mine")
    return folder


@pytest.fixture(scope="module")
def judged(mined, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("judged") / "run"
    shutil.copytree(mined, folder)
    finish(folder, "judge")
    return folder


def test_five_kills_leave_the_same_bytes(mined, judged, tmp_path):
    rng = np.random.default_rng(20)
    expected = {"mine": parquet(mined), "judge": parquet(judged)}
    assert (len(expected["mine"]), len(expected["judge"])) == (2 * SHARDS, 3 * SHARDS)
    caught = []
    for number, (verb, stage) in enumerate(KILLS):
        folder = tmp_path / f"run{number}"
        if verb == "judge":
            shutil.copytree(mined, folder)
        made = kill_within(folder, verb, stage, int(rng.integers(0, SHARDS // 2)), float(rng.uniform(0, 0.01)))
        caught.append(made)
        finish(folder, verb)
        assert parquet(folder) == expected[verb]
    assert sum(0 < made < SHARDS for made in caught) >= 3, f"too few kills fell between two shards: {caught}"


def test_a_run_that_is_killed_again_and_again_gets_there(mined, tmp_path):
    for after_shards in (3, 11, 19):
        kill_within(tmp_path, "mine", "candidates/bm25", after_shards, 0.0)
    finish(tmp_path, "mine")
    assert parquet(tmp_path) == parquet(mined)
