"""Refreshed negatives, in the Trainer and in rounds: they follow the weights, and resumed = never stopped."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

from litotes.core import Candidates
from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.losses import StarLoss
from litotes.models import tiny_bert
from litotes.training.batches import ShuffledBatches
from litotes.training.learner import Learner, decaying
from litotes.training.negatives import NegativesCollator
from litotes.training.refresh import RefreshNegatives
from litotes.training.rounds import Rounds, RoundsArguments
from litotes.training.sealed_checkpoints import train_resumably
from tests.unit.training.small_world import candidates_of


class LiveMiner:
    """The nearest ten documents that are no positives, by the double loop, with whatever the model is now."""

    def __init__(self, encoder):
        self.encoder, self.calls = encoder, 0

    def mine(self, data, rows=None):
        self.calls += 1
        torch.rand(3)  # a miner may draw numbers; training must not notice
        queries, documents = self.encoder.encode(data.row_texts), self.encoder.encode(data.col_texts)
        row, col = [], []
        for i in range(data.n_rows) if rows is None else rows:
            order = [j for j in np.argsort(-documents @ queries[i], kind="stable") if not data.is_positive(i, j)]
            row += [i] * 10
            col += order[:10]
        rank = np.tile(np.arange(10) + 1, len(row) // 10)
        return Candidates.build(np.array(row), np.array(col), miner="live", score=-rank, rank=rank, data=data)


class Recorder(StarLoss):
    """StarLoss that writes down the ids of each batch, and can stop the process."""

    def __init__(self, model, data, stop_at=None):
        super().__init__(model, data, scale=5.0)
        self.labels, self.stop_at = [], stop_at

    def forward(self, features, labels=None):
        if len(self.labels) + 1 == self.stop_at:
            raise KeyboardInterrupt
        if self.model.training:  # not those of an evaluation
            self.labels.append(labels.tolist())
        return super().forward(features, labels)


def with_trainer(folder, data, *, stop_at=None, evaluate=False, workers=0, model=None, accumulate=1, **refresh):
    """15 lines in batches of 4: 4 batches an epoch, 3 epochs, a checkpoint every 2 steps."""
    model = tiny_bert(3) if model is None else model
    found = candidates_of(data)
    collator = NegativesCollator(model, data, found, k=2, seed=5)
    miner = LiveMiner(model)
    callback = RefreshNegatives(collator, miner, **refresh) if refresh else None
    loss = Recorder(model, data, stop_at)
    args = SentenceTransformerTrainingArguments(
        output_dir=str(folder), num_train_epochs=3, per_device_train_batch_size=4, learning_rate=3e-3, save_steps=2,
        save_total_limit=2, report_to=[], disable_tqdm=True, use_cpu=True, dataloader_num_workers=workers,
        logging_steps=100, gradient_accumulation_steps=accumulate,
        eval_strategy="steps" if evaluate else "no", eval_steps=1,
    )  # fmt: skip
    trainer = SentenceTransformerTrainer(
        model, args, train_dataset=collator.pairs(), eval_dataset=collator.pairs() if evaluate else None,
        data_collator=collator, loss=loss, callbacks=[callback or collator],
    )  # fmt: skip
    train_resumably(trainer)
    return SimpleNamespace(model=model, labels=loss.labels, refresh=callback, collator=collator, miner=miner)


def with_rounds(folder, data, *, stop_at=None, **refresh):
    model = tiny_bert(3)
    collator = NegativesCollator(model, data, candidates_of(data), k=2, seed=5)
    callback = RefreshNegatives(collator, LiveMiner(model), **refresh)
    loss, pairs = Recorder(model, data, stop_at), collator.pairs()

    def step(batch, state):
        names = ("anchor", "positive", "negative_1", "negative_2")
        features = [{k.removeprefix(f"{n}_"): v for k, v in batch.items() if k.startswith(f"{n}_")} for n in names]
        return loss(features, batch["label"])

    rounds = Rounds(
        {"model": Learner(model, torch.optim.AdamW(decaying(model, 0.01), lr=3e-3))},
        step,
        ShuffledBatches(np.arange(len(pairs)), 4, seed=1),
        RoundsArguments(output_dir=str(folder), num_train_epochs=3, save_steps=2),
        callbacks=[callback],
        collate=lambda batch: collator([pairs[i] for i in batch]),
    )
    rounds.train()
    return SimpleNamespace(model=model, labels=loss.labels, refresh=callback, collator=collator)


def same_weights(ours, theirs):
    return all(torch.equal(a, b) for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True))


REFRESHES = [{"every_n_epochs": 1}, {"every_n_steps": 2}, {"every_n_steps": 3}]


@pytest.mark.parametrize("train", [with_trainer, with_rounds])
@pytest.mark.parametrize("refresh", REFRESHES, ids=str)
@pytest.mark.parametrize("stop_at", [7, 9])  # from a checkpoint in the middle of the second epoch, and at its end
def test_stopped_and_resumed_is_never_stopped(tmp_path, data, train, refresh, stop_at):
    whole = train(tmp_path / "whole", data, **refresh)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", data, stop_at=stop_at, **refresh)
    resumed = train(tmp_path / "stopped", data, **refresh)
    done = (stop_at - 1) // 2 * 2
    assert len(resumed.labels) == 12 - done, "the run began anew: the test would be vacuous"
    assert resumed.labels == whole.labels[done:]
    assert same_weights(resumed.model, whole.model)
    assert [t.number for t in resumed.collator.tables] == [t.number for t in whole.collator.tables]


def test_without_refresh_too(tmp_path, data):
    whole = with_trainer(tmp_path / "whole", data)
    with pytest.raises(KeyboardInterrupt):
        with_trainer(tmp_path / "stopped", data, stop_at=7)
    resumed = with_trainer(tmp_path / "stopped", data)
    assert resumed.labels == whole.labels[6:] and same_weights(resumed.model, whole.model)


@pytest.mark.parametrize(("train", "first"), [(with_trainer, 7), (with_rounds, 6)])
def test_a_table_of_a_step_takes_effect_with_the_first_batch_that_is_not_yet_collated(tmp_path, data, train, first):
    run = train(tmp_path, data, every_n_steps=6)
    (entry,) = run.refresh.history
    assert entry["step"] == 6 and entry["from_batch"] == first
    old, new = candidates_of(data), run.collator.tables[-1].candidates
    own = {which: set(zip(f.row.tolist(), f.col.tolist(), strict=True)) for which, f in (("old", old), ("new", new))}
    for number, labels in enumerate(run.labels):
        cells = {(row, col) for row, _, *cols in labels for col in cols}
        assert cells <= own["new" if number >= first else "old"]


def test_tables_of_epochs_begin_with_the_epoch(tmp_path, data):
    run = with_trainer(tmp_path, data, every_n_epochs=1)
    assert [(e["table"], e["step"], e["from_batch"]) for e in run.refresh.history] == [(1, 4, 4), (2, 8, 8)]


def test_candidates_change_after_the_weights_do(tmp_path, data):
    run = with_trainer(tmp_path, data, every_n_epochs=1)
    started_with = LiveMiner(tiny_bert(3)).mine(data)
    now = run.collator.tables[-1].candidates
    cells = [set(zip(f.row.tolist(), f.col.tolist(), strict=True)) for f in (started_with, now)]
    assert cells[0] != cells[1]
    assert run.refresh.history[-1]["kept"] < 1.0


def test_another_model_is_refused_unless_it_is_frozen_on_purpose(tmp_path, data):
    model = tiny_bert(3)
    collator = NegativesCollator(model, data, candidates_of(data), k=2)
    for miner in (LiveMiner(tiny_bert(3)), SimpleNamespace(mine=None)):
        callback = RefreshNegatives(collator, miner)
        with pytest.raises(LitotesError, match=r"mines with the model in training.*frozen_encoder=True"):
            begin(callback, model, tmp_path)
        begin(RefreshNegatives(collator, miner, frozen_encoder=True), model, tmp_path)
    begin(RefreshNegatives(collator, LiveMiner(model)), model, tmp_path)
    wrapped = SimpleNamespace(encoder=SimpleNamespace(model=model))
    begin(RefreshNegatives(collator, wrapped), model, tmp_path)


def begin(callback, model, folder, workers=0, persistent=False):
    args = SimpleNamespace(
        dataloader_num_workers=workers, dataloader_persistent_workers=persistent, prompts=None, router_mapping=None,
        output_dir=str(folder), gradient_accumulation_steps=1,
    )  # fmt: skip
    callback.on_train_begin(args, SimpleNamespace(global_step=0), None, model=model, train_dataloader=[None] * 4)


def test_loaders_that_it_cannot_keep_up_with_are_refused(tmp_path, data):
    model = tiny_bert(3)
    collator = NegativesCollator(model, data, candidates_of(data), k=2)
    with pytest.raises(LitotesError, match="dataloader_persistent_workers=True"):
        begin(RefreshNegatives(collator, LiveMiner(model)), model, tmp_path, workers=1, persistent=True)
    with pytest.raises(LitotesError, match="needs dataloader_num_workers=0"):
        begin(RefreshNegatives(collator, LiveMiner(model), every_n_steps=2), model, tmp_path, workers=1)


def test_workers_draw_the_same_as_the_main_process(tmp_path, data):
    alone = with_trainer(tmp_path / "0", data, every_n_epochs=1)
    helped = with_trainer(tmp_path / "2", data, every_n_epochs=1, workers=2)
    assert helped.labels == alone.labels and same_weights(helped.model, alone.model)


def test_an_evaluation_in_between_changes_nothing(tmp_path, data):
    def model():  # an evaluation moves torch's generator, which dropout would show
        made = tiny_bert(3)
        for module in made.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        return made

    plain = with_trainer(tmp_path / "plain", data, every_n_steps=3, model=model())
    evaluated = with_trainer(tmp_path / "evaluated", data, every_n_steps=3, model=model(), evaluate=True)
    assert evaluated.labels == plain.labels and same_weights(evaluated.model, plain.model)


def test_accumulated_batches_are_counted(tmp_path, data):
    run = with_trainer(tmp_path, data, every_n_steps=1, accumulate=2)
    assert [e["from_batch"] for e in run.refresh.history] == [3, 5, 7, 9, 11]


def test_mining_leaves_modes_and_generator_alone(data):
    model = tiny_bert(3).train()
    model[0].eval()
    modes = [module.training for module in model.modules()]
    collator = NegativesCollator(model, data, candidates_of(data), k=2)
    torch.manual_seed(1)
    RefreshNegatives(collator, LiveMiner(model))._refresh(4, 4, model)
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(1)) and [module.training for module in model.modules()] == modes


class Judge:
    name = "j"

    def __init__(self, gives_trust=True):
        self.gives_trust = gives_trust

    def judge(self, found, data):
        column = "trust.j" if self.gives_trust else "judge.j"
        return found.with_columns({column: np.where(found.col % 5 == 0, 0.1, 0.9)})


def test_judged_cells_below_min_trust_are_left_out(data):
    model = tiny_bert(3)
    collator = NegativesCollator(model, data, candidates_of(data), k=2)
    RefreshNegatives(collator, LiveMiner(model), Judge())._refresh(4, 4, model)
    assert (collator.tables[-1].cols % 5 != 0).all()


def test_a_judge_without_trust_is_refused_at_construction(data):
    model = tiny_bert(3)
    collator = NegativesCollator(model, data, candidates_of(data), k=2)
    with pytest.raises(LitotesError, match="No judge has given these candidates a trust"):
        RefreshNegatives(collator, LiveMiner(model), Judge(gives_trust=False))


def test_a_damaged_missing_or_foreign_table_is_refused(tmp_path, data):
    run = with_trainer(tmp_path, data, every_n_epochs=1)
    checkpoint = tmp_path / "checkpoint-12"
    run.refresh.load(checkpoint)
    other = NegativesCollator(run.model, data, candidates_of(data, seed=1), k=2, seed=5)
    with pytest.raises(StaleError, match="another first table"):
        RefreshNegatives(other, LiveMiner(run.model)).load(checkpoint)
    other = NegativesCollator(run.model, data, candidates_of(data), k=1, seed=5)
    with pytest.raises(StaleError, match="another k"):
        RefreshNegatives(other, LiveMiner(run.model)).load(checkpoint)
    listed = json.loads((checkpoint / "negatives" / "tables.json").read_text())["tables"]
    path = checkpoint / "negatives" / listed[-1]["file"]
    path.write_bytes(path.read_bytes()[:-9] + b"x" * 9)
    with pytest.raises(DataError, match="its bytes are not those that were written"):
        run.refresh.load(checkpoint)
    with pytest.raises(DataError, match="resume from an earlier checkpoint"):
        run.refresh.load(tmp_path / "checkpoint-99")


def test_options_are_checked_at_construction(tiny, data):
    collator = NegativesCollator(tiny, data, candidates_of(data), k=2)
    with pytest.raises(LitotesError, match="every_n_epochs or every_n_steps, not both"):
        RefreshNegatives(collator, LiveMiner(tiny), every_n_epochs=1, every_n_steps=1)
    with pytest.raises(LitotesError, match="The 'every_n_steps' parameter of RefreshNegatives must be an int"):
        RefreshNegatives(collator, LiveMiner(tiny), every_n_steps=0)


def test_a_half_written_checkpoint_is_passed_over(tmp_path, data):
    with pytest.raises(KeyboardInterrupt):
        with_trainer(tmp_path, data, stop_at=7, every_n_epochs=1)
    (tmp_path / "checkpoint-6" / "sealed.json").unlink()
    resumed = with_trainer(tmp_path, data, every_n_epochs=1)
    assert len(resumed.labels) == 12 - 4


def test_the_lines_of_the_guide_run(tmp_path, data):
    import litotes as lt

    model = tiny_bert(3)
    found = lt.DenseMiner(encoder=model, top=20).mine(data)
    found = lt.DocumentJudge().judge(found, data)
    collator = lt.NegativesCollator(model, data, found, k=3)
    args = SentenceTransformerTrainingArguments(
        output_dir=str(tmp_path), num_train_epochs=2, per_device_train_batch_size=4, report_to=[], use_cpu=True,
        save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    refresh = lt.RefreshNegatives(collator, lt.DenseMiner(encoder=model, top=20), lt.DocumentJudge(), every_n_epochs=1)
    SentenceTransformerTrainer(
        model, args, train_dataset=data.pairs(), data_collator=collator, loss=lt.InfoNCELoss(model, data),
        callbacks=[refresh],
    ).train()  # fmt: skip
    assert [entry["table"] for entry in refresh.history] == [1]
    assert lt.Candidates is Candidates and collator.tables[-1].candidates.trusted_by == ["document"]
