"""Dense mining: the double loop, what may never be proposed, whose vectors are used, and shards that change nothing."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from litotes.core.errors import LitotesError
from litotes.core.fingerprint import difference
from litotes.core.run_folder import RunFolder
from litotes.mining.dense import DenseMiner
from litotes.mining.named import miner_from_spec
from litotes.mining.run import mine_into
from litotes.models.tiny import tiny_bert
from litotes.models.vector_folder import save_vectors
from tests.unit.mining.small_data import LETTERS, double_loop, make_collection, random_collection


def count_letters(texts):
    """Small whole numbers: inner products are exact, and many are equal."""
    return np.array([[text.lower().split().count(letter) for letter in LETTERS] for text in texts], dtype=np.float64)


def letters_miner(**options):
    return DenseMiner(count_letters, similarity="dot", encoder_fingerprint="letters", store=False, **options)


def cells(found, name="dense"):
    table = found.table
    return list(
        zip(
            table["row"].to_pylist(),
            table["col"].to_pylist(),
            table[f"score.{name}"].to_pylist(),
            table[f"rank.{name}"].to_pylist(),
            strict=True,
        )
    )


@pytest.fixture(scope="module")
def tiny():
    return tiny_bert(0)


@pytest.mark.parametrize("options", [{}, {"skip": 3, "top": 5}, {"min_score": 2.0, "max_score": 6.0}, {"top": 500}])
def test_equals_the_double_loop(options):
    data = random_collection(0)
    options = {"top": 10, **options}
    vectors = {text: count_letters([text])[0] for text in [*data.row_texts, *data.col_texts] if text}
    expected = double_loop(lambda r, c: float(vectors[data.row_texts[r]] @ vectors[data.col_texts[c]]), data, **options)
    assert cells(letters_miner(**options).mine(data)) == expected


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(0, 4))
def test_no_positive_no_twin_and_no_empty_column_ever(seed, top, skip):
    data = random_collection(seed, n_rows=12, n_cols=20, n_positives=30)
    found = letters_miner(top=top, skip=skip).mine(data)
    assert not data.is_positive(found.row, found.col).any()
    assert data.cols_with_content[found.col].all()
    assert (found.col >= 0).all()
    assert (np.bincount(found.row, minlength=data.n_rows) <= top).all()


def test_a_judged_zero_may_be_mined_and_the_counts_add_up():
    data = make_collection(["a", "b", None], ["a", "A ", "a a", None, "b"], [(0, 0), (1, 4), (2, 0)], [(0, 2)])
    found = letters_miner(top=3).mine(data)
    assert cells(found) == [(0, 2, 2.0, 1), (0, 4, 0.0, 2), (1, 0, 0.0, 1), (1, 1, 0.0, 2), (1, 2, 0.0, 3)]
    counts = found.counts["dense"]
    assert counts["excluded_positive"] == 2 and counts["excluded_twin"] == 1 and counts["excluded_no_text"] == 2
    assert counts["short_rows"] == 2 and counts["rows_no_text"] == 1
    limited = letters_miner(top=3, max_score=1.0, min_score=0.5).mine(data).counts["dense"]
    assert (limited["above_max_score"], limited["below_min_score"]) == (1, 4)


def test_shards_of_rows_give_the_same_cells(tiny, tmp_path):
    data = random_collection(2)
    miner = DenseMiner(tiny, top=7)
    whole = miner.mine(data)
    parts = [miner.mine(data, np.arange(start, min(start + 7, data.n_rows))) for start in range(0, data.n_rows, 7)]
    assert parts[0].merge(*parts[1:]).table.equals(whole.table)
    for shard_rows in (5, 50):
        run = RunFolder.open(tmp_path / str(shard_rows))
        mine_into(run, miner, data, shard_rows=shard_rows)
    from litotes.core import Candidates

    loaded = [Candidates.load(tmp_path / size) for size in ("5", "50")]
    assert loaded[0].table.equals(loaded[1].table)
    assert loaded[0].table.equals(whole.table)


def test_the_corpus_is_encoded_once_as_long_as_nothing_changes(tiny):
    asked = []

    def embed(texts):
        asked.extend(texts)
        return count_letters(texts)

    data = random_collection(3)
    miner = DenseMiner(embed, encoder_fingerprint="letters", store=False)
    miner.mine(data)
    once = len(asked)
    miner.mine(data)
    assert len(asked) == once
    miner.mine(random_collection(4))
    assert len(asked) > once
    nameless = DenseMiner(embed)
    asked.clear()
    nameless.mine(data)
    once = len(asked)
    nameless.mine(data)
    assert len(asked) == 2 * once


def test_a_live_model_whose_weights_changed_encodes_again(tiny):
    data, model = random_collection(5), copy.deepcopy(tiny)
    miner = DenseMiner(encoder=model, top=5)
    before, old_fingerprint = miner.mine(data), miner.fingerprint(data)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.linspace(-0.3, 0.3, parameter.numel()).reshape(parameter.shape))
    after = miner.mine(data)
    assert miner.encoder is model
    assert not after.table.equals(before.table)
    assert after.table.equals(DenseMiner(encoder=model, top=5).mine(data).table)
    assert difference(old_fingerprint, miner.fingerprint(data)) == ["query weights", "document weights"]


def test_a_fingerprint_names_what_differs():
    data = random_collection(6)
    base = letters_miner().fingerprint(data)
    assert base == letters_miner().fingerprint(data)
    assert difference(base, letters_miner(top=7).fingerprint(data)) == ["top"]
    assert difference(base, letters_miner(query_prompt="q: ").fingerprint(data)) == ["query prompt"]
    assert difference(base, letters_miner().fingerprint(random_collection(7)))[:2] == [
        "texts of rows",
        "texts of columns",
    ]
    nameless = [DenseMiner(count_letters).fingerprint(data) for _ in range(2)]
    assert difference(*nameless) == ["query function", "document function"]


def test_ready_vectors_need_no_texts(tmp_path):
    data = make_collection(["x", "y"], ["1", "2", "3"], [(0, 0)])
    save_vectors(tmp_path, ["q0", "q1"], np.eye(2), ["d2", "d1", "d0"], np.array([[1, 0], [0.6, 0.8], [0, 1]]))
    found = DenseMiner(f"vectors:{tmp_path}", top=2).mine(data)
    assert [(r, c) for r, c, _, _ in cells(found)] == [(0, 2), (0, 1), (1, 0), (1, 1)]
    assert np.allclose(found.column("score.dense"), [1.0, 0.6, 1.0, 0.8])


def test_from_a_line_of_text(tmp_path):
    miner = miner_from_spec("dense:encoder=tiny:bert,top=4,query_prompt=query: ,query_length=8,name=e5", store=False)
    assert (miner.name, miner.top, miner.query_length) == ("e5", 4, 8)
    assert miner.mine(random_collection(8)).miners == ["e5"]
    with pytest.raises(LitotesError, match="DenseMiner has no option 'topp'.*Did you mean 'top'"):
        miner_from_spec("dense:topp=4")


REFUSED = {
    "top": (
        lambda: letters_miner(top=0),
        r"The 'top' parameter of DenseMiner must be an int in the range \[1, inf\). Got 0 instead.",
    ),
    "skip": (lambda: letters_miner(skip=-1), "'skip' parameter of DenseMiner"),
    "bounds": (lambda: letters_miner(min_score=2.0, max_score=1.0), "'max_score' parameter of DenseMiner"),
    "name": (lambda: letters_miner(name="a/b"), "'name' parameter of DenseMiner must be a plain word"),
    "encoder": (lambda: DenseMiner("builtin:nothing"), "no built-in encoder 'builtin:nothing'"),
    "no content": (
        lambda: letters_miner().mine(make_collection(["a"], None, shape=(1, 3))),
        "no column of this data has any",
    ),
    "rows": (lambda: letters_miner().mine(random_collection(1), np.array([99])), "rows must be positions"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_sentence(name):
    attempt, message = REFUSED[name]
    with pytest.raises(LitotesError, match=message):
        attempt()


def test_a_vector_that_is_no_number_is_refused_with_its_id():
    broken = DenseMiner(lambda texts: np.where(np.array([["a" in text.lower()] for text in texts]), np.nan, 1.0))
    with pytest.raises(LitotesError, match="NaN or infinity of the text of 'q0'"):
        broken.mine(make_collection(["a"], ["b"]))
