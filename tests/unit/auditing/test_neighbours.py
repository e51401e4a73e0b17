"""The miner of neighbours: the nearest to any positive, and never what a miner may not propose."""

import numpy as np
import pytest

from litotes.auditing import neighbours as module
from litotes.auditing.neighbours import NeighbourMiner
from litotes.core.errors import LitotesError
from tests.unit.auditing.audit_data import library, word_encoder
from tests.unit.mining.small_data import random_collection


def slow(data, top):
    """For each row the columns by their highest cosine to a positive, what may not be proposed left out."""
    encoder = word_encoder()
    vectors = encoder.encode(data.col_texts, "document")
    starts, never = data.never_negative()
    found = {}
    for row in range(data.n_rows):
        positives = [p for p in data.labels.positives(row) if data.cols_with_content[p]]
        barred = set(never[starts[row] : starts[row + 1]].tolist())
        if positives:
            best = (vectors @ vectors[positives].T).max(1)
            order = np.lexsort((np.arange(data.n_cols), -best))
            found[row] = [c for c in order if c not in barred and data.cols_with_content[c]][:top]
    return found


def by_row(candidates):
    return {row: candidates.col[candidates.row == row].tolist() for row in np.unique(candidates.row).tolist()}


def test_equals_the_slow_loop():
    data = random_collection(3)
    found = NeighbourMiner(encoder=word_encoder(), top=7).mine(data)
    scores = found.column("score.neighbours")
    expected = slow(data, 7)
    assert {row: len(cols) for row, cols in by_row(found).items()} == {r: len(c) for r, c in expected.items()}
    vectors = word_encoder().encode(data.col_texts, "document")
    for row, cols in expected.items():
        positives = [p for p in data.labels.positives(row) if data.cols_with_content[p]]
        best = (vectors[cols] @ vectors[positives].T).max(1)
        assert scores[found.row == row] == pytest.approx(best, abs=1e-5)


def test_finds_the_copy_and_neither_the_positive_nor_its_twin():
    data = library()
    found = NeighbourMiner(encoder=word_encoder(), top=1).mine(data)
    apples = data.row_ids.index("about-apples")
    assert [data.col_ids[col] for col in found.col[found.row == apples]] == ["apple-near"]


def test_a_row_without_a_positive_that_has_a_text_is_counted():
    data = library()
    found = NeighbourMiner(encoder=word_encoder(), top=5).mine(data)
    assert found.counts["neighbours"]["rows_no_positive"] == 2  # about-nothing, about-engines
    assert not np.isin(found.row, [data.row_ids.index("about-nothing"), data.row_ids.index("about-engines")]).any()


def test_rows_and_blocks_change_nothing(monkeypatch):
    data, miner = random_collection(4), NeighbourMiner(encoder=word_encoder(), top=5)
    whole = miner.mine(data)
    part = miner.mine(data, np.array([3, 17, 30]))
    inside = np.isin(whole.row, [3, 17, 30])
    assert part.col.tolist() == whole.col[inside].tolist()
    monkeypatch.setattr(module, "_BLOCK_CELLS", 20)
    assert miner.mine(data).table.equals(whole.table)


def test_an_encoder_of_inner_products_is_compared_by_cosine():
    data = random_collection(5)
    by_cosine = NeighbourMiner(encoder=word_encoder(), top=5).mine(data)
    by_product = NeighbourMiner(encoder=word_encoder("dot"), top=5).mine(data)
    assert by_product.column("score.neighbours") == pytest.approx(by_cosine.column("score.neighbours"), abs=1e-6)


@pytest.mark.parametrize(("options", "said"), [({"top": 0}, "'top'"), ({"name": "a/b"}, "'name'")])
def test_wrong_parameters_are_refused_at_once(options, said):
    with pytest.raises(LitotesError, match=said):
        NeighbourMiner(encoder=word_encoder(), **options)
