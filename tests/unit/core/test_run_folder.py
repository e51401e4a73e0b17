"""Stages, shards and resume."""

import json

import pyarrow as pa
import pytest

from litotes.core import LitotesError
from litotes.core.errors import StaleError
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


def begin_named(run, key):
    return run.stage(key, verb="mine", config={}, fingerprints={"miner": key}, shards=1)


def test_two_programs_at_once_lose_no_stage(tmp_path):
    first, second = RunFolder.open(tmp_path), RunFolder.open(tmp_path)  # both read the record before either writes
    first.record.setdefault("commands", []).append({"verb": "mine", "options": {"a": 1}, "begun": "t", "done": False})
    entry = first.record["commands"][0]
    first_stage = begin_named(first, "candidates/first")
    second.record.setdefault("commands", []).append({"verb": "mine", "options": {"b": 1}, "begun": "t", "done": False})
    second_stage = begin_named(second, "candidates/second")
    second_stage.write(0, TABLE)
    second_stage.finish({"cells": 2})
    first_stage.write(0, TABLE)
    first_stage.finish({"cells": 2})
    entry.update(done=True)
    first.save()
    now = RunFolder.open(tmp_path)
    assert list(now.stages) == ["candidates/first", "candidates/second"] and not now.unfinished()
    assert {str(each["options"]): each["done"] for each in now.record["commands"]} == {
        "{'a': 1}": True,
        "{'b': 1}": False,
    }


def test_a_stage_that_another_program_began_from_other_things_is_refused(tmp_path):
    ours = RunFolder.open(tmp_path)
    begin(tmp_path, data="x")
    with pytest.raises(StaleError, match="data"):
        ours.stage("candidates/dense", verb="mine", config={}, fingerprints={"data": "y"}, shards=3)


def test_what_another_program_took_out_stays_out_and_other_data_are_refused(tmp_path):
    begin_named(RunFolder.open(tmp_path), "candidates/gone")
    first, second = RunFolder.open(tmp_path), RunFolder.open(tmp_path)
    del second.stages["candidates/gone"]
    second.record["data"] = {"fingerprint": "b"}
    second.save()
    first.save()
    assert not RunFolder.open(tmp_path).stages and first.record["data"] == {"fingerprint": "b"}
    third, fourth = RunFolder.open(tmp_path / "new"), RunFolder.open(tmp_path / "new")
    third.record["data"] = {"fingerprint": "a"}
    third.save()
    fourth.record["data"] = {"fingerprint": "b"}
    with pytest.raises(StaleError, match="another program has just entered other data"):
        fourth.save()
