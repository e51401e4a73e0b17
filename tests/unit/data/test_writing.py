"""Folders that are whole or absent, ids and grades as text."""

import os

import numpy as np
import pytest

from litotes.core.errors import LitotesError, MachineError
from litotes.data.writing import check_split_names, grade_text, new_folder, plain_id, write_file


def fill(folder, force=False, fail=None):
    with new_folder(folder, force) as partial:
        (partial / "sub").mkdir()
        (partial / "sub" / "a.txt").write_text("new")
        if fail:
            raise fail


def tree(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_appears_whole(tmp_path):
    fill(tmp_path / "deep" / "out")
    assert tree(tmp_path) == {"deep/out/sub/a.txt": "new"}
    mode = (tmp_path / "deep" / "out").stat().st_mode & 0o777
    (tmp_path / "plain").mkdir()
    assert mode == (tmp_path / "plain").stat().st_mode & 0o777


def test_an_empty_folder_is_filled(tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    fill(tmp_path / "out")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    fill(".")
    assert tree(tmp_path) == {"out/sub/a.txt": "new", "here/sub/a.txt": "new"} and os.listdir(".") == ["sub"]


@pytest.mark.parametrize("error", [ValueError("a fault"), KeyboardInterrupt()])
def test_a_failure_leaves_nothing(tmp_path, error):
    with pytest.raises(type(error)):
        fill(tmp_path / "out", fail=error)
    assert list(tmp_path.iterdir()) == []


def test_a_full_folder_is_refused_unless_forced(tmp_path):
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (out / "sub" / "a.txt").write_text("old")
    (out / "mine.txt").write_text("mine")
    with pytest.raises(
        LitotesError,
        match=r"out: the folder is not empty\. Name another one, or pass --force \(in Python, force=True\)",
    ):
        fill(out)
    with pytest.raises(ValueError, match="a fault"):
        fill(out, force=True, fail=ValueError("a fault"))
    assert tree(out) == {"sub/a.txt": "old", "mine.txt": "mine"}
    fill(out, force=True)
    assert tree(tmp_path) == {"out/sub/a.txt": "new", "out/mine.txt": "mine"}


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(LitotesError, match="a file stands where a folder is to be written"):
        fill(tmp_path / "out", force=True)
    with pytest.raises(LitotesError, match="a folder stands where a file is to be written"):
        write_file(tmp_path, lambda path: None)


def test_a_full_disk_is_the_machines_fault(tmp_path):
    full = OSError(28, "No space left on device")
    with pytest.raises(MachineError, match="No space left on device") as raised:
        fill(tmp_path / "out", fail=full)
    assert raised.value.exit_code == 1 and list(tmp_path.iterdir()) == []


def test_grades_as_text():
    texts = [grade_text(value) for value in np.array([1, 0, -2, 0.5, 0.1, 1e10, 1 / 3], dtype=np.float32)]
    assert texts == ["1", "0", "-2", "0.5", "0.1", "10000000000", "0.33333334"]


def test_ids_and_split_names():
    assert plain_id("a b", "x", "\t") == "a b"
    for name, forbidden in (("a b", None), ("", "\t"), ("a\t", "\t"), ("a\u2003b", None)):
        with pytest.raises(LitotesError, match="cannot stand in x"):
            plain_id(name, "x", forbidden)
    for splits in ([], [""], ["a/b"], [".a"]):
        with pytest.raises(LitotesError):
            check_split_names(splits)
