"""Kill ``litotes mine`` and ``litotes judge`` at random moments, resume, and compare: the same Parquet bytes?

``--data FOLDER`` takes another set than the built-in one; ``--kills`` says how often.
Each command runs once unharmed, which gives the bytes to compare with and its seconds. Then every kill starts from the
run folder as it was before the command, sends SIGKILL, and resumes (a command that was killed before it had entered
itself in the run is typed again). The moment is drawn uniformly from those seconds in every other round, which mostly
falls on start-up and reading; in the rounds between, from a fifth of a second after a random shard was made.
``--cold`` empties the cache of vectors before each kill, so that encoding is killed too. Any byte that differs ends it
with an error.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import measuring

LITOTES = [sys.executable, "-c", "import sys; from litotes.cli.main import main; sys.exit(main())"]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Kill, resume, compare."""
    n_kills = options.kills or (4 if options.quick else 20)
    with tempfile.TemporaryDirectory(prefix="litotes-kill-") as folder:
        seconds, kills = _kill_all(Path(folder), options, n_kills)
    assert all(kill["same"] for kill in kills), "a run that was killed and resumed has other bytes"
    facts = {
        "kills": len(kills),
        "of these between two shards": sum(0 < kill["shards_made"] < kill["shards"] for kill in kills),
        "of these while the command was still at work": sum(kill["was_working"] for kill in kills),
        "resumed runs with other bytes": 0,
        **{f"seconds unharmed, {stage}": round(taken, 2) for stage, taken in seconds.items()},
    }
    return measuring.result(
        name="kill",
        says="`litotes mine` and `litotes judge` killed by SIGKILL at random moments and resumed.",
        equal="every resumed run has the Parquet bytes of one that was never killed",
        setting={"data": options.data, "encoder": options.encoder, "seed": options.seed, "cold cache": options.cold},
        libraries=("litotes", "pyarrow", "faiss-cpu", "bm25s", "torch", "sentence-transformers"),
        facts=facts,
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """What to work on, and how often."""
    parser.add_argument("--data", default="builtin:pydocs", help="what to mine")
    parser.add_argument("--encoder", default="builtin:minilm")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cold", action="store_true", help="encode again before every kill")


def _kill_all(folder: Path, options: argparse.Namespace, n_kills: int) -> tuple[dict[str, float], list[dict]]:
    rng = np.random.default_rng(options.seed)
    commands = {
        "candidates/bm25": ["mine", options.data, "--miner", "bm25"],
        "candidates/dense": ["mine", options.data, "--miner", "dense", "--encoder", options.encoder],
        "judgements/document": ["judge", "--by", "document"],
        "judgements/margin": ["judge", "--by", "margin:scorer=bm25"],
    }
    run, cache = folder / "run", folder / "cache"
    before, after, seconds = {}, {}, {}
    _finish(_start(["inspect", options.data], run, cache))  # a built-in set is built before any clock runs
    for stage, command in commands.items():
        before[stage] = shutil.copytree(run, folder / f"before-{len(before)}") if run.exists() else None
        start = time.perf_counter()
        _finish(_start(command, run, cache))
        seconds[stage] = time.perf_counter() - start
        after[stage] = _parquet(run)
        print(f"{stage}: {seconds[stage]:.1f} s unharmed, {len(after[stage])} Parquet files", file=sys.stderr)
    kills = []
    for number in range(n_kills):
        stage = list(commands)[number % len(commands)]
        again = folder / "again"
        shutil.rmtree(again, ignore_errors=True)
        if before[stage] is not None:
            shutil.copytree(before[stage], again)
        if options.cold:
            shutil.rmtree(cache / "vectors", ignore_errors=True)
        shards = sum(path.startswith(stage) for path in after[stage])
        by_clock = number // len(commands) % 2 == 0
        wait_for = 0 if by_clock else int(rng.integers(1, shards + 1))
        moment = float(rng.uniform(0, seconds[stage] if by_clock else 0.2))
        was_working = _kill(_start(commands[stage], again, cache), again, stage, wait_for, moment)
        made = _shards(again, stage)
        _finish(_start(["resume"] if _is_entered(again, stage) else commands[stage], again, cache))
        kill = {"stage": stage, "after_shards": wait_for, "seconds": moment, "was_working": was_working}
        kills.append({**kill, "shards_made": made, "shards": shards, "same": _parquet(again) == after[stage]})
        verdict = "same bytes" if kills[-1]["same"] else "OTHER BYTES"
        print(f"{number + 1}: {stage} killed with {made} of {shards} shards: {verdict}", file=sys.stderr)
    return seconds, kills


def _start(command: list[str], run: Path, cache: Path) -> subprocess.Popen[str]:
    verb, *rest = command
    where = {"mine": [*rest, "--out", str(run)], "inspect": rest}.get(verb, [str(run), *rest])
    environment = {**os.environ, "LITOTES_CACHE": str(cache)}
    return subprocess.Popen(
        [*LITOTES, verb, *where], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def _finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(process.args[3:])} failed: {errors.strip()}")  # type: ignore[index]


def _kill(process: subprocess.Popen[str], run: Path, stage: str, after_shards: int, seconds: float) -> bool:
    """Wait for so many shards and so many seconds, then kill; whether it was still at work."""
    while process.poll() is None and _shards(run, stage) < after_shards:
        time.sleep(0.002)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def _is_entered(run: Path, stage: str) -> bool:
    """Whether the command stands in the run's record, so that it can be resumed or is done."""
    if not (run / "run.json").exists():
        return False
    record = json.loads((run / "run.json").read_text())
    return stage in record["stages"] or any(not command["done"] for command in record.get("commands", []))


def _shards(run: Path, stage: str) -> int:
    manifest = run / stage / "manifest.json"  # replaced whole at every shard
    return len(json.loads(manifest.read_text())) if manifest.exists() else 0


def _parquet(run: Path) -> dict[str, bytes]:
    return {str(path.relative_to(run)): path.read_bytes() for path in sorted(run.rglob("*.parquet"))}


if __name__ == "__main__":
    measuring.run(__doc__, measure, add_options)
