"""CET as people meet it: its defaults on real documents; trained, killed, resumed and judged by on the command line."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sentence_transformers import CrossEncoder

from litotes.cli.main import main
from litotes.core import Candidates, Collection, LabelMatrix, RunFolder
from litotes.data import export, load
from litotes.models.feature_ranker import FeatureRanker
from litotes.recipes.load_model import load_model
from litotes.recipes.retrieval.cet import CetConfig, CetStep, train_cet
from tests.unit.training.small_world import small_data

# of the machine and the texts at hand, not of the method
READING = {"max_length": 48, "rerank": 10, "query_length": 32, "corpus_length": 32}


@pytest.fixture(scope="module")
def pydocs() -> Collection:
    """The first 192 training questions of pydocs over some 300 of its documents, their labelled answers among them."""
    whole = load("builtin:pydocs", split="train")
    rows = np.arange(192)
    answers = np.array([int(whole.labels.positives(row)[0]) for row in rows])
    others = np.setdiff1d(np.arange(whole.n_cols), answers)[:: whole.n_cols // 150]
    cols = np.union1d(answers, others)
    row_ids, col_ids = [whole.row_ids[row] for row in rows], [whole.col_ids[col] for col in cols]
    labels = LabelMatrix(row_ids, col_ids, rows, np.searchsorted(cols, answers))
    texts = pa.table({"id": col_ids, "text": [whole.col_texts[col] for col in cols]})
    return Collection(labels, pa.table({"id": row_ids, "text": [whole.row_texts[row] for row in rows]}), texts)


@pytest.mark.slow
def test_cet_with_its_defaults_raises_the_dev_metric(pydocs, tmp_path):
    dev = pydocs.select_rows(range(0, 192, 6))
    fit = pydocs.select_rows([row for row in range(192) if row % 6])
    model = train_cet(fit, CetConfig(**READING), tmp_path, dev=dev)
    found = RunFolder.open(tmp_path, create=False).stages["train/cet"]["summary"]
    assert found["dev_after"]["nDCG@10"] > found["dev_before"]["nDCG@10"]
    assert type(model) is CrossEncoder


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The small data as a BEIR folder, and the working folder beside it."""
    monkeypatch.chdir(tmp_path)
    export({"train": small_data()}, "beir", tmp_path / "data")
    return tmp_path


OPTIONS = ["--model", "features", "--miner", "bm25", "--top", "20", "--per-device-train-batch-size", "4"]


def test_trained_on_the_command_line_and_used_as_a_judge(folder, capsys):
    assert main(["train", "cet", "data", *OPTIONS, "--out", "cet", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["command"] == "cet"
    assert main(["train", "cet", "data", *OPTIONS, "--out", "cet"]) == 0
    assert "Next: litotes evaluate data --encoder builtin:minilm --rerank cet --out eval/" in capsys.readouterr().out
    assert type(load_model("cet")) is FeatureRanker
    evaluated = ["evaluate", "data", "--split", "train", "--encoder", "tiny:bert", "--rerank", "cet", "--out", "eval"]
    assert main(evaluated) == 0 and "tiny:bert + cet" in capsys.readouterr().out
    assert main(["mine", "data", "--split", "train", "--miner", "bm25:top=10", "--out", "run"]) == 0
    assert main(["judge", "run", "--by", "selection:model=cet"]) == 0
    found = Candidates.load("run")
    assert found.judges == ["selection"] and found.trusted_by == []
    lam = found.column("judge.selection")
    assert np.isfinite(lam).all() and len(np.unique(lam)) > 5
    lines = [f"{found_row} 0 {col} {place % 3 == 0:d}" for place, (found_row, col) in enumerate(cells(found))]
    (folder / "known.qrels").write_text("\n".join(lines) + "\n")
    assert main(["judge", "run", "--by", "selection:model=cet,name=both", "--calibrate", "known.qrels"]) == 0
    trust = Candidates.load("run").column("trust.both")
    assert ((trust > 0) & (trust < 1)).all() and len(np.unique(trust)) > 5


def cells(found):
    data = small_data()
    ids = {(data.row_ids[row], data.col_ids[col]) for row, col in zip(found.row, found.col, strict=True)}
    return sorted(ids)


def test_killed_and_resumed_on_the_command_line(folder, monkeypatch):
    class Stopped(BaseException):
        """Stands for a kill."""

    assert main(["train", "cet", "data", *OPTIONS, "--save-steps", "2", "--out", "whole"]) == 0
    call, calls = CetStep.__call__, []

    def stopping(self, lines, state=None):
        calls.append(1)
        if len(calls) == 6:
            raise Stopped
        return call(self, lines, state)

    with monkeypatch.context() as patch:
        patch.setattr(CetStep, "__call__", stopping)
        with pytest.raises(Stopped):
            main(["train", "cet", "data", *OPTIONS, "--save-steps", "2", "--out", "killed"])
    assert main(["resume", "killed"]) == 0
    for name in ("model.safetensors", "selection/model.safetensors"):
        assert (folder / "killed" / name).read_bytes() == (folder / "whole" / name).read_bytes()


def test_contradicting_options_are_a_sentence_and_exit_code_2(folder, capsys):
    assert main(["train", "cet", "data", *OPTIONS, "--selection-inputs", "lexikal", "--out", "cet"]) == 2
    assert "There is no feature 'lexikal'" in capsys.readouterr().err
