"""Candidates from somebody else's run file."""

import gzip

import numpy as np
import pytest

from litotes.core.errors import LitotesError
from litotes.mining.bm25 import BM25Miner
from litotes.mining.trec_run import RunMiner
from tests.unit.mining.small_data import cells_of, make_collection, random_collection


@pytest.fixture
def write(tmp_path):
    def write(lines, name="bm25.trec"):
        path = tmp_path / name
        text = "".join(f"{line}\n" for line in lines)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return str(path)

    return write


def test_the_scores_decide_not_the_ranks_of_the_file(write):
    data = make_collection(["q", "r"], ["a", "b", "c"])
    path = write(["q0 Q0 d2 1 1.5 x", "q0 Q0 d0 2 2.5 x", "q0 Q0 d1 3 1.5 x", "q1 Q0 d1 1 7 x"])
    expected = [(0, 0, 2.5, 1), (0, 1, 1.5, 2), (0, 2, 1.5, 3), (1, 1, 7.0, 1)]  # equal scores by column
    assert cells_of(RunMiner(path).mine(data), "run") == expected


def test_a_run_of_bm25_gives_what_bm25_gives(write):
    data = random_collection(7)
    direct = BM25Miner(top=50, min_score=1e-9).mine(data)
    lines = [f"q{row} Q0 d{col} {rank} {score!r} x" for row, col, score, rank in cells_of(direct, "bm25")]
    path = write(
        [*lines, *(f"q{row} Q0 d{col} 0 99 x" for row, col in zip(*data.labels.positive_cells(), strict=True))]
    )
    miner = RunMiner(path, top=7, skip=2)
    assert cells_of(miner.mine(data), "run") == cells_of(BM25Miner(top=7, skip=2, min_score=1e-9).mine(data), "bm25")
    parts = [miner.mine(data, np.arange(s, min(s + 9, 50))) for s in range(0, 50, 9)]
    assert parts[0].merge(*parts[1:]).counts == miner.mine(data).counts


def test_what_the_data_do_not_have_is_counted(write):
    data = make_collection(["q", "r", "s"], ["a", "b"])
    path = write(["q0 Q0 d0 1 2 x", "q0 Q0 strange 2 1 x", "q9 Q0 d1 1 2 x", "q2 Q0 gone 1 2 x"], "run.gz")
    found = RunMiner(path, top=1).mine(data)
    assert cells_of(found, "run") == [(0, 0, 2.0, 1)]
    counts = found.counts["run"]
    assert (counts["unknown_columns"], counts["rows_not_in_run"], counts["short_rows"]) == (2, 1, 2)


def test_positives_and_their_twins_are_left_out(write):
    data = make_collection(["q"], ["Red fox", "red  FOX", "cat"], positives=[(0, 0)])
    path = write([f"q0 Q0 d{col} 0 {9 - col} x" for col in range(3)])
    assert cells_of(RunMiner(path).mine(data), "run") == [(0, 2, 7.0, 1)]


def test_a_run_of_other_data_is_refused(write):
    data = make_collection(["q"], ["a"])
    with pytest.raises(LitotesError, match="none of its queries is a query of this data; the first is 'x1'"):
        RunMiner(write(["x1 Q0 d0 1 2 x"])).mine(data)
    with pytest.raises(LitotesError, match="none of its documents is a document of this data; the first is 'y'"):
        RunMiner(write(["q0 Q0 y 1 2 x"])).mine(data)


def test_a_missing_file_and_a_broken_line_are_named(write, tmp_path):
    with pytest.raises(LitotesError, match="gone.trec: no such run file"):
        RunMiner(str(tmp_path / "gone.trec"))
    with pytest.raises(LitotesError, match=r"bm25.trec:1: 3 columns"):
        RunMiner(write(["q0 Q0 d0"])).mine(make_collection(["q"], ["a"]))


def test_the_fingerprint_is_of_the_files_bytes(write):
    data = make_collection(["q"], ["a"])
    one, two = RunMiner(write(["q0 Q0 d0 1 2 x"], "a")), RunMiner(write(["q0 Q0 d0 1 2 x"], "b"))
    assert one.fingerprint(data) == two.fingerprint(data)
    assert one.fingerprint(data) != RunMiner(write(["q0 Q0 d0 1 3 x"], "c")).fingerprint(data)
