"""Batches of one source: pure in seed and epoch, no small rests, and at the door where sentence-transformers asks."""

import numpy as np
import pyarrow as pa
import pytest
from accelerate.data_loader import BatchSamplerShard, prepare_data_loader
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from torch.utils.data import DataLoader

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


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_several_processes_take_steps_of_one_source_in_full_batches(processes: int):
    sampler = SourceBatches(SOURCES, 3, processes=processes, drop_last=True)
    step = 3 * processes
    assert sampler.left_over == 23 % step + 11 % step + 2  # of code, no step is full
    steps_seen = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler) and len(batches) * 3 + sampler.left_over == len(SOURCES)
        assert {len(batch) for batch in batches} == {3}
        steps = [np.concatenate(batches[i : i + processes]) for i in range(0, len(batches), processes)]
        assert all(len(set(SOURCES[lines])) == 1 for lines in steps)
        assert len(np.unique(np.concatenate(batches))) == 3 * len(batches), "a line came twice"
        steps_seen.append({frozenset(lines.tolist()) for lines in steps})
    assert steps_seen[0] != steps_seen[1]


def shares_of(even: bool, **options) -> list[list[list[int]]]:
    """What accelerate hands out to each of two processes."""
    samplers = [SourceBatches(SOURCES, 5, **options) for _ in range(2)]
    return [list(BatchSamplerShard(one, 2, number, even_batches=even)) for number, one in enumerate(samplers)]


@pytest.mark.parametrize("even", [True, False], ids=["even", "uneven"])
def test_accelerate_hands_out_the_batches_of_a_step_to_the_processes(even: bool):
    steps = list(zip(*shares_of(even, processes=2), strict=True))
    assert [batch for step in steps for batch in step] == list(SourceBatches(SOURCES, 5, processes=2))
    assert all(len(one) == len(other) == 5 and len(set(SOURCES[one + other])) == 1 for one, other in steps)


def test_accelerate_loses_no_line_of_batches_that_are_not_full():
    whole = list(SourceBatches(SOURCES, 5))
    assert {len(batch) for batch in whole} == {2, 3, 4, 5}
    assert shares_of(even=False) == [whole[0::2], whole[1::2]]
    one, other = shares_of(even=True)
    assert len(one) == len(other) and set(np.concatenate(one + other)) == set(range(len(SOURCES)))


def test_under_torchrun_it_knows_the_processes_by_itself(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert list(SourceBatches(SOURCES, 5)) == list(SourceBatches(SOURCES, 5, processes=2))
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert list(SourceBatches(SOURCES, 5)) == list(SourceBatches(SOURCES, 5, processes=1))


def test_accelerate_names_the_epoch_to_it_also_where_it_shares_the_batches():
    """Otherwise all epochs were the first."""
    lines = [{"line": i} for i in range(len(SOURCES))]
    loaders = [
        prepare_data_loader(
            DataLoader(lines, batch_sampler=SourceBatches(SOURCES, 5, processes=2)),
            num_processes=2,
            process_index=number,
            put_on_device=False,
        )
        for number in range(2)
    ]
    expected = SourceBatches(SOURCES, 5, processes=2)
    for epoch in range(3):
        expected.set_epoch(epoch)
        for loader in loaders:
            loader.set_epoch(epoch)
        shares = [[batch["line"].tolist() for batch in loader] for loader in loaders]
        assert [batch for step in zip(*shares, strict=True) for batch in step] == list(expected)


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
    with pytest.raises(LitotesError, match=r"No source fills a step: it takes 48 lines \(2 x 24\), .* largest has 23"):
        SourceBatches(SOURCES, 24, processes=2)
    with pytest.raises(LitotesError, match="'processes' parameter of SourceBatches must be an int"):
        SourceBatches(SOURCES, 2, processes=0)
    with pytest.raises(LitotesError, match="'batch_size' parameter of SourceBatches must be an int"):
        SourceBatches(SOURCES, 0)
    with pytest.raises(LitotesError, match="0 rows, too few"):
        SourceBatches([], 4)


def test_what_is_left_over_is_said(data, capsys):
    make = source_batch_sampler(sources_of_rows(with_tasks(data), "task"))
    assert make(data.pairs(), 4, drop_last=True).left_over == 3
    assert "Batches of one source: 3 of 15 lines fill no step of 1 x 4 and are left over" in capsys.readouterr().err
    make(data.pairs(), 4)
    assert capsys.readouterr().err == ""


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
