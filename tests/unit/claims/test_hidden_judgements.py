"""Hiding judgements: how many, of whom, and that every query keeps one; intents as a retrieval set."""

import gzip
import json

import numpy as np
import pytest

from litotes.claims import hidden_judgements as module
from litotes.claims.hidden_judgements import hidden, hide
from litotes.core import Collection, LabelMatrix
from litotes.core.errors import DataError
from tests.unit.auditing.audit_data import library, word_encoder


def labels_of(seed=0, n_rows=60, n_cols=40):
    rng = np.random.default_rng(seed)
    observed = rng.random((n_rows, n_cols)) < rng.choice([0.02, 0.1, 0.4], size=(n_rows, 1))
    rows, cols = np.nonzero(observed)
    return LabelMatrix(range(n_rows), range(n_cols), rows, cols, rng.choice([0.0, 1.0, 2.0], size=len(rows)))


@pytest.mark.parametrize("seed", range(3))
def test_thirty_per_cent_of_those_that_have_company_are_hidden(seed):
    labels = labels_of(seed)
    counts = labels.positive_counts()
    cells = hide(labels, seed)
    assert len(cells) == round(0.3 * counts[counts >= 2].sum())
    assert labels.is_positive(*cells.T).all()
    assert len(np.unique(cells @ [labels.n_cols, 1])) == len(cells)
    left = labels.without_cells(*cells.T).positive_counts()
    assert ((left > 0) == (counts > 0)).all() and (left[counts == 1] == 1).all()


def test_a_query_with_two_keeps_one_even_if_that_is_less_than_asked():
    labels = LabelMatrix(range(4), range(2), [0, 0, 1, 1, 2], [0, 1, 0, 1, 0])
    assert len(hide(labels, 0)) == 1  # 30 % of four
    everything = pytest.MonkeyPatch()
    with everything.context() as patch:
        patch.setattr(module, "SHARE", 1.0)
        assert hide(labels, 0)[:, 0].tolist() == [0, 1]


def test_the_seed_decides():
    labels = labels_of()
    assert np.array_equal(hide(labels, 1), hide(labels, 1)) and not np.array_equal(hide(labels, 1), hide(labels, 2))


def test_which_is_hidden_is_even_over_a_query():
    labels = LabelMatrix([0], range(4), [0] * 4, range(4))
    found = np.bincount([hide(labels, seed)[0, 1] for seed in range(400)], minlength=4)
    assert found.sum() == 400 and (found > 70).all()  # one of four each time, 100 expected of each


def test_intents_become_queries_documents_and_complete_labels(tmp_path):
    lines = [{"split": "test", "text": f"say {i}", "intent": f"intent{i % 3}"} for i in range(30)]
    lines += [{"split": "test", "text": "what", "intent": "oos"}, {"split": "train", "text": "no", "intent": "intent0"}]
    path = tmp_path / "full.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    data, whole = module._by_intent(path, 6)
    assert (data.n_rows, data.n_cols, whole) == (6, 24, 30)
    intent = {f"say {i}": i % 3 for i in range(30)}
    for row in range(6):
        same = [col for col in range(24) if intent[data.col_texts[col]] == intent[data.row_texts[row]]]
        assert data.labels.positives(row).tolist() == same
    assert module._by_intent(path, 6)[0].fingerprint == data.fingerprint


def test_some_queries_are_the_same_for_everybody():
    data = library()
    patch = pytest.MonkeyPatch()
    with patch.context() as context:
        context.setitem(module.QUERIES, "library", 3)
        some, whole = module._some(data, "library")
    assert (some.n_rows, whole) == (3, data.n_rows) and set(some.row_ids) < set(data.row_ids)
    assert module._some(data, "unknown")[0].n_rows == data.n_rows


@pytest.fixture
def small(monkeypatch):
    """Sets of the library instead of those that must be had; nothing kept from other tests."""
    truth = library().labels.with_cells([1], [7])  # tide answers about-oceans
    whole = library()
    with_truth = Collection(whole.labels, whole.rows.table, whole.cols.table, name="library", truth=truth)
    sets = {"library": (whole, 6), "true library": (with_truth, 6)}
    monkeypatch.setattr(module, "_taken", sets.__getitem__)
    monkeypatch.setattr(module, "encoder", word_encoder)
    hidden.cache_clear()
    yield
    hidden.cache_clear()


def test_what_is_hidden_is_missing_from_the_data_and_unjudged_in_the_evidence(small):
    known = hidden("library", 5)
    assert known.missing.tolist() == [[1, known.missing[0, 1]]] and known.missing[0, 1] in (
        3,
        4,
        8,
    )  # ocean, zebra or surf
    assert not known.data.labels.is_observed(*known.missing.T).any()
    assert np.isnan(known.evidence.column("grade")).all() and len(known.evidence) > 20
    assert not np.isnan(known.evidence.column("judge.margin")).all()
    assert hidden("library", 5) is known
    assert known.queries == 6


def test_the_fingerprint_is_of_the_whole_set_and_of_its_truth(small):
    known = {(name, seed): hidden(name, seed) for name in ("library", "true library") for seed in (5, 6)}
    assert known["library", 5].fingerprint == known["library", 6].fingerprint != known["library", 5].data.fingerprint
    assert known["true library", 5].fingerprint != known["library", 5].fingerprint


def test_as_many_candidates_as_a_cross_encoder_can_read(small):
    cells = hidden("library", 5).evidence
    assert module.TOP == 20
    assert np.nanmax([cells.column(f"rank.{name}") for name in ("bm25", "dense", "neighbours")]) == 20


def test_a_set_with_known_truth_is_taken_as_it_is(small):
    known = hidden("true library", 0)
    assert known.missing.tolist() == [[1, 7]]
    assert known.data.labels.fingerprint == library().labels.fingerprint


def test_data_that_is_not_here_is_one_sentence(monkeypatch):
    monkeypatch.delenv("LITOTES_DATA", raising=False)
    module._taken.cache_clear()
    with pytest.raises(DataError, match="cranfield is not part of litotes"):
        hidden("cranfield", 0)
