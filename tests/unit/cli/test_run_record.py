"""What a run remembers: its data, its commands; and what it refuses."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from litotes.cli.run_record import bind_data, load_data, recorded, reload_data, resolved, resolved_spec
from litotes.core import RunFolder
from litotes.core.errors import LitotesError, MachineError, StaleError
from litotes.core.files import read_json
from tests.small_beir import write_small_beir

READING = {"min_grade": 1.0}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_small_beir(Path("data"))
    return tmp_path


@pytest.fixture
def run(folder):
    made = RunFolder.open("run")
    bind_data(made, load_data("data", "train", **READING), "data", "train", READING)
    return made


def test_data_is_found_again_from_anywhere(run, folder, monkeypatch):
    monkeypatch.chdir("/")
    again = reload_data(RunFolder.open(folder / "run", create=False))
    assert again.fingerprint == run.record["data"]["fingerprint"]


def test_a_public_set_is_found_again_by_its_name(folder, monkeypatch):
    Path("data").rename("retrieval-nfcorpus")
    monkeypatch.setenv("LITOTES_DATA", str(folder))
    made = RunFolder.open("run")
    bind_data(made, load_data("nfcorpus", "train", **READING), "nfcorpus", "train", READING)
    assert made.record["data"]["source"] == "nfcorpus"
    monkeypatch.chdir("/")
    again = reload_data(RunFolder.open(folder / "run", create=False))
    assert again.fingerprint == made.record["data"]["fingerprint"]
    monkeypatch.setenv("LITOTES_DATA", "/nowhere")
    with pytest.raises(LitotesError, match="The public data set nfcorpus is not part of litotes"):
        reload_data(RunFolder.open(folder / "run", create=False))


def test_the_same_data_may_come_again(run):
    before = dict(run.record["data"])
    bind_data(run, load_data("data", "train", **READING), "data", "train", READING)
    assert run.record["data"] == before


def test_another_split_is_refused_by_name(run):
    test = load_data("data", "test", **READING)
    with pytest.raises(StaleError, match="split train there, test here"):
        bind_data(run, test, "data", "test", READING)


def test_changed_data_is_refused_by_part(run):
    corpus = Path("data/corpus.jsonl")
    corpus.write_text(corpus.read_text().replace("comet", "planet"))
    with pytest.raises(StaleError, match="the texts of columns differ"):
        reload_data(run)


def test_data_that_is_gone_can_be_named(run):
    Path("data").rename("moved")
    with pytest.raises(LitotesError, match="Say where it is with --data PATH"):
        reload_data(run)
    assert reload_data(run, "moved").n_rows == 16


def test_a_run_that_does_not_know_its_data_says_what_to_type(folder):
    with pytest.raises(LitotesError, match="litotes mine DATA --out bare"):
        reload_data(RunFolder.open("bare"))


def commands(run):
    return read_json(run.path / "run.json")["commands"]


def test_a_command_is_there_while_it_works_and_done_afterwards(run):
    with recorded(run, "mine", {"top": 5}):
        assert [(c["verb"], c["options"], c["done"]) for c in commands(run)] == [("mine", {"top": 5}, False)]
    assert commands(run)[0]["done"]
    events = [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()]
    assert [(event["event"], event["verb"]) for event in events] == [("begun", "mine"), ("done", "mine")]


def test_a_mistake_leaves_no_command(run):
    with pytest.raises(LitotesError), recorded(run, "mine", {}):
        raise LitotesError("no such encoder")
    assert not (run.path / "run.json").exists()


def begin(run, written):
    stage = run.stage("judgements/j", verb="judge", config={}, fingerprints={}, shards=2)
    if written:
        stage.write(0, pa.table({"row": [0]}))


def test_a_mistake_before_anything_was_written_leaves_no_stage(run):
    with pytest.raises(LitotesError), recorded(run, "judge", {}):
        begin(run, written=False)
        raise LitotesError("the model has two outputs")
    assert RunFolder.open(run.path).stages == {}


def test_a_mistake_after_something_was_written_can_be_resumed(run):
    with pytest.raises(LitotesError), recorded(run, "judge", {}):
        begin(run, written=True)
        raise LitotesError("a text that the model cannot read")
    assert [command["done"] for command in commands(run)] == [False]
    assert RunFolder.open(run.path).unfinished() == ["judgements/j"]


def test_a_training_that_was_refused_keeps_its_stage_for_its_checkpoints(run):
    with pytest.raises(LitotesError), recorded(run, "train", {}):
        run.stage("train/adore", verb="train adore", config={}, fingerprints={}, shards=0)
        raise LitotesError("the loss is NaN at step 60")
    assert [command["done"] for command in commands(run)] == [False]
    assert RunFolder.open(run.path).unfinished() == ["train/adore"]


@pytest.mark.parametrize("error", [MachineError("full"), KeyboardInterrupt()])
def test_what_was_stopped_or_had_no_room_stays_to_be_resumed(run, error):
    with pytest.raises(type(error)), recorded(run, "mine", {}):
        raise error
    assert [command["done"] for command in commands(run)] == [False]


def test_the_same_command_again_takes_up_the_stopped_one(run):
    with pytest.raises(KeyboardInterrupt), recorded(run, "mine", {"top": 5}):
        raise KeyboardInterrupt
    with recorded(run, "mine", {"top": 5}):
        pass
    assert [command["done"] for command in commands(run)] == [True]


def test_paths_become_absolute_and_names_stay(folder):
    here = str(folder)
    assert resolved("data") == f"{here}/data"
    assert resolved("builtin:minilm") == "builtin:minilm"
    assert resolved("sentence-transformers/all-MiniLM-L6-v2") == "sentence-transformers/all-MiniLM-L6-v2"
    assert resolved("vectors:data") == f"vectors:{here}/data"
    assert resolved("run:data/corpus.jsonl,name=x") == f"run:{here}/data/corpus.jsonl,name=x"
    assert resolved("bm25:b=0.5") == "bm25:b=0.5"
    assert resolved("cross-encoder:name=data,model=data") == f"cross-encoder:name=data,model={here}/data"
    assert resolved("dense:encoder=builtin:minilm") == "dense:encoder=builtin:minilm"
    assert resolved("") == "" and resolved("query:") == "query:"


def test_a_kind_is_a_kind_even_where_a_folder_has_its_name(folder):
    (folder / "bm25").mkdir()
    assert resolved_spec("bm25") == "bm25" and resolved_spec("bm25:b=0.5") == "bm25:b=0.5"
    assert resolved_spec("run:data/corpus.jsonl") == f"run:{folder}/data/corpus.jsonl"


def test_a_refused_command_leaves_no_folder_that_is_about_other_data(folder):
    data = load_data("data", "train")
    run = RunFolder.open(folder / "fresh")
    bind_data(run, data, "data", "train", {})
    with pytest.raises(LitotesError, match="no"), recorded(run, "mine", {}):
        raise LitotesError("no")
    assert not (folder / "fresh").exists()


def test_a_folder_with_something_else_in_it_stays(folder):
    run = RunFolder.open(folder / "kept")
    (folder / "kept" / "mine.txt").write_text("precious")
    with pytest.raises(LitotesError, match="no"), recorded(run, "mine", {}):
        raise LitotesError("no")
    assert [path.name for path in (folder / "kept").iterdir()] == ["mine.txt"]
