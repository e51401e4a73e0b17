"""TREC lines: judgements and runs."""

import gzip
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litotes.core.errors import DataError, LitotesError
from litotes.data.judgements import Judgements
from litotes.data.trec import read_run, read_trec_judgements, write_run

words = st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1, max_size=5)
scores = st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(words, st.dictionaries(words, scores, min_size=1, max_size=5), max_size=5).filter(len))
def test_a_written_run_reads_back_exactly(tmp_path_factory, run):
    path = tmp_path_factory.mktemp("run") / "x.trec"
    write_run(path, run, "tag")
    assert read_run(path) == run
    for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
        query, q0, document, rank, score, tag = line.split(" ")
        above = sum(other > float(score) for other in run[query].values())
        assert (q0, tag) == ("Q0", "tag") and int(rank) > above and run[query][document] == float(score)


def test_ranks_fall_with_scores_and_ties_stay_as_given(tmp_path):
    write_run(tmp_path / "x", {"q": {"b": 1.0, "c": 2.5, "a": 1.0}})
    assert (tmp_path / "x").read_text() == "q Q0 c 1 2.5 litotes\nq Q0 b 2 1.0 litotes\nq Q0 a 3 1.0 litotes\n"


def test_numpy_scores_keep_their_value(tmp_path):
    score = np.float32(0.1)
    write_run(tmp_path / "x", {"q": {"d": score}})
    assert read_run(tmp_path / "x") == {"q": {"d": float(score)}}


@pytest.mark.parametrize(
    ("run", "tag", "said"),
    [
        ({"q 1": {"d": 1.0}}, "t", "The id 'q 1' cannot stand in a TREC run file"),
        ({"q": {"d\t": 1.0}}, "t", "cannot stand"),
        ({"q": {"": 1.0}}, "t", "cannot stand"),
        ({"q": {"d": 1.0}}, "my tag", "The id 'my tag'"),
        ({"q": {"d": float("nan")}}, "t", "scores must be finite"),
    ],
)
def test_what_a_run_cannot_hold_is_refused_and_nothing_is_lost(tmp_path, run, tag, said):
    (tmp_path / "x").write_text("what stood here")
    with pytest.raises(LitotesError, match=said):
        write_run(tmp_path / "x", run, tag)
    assert (tmp_path / "x").read_text() == "what stood here" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("q Q0 d 1 0.5\n", "x:1: 5 columns: 'q Q0 d 1 0.5'. Expected 6 columns"),
        ("q Q0 d 1 best t\n", "x:1: the score 'best' is not a number"),
        ("q Q0 d 1 nan t\n", "is not a number"),
        (
            "q Q0 d 1 2 t\n\nq Q0 e 2 1 t\nq\tQ0\td\t3\t0\tt\n",
            "x:4: the document 'd' stands here again under the query 'q', first in line 1",
        ),
        ("", "the run is empty"),
    ],
)
def test_bad_runs(put, content, said):
    with pytest.raises(DataError) as raised:
        read_run(put("x", content))
    assert said in str(raised.value)


def test_bad_lines_of_a_run_can_be_skipped(put):
    path = put("x.gz", gzip.compress(b"q Q0 d 1 2 t\nnonsense\nq Q0 e 2 1 t\n"))
    assert read_run(path, skip_bad_lines=True) == {"q": {"d": 2.0, "e": 1.0}}


def test_judgements(put):
    found, notes = Judgements(), Counter()
    read_trec_judgements(put("x", "301 0 FR-1 1\n301\tQ0\tFR-2\t-1\n\n007 0 FR-1 0.5\n"), found, notes, False)
    assert list(found.row_ids) == ["301", "007"] and list(found.col_ids) == ["FR-1", "FR-2"]
    assert notes == {"blank_lines": 1} and len(found) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("q 0 d high\n", "x:1: the grade 'high' is not a number"),
        ("q d 1\n", "x:1: 3 columns: 'q d 1'. Expected 4 columns: query, iteration, document, grade"),
        ("\n", "not a single judgement"),
    ],
)
def test_bad_judgements(put, content, said):
    with pytest.raises(DataError) as raised:
        read_trec_judgements(put("x", content), Judgements(), Counter(), False)
    assert said in str(raised.value)
