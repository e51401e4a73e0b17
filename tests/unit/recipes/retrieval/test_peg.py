"""PEG: each step does what it says, killed anywhere = never killed, and what cannot be is refused in one sentence."""

import json
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.data_collator import SentenceTransformerDataCollator

from litotes.core import Candidates, Collection
from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.losses.progressive import ProgressiveInfoNCELoss
from litotes.mining import DenseMiner
from litotes.models import resolve_encoder, tiny_bert
from litotes.recipes.load_model import load_model
from litotes.recipes.retrieval.peg import PegConfig, train_peg
from litotes.training import NegativesCollator
from tests.unit.recipes.retrieval.stopped_runs import Stopped, stop_at_call, weights_of
from tests.unit.training.small_world import candidates_of, small_data

PEG = {
    "encoder": "tiny:bert",
    "range_min": 3,
    "range_max": 20,
    "num_negatives": 2,
    "num_train_epochs": 2,
    "per_device_train_batch_size": 4,
    "mini_batch_size": 3,
    "learning_rate": 3e-3,
    "save_steps": 100,
    "logging_steps": 2,
}
GIVEN = {name: value for name, value in PEG.items() if name != "range_min"}  # where nothing is mined
SAVING = {**PEG, "save_steps": 2}  # to go on from where it is killed
DEV = [2]  # watched where nothing is to be held out


