"""AR2 as a system: who moves, what rests, whose candidates; killed at any stage it goes on; ablations are options."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from torch import nn
from transformers import TrainerCallback

from litotes import training
from litotes.core import Candidates, Collection
from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.losses import ar2_loss, ar2_scores
from litotes.mining import DenseMiner
from litotes.models import resolve_encoder, tiny_bert, word_bag
from litotes.models.cross_encoder import PairModel
from litotes.models.interaction import InteractionRanker
from litotes.models.tiny import tiny_cross_encoder
from litotes.recipes.load_model import load_model
from litotes.recipes.retrieval import ar2
from litotes.recipes.retrieval.ar2 import Ar2Config, Ar2Step, load_ranker, train_ar2
from litotes.training import (
    Learner,
    NegativeDraws,
    Rounds,
    RoundsArguments,
    ShuffledBatches,
    TextTowers,
    WatchedOpponents,
)
from litotes.training.candidate_finder import MinedAgain
from litotes.training.negative_table import NegativeTable
from tests.unit.recipes.retrieval.stopped_runs import Stopped, stop_at_call, weights_of
from tests.unit.training.small_world import candidates_of, small_data

AR2 = {
    "encoder": "tiny:bert",
    "ranker": "tiny:bert",
    "top": 8,
    "num_negatives": 3,
    "per_device_train_batch_size": 4,
    "warm_up_batch_size": 4,
    "learning_rate": 3e-3,
    "ranker_rate": 3e-3,
    "iteration_steps": 4,
    "ranker_steps": 1,
    "max_steps": 10,
    "retriever_warm_up_steps": 3,
    "ranker_warm_up_steps": 3,
    "warmup_steps": 0,
    "save_steps": 2,
    "logging_steps": 2,
}
ROUNDS_ONLY = {**AR2, "retriever_warm_up_steps": 0, "ranker_warm_up_steps": 0}


@pytest.fixture(scope="module")
def data():
    return small_data()


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """A finished run of two warm-ups and two and a half rounds, of two small transformers."""
    folder = tmp_path_factory.mktemp("ar2")
    return folder, train_ar2(data, Ar2Config(**AR2), folder)


@pytest.fixture(scope="module")
def played(data, tmp_path_factory):
    """The same of a bag of words and an interaction ranker, which take a tenth of the time."""
    folder = tmp_path_factory.mktemp("played")
    return folder, play(data, folder)


def play(data, folder, *, candidates=None, answers=None, answers_file=None, **options):
    config = Ar2Config(**{**AR2, "ranker": "interaction", "answers": answers_file, **options})
    return train_ar2(data, config, folder, encoder=word_bag(data), candidates=candidates, answers=answers)


def summary(folder):
    return json.loads((folder / "run.json").read_text())["stages"]["train/ar2"]


# --- the detach table -----------------------------------------------------------------------------------------------


class Game:
    """Rounds of AR2 without stages, watched from outside."""

    def __init__(self, data, folder, **options):
        config = Ar2Config(**{**ROUNDS_ONLY, "scale": 20.0, **options})
        model, cross = tiny_bert(), tiny_cross_encoder("bert", seed=3)
        self.retriever, self.ranker = TextTowers(resolve_encoder(model)), PairModel(cross)
        assert any(m.p > 0 for m in cross.modules() if isinstance(m, nn.Dropout)), "without dropout modes show nothing"
        self.step = Ar2Step(self.retriever, self.ranker, data, config)
        self.learners = {
            name: Learner(module, torch.optim.AdamW(module.parameters(), lr=1e-3))
            for name, module in (("retriever", self.retriever), ("ranker", self.ranker))
        }
        draws = NegativeDraws(data, candidates_of(data), 3)
        batches = ShuffledBatches(np.arange(len(draws.cells)), 2)
        args = RoundsArguments(output_dir=str(folder), max_steps=8)
        cells = draws.cells
        self.rounds = lambda callbacks: Rounds(
            self.learners, self.step, batches, args, callbacks=[draws, *callbacks],
            collate=lambda lines: (cells[lines], draws.draw(cells[lines])),
        ).train()  # fmt: skip


def state_of(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def is_same(before, module):
    return all(torch.equal(value, module.state_dict()[name]) for name, value in before.items())


def test_a_ranker_step_leaves_the_retriever_bit_identical_and_the_reverse(data, tmp_path):
    game, moved = Game(data, tmp_path), []

    class Watch(TrainerCallback):
        def on_step_begin(self, args, state, control, **kwargs):
            self.before = state_of(game.retriever), state_of(game.ranker)

        def on_step_end(self, args, state, control, **kwargs):
            retriever, ranker = self.before
            moved.append((not is_same(retriever, game.retriever), not is_same(ranker, game.ranker)))

    game.rounds([Watch()])
    ranker_turn, retriever_turn = (False, True), (True, False)
    assert moved == 2 * [ranker_turn, ranker_turn, retriever_turn, retriever_turn]
    assert {name: learner.steps for name, learner in game.learners.items()} == {"retriever": 4, "ranker": 4}


def test_the_ranker_rests_in_retriever_steps_and_its_modes_come_back(data, tmp_path):
    game, seen, after = Game(data, tmp_path), [], []
    dropout = next(m for m in game.ranker.modules() if isinstance(m, nn.Dropout))
    game.ranker.register_forward_pre_hook(lambda *_: seen.append((dropout.training, torch.is_grad_enabled())))

    class Watch(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            learns = all(parameter.requires_grad for parameter in game.ranker.parameters())
            after.append((dropout.training, game.retriever.training, learns))

    game.rounds([Watch()])
    assert seen == 2 * [(True, True), (True, True), (False, False), (False, False)]
    assert set(after) == {(True, True, True)}


def test_nothing_is_asked_of_the_retriever_in_ranker_steps(data, tmp_path):
    game, asked = Game(data, tmp_path), []
    game.retriever.register_forward_pre_hook(lambda *_: asked.append(game.retriever.training))
    game.rounds([])
    assert asked == [True] * (4 * 2), "queries and documents of four retriever steps, in training mode"


def test_the_step_is_the_loss_of_the_page(data, tmp_path):
    game = Game(data, tmp_path, adv_form="official", adv_lambda=0.3, temperature=2.0, scale_similarity=True)
    game.retriever.eval(), game.ranker.eval()
    cells, negatives = np.array([[0, 0], [4, 4]]), np.array([[5, 6, 6], [5, 0, 9]])  # one is drawn twice
    listed = np.concatenate([cells[:, 1:], negatives], axis=1)
    texts = [[data.col_texts[col] for col in cols] for cols in listed]
    d = torch.stack([game.retriever(each, "document") for each in texts])
    q = game.retriever([data.row_texts[0], data.row_texts[4]], "query")
    r = torch.stack(
        [game.ranker([(data.row_texts[row], text) for text in each]) for row, each in zip((0, 4), texts, strict=True)]
    )
    s = ar2_scores(q, d, scale=20.0) / 32**0.5
    expected = ar2_loss(s, r, adv_form="official", adv_lambda=0.3, temperature=2.0)

    class State:
        global_step = 3  # of the retriever's turn

    torch.testing.assert_close(game.step((cells, negatives), State)["retriever"], expected, rtol=1e-5, atol=1e-5)
    State.global_step = 0
    found = game.step((cells, negatives), State)["ranker"]
    torch.testing.assert_close(found, (r.logsumexp(1) - r[:, 0]).mean(), rtol=1e-5, atol=1e-6)


def test_the_warm_up_is_in_batch_and_never_against_a_known_positive(data, tmp_path):
    game = Game(data, tmp_path)
    game.retriever.eval()
    cells, negatives = np.array([[0, 0], [1, 1], [3, 3]]), np.array([[5], [30], [12]])
    found = game.step.in_batch((cells, negatives), None)["retriever"]
    documents = [0, 1, 3, 5, 30, 12]  # 30 is a twin of 0, and 12 is the other positive of query 0
    q = game.retriever([data.row_texts[row] for row in cells[:, 0]], "query")
    d = game.retriever([data.col_texts[col] for col in documents], "document")
    scores = 20.0 * q @ d.T
    usable = [[0, 1, 2, 3], [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]]
    losses = [scores[i, js].logsumexp(0) - scores[i, i] for i, js in enumerate(usable)]
    torch.testing.assert_close(found, torch.stack(losses).mean())


# --- candidates -----------------------------------------------------------------------------------------------------


def test_each_refresh_mines_with_the_weights_of_that_moment(data, tmp_path, monkeypatch):
    tables, expected, mine = [], [], MinedAgain.mine

    def mined(self, collection, rows=None):
        model = self.encoder
        fresh = SentenceTransformer(modules=list(model), device="cpu", similarity_fn_name=model.similarity_fn_name)
        expected.append(DenseMiner(encoder=fresh, top=8, store=False).mine(collection, rows))
        tables.append(mine(self, collection, rows))
        return tables[-1]

    monkeypatch.setattr(MinedAgain, "mine", mined)
    play(data, tmp_path)
    cells = [cells_of(table) for table in tables]
    assert len(tables) == 2 and cells == [cells_of(table) for table in expected]
    assert cells[0] != cells[1], "candidates follow parameters that moved"
    for table in tables:
        assert not data.is_positive(table.row, table.col).any()


def test_the_first_candidates_are_those_of_the_warmed_up_retriever(data, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        stop_at_call(patch, Ar2Step, "of_ranker", 1)
        with pytest.raises(Stopped):
            play(data, tmp_path)
    from litotes.training.checkpoints import last_checkpoint, load_checkpoint

    model = word_bag(data)
    towers = TextTowers(resolve_encoder(model))
    learner = Learner(towers, torch.optim.AdamW(ar2_groups(towers)))
    load_checkpoint(last_checkpoint(tmp_path / "checkpoints" / "retriever"), {"retriever": learner})
    found = Candidates.load(tmp_path)
    found = cells_of(found.filter(np.isfinite(found.column("rank.dense"))))
    assert found == cells_of(DenseMiner(encoder=model, top=8, store=False).mine(data))
    assert found != cells_of(DenseMiner(encoder=word_bag(data), top=8, store=False).mine(data))


def cells_of(found):
    return set(zip(found.row.tolist(), found.col.tolist(), strict=True))


def ar2_groups(module):
    from litotes.training import decaying

    return decaying(module, 0.0)


def drawn_by(monkeypatch):
    """All negatives that are drawn from now on, by row."""
    cells, draw = [], NegativeDraws.draw

    def drawing(self, lines):
        found = draw(self, lines)
        cells.extend((row, col) for (row, _), cols in zip(lines.tolist(), found.tolist(), strict=True) for col in cols)
        return found

    monkeypatch.setattr(NegativeDraws, "draw", drawing)
    return cells


def test_what_holds_an_answer_is_never_drawn(data, tmp_path, monkeypatch):
    cells = drawn_by(monkeypatch)
    answers = {f"q{i}": ["cat", "number 7"] for i in range(data.n_rows)}
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"_id": k, "answers": v}) + "\n" for k, v in answers.items()))
    play(data, tmp_path / "run", answers_file=str(tmp_path / "a.jsonl"))
    texts = {col: data.col_texts[col].lower() for _, col in cells}
    assert cells and not any("cat" in text.split() or text.endswith("number 7") for text in texts.values())


def test_answers_may_be_a_column_or_an_argument_and_rows_without_candidates_are_dropped(data, tmp_path, monkeypatch):
    cells = drawn_by(monkeypatch)
    answers = {"q3": ["number"]}  # every document holds it
    play(data, tmp_path / "a", answers=answers)
    assert cells and 3 not in {row for row, _ in cells}
    assert summary(tmp_path / "a")["summary"]["rows_without_candidates"] == 1
    column = pa.table(
        {"id": list(data.row_ids), "text": data.row_texts, "answers": [answers.get(row, []) for row in data.row_ids]}
    )
    play(Collection(data.labels, column, data.cols.table), tmp_path / "b")
    assert weights_of(tmp_path / "b") == weights_of(tmp_path / "a")
    everyone = {row: ["number"] for row in data.row_ids}
    with pytest.raises(DataError, match="No training row has a candidate"):
        play(data, tmp_path / "c", answers=everyone, retriever_warm_up_steps=0)


def test_a_row_of_which_a_refresh_leaves_nothing_keeps_its_candidates(data, tmp_path, monkeypatch):
    mine, tables = DenseMiner.mine, []
    calls = []

    def mined(self, collection, rows=None):
        calls.append(1)
        found = mine(self, collection, rows)
        return found if len(calls) == 1 else found.filter(found.row != 4)

    add = NegativeDraws.add_table

    def added(self, found, number, from_batch):
        tables.append((self.tables[-1], found))
        return add(self, found, number, from_batch)

    monkeypatch.setattr(DenseMiner, "mine", mined)
    monkeypatch.setattr(NegativeDraws, "add_table", added)
    play(data, tmp_path)
    assert len(tables) == 2
    for before, after in tables:
        assert set(after.col[after.row == 4]) == set(before.candidates.col[before.candidates.row == 4]) != set()


def test_given_candidates_come_first_and_suspected_ones_never(data, tmp_path, monkeypatch):
    cells = drawn_by(monkeypatch)
    found = candidates_of(data)
    found = found.with_columns({"trust.j": np.where(found.col % 3 == 0, 0.1, 0.9)})
    rounds_only = {"retriever_warm_up_steps": 0, "ranker_warm_up_steps": 0, "max_steps": 3}
    play(data, tmp_path / "a", candidates=found, min_trust=0.5, **rounds_only)
    given = cells_of(found)
    assert cells and set(cells) <= {(row, col) for row, col in given if col % 3}
    assert not (tmp_path / "a" / "candidates").exists()
    cells.clear()
    play(data, tmp_path / "b", candidates=found, min_trust=0.5)
    assert not set(cells) & {(row, col) for row, col in given if col % 3 == 0}
    with pytest.raises(LitotesError, match="min_trust needs candidates that were judged"):
        play(data, tmp_path / "c", min_trust=0.5)


def test_other_candidates_are_another_model_and_bad_ones_are_refused_before_anything_is_trained(
    data, tmp_path, monkeypatch
):
    play(data, tmp_path / "a", candidates=candidates_of(data), only_warm_up=True)
    with pytest.raises(StaleError, match="trained with another first candidates"):
        play(data, tmp_path / "a", candidates=candidates_of(data, seed=1), only_warm_up=True)
    with pytest.raises(StaleError, match="trained with another first candidates"):
        play(data, tmp_path / "a", only_warm_up=True)
    calls = stop_at_call(monkeypatch, Ar2Step, "in_batch")
    with pytest.raises(LitotesError, match="nowhere"):
        play(data, tmp_path / "b", candidates=tmp_path / "nowhere")
    with pytest.raises(StaleError, match="made from other data"):
        play(data, tmp_path / "c", candidates=candidates_of(data.select_rows(range(11))))
    assert not calls


def lines_drawn(monkeypatch):
    """The lines and negatives of every batch that is collated from now on, by the length of its list."""
    batches, draw = [], NegativeDraws.draw

    def drawing(self, lines):
        found = draw(self, lines)
        batches.append((lines.tolist(), found.tolist()))
        return found

    monkeypatch.setattr(NegativeDraws, "draw", drawing)
    return batches


def test_no_stage_repeats_the_batches_or_draws_of_another(data, tmp_path, monkeypatch):
    batches = lines_drawn(monkeypatch)
    same = {"num_negatives": 1, "warm_up_miner": "dense", "refresh": False, "max_steps": 3}
    play(data, tmp_path, **same)
    stages = [[lines for lines, _ in batches[at : at + 3]] for at in (0, 3, 6)]
    assert len(batches) == 9 and all(a != b for a, b in ((stages[0], stages[1]), (stages[1], stages[2])))
    drawn = [
        {tuple(line): cols for lines, found in batches[at : at + 3] for line, cols in zip(lines, found, strict=True)}
        for at in (3, 6)  # of one table
    ]
    both = set(drawn[0]) & set(drawn[1])
    assert len(both) > 5 and sum(drawn[0][line] != drawn[1][line] for line in both) > len(both) / 2


def test_batches_of_the_warm_up_are_not_put_together(data, tmp_path, monkeypatch):
    calls = [stop_at_call(monkeypatch, Ar2Step, name) for name in ("in_batch", "of_ranker")]
    play(data, tmp_path / "a", gradient_accumulation_steps=2, only_warm_up=True)
    assert [len(each) for each in calls] == [3, 6]
    calls[0].clear()
    play(data, tmp_path / "b", gradient_accumulation_steps=2, only_warm_up=True, retriever_warm_up_steps=None)
    assert len(calls[0]) == 4, "a pass over 13 or 14 lines in batches of 4"


# --- what is watched ------------------------------------------------------------------------------------------------


def looks(monkeypatch):
    """The data, rows and negatives that every look asks for."""
    seen, draw = [], NegativeTable.draw

    class Looking(WatchedOpponents):
        def _look(self, step):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(NegativeTable, "draw", lambda table, rows, *x, **y: record(self, table, rows, *x, **y))
                super()._look(step)

    def record(watch, table, rows, *args, **options):
        found = draw(table, rows, *args, **options)
        seen.append((watch.data, rows.tolist(), found.tolist(), cells_of(table.candidates)))
        return found

    monkeypatch.setattr(training, "WatchedOpponents", Looking)
    return seen


@pytest.mark.parametrize("dev", ["none", "empty", "given"])
def test_what_is_watched_is_trained_on_in_no_stage(data, tmp_path, monkeypatch, dev):
    seen, trained = looks(monkeypatch), drawn_by(monkeypatch)
    given = {"none": None, "empty": data.select_rows([]), "given": small_data().select_rows([2, 5])}[dev]
    config = Ar2Config(**{**AR2, "ranker": "interaction", "iteration_steps": 5})
    train_ar2(data, config, tmp_path, dev=given, encoder=word_bag(data))
    assert [round["step"] for round in summary(tmp_path)["summary"]["rounds"]] == [0, 5, 10] and len(seen) == 3
    for watched, rows, negatives, _ in seen:
        ids = {watched.row_ids[row] for row in rows}
        if dev == "given":
            assert ids == {"q2", "q5"} and len(rows) == 3
        else:
            assert len(ids) == 1 and not ids & {data.row_ids[row] for row, _ in trained}
        assert not any(watched.is_positive([row] * 3, cols).any() for row, cols in zip(rows, negatives, strict=True))
    assert len({row for row, _ in trained}) == (12 if dev == "given" else 11)
    assert bool(summary(tmp_path)["summary"]["dev_before"]) == (dev != "empty")


def test_the_last_look_sees_the_final_retriever(data, tmp_path, monkeypatch):
    seen = looks(monkeypatch)
    play(data, tmp_path, max_steps=12)
    model = SentenceTransformer(str(tmp_path), device="cpu")
    rows = np.unique(seen[-1][1])
    assert seen[-1][3] == cells_of(DenseMiner(encoder=model, top=8, store=False).mine(data, rows))
    assert seen[-1][3] != seen[-2][3], "it moved since the last refresh"


# --- schedules ------------------------------------------------------------------------------------------------------


def test_each_model_has_its_own_schedule_over_its_own_steps_through_all_rounds(data, tmp_path, monkeypatch):
    rates, step = {"retriever": [], "ranker": []}, Learner.step

    def stepping(self):
        name = "retriever" if isinstance(self.model, TextTowers) else "ranker"
        rates[name].append((self.optimizer, self.learning_rate))
        return step(self)

    monkeypatch.setattr(Learner, "step", stepping)
    options = {"retriever_warm_up_steps": 0, "ranker_warm_up_steps": 0, "max_steps": 12, "warmup_steps": 0.5}
    play(data, tmp_path, **options)
    for name, top in (("retriever", 3e-3), ("ranker", 3e-3)):
        found = [rate for _, rate in rates[name]]
        assert found == pytest.approx([top * x for x in (0, 1 / 3, 2 / 3, 1, 2 / 3, 1 / 3)])
        assert len({id(optimizer) for optimizer, _ in rates[name]}) == 1, "one optimiser for all rounds"


def test_the_optimisers_state_counts_the_steps_of_all_rounds(data, tmp_path, monkeypatch):
    stop_at_call(monkeypatch, SentenceTransformer, "save_pretrained", 1)
    with pytest.raises(Stopped):
        play(data, tmp_path)
    from safetensors.torch import load_file

    last = tmp_path / "checkpoints" / "rounds" / "checkpoint-10"
    steps = {name: x["steps"] for name, x in json.loads((last / "state.json").read_text())["learners"].items()}
    assert steps == {"retriever": 4, "ranker": 6}
    for name, count in steps.items():
        tensors = load_file(str(last / "optimizers" / f"{name}.safetensors"))
        assert {float(value) for key, value in tensors.items() if key.endswith(".step")} == {count}


@pytest.mark.parametrize(
    ("options", "turns"),
    [
        ({}, [1, 1, 0, 0]),
        ({"exact_steps": True}, [1, 0, 0, 0]),
        ({"train_ranker": False}, [0] * 4),
        ({"teacher": "labels"}, [0] * 4),
    ],
)
def test_whose_turn_it_is(options, turns):
    assert Ar2Config(**AR2, **options).turns.turns(8).tolist() == turns * 2
    assert Ar2Config(**AR2, **options).turns_in(8).turns(8).tolist() == turns * 2


@pytest.mark.parametrize(
    ("total", "turns"), [(2, (1, 1)), (8, (3, 5)), (39, (10, 29)), (40, (11, 29)), (125, (38, 87))]
)
def test_with_the_defaults_both_learn_however_few_the_steps(total, turns):
    assert Ar2Config().turns_in(total).counts(total) == turns


def test_a_retriever_that_would_never_learn_is_refused_before_anything_is_trained(data, tmp_path, monkeypatch):
    calls = stop_at_call(monkeypatch, Ar2Step, "in_batch")
    with pytest.raises(LitotesError, match="never learn: of 10 steps 10 are the ranker's and 0 the retriever's"):
        play(data, tmp_path / "a", ranker_steps=3)
    with pytest.raises(LitotesError, match="iteration_steps=4 with ranker_steps=4. Lower ranker_steps, or train"):
        play(data, tmp_path / "b", ranker_steps=4, exact_steps=True)
    with pytest.raises(LitotesError, match="of 1 steps 1 are the ranker's"):
        play(data, tmp_path / "c", max_steps=1)
    assert not calls
    play(data, tmp_path / "d", ranker_steps=3, only_warm_up=True)
    play(data, tmp_path / "e", ranker_steps=3, train_ranker=False)


# --- the same again -------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(data, tmp_path, played):
    play(data, tmp_path / "same")
    assert weights_of(tmp_path / "same") == weights_of(played[0])
    play(data, tmp_path / "other", seed=1)
    assert weights_of(tmp_path / "other") != weights_of(played[0])


STOPS = {
    "in the retriever's warm-up": (Ar2Step, "in_batch", 3),
    "mining the first candidates": (DenseMiner, "mine", 1),
    "in the ranker's warm-up": (Ar2Step, "of_ranker", 3),
    "in a ranker's turn": (Ar2Step, "__call__", 6),
    "in a retriever's turn": (Ar2Step, "__call__", 8),
    "mining again": (DenseMiner, "mine", 3),
    "saving the retriever": (SentenceTransformer, "save_pretrained", 1),
    "saving the ranker": (InteractionRanker, "save_pretrained", 1),
}


@pytest.mark.parametrize("where", STOPS)
def test_stopped_at_any_stage_and_resumed_is_never_stopped(data, tmp_path, monkeypatch, played, where):
    owner, name, number = STOPS[where]
    with monkeypatch.context() as patch:
        stop_at_call(patch, owner, name, number)
        with pytest.raises(Stopped):
            play(data, tmp_path)
    with pytest.raises(LitotesError, match="its training is not finished"):
        load_model(tmp_path)
    again = stop_at_call(monkeypatch, owner, name)
    play(data, tmp_path)
    assert weights_of(tmp_path) == weights_of(played[0])
    assert summary(tmp_path)["summary"] == summary(played[0])["summary"]
    if owner is Ar2Step:
        whole = {"in_batch": 3, "of_ranker": 9, "__call__": 10}[name]
        assert len(again) < whole, "what was trained is not trained again"
    assert not (tmp_path / "checkpoints").exists()


def test_a_stage_that_was_over_is_not_trained_again_whatever_save_steps_is(data, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at_call(patch, SentenceTransformer, "save_pretrained", 1)
        with pytest.raises(Stopped):
            play(data, tmp_path, save_steps=100)
    calls = [stop_at_call(monkeypatch, Ar2Step, name) for name in ("in_batch", "of_ranker", "__call__")]
    play(data, tmp_path, save_steps=100)
    assert calls == [[], [], []] and summary(tmp_path)["done"]


def test_with_dropout_too_a_stopped_run_goes_on_to_the_same_bytes(data, tmp_path, monkeypatch, finished):
    with monkeypatch.context() as patch:
        stop_at_call(patch, Ar2Step, "__call__", 8)
        with pytest.raises(Stopped):
            train_ar2(data, Ar2Config(**AR2), tmp_path)
    train_ar2(data, Ar2Config(**AR2), tmp_path)
    assert weights_of(tmp_path) == weights_of(finished[0])


def test_a_finished_run_is_not_trained_again_and_other_options_are_refused(data, monkeypatch, finished):
    folder, _ = finished
    monkeypatch.setattr(ar2, "_train", None)
    assert isinstance(train_ar2(data, Ar2Config(**AR2), folder), SentenceTransformer)
    with pytest.raises(StaleError, match="adv_lambda"):
        train_ar2(data, Ar2Config(**AR2, adv_lambda=0.1), folder)


# --- what is left ---------------------------------------------------------------------------------------------------


def test_the_retriever_lies_at_the_top_and_the_ranker_under_ranker(finished):
    folder, model = finished
    loaded = load_model(folder)
    assert type(loaded) is SentenceTransformer
    np.testing.assert_allclose(loaded.encode(["red"]), model.encode(["red"]), atol=1e-6)
    assert np.abs(loaded.encode(["red"]) - tiny_bert().encode(["red"])).max() > 1e-3
    ranker = load_ranker(folder)
    assert isinstance(ranker, CrossEncoder) and ranker.num_labels == 1
    pairs = [("red", "red and blue")]
    assert ranker.predict(pairs) != tiny_cross_encoder("bert").predict(pairs)
    assert not list(folder.rglob("*.bin")) and not list(folder.rglob("*.pt"))


def test_the_rows_held_out_are_named_and_not_trained_on(data, tmp_path, monkeypatch):
    cells = drawn_by(monkeypatch)
    play(data, tmp_path)
    found = summary(tmp_path)["summary"]
    (held,) = found["held_out"]
    assert {row for row, _ in cells} == set(range(12)) - {data.row_ids.index(held)} and found["trained_rows"] == 11
    assert set(found["dev_before"]) == set(found["dev_after"]) >= {"nDCG@10"}


def test_every_round_is_written_down(finished):
    folder, _ = finished
    rounds = summary(folder)["summary"]["rounds"]
    assert [(r["round"], r["step"]) for r in rounds] == [(0, 0), (1, 4), (2, 8), (3, 10)]
    of_ranker = {"confusion", "ranker_logit", "ranker_loss", "fresh_ranker_logit", "fresh_ranker_loss"}
    assert all(set(r) == of_ranker | {"round", "step", "retriever_score", "kept"} for r in rounds)
    assert rounds[0]["ranker_loss"] == rounds[0]["fresh_ranker_loss"] and rounds[0]["kept"] == 1.0
    assert 0 < rounds[1]["kept"] < 1 and all(0 < r["confusion"] < 1 for r in rounds)
    logged = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in logged if line["event"] == "round"] == [0, 4, 8, 10]
    assert {"retriever", "ranker"} <= {key for line in logged if line["event"] == "training" for key in line}


def test_training_writes_nothing_on_stdout(data, tmp_path, capsys):
    play(data, tmp_path)
    assert capsys.readouterr().out == ""


# --- ablations and models -------------------------------------------------------------------------------------------

ABLATIONS = [
    {"adv_lambda": 0.0},
    {"adv_lambda": 1.0},
    {"adv_form": "official"},
    {"temperature": 3.0},
    {"refresh": False},
    {"train_ranker": False},
    {"exact_steps": True},
    {"num_negatives": 1},
    {"towers": "separate"},
    {"scale_similarity": True},
    {"scale": 5.0},
    {"dtype": "bfloat16"},
    {"retriever_warm_up_steps": 0},
    {"ranker_warm_up_steps": 0},
    {"warm_up_miner": "dense"},
    {"teacher": "labels"},
]


@pytest.mark.parametrize("options", ABLATIONS, ids=str)
def test_ablations_train_and_differ(data, tmp_path, played, options):
    play(data, tmp_path, save_steps=100, **options)
    assert summary(tmp_path)["done"]
    assert weights_of(tmp_path) != weights_of(played[0])


def test_only_the_last_layers_are_trained_if_so_asked(data, tmp_path):
    model = train_ar2(data, Ar2Config(**AR2, trained_layers=1, ranker_layers=1, only_warm_up=True), tmp_path)
    ranker = load_ranker(tmp_path)
    for ours, theirs in ((model, tiny_bert()), (ranker, tiny_cross_encoder("bert"))):
        start = dict(theirs.named_parameters())
        changed = {name for name, value in ours.named_parameters() if not torch.equal(value, start[name])}
        assert changed and not any("embeddings" in name or ".layer.0." in name for name in changed)


def test_only_the_warm_up_leaves_both_models_to_go_on_from(data, tmp_path, monkeypatch):
    model = play(data, tmp_path / "warm", only_warm_up=True)
    assert summary(tmp_path / "warm")["summary"]["steps"] == 0 and summary(tmp_path / "warm")["summary"]["rounds"] == []
    cells = drawn_by(monkeypatch)
    no_warm_up = {"retriever_warm_up_steps": 0, "ranker_warm_up_steps": 0}
    warm = {"encoder": str(tmp_path / "warm"), "ranker": str(tmp_path / "warm" / "ranker")}
    config = Ar2Config(**{**AR2, **warm, **no_warm_up})
    train_ar2(data, config, tmp_path / "rounds")
    first = DenseMiner(encoder=model, top=8, store=False).mine(data)
    assert set(cells[: 3 * 4 * 3]) <= cells_of(first)


def test_labels_as_teacher_are_the_contrastive_loss_and_the_ranker_is_not_asked(data, tmp_path):
    game = Game(data, tmp_path, teacher="labels")
    asked = []
    game.ranker.register_forward_pre_hook(lambda *_: asked.append(1))
    game.retriever.eval()
    batch = np.array([[0, 0], [4, 4]]), np.array([[5, 6], [5, 9]])

    class State:
        global_step = 0

    scores = game.step.scores(batch)
    found = game.step(batch, State)
    torch.testing.assert_close(found["retriever"], (scores.logsumexp(1) - scores[:, 0]).mean())
    assert set(found) == {"retriever"} and not asked


def test_without_refresh_the_candidates_stay(data, tmp_path, monkeypatch):
    calls = stop_at_call(monkeypatch, DenseMiner, "mine")
    tables = stop_at_call(monkeypatch, NegativeDraws, "add_table")
    play(data, tmp_path, refresh=False)
    assert len(calls) == 1 + 4 and not tables, "the first candidates, and a look at the rows held out after each round"


def test_a_frozen_ranker_is_left_as_it_was_and_every_step_is_the_retrievers(data, tmp_path):
    live = tiny_cross_encoder("bert", seed=5)
    before = state_of(live)
    train_ar2(data, Ar2Config(**ROUNDS_ONLY, train_ranker=False), tmp_path, ranker=live)
    assert is_same(before, live)
    assert summary(tmp_path)["config"]["ranker"] == "a live model"


def test_separate_towers_part_and_are_saved_as_such(data, tmp_path):
    model = play(data, tmp_path, towers="separate")
    loaded = SentenceTransformer(str(tmp_path), device="cpu")
    assert np.abs(loaded.encode_query(["red"]) - loaded.encode_document(["red"])).max() > 1e-4
    np.testing.assert_allclose(loaded.encode_query(["red"]), model.encode_query(["red"]), atol=1e-6)


def test_a_word_bag_and_an_interaction_ranker_train_and_load(data, tmp_path):
    ranker = InteractionRanker.of(data, width=8)
    before = state_of(ranker)
    train_ar2(data, Ar2Config(**AR2), tmp_path, encoder=word_bag(data), ranker=ranker)
    assert not is_same(before, ranker)
    loaded = load_ranker(tmp_path)
    np.testing.assert_allclose(loaded.score([("red", "red")]), ranker.score([("red", "red")]))
    train_ar2(data, Ar2Config(**{**AR2, "ranker": str(tmp_path / "ranker")}), tmp_path / "again")
    assert isinstance(load_ranker(tmp_path / "again"), InteractionRanker)


def test_a_ranker_that_cannot_be_one_is_refused(data, tmp_path):
    with pytest.raises(LitotesError, match=r"must be a CrossEncoder, or a module that is called .* Got Linear\."):
        train_ar2(data, Ar2Config(**AR2), tmp_path, ranker=nn.Linear(2, 1))


@pytest.mark.parametrize("options", [{"ranker_length": 32}, {"ranker_layers": 1}], ids=str)
def test_what_a_small_ranker_does_not_have_is_not_passed_over(data, tmp_path, options):
    with pytest.raises(LitotesError, match="only a cross-encoder has them to set"):
        play(data, tmp_path, **options)


def test_the_warm_up_takes_its_products_in_float32(data, tmp_path):
    game = Game(data, tmp_path)
    vectors = torch.nn.functional.normalize(torch.randn(6, 32, generator=torch.Generator().manual_seed(0)), dim=-1)
    game.step.retriever = lambda texts, role: vectors[: len(texts)]
    batch = np.array([[0, 0], [1, 1], [3, 3]]), np.array([[5], [6], [7]])
    with torch.autocast("cpu", torch.bfloat16):
        found = [game.step.in_batch(batch, None)["retriever"], game.step.scores(batch).sum()]
    torch.testing.assert_close(found, [game.step.in_batch(batch, None)["retriever"], game.step.scores(batch).sum()])


def test_the_papers_values_are_a_preset():
    paper = Ar2Config.preset("paper")
    assert (paper.num_negatives, paper.iteration_steps, paper.ranker_steps, paper.max_steps) == (15, 2000, 500, 32_000)
    assert (paper.learning_rate, paper.ranker_rate, paper.max_grad_norm, paper.weight_decay) == (1e-5, 1e-6, 2.0, 0.0)
    assert (paper.adv_form, paper.adv_lambda, paper.temperature) == ("official", 0.5, 1.0)
    assert (paper.per_device_train_batch_size, paper.gradient_accumulation_steps, paper.warm_up_batch_size) == (
        8,
        8,
        128,
    )
    assert (paper.query_length, paper.corpus_length, paper.ranker_length) == (32, 128, 128)
