"""What holds an answer of its query is no candidate."""

import json

import numpy as np
import pyarrow as pa
import pytest

from litotes.core import Collection
from litotes.core.errors import DataError
from litotes.mining import RandomMiner
from litotes.mining.answers import AnswerFilter, answers_of, holds_answer
from tests.unit.training.small_world import small_data


@pytest.fixture(scope="module")
def data():
    return small_data()


def test_an_answer_is_found_as_whole_words_in_any_case_and_punctuation(data):
    texts = data.col_texts  # document 3 is "slow and dog number 3" or the like
    first, second = texts[3].split()[0], texts[3].split()[2]
    answers = {"q0": [f"{first.upper()} -- and!"], "q1": [second[:-1]], "q2": ["", "?"], "q3": ["zebra", "NUMBER 3"]}
    rows, cols = np.array([0, 1, 2, 3, 4]), np.array([3, 3, 3, 3, 3])
    assert holds_answer(data, rows, cols, answers).tolist() == [True, False, False, True, False]


def test_the_filter_is_the_double_loop(data):
    miner = RandomMiner(top=12)
    answers = {f"q{i}": ["stone", "number 7"] for i in range(0, data.n_rows, 2)}
    found = AnswerFilter(miner, answers).mine(data)
    whole = miner.mine(data)
    expected = [
        (row, col)
        for row, col in zip(whole.row.tolist(), whole.col.tolist(), strict=True)
        if row % 2 or not ("stone" in data.col_texts[col].lower().split() or col == 7)
    ]
    assert list(zip(found.row.tolist(), found.col.tolist(), strict=True)) == expected
    assert len(found) < len(whole)


def test_it_is_known_by_its_answers_and_has_the_miners_encoder(data):
    miner = RandomMiner(top=3)
    one, other = (AnswerFilter(miner, {"q0": [text]}) for text in ("a", "b"))
    assert (
        one.fingerprint(data) != other.fingerprint(data)
        and one.fingerprint(data).items() > miner.fingerprint(data).items()
    )
    assert one.name == miner.name and one.encoder is getattr(miner, "encoder", None)


def test_answers_come_from_a_file_or_a_column(data, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(
        "".join(json.dumps(x) + "\n" for x in ({"_id": "q1", "answers": ["x", "y"]}, {"id": "q2", "answers": "z"}))
    )
    assert answers_of(data, path) == {"q1": ["x", "y"], "q2": ["z"]}
    assert answers_of(data) == {}
    ids = list(data.row_ids)
    table = pa.table({"id": ids, "text": data.row_texts, "answers": [["u"], None, *[[]] * (len(ids) - 2)]})
    assert answers_of(Collection(data.labels, table, data.cols.table)) == {"q0": ["u"]}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"answers": ["x"]}, r"a\.jsonl:1: expected an '_id' and a list of texts under 'answers'"),
        ({"_id": "q1", "answers": [3]}, r"a\.jsonl:1: expected"),
        ({"_id": "who", "answers": ["x"]}, "none of its 1 ids is a query of the data; it begins with 'who'"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(data, tmp_path, line, words):
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(DataError, match=words):
        answers_of(data, tmp_path / "a.jsonl")
