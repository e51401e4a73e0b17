"""Files are whole or absent."""

import os

import pyarrow as pa
import pytest

from litotes.core.errors import DataError, LitotesError, MachineError
from litotes.core.files import make_folder, read_json, read_parquet, write_atomically, write_json, write_parquet


def test_a_failed_write_leaves_what_stood_there(tmp_path):
    path = tmp_path / "a.txt"
    write_atomically(path, "before")

    def fails(temporary):
        temporary.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(MachineError, match=r"a.txt: cannot be written \(No space left on device\)"):
        write_atomically(path, fails)
    assert path.read_text() == "before" and os.listdir(tmp_path) == ["a.txt"]


def test_modes_are_those_of_a_plain_file(tmp_path):
    (tmp_path / "plain").write_text("")
    write_atomically(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_json_and_parquet_come_back(tmp_path):
    write_json(tmp_path / "deep" / "a.json", {"ü": [1, None]})
    assert read_json(tmp_path / "deep" / "a.json") == {"ü": [1, None]}
    table = pa.table({"a": [1, 2]})
    write_parquet(table, tmp_path / "a.parquet")
    assert read_parquet(tmp_path / "a.parquet").equals(table)
    first = (tmp_path / "a.parquet").read_bytes()
    write_parquet(table, tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == first


def test_nan_is_not_json(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize("read", [read_json, read_parquet])
def test_a_missing_file_is_one_sentence(tmp_path, read):
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "nothing")


def test_a_cut_parquet_file_is_one_sentence(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(DataError, match="not a whole Parquet file") as caught:
        read_parquet(tmp_path / "a.parquet")
    assert "\n" not in str(caught.value)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "f").write_text("")
    with pytest.raises(LitotesError, match="a file stands where a folder is needed"):
        make_folder(tmp_path / "f")