@pytest.fixture(scope="module", autouse=True)
def without_model_cards():
    """Writing the cards takes longer than the training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SentenceTransformer, "_create_model_card", lambda *args, **kwargs: None)
        yield


@pytest.fixture(scope="module")
def data():
    return small_data()


@pytest.fixture(scope="module")
def peg(data, tmp_path_factory):
    """A finished run: a warm-up of one epoch of four batches, then two."""
    folder = tmp_path_factory.mktemp("peg")
    return folder, train_peg(data, PegConfig(**PEG), folder)


def stage(folder):
    return json.loads((folder / "run.json").read_text())["stages"]["train/peg"]


def held_out(folder):
    return stage(folder)["summary"]["held_out"]


@pytest.fixture
def seen(monkeypatch):
    """What each call of the loss was given: the ids, and the beta of that moment."""
    calls, forward = [], ProgressiveInfoNCELoss.forward

    def watching(self, sentence_features, labels=None):
        calls.append((labels.cpu().numpy().copy(), self.beta))
        return forward(self, sentence_features, labels)

    monkeypatch.setattr(ProgressiveInfoNCELoss, "forward", watching)
    return calls


# --- the four steps -------------------------------------------------------------------------------------------------


def test_the_warm_up_has_in_batch_negatives_alone_and_beta_0(data, tmp_path, seen):
    train_peg(data, PegConfig(**PEG, beta_start=1.0), tmp_path, dev=data.select_rows(DEV))
    warm, after = seen[:4], seen[4:]
    assert all(labels.shape[1] == 2 and beta == 0 for labels, beta in warm)
    assert len(after) == 8 and all(labels.shape[1] == 2 + 2 for labels, _ in after)
    assert sorted(map(tuple, np.concatenate([labels for labels, _ in warm]).tolist())) == sorted(
        zip(*(cells.tolist() for cells in data.labels.positive_cells()), strict=True)
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [3 * step / 8 for step in range(8)]),
        ({"beta_end": -6.0}, [-6 * step / 8 for step in range(8)]),
        ({"beta_start": 2.0, "beta_end": 2.0}, [2.0] * 8),
        ({"beta_shape": "step", "beta_step_at": 0.25}, [0.0] * 2 + [3.0] * 6),
    ],
    ids=str,
)
def test_beta_follows_the_steps_after_the_warm_up(data, tmp_path, seen, options, expected):
    train_peg(data, PegConfig(**PEG, **options), tmp_path, dev=data.select_rows(DEV))
    assert [beta for _, beta in seen[4:]] == pytest.approx(expected)


def test_hard_negatives_are_those_of_the_warm_model_at_the_ranks_of_the_window(data, peg):
    folder, _ = peg
    found = Candidates.load(folder)
    expected = DenseMiner(str(folder / "warm-up"), top=17, skip=3).mine(data)
    ours = set(zip(found.row.tolist(), found.col.tolist(), found.column("rank.window").tolist(), strict=True))
    assert ours == set(zip(expected.row.tolist(), expected.col.tolist(), expected.column("rank.dense"), strict=True))
    assert {rank for _, _, rank in ours} == set(range(4, 21))
    assert not data.is_positive(found.row, found.col).any()
    untrained = DenseMiner("tiny:bert", top=17, skip=3).mine(data)
    assert set(zip(untrained.row, untrained.col, strict=True)) != {(row, col) for row, col, _ in ours}


def test_a_hard_negative_of_one_query_is_a_negative_of_all():
    loss = ProgressiveInfoNCELoss(tiny_bert(), temperature=1.0, mini_batch_size=None)
    anchors, positives = torch.eye(4)[:2], torch.eye(4)[2:]

    def value(negative):
        return float(loss.calculate_loss([[anchors], [positives], [torch.stack([negative, torch.eye(4)[3]])]]))

    far, near_the_other_query = torch.tensor([0.0, 0.0, 1.0, 0.0]), torch.tensor([0.0, 1.0, 0.0, 0.0])
    ones = 4  # documents of similarity 0 in the partition of each query
    assert value(far) == pytest.approx(np.log(ones))
    assert value(near_the_other_query) == pytest.approx((np.log(ones) + np.log(ones - 1 + np.e)) / 2)


def test_without_a_warm_up_the_starting_encoder_mines(data, tmp_path, seen):
    train_peg(data, PegConfig(**PEG, in_batch_epochs=0), tmp_path, dev=data.select_rows(DEV))
    assert len(seen) == 8 and not (tmp_path / "warm-up").exists()
    found, expected = Candidates.load(tmp_path), DenseMiner("tiny:bert", top=17, skip=3).mine(data)
    assert found.col.tolist() == expected.col.tolist()


def noisy(data):
    """Query 5 asks for a document that no encoder here brings near it."""
    labels = data.labels.without_cells([5], [5]).with_cells([5], [39])
    return data.with_labels(labels)


def test_the_filter_drops_pairs_that_the_warm_model_ranks_low(data, tmp_path, seen):
    data = noisy(data)
    train_peg(data, PegConfig(**PEG, filter_top=6, short="repeat"), tmp_path, dev=data.select_rows(DEV))
    pairs = Candidates.load(tmp_path / "pairs.parquet")
    kept = pairs.column("weight") == 1
    assert (kept == (pairs.column("judge.rank") <= 6)).all() and 0 < kept.sum() < 15
    trained = {tuple(cell) for labels, _ in seen[4:] for cell in labels[:, :2].tolist()}
    assert trained == set(zip(pairs.row[kept].tolist(), pairs.col[kept].tolist(), strict=True))
    assert stage(tmp_path)["summary"]["pairs"] == 15 and stage(tmp_path)["summary"]["pairs_kept"] == kept.sum()


def test_a_pair_that_was_filtered_out_is_no_negative_either(data, tmp_path, seen):
    train_peg(data, PegConfig(**PEG, filter_top=2), tmp_path, dev=data.select_rows(DEV))
    dropped = Candidates.load(tmp_path / "pairs.parquet")
    dropped = dropped.filter(dropped.column("weight") == 0)
    assert len(dropped)
    for labels, _ in seen[4:]:
        assert not data.is_positive(labels[:, :1], labels[:, 2:]).any()
    found = Candidates.load(tmp_path)
    mined = set(zip(found.row.tolist(), found.col.tolist(), strict=True))
    assert not mined & set(zip(dropped.row.tolist(), dropped.col.tolist(), strict=True))


def test_a_filter_that_leaves_nothing_is_refused(data, tmp_path):
    with pytest.raises(DataError, match="The filter leaves no pair to train on. Raise filter_top"):
        train_peg(data, PegConfig(**PEG, filter_min_score=1.5), tmp_path)


def test_batches_are_of_one_source(data, tmp_path, seen):
    tasks = ["even" if i % 2 == 0 else "odd" for i in range(data.n_rows)]
    data = Collection(data.labels, data.rows.table.append_column("task", pa.array(tasks)), data.cols.table)
    train_peg(data, PegConfig(**PEG, source_column="task"), tmp_path, dev=data.select_rows(DEV))
    assert len(seen) == 3 * 4 and all(len(set(labels[:, 0] % 2)) == 1 for labels, _ in seen)


def test_the_guard_leaves_out_what_scores_near_the_positive(data, tmp_path):
    train_peg(data, PegConfig(**PEG, relative_margin=0.0005, short="repeat"), tmp_path, dev=data.select_rows(DEV))
    warm = resolve_encoder(str(tmp_path / "warm-up"))
    queries, documents = warm.encode(data.row_texts, "query"), warm.encode(data.col_texts, "document")
    scores, found = queries @ documents.T, Candidates.load(tmp_path)
    lowest = np.array([scores[row, data.labels.positives(row)].min() for row in range(data.n_rows)])
    assert (scores[found.row, found.col] <= lowest[found.row] * 0.9995 + 1e-6).all()
    assert 0 < len(found) < 17 * 12


def test_a_refreshed_list_is_of_the_model_in_training(data, tmp_path, monkeypatch):
    added, original = [], NegativesCollator.add_table
    monkeypatch.setattr(NegativesCollator, "add_table", lambda *a, **k: added.append(original(*a, **k)) or added[-1])
    train_peg(data, PegConfig(**PEG, refresh_epochs=1), tmp_path, dev=data.select_rows(DEV))
    first, (table,) = Candidates.load(tmp_path), added
    assert table.from_batch == 4
    assert set(zip(table.rows, table.cols, strict=True)) != set(zip(first.row, first.col, strict=True))


def test_given_candidates_are_drawn_from_and_distrusted_ones_are_left_out(data, tmp_path, seen):
    found = candidates_of(data)
    found = found.with_columns({"trust.j": np.where(found.col % 3 == 0, 0.1, 0.9)})
    train_peg(data, PegConfig(**GIVEN, min_trust=0.5), tmp_path, candidates=found)
    drawn = np.concatenate([labels[:, 2:].ravel() for labels, _ in seen if labels.shape[1] > 2])
    assert len(drawn) and (drawn % 3 != 0).all() and not (tmp_path / "candidates").exists()


# --- what comes of it -----------------------------------------------------------------------------------------------


def test_the_model_lies_at_the_top_and_the_warm_one_under_its_role(peg, data):
    folder, returned = peg
    top, warm = (SentenceTransformer(str(path), device="cpu") for path in (folder, folder / "warm-up"))
    np.testing.assert_allclose(top.encode(["red"]), returned.encode(["red"]), atol=1e-6)
    assert np.abs(top.encode(["red"]) - warm.encode(["red"])).max() > 1e-3
    assert np.abs(warm.encode(["red"]) - tiny_bert().encode(["red"])).max() > 1e-3
    assert type(load_model(folder)) is SentenceTransformer
    assert not [p for ending in ("*.bin", "*.pt", "checkpoints") for p in folder.rglob(ending)]


def test_run_json_says_what_was_done(peg, data):
    found = stage(peg[0])
    summary = found["summary"]
    (held,) = held_out(peg[0])
    assert found["done"] and found["config"]["beta_end"] == 3.0 and found["config"]["num_negatives"] == 2
    assert summary["steps"] == 8 and summary["warm_up_steps"] == 4 and held in data.row_ids
    assert set(summary["dev_before"]) == set(summary["dev_warm"]) == set(summary["dev_after"]) >= {"nDCG@10"}


def test_what_vectors_are_compared_by_is_kept_with_the_model(data, tmp_path):
    train_peg(data, PegConfig(**PEG, similarity="dot", temperature=1.0), tmp_path)
    assert SentenceTransformer(str(tmp_path), device="cpu").similarity_fn_name == "dot"
    assert resolve_encoder(str(tmp_path)).similarity == "dot"


def test_prompts_and_lengths_are_trained_with_and_saved(data, tmp_path, monkeypatch):
    read, collating = Counter(), []
    preprocess, collate = SentenceTransformer.preprocess, SentenceTransformerDataCollator.__call__

    def watching(self, inputs, *args, prompt=None, **kwargs):
        if collating:  # others read texts too: metrics, and statistics for the model card
            read[kwargs["task"], prompt] += len(inputs)
        return preprocess(self, inputs, *args, prompt=prompt, **kwargs)

    def flagged(self, features):
        collating.append(1)
        try:
            return collate(self, features)
        finally:
            collating.pop()

    monkeypatch.setattr(SentenceTransformer, "preprocess", watching)
    monkeypatch.setattr(SentenceTransformerDataCollator, "__call__", flagged)
    config = PegConfig(**PEG, query_prompt="ask: ", corpus_prompt="doc: ", query_length=7, corpus_length=9)
    train_peg(data, config, tmp_path)
    lines = sum(len(data.labels.positives(row)) for row in range(12) if data.row_ids[row] not in held_out(tmp_path))
    # a warm-up of one epoch, then two with H = 2
    assert read == {("query", "ask: "): 3 * lines, ("document", "doc: "): lines + 2 * 3 * lines}
    loaded = SentenceTransformer(str(tmp_path), device="cpu")
    assert loaded.prompts["query"] == "ask: " and loaded.prompts["document"] == "doc: "
    assert resolve_encoder(loaded).fingerprint("query")["max_length"] == "7"


def test_training_writes_nothing_on_stdout(data, tmp_path, capsys):
    train_peg(data, PegConfig(**PEG, filter_top=30), tmp_path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "arm",
    [
        {"num_negatives": 0},
        {"miner": "bm25", "short": "drop", "range_min": 0},
        {"miner": "random"},
        {"which": "hard_negatives"},
        {"which": "in_batch_negatives", "weight_norm": "none"},
        {"level": "query"},
        {"symmetric": True},
        {"margin": -0.01},
        {"ratio": 0.98},
        {"mini_batch_size": 0},
        {"dtype": "bfloat16"},
        {"trained_layers": 1},
        {"in_batch_steps": 1, "max_steps": 2},
    ],
    ids=str,
)
def test_arms_train_and_differ(data, tmp_path, peg, arm):
    train_peg(data, PegConfig(**{**PEG, "save_steps": 100, **arm}), tmp_path)
    assert stage(tmp_path)["done"]
    ours = SentenceTransformer(str(tmp_path), device="cpu").encode(["red"])
    assert np.isfinite(ours).all() and (ours != tiny_bert().encode(["red"])).any()
    if arm != {"mini_batch_size": 0}:  # which is the same up to rounding
        assert np.abs(ours - peg[1].encode(["red"])).max() > 1e-5


def test_cached_gradients_train_what_whole_batches_train(data, tmp_path):
    options = {**PEG, "in_batch_epochs": 0, "max_steps": 3, "learning_rate": 1e-3}
    trained = []
    for size in (0, 3):
        model = tiny_bert()
        for part in model.modules():  # the order in which masks are drawn is another
            if isinstance(part, torch.nn.Dropout):
                part.p = 0.0
        config = PegConfig(**{**options, "mini_batch_size": size})
        trained.append(train_peg(data, config, tmp_path / str(size), encoder=model).encode(data.row_texts))
    assert np.abs(trained[0] - tiny_bert().encode(data.row_texts)).max() > 1e-2
    np.testing.assert_allclose(trained[0], trained[1], atol=1e-4)


# --- the same again -------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(data, tmp_path, peg):
    train_peg(data, PegConfig(**PEG), tmp_path / "same")
    train_peg(data, PegConfig(**PEG, seed=1), tmp_path / "other")
    ours = weights_of(peg[0])
    assert set(ours) == {"model.safetensors", "warm-up/model.safetensors"}
    assert weights_of(tmp_path / "same") == ours and weights_of(tmp_path / "other") != ours


@pytest.mark.parametrize(
    ("owner", "name", "number", "calls_again"),
    [
        (ProgressiveInfoNCELoss, "forward", 4, 12 - 2),  # in the warm-up, after its checkpoint of step 2
        (SentenceTransformer, "save_pretrained", "warm", 12 - 4),  # while the warm model is saved
        (DenseMiner, "mine", 1, 8),  # while mining
        (ProgressiveInfoNCELoss, "forward", 4 + 6, 8 - 4),  # in the second epoch of the last step
        (SentenceTransformer, "save_pretrained", "last", 0),
    ],
)
def test_killed_anywhere_and_resumed_is_never_killed(
    data, tmp_path, monkeypatch, peg, owner, name, number, calls_again
):
    config = PegConfig(**SAVING)
    with monkeypatch.context() as patch:
        if isinstance(number, str):  # the Trainer saves checkpoints by the same method
            target = tmp_path / "warm-up" if number == "warm" else tmp_path
            original = SentenceTransformer.save_pretrained

            def saving(self, path, *args, **kwargs):
                if str(path) == str(target):
                    raise Stopped
                return original(self, path, *args, **kwargs)

            patch.setattr(owner, name, saving)
        else:
            stop_at_call(patch, owner, name, number)
        with pytest.raises(Stopped):
            train_peg(data, config, tmp_path)
    with pytest.raises(LitotesError, match="its training is not finished"):
        load_model(tmp_path)
    again = stop_at_call(monkeypatch, ProgressiveInfoNCELoss, "forward")
    train_peg(data, config, tmp_path)
    assert weights_of(tmp_path) == weights_of(peg[0]) and len(again) <= calls_again


def test_a_resumed_run_finds_the_same_beta(data, tmp_path, monkeypatch, seen):
    with monkeypatch.context() as patch:
        stop_at_call(patch, ProgressiveInfoNCELoss, "forward", 4 + 6)
        with pytest.raises(Stopped):
            train_peg(data, PegConfig(**SAVING), tmp_path)
    seen.clear()
    train_peg(data, PegConfig(**SAVING), tmp_path)
    assert [beta for _, beta in seen] == pytest.approx([3 * step / 8 for step in range(4, 8)])


def test_a_live_encoder_is_trained_and_resumed_too(data, tmp_path, monkeypatch):
    whole = train_peg(data, PegConfig(**SAVING), tmp_path / "whole", encoder=tiny_bert(3))
    with monkeypatch.context() as patch:
        stop_at_call(patch, ProgressiveInfoNCELoss, "forward", 4 + 6)
        with pytest.raises(Stopped):
            train_peg(data, PegConfig(**SAVING), tmp_path / "killed", encoder=tiny_bert(3))
    resumed = train_peg(data, PegConfig(**SAVING), tmp_path / "killed", encoder=tiny_bert(3))
    for ours, theirs in zip(resumed.parameters(), whole.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert stage(tmp_path / "whole")["config"]["encoder"] == "a live model"


def test_a_finished_run_is_not_trained_again(data, peg, seen):
    assert isinstance(train_peg(data, PegConfig(**PEG), peg[0]), SentenceTransformer)
    assert seen == []


def test_a_folder_with_another_training_is_refused_and_says_what_differs(data, peg):
    with pytest.raises(StaleError, match=r"trained with another beta_end \(3.0 there, 1.0 now\)"):
        train_peg(data, PegConfig(**PEG, beta_end=1.0), peg[0])
    with pytest.raises(StaleError, match="another candidates"):
        train_peg(data, PegConfig(**GIVEN), peg[0], candidates=candidates_of(data))


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"range_min": 10, "range_max": 10}, "PEG mines at ranks range_min < rank <= range_max. Got 10 and 10"),
        ({"num_negatives": 0, "refresh_epochs": 1}, "PEG with num_negatives=0 mines nothing"),
        ({"miner": "bm25", "refresh_epochs": 1}, "PEG refreshes and guards what the model mines: with miner='bm25'"),
        ({"miner": "random", "relative_margin": 0.1}, "PEG refreshes and guards what the model mines"),
        ({"source_column": "a", "source_separator": ":"}, "by source_column or by source_separator, not by both"),
        (
            {"per_device_train_batch_size": 1, "num_negatives": 0, "in_batch_epochs": 0},
            "PEG with batches of one pair has no negatives in the batch: the loss of the warm-up is always 0, and with",
        ),
        ({"per_device_train_batch_size": 1}, "Raise per_device_train_batch_size, or set in_batch_epochs=0"),
        (
            {"num_negatives": 0, "which": "hard_negatives"},
            "PEG with num_negatives=0 has no hard negatives to weigh. Choose another which, or raise num_negatives.",
        ),
        ({"betaend": 1}, "PegConfig has no option 'betaend'. Did you mean 'beta_end'?"),
        ({"temperature": 0}, "The 'temperature' option of PegConfig"),
    ],
    ids=str,
)
def test_options_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(LitotesError) as refused:
        PegConfig(**options)
    assert str(refused.value).startswith(message) or message in str(refused.value)


def test_what_looks_like_that_and_has_something_to_learn_from_is_taken():
    PegConfig(per_device_train_batch_size=1, in_batch_epochs=0)
    PegConfig(num_negatives=0, which="hard_negatives", beta_end=0.0)


def test_candidates_that_would_not_be_used_are_refused(data, tmp_path):
    for options, message in (
        ({"num_negatives": 0}, "draws from no candidates"),
        ({"refresh_epochs": 1}, "PEG mines for itself where it refreshes or guards"),
        ({"range_min": 3}, "PEG mines nothing where candidates are given: leave range_min out, or the candidates"),
        ({"range_min": 3, "miner": "bm25"}, "leave miner and range_min out"),
    ):
        with pytest.raises(LitotesError, match=message):
            train_peg(data, PegConfig(**{**GIVEN, **options}), tmp_path, candidates=candidates_of(data))
    with pytest.raises(LitotesError, match="min_trust needs candidates that were judged"):
        train_peg(data, PegConfig(**PEG, min_trust=0.5), tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"num_negatives": 9, "range_max": 6},
            r"PEG needs 9 of the ranks 4 to 6 \(range_min \+ 1 to range_max\), and the corpus has 40 documents: 3 of",
        ),
        (
            {"range_min": 5000, "range_max": 6000},
            "has 40 documents: 0 of these ranks exist. Lower range_min",
        ),
        ({"range_min": 39, "range_max": 60, "short": "repeat"}, "PEG needs 1 of the ranks 40 to 60"),
    ],
    ids=str,
)
def test_a_window_outside_the_corpus_is_refused_at_the_door(data, tmp_path, seen, options, message):
    with pytest.raises(DataError, match=message):
        train_peg(data, PegConfig(**{**PEG, **options}), tmp_path)
    assert not seen, "the warm-up was for nothing"


def test_rows_short_of_candidates_are_refused_too(data, tmp_path):
    with pytest.raises(DataError, match="have fewer than 2 candidates"):
        options = {"relative_margin": 0.9999, "in_batch_epochs": 0}  # which leaves nobody enough
        train_peg(data, PegConfig(**{**PEG, **options}), tmp_path)


def test_several_processes_are_refused_and_the_way_is_named(data, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    why = r"PEG trains in one process, and this is one of 2. .* use ProgressiveInfoNCELoss\(..., gather_across"
    with pytest.raises(LitotesError, match=why):
        train_peg(data, PegConfig(**PEG), tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_a_loss_that_is_no_number_names_its_step_and_what_may_be_the_cause(data, tmp_path, monkeypatch):
    monkeypatch.setattr(ProgressiveInfoNCELoss, "_loss", lambda self, anchors, *_: anchors.sum() * torch.nan)
    why = r"The loss is nan at step 1 of 4, learning rate \S+, with temperature 0.02 and beta 0; .* vectors are finite"
    with pytest.raises(LitotesError, match=why):
        train_peg(data, PegConfig(**PEG), tmp_path, dev=data.select_rows(DEV))


def test_every_option_is_explained_and_the_paper_is_a_preset():
    assert all(field.description for field in PegConfig.model_fields.values())
    paper = PegConfig.preset("paper")
    assert paper.per_device_train_batch_size * (1 + paper.num_negatives) == 80_004
    assert paper.temperature == 0.02 and (paper.range_min, paper.range_max) == (10, 100)
    assert (paper.beta_start, paper.beta_end, paper.beta_shape) == (0.0, 3.0, "linear")
