"""Negatives for loops of one's own: the lines, the draws of a loop, refreshed tables."""

import numpy as np
import pytest
import torch

from litotes.core.errors import LitotesError
from litotes.mining import DenseMiner
from litotes.models import tiny_bert
from litotes.training import (
    Learner,
    NegativeDraws,
    NegativesCollator,
    RefreshNegatives,
    Rounds,
    RoundsArguments,
    ShuffledBatches,
)
from tests.unit.training.small_world import candidates_of, small_data


@pytest.fixture
def data():
    return small_data()


def test_the_lines_are_those_of_the_pairs(data):
    draws = NegativeDraws(data, candidates_of(data), k=2, rows=[0, 1, 5])
    lines = np.asarray(NegativesCollator(tiny_bert(), data, candidates_of(data), k=2, rows=[0, 1, 5]).pairs()["label"])
    assert sorted(map(tuple, draws.cells.tolist())) == sorted(map(tuple, lines.tolist()))
    assert len(draws.cells) == 5, "rows 0 and 1 have two positives each"


def test_a_loop_draws_what_the_collator_draws(data):
    draws = NegativeDraws(data, candidates_of(data), k=3, seed=4)
    collator = NegativesCollator(tiny_bert(), data, candidates_of(data), k=3, seed=4)
    for source in (draws, collator):
        source.set_epoch(1)
    lines = draws.cells[:4]
    assert np.array_equal(draws.draw(lines), collator.draw(lines))
    assert draws.next_batch == 1


def test_errors_name_the_draws(data):
    with pytest.raises(LitotesError, match="The 'k' parameter of NegativeDraws must be"):
        NegativeDraws(data, candidates_of(data), k=0)
    with pytest.raises(LitotesError, match="NegativeDraws does not know the epoch"):
        NegativeDraws(data, candidates_of(data), k=1).draw(np.array([[0, 0]]))


def in_rounds(folder, data, steps, refresh_steps):
    """What each step drew, from a list that the model in training mines again."""
    encoder, drawn = tiny_bert(3), []
    draws = NegativeDraws(data, candidates_of(data), k=2, short="repeat")
    refresh = RefreshNegatives(draws, DenseMiner(encoder=encoder, top=6), every_n_steps=refresh_steps)

    def collate(lines):
        cells = draws.cells[lines]
        drawn.append((cells[:, 0], draws.draw(cells), draws.table_of(draws.next_batch - 1).number))
        return cells

    def step(cells, state):
        vectors = encoder(encoder.preprocess([data.row_texts[row] for row in cells[:, 0]]))["sentence_embedding"]
        return {"encoder": vectors.square().sum()}

    learner = Learner(encoder, torch.optim.AdamW(encoder.parameters(), lr=1e-2))
    args = RoundsArguments(output_dir=str(folder), max_steps=steps, save_steps=3)
    batches = ShuffledBatches(np.arange(len(draws.cells)), 4)
    Rounds({"encoder": learner}, step, batches, args, callbacks=[refresh], collate=collate).train()
    return drawn, refresh


def test_in_rounds_the_very_next_batch_draws_from_the_new_table(tmp_path, data):
    drawn, refresh = in_rounds(tmp_path, data, steps=7, refresh_steps=2)
    assert [number for *_, number in drawn] == [0, 0, 1, 1, 2, 2, 3]
    assert [entry["from_batch"] for entry in refresh.history] == [2, 4, 6]


def test_stopped_in_the_middle_of_a_round_it_draws_the_same(tmp_path, data):
    whole, _ = in_rounds(tmp_path / "whole", data, steps=7, refresh_steps=2)
    (tmp_path / "stopped").mkdir()
    in_rounds(tmp_path / "again", data, steps=7, refresh_steps=2)
    (tmp_path / "again" / "checkpoint-6").rename(tmp_path / "stopped" / "checkpoint-6")
    resumed, _ = in_rounds(tmp_path / "stopped", data, steps=7, refresh_steps=2)
    assert len(resumed) == 1, "six of the seven steps were in the checkpoint"
    for ours, theirs in zip(resumed[0], whole[6], strict=True):
        assert np.array_equal(ours, theirs)


def test_lines_of_one_row_do_not_share_their_negatives(data):
    draws = NegativeDraws(data, candidates_of(data), k=3)
    draws.set_epoch(0)
    lines = np.array([[0, 0], [0, 12], [1, 1], [1, 13], [2, 2], [2, 14]])  # both positives of three rows
    drawn = draws.draw(lines)
    assert all(set(one) != set(other) for one, other in zip(drawn[::2], drawn[1::2], strict=True))
    assert np.array_equal(drawn[1:], draws.draw(lines[1:])), "by the line and not by its place in the batch"
