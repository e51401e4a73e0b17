"""Tevatron's training files."""

import numpy as np
import pytest

from litotes.core.candidates import Candidates
from litotes.core.errors import DataError
from litotes.data.lines import parse_object
from litotes.data.load import load
from litotes.data.tevatron import write_tevatron


def passage(name, text="text", title="title"):
    return {"docid": name, "title": title, "text": text}


LINE = {
    "query_id": "q1",
    "query": "night",
    "positive_passages": [passage("d1")],
    "negative_passages": [passage("d2"), {"docid": 3, "text": "no title"}],
}


def test_ids_titles_and_labels(put):
    data = load(put("x.jsonl", [LINE, {**LINE, "query_id": "q2", "negative_passages": []}]), min_grade=2)
    assert data.row_ids.values == ["q1", "q2"] and data.col_ids.values == ["d1", "d2", "3"]
    assert data.corpus == {"d1": "title text", "d2": "title text", "3": "no title"}
    assert data.relevant_docs == {"q1": {"d1"}, "q2": {"d1"}} and len(data.labels) == 4
    assert data.notes == {"format": "Tevatron", "numeric_ids": 1}


def test_negative_passages_may_be_missing(put):
    line = {name: value for name, value in LINE.items() if name != "negative_passages"}
    assert len(load(put("x.jsonl", [line])).labels) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"query_id": None}, "the field 'query_id' is null"),
        ({"positive_passages": ["text"]}, "Expected a list of objects with docid, title, text"),
        ({"positive_passages": [{"text": "x"}]}, "no field 'docid' among 'text'"),
        ({"positive_passages": [passage("d1", text=None)]}, "the field 'text' is null"),
        ({"negative_passages": {}}, "the field 'negative_passages' is {}"),
    ],
)
def test_bad_lines(put, change, said):
    with pytest.raises(DataError) as raised:
        load(put("x.jsonl", [LINE, {**LINE, **change}]))
    assert said in str(raised.value) and "x.jsonl:2: " in str(raised.value)


def test_one_id_with_two_texts_names_both_lines(put):
    path = put("x.jsonl", [LINE, {**LINE, "query_id": "q2", "positive_passages": [passage("d1", "other")]}])
    with pytest.raises(DataError, match=r"x\.jsonl:2: the document id 'd1' .* than at .*x\.jsonl:1\."):
        load(path)


def test_mined_negatives(beir, tmp_path):
    data = load(beir())
    found = Candidates.build(
        np.array([0, 1]), np.array([1, 0]), miner="bm25", score=np.ones(2), rank=np.ones(2, int), data=data
    )
    assert write_tevatron(tmp_path / "x.jsonl", data, found) == {"documents_not_used": 1}
    first = parse_object((tmp_path / "x.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first == {
        "query_id": "q1",
        "query": "night birds",
        "positive_passages": [{"docid": "d1", "title": "Owls", "text": "hunt at night"}],
        "negative_passages": [{"docid": "d2", "title": "", "text": "larks sing at dawn"}],
    }
