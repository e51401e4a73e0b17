"""Files are whole or absent."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
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


def test_json_is_written_for_people(tmp_path):
    write_json(tmp_path / "a.json", {"ü": [1]})
    assert (tmp_path / "a.json").read_bytes() == '{\n  "ü": [\n    1\n  ]\n}\n'.encode()


def test_a_folder_like_a_partition_is_no_column(tmp_path):
    path = tmp_path / "split=test" / "a.parquet"
    write_parquet(pa.table({"a": [1]}), path)
    assert read_parquet(path).column_names == ["a"]


def test_parquet_is_compressed_by_zstd(tmp_path):
    write_parquet(pa.table({"a": [1] * 100}), tmp_path / "a.parquet")
    assert pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0).column(0).compression == "ZSTD"


def test_the_file_then_its_folder_are_synced_and_no_handle_stays_open(tmp_path, monkeypatch):
    synced = []

    def fsync(descriptor):
        synced.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")))

    monkeypatch.setattr(os, "fsync", fsync)
    before = os.listdir("/proc/self/fd")
    write_atomically(tmp_path / "a.txt", "x")
    assert len(os.listdir("/proc/self/fd")) == len(before)
    part, folder = synced
    assert part.name.startswith(".a.txt.") and part.suffix == ".partial" and part.parent == folder == tmp_path


def test_the_mask_of_modes_is_as_before(tmp_path):
    mask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a.txt", "x")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(mask)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640
