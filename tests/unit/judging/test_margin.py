"""The margin to the positive: by hand, against sentence-transformers, for negative scores, never a trust."""

import numpy as np
import pytest

from litotes.core.errors import LitotesError, StaleError
from litotes.judging.margin import MarginJudge, highest_unsuspected
from litotes.mining.bm25 import BM25Miner, bm25_scores
from litotes.mining.random import RandomMiner
from tests.unit.mining.small_data import make_collection, random_collection


class Table:
    """Scores pairs by looking them up."""

    def __init__(self, scores):
        self.scores = scores
        self.calls = []

    def score(self, pairs):
        self.calls.append(len(pairs))
        return np.array([self.scores[pair] for pair in pairs])

    def fingerprint(self):
        return {"table": str(sorted(self.scores.items()))}


@pytest.fixture
def case():
    """One row with two positives (d0, d1) and three candidates, one row with no positive."""
    data = make_collection(["q", "r"], ["p0", "p1", "a", "b", "c"], positives=[(0, 0), (0, 1)])
    found = RandomMiner(top=5).mine(data)
    scores = {("q", "p0"): 8.0, ("q", "p1"): 10.0, ("q", "a"): 9.0, ("q", "b"): 7.6, ("q", "c"): -1.0}
    scores |= {("r", text): 1.0 for text in ("p0", "p1", "a", "b", "c")}
    return data, found, Table(scores)


def by_col(judged, row, name="margin"):
    inside = judged.row == row
    order = np.argsort(judged.col[inside])
    return judged.column(f"judge.{name}")[inside][order].tolist()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"absolute_margin": 0.0}, [-1.0, 0.4, 9.0]),  # 8 - s
        ({"absolute_margin": 1.0}, [-2.0, -0.6, 8.0]),
        ({"relative_margin": 0.05}, [-1.4, 0.0, 8.6]),  # .95 * 8 - s
        ({}, [-1.4, 0.0, 8.6]),  # the usual rule
        ({"relative_margin": 0.05, "positive": "max"}, [0.5, 1.9, 10.5]),  # .95 * 10 - s
        ({"max_score": 8.5}, [-0.5, 0.9, 9.5]),
        ({"percentile": 50}, [0.0, 1.4, 10.0]),  # the median of 8 and 10
        ({"relative_margin": 0.05, "max_score": 7.0}, [-2.0, -0.6, 8.0]),  # the stricter one
    ],
)
def test_by_hand(case, options, expected):
    data, found, table = case
    judged = MarginJudge(scorer=table, **options).judge(found, data)
    np.testing.assert_allclose(by_col(judged, 0), expected, atol=1e-12)
    assert judged.table.drop(["judge.margin"]).equals(found.table)


def test_a_row_without_a_positive_has_no_margin(case):
    data, found, table = case
    assert np.isnan(by_col(MarginJudge(scorer=table).judge(found, data), 1)).all()
    assert np.isfinite(by_col(MarginJudge(scorer=table, max_score=3).judge(found, data), 1)).all()


def test_the_relative_margin_is_right_for_negative_scores():
    data = make_collection(["q"], ["p", "a", "b"], positives=[(0, 0)])
    table = Table({("q", "p"): -8.0, ("q", "a"): -8.2, ("q", "b"): -8.5})
    judged = MarginJudge(scorer=table, relative_margin=0.05).judge(RandomMiner().mine(data), data)
    np.testing.assert_allclose(by_col(judged, 0), [-8.4 + 8.2, -8.4 + 8.5])  # below, not above, the positive


def test_a_margin_never_gives_a_trust(case):
    data, found, table = case
    judged = MarginJudge(scorer=table).judge(found, data)
    assert judged.judges == ["margin"] and judged.trusted_by == []
    with pytest.raises(LitotesError, match="gave raw values only"):
        _ = judged.trust


def test_bm25_as_scorer_equals_the_scores_of_bm25():
    data = random_collection(7)
    passages = [col for col in range(data.n_cols) if data.col_texts[col] is not None]
    scores = np.full((data.n_rows, data.n_cols), np.nan)
    scores[:, passages] = bm25_scores([data.col_texts[col] for col in passages], data.row_texts)
    found = BM25Miner(top=8).mine(data)
    judged = MarginJudge(scorer="bm25", absolute_margin=0.5).judge(found, data).column("judge.margin")
    for row, col, margin in zip(found.row, found.col, judged, strict=True):
        of_positives = scores[row, data.labels.positives(row)]
        lowest = np.nanmin(of_positives) if np.isfinite(of_positives).any() else np.nan
        np.testing.assert_allclose(margin, lowest - 0.5 - scores[row, col], atol=1e-12)


