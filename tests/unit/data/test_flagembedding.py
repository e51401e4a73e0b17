"""FlagEmbedding's training files."""

import numpy as np
import pytest

from litotes.core.candidates import Candidates
from litotes.core.errors import DataError, LitotesError
from litotes.data.flagembedding import write_flagembedding
from litotes.data.lines import parse_object
from litotes.data.load import load


def cells(data):
    rows, cols, grades = data.labels.cells()
    return {(data.row_texts[r], data.col_texts[c]): g for r, c, g in zip(rows, cols, grades, strict=True)}


LINES = [
    {"query": "night", "pos": ["owl", "bat"], "neg": ["lark"], "pos_scores": [0.9, 0.8], "prompt": "find"},
    {"query": "dawn", "pos": ["lark"]},
    {"query": "night", "pos": ["owl"], "neg": []},
]


def test_equal_texts_are_one_id(put):
    data = load(put("x.jsonl", LINES), min_grade=2)
    assert data.labels.min_grade == 1  # the format has no grades
    assert cells(data) == {("night", "owl"): 1, ("night", "bat"): 1, ("night", "lark"): 0, ("dawn", "lark"): 1}
    assert data.n_rows == 2 and data.n_cols == 3
    assert data.notes == {"format": "FlagEmbedding", "lines_with_scores": 1, "repeated_judgements": 1}


def test_a_query_without_positives_is_kept(put):
    data = load(put("x.jsonl", [*LINES, {"query": "noon", "pos": [], "neg": ["owl"]}, {"query": "tea", "pos": []}]))
    assert data.labels.positive_counts().tolist() == [2, 1, 0, 0] and data.notes["queries_without_judgement"] == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"query": "q", "pos": "owl"}, "the field 'pos' is 'owl'. Expected a list of strings"),
        ({"query": "q", "pos": ["a", 3]}, "Expected a list of strings"),
        ({"query": "q", "pos": ["a", " "]}, "the text 2 of 'pos' is empty"),
        ({"query": "q", "pos": ["a"], "neg": None}, "the field 'neg' is None"),
        ({"query": "q", "neg": []}, "no field 'pos'"),
        ({"query": " ", "pos": ["a"]}, "an empty query"),
        ({"query": ["q"], "pos": ["a"]}, "the field 'query' is a list"),
        (
            {"query": "q", "pos": ["a"], "pos_scores": []},
            "'pos_scores' does not hold one score for each of the 1 texts",
        ),
        ({"query": "q", "pos": ["a"], "neg": ["b"], "neg_scores": [1, 2]}, "'neg_scores' does not hold one score"),
    ],
)
def test_bad_lines(put, line, said):
    path = put("x.jsonl", [LINES[0], line])
    with pytest.raises(DataError) as raised:
        load(path)
    assert f"x.jsonl:2: {said}" in str(raised.value) or said in str(raised.value)
    assert ":2: " in str(raised.value)
    assert load(path, skip_bad_lines=True).notes["skipped_lines"] == 1


def test_a_text_that_is_positive_and_negative(put):
    path = put("x.jsonl", [LINES[0], {"query": "night", "pos": ["x"], "neg": ["owl"]}])
    with pytest.raises(DataError, match=r"judged 1 and 0 \(lines .*x\.jsonl:1 and .*x\.jsonl:2\)"):
        load(path)
    assert cells(load(path, duplicates="last"))[("night", "owl")] == 0


def candidates(data, pairs):
    rows, cols = (np.array(side) for side in zip(*pairs, strict=True))
    ranks = np.arange(1, len(pairs) + 1)
    return Candidates.build(rows, cols, miner="dense", score=1 / ranks, rank=ranks, data=data)


def test_mined_negatives_are_written_in_their_order(beir, tmp_path):
    data = load(beir())
    left_out = write_flagembedding(tmp_path / "x.jsonl", data, candidates(data, [(0, 2), (0, 1)]))
    written = [parse_object(line) for line in (tmp_path / "x.jsonl").read_text(encoding="utf-8").splitlines()]
    assert written == [
        {"query": "night birds", "pos": ["Owls hunt at night"], "neg": ["bats are no birds", "larks sing at dawn"]}
    ]
    assert left_out == {"queries_without_negative": 1}


def test_nothing_to_write_is_refused(beir, tmp_path):
    data = load(beir(qrels="q1\td1\t0\n"))
    with pytest.raises(LitotesError, match="Not a single query with text has a positive and a candidate"):
        write_flagembedding(tmp_path / "x.jsonl", data, candidates(data, [(0, 2)]))
    assert not (tmp_path / "x.jsonl").exists()
