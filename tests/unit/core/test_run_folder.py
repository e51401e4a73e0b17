"""Stages, shards and resume."""

import json

import pyarrow as pa
import pytest

from litotes.core import LitotesError
from litotes.core.run_folder import RunFolder

TABLE = pa.table({"row": [1, 2]})


def begin(path, shards=3, force=False, **fingerprints):
    run = RunFolder.open(path)
    prints = fingerprints or {"data": "a", "miner": "b"}
    return run.stage(
        "candidates/dense", verb="mine", config={"top": 5}, fingerprints=prints, shards=shards, force=force
    )


def test_a_stage_goes_on_where_it_stopped(tmp_path):
    stage = begin(tmp_path)
    assert stage.pending == [0, 1, 2]
    stage.write(1, TABLE)
    again = begin(tmp_path)
    assert again.pending == [0, 2] and not again.done
    for shard in again.pending:
        again.write(shard, TABLE)
    again.finish({"cells": 6})
    assert begin(tmp_path).done
    record = json.loads((tmp_path / "run.json").read_text())["stages"]["candidates/dense"]
    assert record["summary"] == {"cells": 6} and record["config"] == {"top": 5} and len(record["digests"]) == 3
    assert record["versions"]["numpy"] and [table.num_rows for table in again.tables()] == [2, 2, 2]


@pytest.mark.parametrize("damage", ["half", "gone", "not entered"])
def test_a_damaged_shard_is_made_again(tmp_path, damage):
    stage = begin(tmp_path, shards=2)
    stage.write(0, TABLE)
    stage.write(1, TABLE)
    path = stage.shard_path(1)
    if damage == "half":
        path.write_bytes(path.read_bytes()[:50])
    elif damage == "gone":
        path.unlink()
    else:
        (stage.folder / "manifest.json").write_text(json.dumps({"0": stage._digests["0"]}))
    assert begin(tmp_path, shards=2).pending == [1]
    with pytest.raises(LitotesError, match=r"shards \[1\] are missing"):
        begin(tmp_path, shards=2).finish()
    with pytest.raises(LitotesError, match="litotes resume"):
        list(begin(tmp_path, shards=2).tables())


def test_something_else_under_the_same_name_is_refused_by_part(tmp_path):
    begin(tmp_path, data="a", miner="b").write(0, TABLE)
    with pytest.raises(LitotesError, match=r"made from something else: miner differs. .*dense:name=NAME"):
        begin(tmp_path, data="a", miner="c")
    with pytest.raises(LitotesError, match="data, miner differ. "):
        begin(tmp_path, data="x", miner="c")
    assert begin(tmp_path, data="a", miner="b").pending == [1, 2], "a refusal loses nothing"
    assert begin(tmp_path, data="x", miner="c", force=True).pending == [0, 1, 2]
    assert not begin(tmp_path, data="x", miner="c").shard_path(0).exists()


def test_the_log_is_lines_of_json(tmp_path):
    run = RunFolder.open(tmp_path)
    run.log("mined", cells=3)
    run.log("judged", name="ü")
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["mined", "judged"] and lines[0]["cells"] == 3


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "f").write_text("")
    with pytest.raises(LitotesError, match="a file stands where a folder is needed"):
        RunFolder.open(tmp_path / "f")


def test_a_broken_record_names_its_line(tmp_path):
    (tmp_path / "run.json").write_text('{\n "stages": oops}')
    with pytest.raises(LitotesError, match=r"run.json:2: not valid JSON"):
        RunFolder.open(tmp_path)
