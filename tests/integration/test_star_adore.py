"""STAR and ADORE as people meet them: a real encoder on real documents, and the command line killed and resumed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from litotes.core import Collection, LabelMatrix, RunFolder
from litotes.data import export, load
from litotes.recipes.retrieval.star_adore import AdoreConfig, StarConfig, train_adore, train_star
from tests.unit.training.small_world import small_data

ROOT = Path(__file__).parents[2]
READING = {"query_length": 32, "corpus_length": 32}  # of the texts at hand, not of the method
FIT, DEV = [row for row in range(192) if row % 3], range(0, 192, 3)


@pytest.fixture(scope="module")
def pydocs() -> Collection:
    """The first 192 training questions of pydocs over some 300 of its documents, their labelled answers among them.

    Two thirds of the questions are trained on (:data:`FIT`), the others watched (:data:`DEV`).
    """
    whole = load("builtin:pydocs", split="train")
    rows = np.arange(192)
    answers = np.concatenate([whole.labels.positives(row) for row in rows])
    others = np.setdiff1d(np.arange(whole.n_cols), answers)[:: whole.n_cols // 115]
    cols = np.union1d(answers, others)
    place = {int(col): i for i, col in enumerate(cols)}
    row_ids, col_ids = [whole.row_ids[row] for row in rows], [whole.col_ids[col] for col in cols]
    labels = LabelMatrix(row_ids, col_ids, rows, [place[int(whole.labels.positives(row)[0])] for row in rows])
    texts = pa.table({"id": col_ids, "text": [whole.col_texts[col] for col in cols]})
    return Collection(labels, pa.table({"id": row_ids, "text": [whole.row_texts[row] for row in rows]}), texts)


def summary(folder):
    stages = RunFolder.open(folder, create=False).stages
    return next(stage["summary"] for key, stage in stages.items() if key.startswith("train/"))


@pytest.mark.slow
def test_adore_with_its_defaults_raises_the_dev_metric(pydocs, tmp_path):
    train_adore(pydocs.select_rows(FIT), AdoreConfig(**READING), tmp_path, dev=pydocs.select_rows(DEV))
    found = summary(tmp_path)
    assert found["dev_after"]["nDCG@10"] > found["dev_before"]["nDCG@10"]


@pytest.mark.slow
def test_star_with_its_defaults_raises_the_dev_metric(pydocs, tmp_path):
    train_star(pydocs.select_rows(FIT), StarConfig(**READING), tmp_path, dev=pydocs.select_rows(DEV))
    found = summary(tmp_path)
    assert found["dev_after"]["nDCG@10"] > found["dev_before"]["nDCG@10"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The small data as a BEIR folder."""
    out = tmp_path_factory.mktemp("data") / "beir"
    export({"train": small_data()}, "beir", out)
    return out


def start(*arguments) -> subprocess.Popen:
    program = "import sys; from litotes.cli.main import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def run(*arguments) -> str:
    process = start(*arguments)
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return out


def weights(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.safetensors"))}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["star", "adore"])
def test_killed_on_the_command_line_and_resumed_is_never_killed(folder, tmp_path, command):
    options = ["--encoder", "tiny:bert", "--top", 8, "--num-train-epochs", 12, "--per-device-train-batch-size", 4]
    options += ["--save-steps", 8, "--learning-rate", 0.001, "--json"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert json.loads(run("train", command, folder, *options, "--out", whole))["command"] == command
    process = start("train", command, folder, *options, "--out", killed)
    marks = {"star": "checkpoints/checkpoint-*/sealed.json", "adore": "checkpoints/checkpoint-*/state.json"}
    deadline = time.monotonic() + 200
    while not list(killed.glob(marks[command])) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it had finished: the test would be vacuous"
    run("resume", killed)
    assert weights(killed) == weights(whole) and len(weights(whole)) == {"star": 1, "adore": 2}[command]
    assert not (killed / "checkpoints").exists()


def test_every_test_that_the_page_of_the_recipe_names_exists():
    page = (ROOT / "docs" / "recipes" / "star-adore.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::([\w:]+))?`", page)
    assert len(named) > 20
    for path, name in named:
        text = (ROOT / path).read_text(encoding="utf-8")
        for part in filter(None, name.split("::")):
            assert re.search(rf"(def|class) {part}\b", text), f"{path} has no {part}"
