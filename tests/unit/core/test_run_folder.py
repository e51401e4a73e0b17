"""Stages, shards and resume."""

import fcntl
import json
import os
import re
import threading

import pyarrow as pa
import pytest

from litotes.core import LitotesError, run_folder
from litotes.core.errors import MachineError, StaleError
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


def test_what_a_kill_left_half_written_is_gone_once_the_stage_is_closed(tmp_path):
    stage = begin(tmp_path, shards=1)
    stage.write(0, TABLE)
    (stage.folder / ".0000.parquet.abc.partial").write_bytes(b"half")
    begin(tmp_path, shards=1).finish()
    assert sorted(item.name for item in stage.folder.iterdir()) == ["0000.parquet", "manifest.json"]


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


def test_an_empty_folder_is_made_with_its_parents(tmp_path):
    assert RunFolder.open(tmp_path / "a" / "b").path.is_dir()


def test_a_stage_made_anew_stands_at_the_end_and_says_its_name(tmp_path):
    run = RunFolder.open(tmp_path)
    for key in ("candidates/one", "candidates/two"):
        begin_named(run, key)
    run.stage("candidates/one", verb="mine", config={}, fingerprints={"miner": "x"}, shards=1, force=True)
    assert list(run.stages) == ["candidates/two", "candidates/one"]
    with pytest.raises(StaleError, match=r"Use another name \(one:name=NAME\)"):
        run.stage("candidates/one", verb="mine", config={}, fingerprints={"miner": "y"}, shards=1)


def test_more_than_ten_shards_are_entered_in_the_order_of_their_numbers(tmp_path):
    stage = begin(tmp_path, shards=12)
    for shard in reversed(range(12)):
        stage.write(shard, TABLE)
    assert list(json.loads((stage.folder / "manifest.json").read_text())) == [str(i) for i in range(12)]


def test_times_are_those_of_a_clock_in_whole_seconds(tmp_path):
    stage = begin(tmp_path, shards=0)
    stage.finish()
    for name in ("begun", "ended"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", stage.record[name])


def test_the_log_is_read_by_people_and_takes_any_value(tmp_path):
    run = RunFolder.open(tmp_path)
    run.log("mined", name="ü", where=tmp_path)
    line = (tmp_path / "log.jsonl").read_bytes().decode("utf-8")
    assert '"ü"' in line and json.loads(line)["where"] == str(tmp_path)


def test_a_log_that_cannot_be_written_is_the_machine_s_fault(tmp_path):
    run = RunFolder.open(tmp_path)
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(MachineError, match=r"log.jsonl: cannot be written \(Is a directory\)"):
        run.log("mined")


def test_what_another_program_changed_in_an_entry_replaces_it_whole(tmp_path):
    first = RunFolder.open(tmp_path)
    begin_named(first, "candidates/one")
    entry = first.stages["candidates/one"]
    second = RunFolder.open(tmp_path)
    second.stages["candidates/one"] = {"done": True}
    second.save()
    first.save()
    assert first.stages["candidates/one"] is entry and entry == {"done": True}


def test_the_options_of_a_command_are_known_in_any_order(tmp_path):
    first, second = RunFolder.open(tmp_path), RunFolder.open(tmp_path)
    first.record["commands"] = [{"verb": "mine", "options": {"a": 1, "b": 2}, "begun": "t", "done": True}]
    first.save()
    second.record["commands"] = [{"verb": "mine", "options": {"b": 2, "a": 1}, "begun": "t", "done": True}]
    second.save()
    assert [each["done"] for each in RunFolder.open(tmp_path).record["commands"]] == [True]


def test_saving_waits_for_another_program_that_saves(tmp_path):
    run = RunFolder.open(tmp_path)
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    saving = threading.Thread(target=run.save)
    saving.start()
    saving.join(0.2)
    assert saving.is_alive()
    os.close(handle)
    saving.join(20)
    assert not saving.is_alive()


def test_what_is_not_installed_has_no_version(monkeypatch):
    def version(name):
        if name == "numpy":
            raise run_folder.metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(run_folder.metadata, "version", version)
    found = run_folder.versions()
    assert "numpy" not in found and found["litotes"] == found["bm25s"] == "1"
