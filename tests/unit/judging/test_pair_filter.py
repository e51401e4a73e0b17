"""The filter drops pairs that lie far, keeps those that lie near, and finds noise that was put there on purpose."""

import numpy as np
import pyarrow as pa
import pytest

from litotes.core import Collection, LabelMatrix
from litotes.core.errors import LitotesError
from litotes.data import noisy_positives
from litotes.judging import filter_pairs, observed_pairs

WORDS = [f"{a}{b}" for a in "bcdfghklmn" for b in "aeiou"]


def bags(texts):
    return np.array([[f" {text} ".count(f" {word} ") for word in WORDS] for text in texts], dtype=np.float64) + 1e-3


@pytest.fixture(scope="module")
def data():
    """Sixty queries of three words, their documents with the same words and two more; one has no text."""
    rng = np.random.default_rng(0)
    queries = [" ".join(rng.choice(WORDS, 3, replace=False)) for _ in range(60)]
    documents = [f"{query} {' '.join(rng.choice(WORDS, 2))}" for query in queries]
    documents[59] = None
    rows, cols = [f"q{i}" for i in range(60)], [f"d{i}" for i in range(60)]
    labels = LabelMatrix(rows, cols, range(60), range(60))
    return Collection(labels, pa.table({"id": rows, "text": queries}), pa.table({"id": cols, "text": documents}))


def test_observed_pairs_are_the_positives_with_texts_assumed_positive(data):
    found = observed_pairs(data)
    assert found.row.tolist() == found.col.tolist() == list(range(59)) and (found.assumed == 1).all()
    found.check_data(data)
    assert observed_pairs(data, np.array([4, 59, 2])).row.tolist() == [2, 4]


def test_it_finds_injected_noise(data):
    noisy = noisy_positives(data, 0.4, seed=1)
    found = filter_pairs(noisy.data, bags, top=5)
    wrong = np.isin(found.pairs.row * 60 + found.pairs.col, noisy.put[:, 0] * 60 + noisy.put[:, 1])
    assert wrong.sum() == round(0.4 * 59)
    assert found.keep[~wrong].all() and found.keep[wrong].mean() < 0.25
    assert (found.pairs.column("judge.rank")[found.keep] <= 5).all()


def test_a_score_cuts_alone_and_together_with_a_rank(data):
    noisy = noisy_positives(data, 0.4, seed=1).data
    score, rank, both = (
        filter_pairs(noisy, bags, **rule) for rule in ({"min_score": 0.78}, {"top": 2}, {"min_score": 0.78, "top": 2})
    )
    np.testing.assert_array_equal(score.keep, score.pairs.column("judge.score") >= 0.78)
    np.testing.assert_array_equal(both.keep, score.keep & rank.keep)
    assert 0 < score.keep.sum() < len(score.keep) and score.keep.sum() != rank.keep.sum()
    assert "judge.rank" not in score.pairs.table.column_names


def test_a_pair_at_the_limit_stays(data):
    ranks = filter_pairs(data, bags, top=59).pairs.column("judge.rank")
    for top in (1, 2, 3):
        np.testing.assert_array_equal(filter_pairs(data, bags, top=top).keep, ranks <= top)


def test_kept_answers_for_lines_of_training(data):
    found = filter_pairs(noisy_positives(data, 0.4, seed=1).data, bags, top=5, rows=np.arange(30))
    assert len(found.pairs) == 30
    cells = np.stack([found.pairs.row, found.pairs.col], axis=1)
    np.testing.assert_array_equal(found.kept(cells[::-1]), found.keep[::-1])
    assert not found.kept(np.array([[40, 40], [0, 59]])).any()


def test_without_a_rule_it_is_refused(data):
    with pytest.raises(LitotesError, match="filter_pairs needs top, min_score, or both"):
        filter_pairs(data, bags)
    with pytest.raises(LitotesError, match="'min_score' parameter of filter_pairs must be a float"):
        filter_pairs(data, bags, min_score=float("nan"))
