"""PEG as people meet it: real documents with the defaults, and the command line killed and resumed."""

import json
import signal
import time

import pytest

from litotes.recipes.retrieval.peg import PegConfig, train_peg
from tests.integration.test_star_adore import DEV, FIT, READING, folder, pydocs, run, start, summary, weights

__all__ = ["folder", "pydocs"]  # fixtures


@pytest.mark.slow
def test_peg_with_its_defaults_raises_the_dev_metric(pydocs, tmp_path):
    train_peg(pydocs.select_rows(FIT[::2]), PegConfig(**READING), tmp_path, dev=pydocs.select_rows(DEV))
    found = summary(tmp_path)
    assert found["dev_after"]["nDCG@10"] > found["dev_before"]["nDCG@10"]


@pytest.mark.slow
def test_killed_on_the_command_line_and_resumed_is_never_killed(folder, tmp_path):
    options = ["--encoder", "tiny:bert", "--range-min", 3, "--range-max", 20, "--num-negatives", 2]
    options += ["--num-train-epochs", 12, "--per-device-train-batch-size", 4, "--save-steps", 8]
    options += ["--learning-rate", 0.001, "--json"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert json.loads(run("train", "peg", folder, *options, "--out", whole))["command"] == "peg"
    process = start("train", "peg", folder, *options, "--out", killed)
    deadline = time.monotonic() + 200
    while not list(killed.glob("checkpoints/checkpoint-*/sealed.json")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it had finished: the test would be vacuous"
    run("resume", killed)
    assert weights(killed) == weights(whole) and len(weights(whole)) == 2  # the model, and the one after the warm-up
    assert not (killed / "checkpoints").exists()