@pytest.mark.parametrize("options", [{"relative_margin": 0.01}, {"absolute_margin": 0.01}, {"max_score": 0.93}])
def test_what_it_would_drop_is_what_sentence_transformers_drops(options):
    import datasets
    from sentence_transformers.util import mine_hard_negatives

    from litotes.models import tiny_bert

    rng = np.random.default_rng(0)
    letters = list("abcdefghij")
    texts = [" ".join(rng.permutation(letters)[: rng.integers(2, 9)]) for _ in range(30)]
    texts = list(dict.fromkeys(texts))
    queries = [f"{text} {number}" for number, text in enumerate(texts[:10])]
    data = make_collection(queries, texts, positives=[(row, row) for row in range(10)])
    model = tiny_bert(3)
    found = RandomMiner(top=len(texts)).mine(data)
    judged = MarginJudge(encoder=model, **options).judge(found, data)
    kept = judged.filter(judged.column("judge.margin") >= 0)
    ours = {(queries[row], texts[col]) for row, col in zip(kept.row, kept.col, strict=True)}
    table = datasets.Dataset.from_dict({"anchor": queries, "positive": texts[:10]})
    theirs = mine_hard_negatives(table, model, corpus=texts, num_negatives=len(texts) - 1, verbose=False, **options)
    assert ours == set(zip(theirs["anchor"], theirs["negative"], strict=True))
    assert 0 < len(ours) < len(found)


def test_shards_change_nothing(candidates, data):
    judge = MarginJudge(scorer="bm25", percentile=20, relative_margin=0.1)
    whole = judge.judge(candidates, data)
    half = candidates.row < 25
    parts = [judge.judge(candidates.filter(mask), data) for mask in (half, ~half)]
    assert parts[0].merge(parts[1]).table.equals(whole.table)


def test_candidates_and_positives_are_scored_in_one_go(case):
    data, found, table = case
    MarginJudge(scorer=table).judge(found, data)
    assert table.calls == [len(found) + 2]


def test_other_data_are_refused(candidates):
    with pytest.raises(StaleError, match="made from other data"):
        MarginJudge(scorer="bm25").judge(candidates, random_collection(8))


def test_the_fingerprint_holds_rule_and_scorer(case):
    _, _, table = case
    parts = MarginJudge(scorer=table).fingerprint()
    assert parts["relative_margin"] == "0.05" and "table" in parts
    assert MarginJudge(scorer=table, name="other").fingerprint() == parts
    assert MarginJudge(scorer="bm25").fingerprint()["bm25s"]
    one, two = (MarginJudge(encoder="tiny:bert", query_prompt=prompt).fingerprint() for prompt in ("", "query: "))
    assert [part for part in one if one[part] != two[part]] == ["query prompt"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"percentile": 101},
            "The 'percentile' parameter of MarginJudge must be a float in the range [0, 100]. Got 101",
        ),
        ({"relative_margin": "x"}, "The 'relative_margin' parameter of MarginJudge must be a float"),
        (
            {"positive": "mean"},
            "The 'positive' parameter of MarginJudge must be one of 'min', 'max'. Got 'mean' instead.",
        ),
        ({"scorer": "bm52"}, "The 'scorer' parameter of MarginJudge must be one of 'bm25'. Got 'bm52' instead."),
        ({"scorer": 3}, "The 'scorer' parameter of MarginJudge must be 'bm25' or have score(pairs). Got int instead."),
        ({"scorer": "bm25", "encoder": "tiny:bert"}, "MarginJudge takes an encoder or a scorer, not both"),
        ({"scorer": "bm25", "name": "a b"}, "The 'name' parameter of MarginJudge must be a plain word"),
    ],
)
def test_parameters_are_checked_at_construction(options, message):
    with pytest.raises(LitotesError) as error:
        MarginJudge(**options)
    assert str(error.value).startswith(message)


def test_the_highest_score_above_suspicion_is_that_of_the_strictest_rule():
    positive = np.array([1.0, -0.5], dtype=np.float32)
    assert highest_unsuspected(positive, absolute_margin=0.25).tolist() == [0.75, -0.75]
    assert highest_unsuspected(positive, relative_margin=0.5).tolist() == [0.5, -0.75]
    assert highest_unsuspected(positive, max_score=0.25).tolist() == [0.25, 0.25]
    every = highest_unsuspected(positive, absolute_margin=0.125, relative_margin=0.5, quantile=0.75, max_score=0.25)
    assert every.tolist() == [0.25, -0.75] and every.dtype == np.float32
