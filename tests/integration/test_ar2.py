"""AR2 as people meet it: real encoders on real documents, and the command line killed and resumed."""

import json
import re
import signal
import time
from pathlib import Path

import pytest

from litotes.recipes.retrieval.ar2 import Ar2Config, train_ar2
from tests.integration.test_star_adore import DEV, FIT, READING, ROOT, folder, pydocs, run, start, summary, weights

__all__ = ["folder", "pydocs"]  # fixtures


@pytest.mark.slow
def test_ar2_with_its_defaults_raises_the_dev_metric(pydocs, tmp_path):
    config = Ar2Config(**READING, ranker_length=40)
    train_ar2(pydocs.select_rows(FIT), config, tmp_path, dev=pydocs.select_rows(DEV))
    found = summary(tmp_path)
    assert found["dev_after"]["nDCG@10"] > found["dev_before"]["nDCG@10"]


@pytest.mark.slow
def test_killed_on_the_command_line_and_resumed_is_never_killed(folder, tmp_path):
    options = ["--encoder", "tiny:bert", "--ranker", "interaction", "--top", 8, "--num-negatives", 2]
    options += ["--max-steps", 40, "--iteration-steps", 8, "--ranker-steps", 2, "--per-device-train-batch-size", 4]
    options += ["--retriever-warm-up-steps", 4, "--ranker-warm-up-steps", 4, "--save-steps", 4, "--json"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert json.loads(run("train", "ar2", folder, *options, "--out", whole))["steps"] == 40
    process = start("train", "ar2", folder, *options, "--out", killed)
    deadline = time.monotonic() + 200
    while not list(killed.glob("checkpoints/rounds/checkpoint-*/state.json")) and time.monotonic() < deadline:
        if process.poll() is not None:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it had finished: the test would be vacuous"
    run("resume", killed)
    assert weights(killed) == weights(whole) and len(weights(whole)) == 2
    assert not (killed / "checkpoints").exists()


def test_every_test_that_the_page_of_the_recipe_names_exists():
    page = (ROOT / "docs" / "recipes" / "ar2.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::([\w:]+))?`", page)
    assert len(named) > 40
    for path, name in named:
        text = (Path(ROOT) / path).read_text(encoding="utf-8")
        for part in filter(None, name.split("::")):
            assert re.search(rf"(def|class) {part}\b", text), f"{path} has no {part}"
