"""Batches of one source: pure in seed and epoch, no small rests, and at the door where sentence-transformers asks."""

import numpy as np
import pyarrow as pa
import pytest
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments

from litotes.core import Collection
from litotes.core.errors import DataError, LitotesError
from litotes.losses import InfoNCELoss
from litotes.models import tiny_bert
from litotes.training import SourceBatches, source_batch_sampler, sources_of_rows

SOURCES = np.array(["faq"] * 23 + ["wiki"] * 11 + ["code"] * 2)[np.random.default_rng(0).permutation(36)]


def test_every_batch_is_of_one_source():
    sampler = SourceBatches(SOURCES, 5)
    for epoch in range(3):
        sampler.set_epoch(epoch)
        assert all(len(set(SOURCES[batch])) == 1 for batch in sampler)


def test_a_source_leaves_no_small_rest():
    sizes = {}
    for batch in SourceBatches(SOURCES, 5):
        sizes.setdefault(SOURCES[batch[0]], []).append(len(batch))
    assert {source: sorted(found) for source, found in sizes.items()} == {
        "faq": [4, 4, 5, 5, 5],
        "wiki": [3, 4, 4],
        "code": [2],
    }


def test_sources_alternate_and_lines_meet_others_each_epoch():
    sampler = SourceBatches(SOURCES, 3)
    orders, sets = [], []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        orders.append([SOURCES[batch[0]] for batch in batches])
        sets.append({frozenset(batch) for batch in batches})
    assert orders[0] != sorted(orders[0]) and orders[0] != orders[1] and sets[0] != sets[1]


def test_another_seed_gives_another_order():
    assert list(SourceBatches(SOURCES, 5, seed=1)) != list(SourceBatches(SOURCES, 5, seed=2))


def with_tasks(data):
    """Rows of the small data in two tasks, by a column and by their ids; row 11 has no task."""
    tasks = ["even" if i % 2 == 0 else "odd" for i in range(data.n_rows - 1)] + [None]
    return Collection(data.labels, data.rows.table.append_column("task", pa.array(tasks)), data.cols.table)


def test_sources_come_from_a_column_by_id_and_not_by_place(data):
    shuffled = with_tasks(data).rows.table.take(np.random.default_rng(0).permutation(data.n_rows))
    found = sources_of_rows(Collection(data.labels, shuffled, data.cols.table), "task")
    assert found.tolist() == ["even", "odd"] * 5 + ["even", ""]
    assert sources_of_rows(with_tasks(data).select_rows([3, 0]), "task").tolist() == ["odd", "even"]


def test_sources_come_from_ids(data):
    assert sources_of_rows(data, separator="q").tolist() == [""] * 12
    assert sources_of_rows(data, separator="1").tolist() == ["", "q"] + [""] * 8 + ["q", "q"]


def test_what_is_wrong_is_said(data):
    with pytest.raises(DataError, match="no column 'taks' to tell sources by. They have: id, text, task. Did you mean"):
        sources_of_rows(with_tasks(data), "taks")
    with pytest.raises(DataError, match="No row's id holds the separator ':', for example 'q0'"):
        sources_of_rows(data, separator=":")
    with pytest.raises(LitotesError, match="takes a column of the rows' table or a separator in their ids, one of two"):
        sources_of_rows(data)
    make = source_batch_sampler(np.zeros(3))
    with pytest.raises(LitotesError, match="There are sources for 3 rows, and a line is of row 11"):
        make(data.pairs(), 2)
    with pytest.raises(LitotesError, match="whose label = .* Got columns anchor, positive"):
        make(data.pairs().remove_columns("label"), 2)
    with pytest.raises(LitotesError, match="set dataloader_drop_last=False"):
        make(data.pairs(), 2, drop_last=True)
    with pytest.raises(LitotesError, match="'batch_size' parameter of SourceBatches must be an int"):
        SourceBatches(SOURCES, 0)
    with pytest.raises(LitotesError, match="0 rows, too few"):
        SourceBatches([], 4)


@pytest.fixture(autouse=True)
def without_model_cards(monkeypatch):
    """Writing the cards takes longer than the training."""
    monkeypatch.setattr(SentenceTransformer, "_create_model_card", lambda *args, **kwargs: None)


class Seen(InfoNCELoss):
    """A loss that remembers the rows of its batches."""

    batches: list

    def forward(self, sentence_features, labels=None):
        self.batches.append(labels[:, 0].tolist())
        return super().forward(sentence_features, labels)


def train(data, folder, resume=False, max_steps=-1):
    model = tiny_bert()
    loss = Seen(model, data)
    loss.batches = []
    args = SentenceTransformerTrainingArguments(
        str(folder),
        per_device_train_batch_size=3,
        num_train_epochs=3,
        max_steps=max_steps,
        save_steps=9,
        batch_sampler=source_batch_sampler(sources_of_rows(data, "task")),
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = SentenceTransformerTrainer(model, args, train_dataset=data.pairs(), loss=loss)
    trainer.train(resume_from_checkpoint=resume)
    return loss.batches


def test_the_trainer_of_sentence_transformers_takes_them_and_resumes(data, tmp_path):
    data = with_tasks(data)
    tasks = sources_of_rows(data, "task")
    whole = train(data, tmp_path / "whole")
    assert len(whole) == 3 * 6 and all(len({tasks[row] for row in batch}) == 1 for batch in whole)
    assert sorted(np.concatenate(whole[:6]).tolist()) == sorted(np.asarray(data.pairs()["label"])[:, 0].tolist())
    assert sorted(map(sorted, whole[:6])) != sorted(map(sorted, whole[6:12]))
    first = train(data, tmp_path / "stopped", max_steps=9)
    assert first + train(data, tmp_path / "stopped", resume=True) == whole
