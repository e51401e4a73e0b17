"""STAR and ADORE: what they encode, what they train, what they save; resumed = never stopped; clear refusals."""

import json

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from torch import nn

from litotes.core import Candidates
from litotes.core.errors import DataError, LitotesError, StaleError
from litotes.models import encode_cols, resolve_encoder, tiny_bert
from litotes.recipes.load_model import load_model
from litotes.recipes.retrieval.star_adore import (
    AdoreConfig,
    AdoreStep,
    StarConfig,
    train_adore,
    train_query_tower,
    train_star,
)
from litotes.training import DynamicNegatives, ExactIndex, NegativesCollator
from tests.unit.recipes.retrieval.stopped_runs import Stopped, stop_at_call, weights_of
from tests.unit.training.small_world import candidates_of, small_data

STAR = {
    "encoder": "tiny:bert",
    "top": 20,
    "per_device_train_batch_size": 4,
    "learning_rate": 3e-3,
    "save_steps": 2,
    "logging_steps": 2,
}
ADORE = {"encoder": "tiny:bert", "top": 8, "metric_cut": 8, "per_device_train_batch_size": 4, "save_steps": 2}


@pytest.fixture(scope="module")
def data():
    return small_data()


@pytest.fixture(scope="module")
def star(data, tmp_path_factory):
    """A finished run of STAR over two epochs of four batches."""
    folder = tmp_path_factory.mktemp("star")
    return folder, train_star(data, StarConfig(**STAR, num_train_epochs=2), folder)


@pytest.fixture(scope="module")
def adore(data, tmp_path_factory):
    """A finished run of ADORE over two epochs of three batches."""
    folder = tmp_path_factory.mktemp("adore")
    return folder, train_adore(data, AdoreConfig(**ADORE, num_train_epochs=2, learning_rate=3e-3), folder)


def summary(folder):
    (key,) = [k for k in json.loads((folder / "run.json").read_text())["stages"] if k.startswith("train/")]
    return json.loads((folder / "run.json").read_text())["stages"][key]


# --- what is encoded and trained ------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_negatives", [0, 1, 3])
def test_star_encodes_b_times_one_plus_h_documents_a_step_and_nothing_else(data, tmp_path, num_negatives):
    model, seen = tiny_bert(), []

    def count(module, args):
        if module.training:
            seen.append((args[0].get("task"), len(args[0]["input_ids"])))

    model.register_forward_pre_hook(count)
    config = StarConfig(**{**STAR, "num_negatives": num_negatives}, max_steps=3)
    train_star(data, config, tmp_path, encoder=model)
    queries = sum(n for task, n in seen if task == "query")
    documents = sum(n for task, n in seen if task == "document")
    if num_negatives == 0:  # sentence-transformers' own collator names no tasks
        assert sum(n for _, n in seen) == 12 * 2
    else:
        assert queries == 12 and documents == 12 * (1 + num_negatives)


def test_adore_encodes_documents_once_and_none_while_training(data, tmp_path, monkeypatch):
    model, encoded, while_training = tiny_bert(7), [], []

    def count(module, args, kwargs):
        encoded.append((kwargs.get("task"), len(args[0]["input_ids"])))

    model.register_forward_pre_hook(count, with_kwargs=True)
    import litotes.recipes.retrieval.star_adore as recipe

    original = recipe.train_query_tower

    def watched(*args, **kwargs):
        before = len(encoded)
        state = original(*args, **kwargs)
        while_training.append(len(encoded) - before)
        return state

    monkeypatch.setattr(recipe, "train_query_tower", watched)
    train_adore(data, AdoreConfig(**ADORE), tmp_path, encoder=model)
    assert while_training == [0]
    assert sum(n for task, n in encoded if task == "document") <= data.n_cols, "documents were encoded again"


def test_adore_trains_the_query_tower_alone(adore):
    folder, _ = adore
    start, both = tiny_bert(), SentenceTransformer(str(folder), device="cpu")
    texts = ["what is red", "river and stone"]
    np.testing.assert_array_equal(both.encode_document(texts), start.encode(texts))
    assert np.abs(both.encode_query(texts) - start.encode(texts)).max() > 1e-3


def test_adore_saves_a_router_that_sentence_transformers_loads(adore):
    folder, returned = adore
    loaded = SentenceTransformer(str(folder), device="cpu")
    for encode in ("encode_query", "encode_document"):
        ours, theirs = (getattr(model, encode)(["red and blue"]) for model in (returned, loaded))
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert type(load_model(folder)) is SentenceTransformer


def test_documents_of_the_result_have_the_fingerprint_of_the_starting_encoder(adore):
    folder, _ = adore
    start, both = resolve_encoder("tiny:bert"), resolve_encoder(str(folder))
    assert both.fingerprint("document")["weights"] == start.fingerprint("document")["weights"]
    assert both.fingerprint("query")["weights"] != start.fingerprint("query")["weights"]


def test_a_live_encoder_of_adore_keeps_its_weights(data, tmp_path):
    model = tiny_bert(7)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    train_adore(data, AdoreConfig(**ADORE, learning_rate=1e-2), tmp_path, encoder=model)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert all(p.requires_grad for p in model.parameters())


def test_star_trains_both_sides_and_saves_a_plain_model(star):
    folder, model = star
    loaded = SentenceTransformer(str(folder), device="cpu")
    np.testing.assert_allclose(loaded.encode(["red"]), model.encode(["red"]), atol=1e-6)
    assert np.abs(loaded.encode(["red"]) - tiny_bert().encode(["red"])).max() > 1e-3
    assert not list(folder.rglob("*.bin")) and not list(folder.rglob("*.pt")) and not (folder / "checkpoints").exists()


@pytest.mark.parametrize(("train", "options"), [(train_star, STAR), (train_adore, ADORE)])
def test_only_the_last_layers_are_trained_if_so_asked(data, tmp_path, train, options):
    config = (StarConfig if train is train_star else AdoreConfig)(**options, trained_layers=1)
    trained = train(data, config, tmp_path)
    model = trained if train is train_star else trained[0].sub_modules["query"]
    changed = {
        name
        for (name, ours), theirs in zip(model[0].named_parameters(), tiny_bert()[0].parameters(), strict=True)
        if not torch.equal(ours, theirs)
    }
    assert changed and all(".layer.1." in name or "pooler" in name for name in changed)


# --- the same again -------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(data, tmp_path, star, adore):
    train_star(data, StarConfig(**STAR, num_train_epochs=2), tmp_path / "star")
    train_adore(data, AdoreConfig(**ADORE, num_train_epochs=2, learning_rate=3e-3), tmp_path / "adore")
    assert weights_of(tmp_path / "star") == weights_of(star[0])
    assert weights_of(tmp_path / "adore") == weights_of(adore[0])
    train_star(data, StarConfig(**STAR, num_train_epochs=2, seed=1), tmp_path / "other")
    assert weights_of(tmp_path / "other") != weights_of(star[0])


def test_star_stopped_in_the_second_epoch_and_resumed_is_never_stopped(data, tmp_path, monkeypatch, star):
    from litotes.losses import StarLoss

    config = StarConfig(**STAR, num_train_epochs=2)
    with monkeypatch.context() as patch:
        stop_at_call(patch, StarLoss, "forward", 6)  # of 2 epochs of 4 batches, after the checkpoint of step 4
        with pytest.raises(Stopped):
            train_star(data, config, tmp_path)
    assert list(tmp_path.glob("checkpoints/checkpoint-*")) and not (tmp_path / "modules.json").exists()
    with pytest.raises(LitotesError, match="its training is not finished"):
        load_model(tmp_path)
    again = stop_at_call(monkeypatch, StarLoss, "forward")
    train_star(data, config, tmp_path)
    assert weights_of(tmp_path) == weights_of(star[0]) and len(again) == 8 - 4


def test_adore_stopped_in_the_second_epoch_and_resumed_is_never_stopped(data, tmp_path, monkeypatch, adore):
    config = AdoreConfig(**ADORE, num_train_epochs=2, learning_rate=3e-3)
    with monkeypatch.context() as patch:
        stop_at_call(patch, DynamicNegatives, "lists", 6)  # of 2 epochs of 3 batches
        with pytest.raises(Stopped):
            train_adore(data, config, tmp_path)
    again = stop_at_call(monkeypatch, DynamicNegatives, "lists")
    train_adore(data, config, tmp_path)
    assert weights_of(tmp_path) == weights_of(adore[0]) and len(again) == 6 - 4


def test_a_killed_save_is_made_again(data, tmp_path, monkeypatch, adore):
    config = AdoreConfig(**ADORE, num_train_epochs=2, learning_rate=3e-3)
    with monkeypatch.context() as patch:
        stop_at_call(patch, SentenceTransformer, "save_pretrained", 1)
        with pytest.raises(Stopped):
            train_adore(data, config, tmp_path)
    train_adore(data, config, tmp_path)
    assert weights_of(tmp_path) == weights_of(adore[0])


def test_a_finished_run_is_not_trained_again(data, monkeypatch, adore):
    folder, _ = adore
    import litotes.recipes.retrieval.star_adore as recipe

    monkeypatch.setattr(recipe, "train_query_tower", None)
    model = train_adore(data, AdoreConfig(**ADORE, num_train_epochs=2, learning_rate=3e-3), folder)
    assert isinstance(model, SentenceTransformer)


# --- what is written down -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("train", "options"), [(train_star, STAR), (train_adore, ADORE)])
def test_the_rows_held_out_are_named_and_not_trained_on(data, tmp_path, monkeypatch, train, options):
    rows, draw, lists = set(), NegativesCollator.draw, DynamicNegatives.lists
    monkeypatch.setattr(NegativesCollator, "draw", lambda self, cells: rows.update(cells[:, 0]) or draw(self, cells))
    monkeypatch.setattr(DynamicNegatives, "lists", lambda self, r, q: rows.update(r) or lists(self, r, q))
    train(data, (StarConfig if train is train_star else AdoreConfig)(**options), tmp_path)
    found = summary(tmp_path)["summary"]
    (held,) = found["held_out"]
    assert rows == set(range(12)) - {data.row_ids.index(held)} and found["trained_rows"] == 11
    assert set(found["dev_before"]) == set(found["dev_after"]) >= {"nDCG@10"}


def test_a_dev_split_that_was_given_is_used_and_nothing_held_out(data, tmp_path):
    train_adore(data, AdoreConfig(**ADORE), tmp_path, dev=data.select_rows([0, 1, 2]))
    found = summary(tmp_path)["summary"]
    assert found["held_out"] == [] and found["trained_rows"] == 12


def test_run_json_holds_the_resolved_options(star, adore):
    assert summary(star[0])["config"]["scale"] == summary(adore[0])["config"]["scale"] == 20.0
    assert summary(star[0])["config"]["random_weight"] == 1.0 and summary(star[0])["done"]
    steps = [json.loads(line) for line in (star[0] / "log.jsonl").read_text().splitlines()]
    assert any(line["event"] == "training" and "loss" in line for line in steps)


def test_a_live_encoder_is_not_recorded_under_another_name(data, tmp_path):
    train_adore(data, AdoreConfig(**ADORE), tmp_path, encoder=tiny_bert(2))
    assert summary(tmp_path)["config"]["encoder"] == "a live model"


@pytest.mark.parametrize(("train", "options"), [(train_star, STAR), (train_adore, ADORE)])
def test_a_loss_that_is_no_number_stops_the_training(data, tmp_path, monkeypatch, train, options):
    import litotes.losses.adore
    import litotes.losses.star

    for module, name in ((litotes.losses.star, "star_loss"), (litotes.losses.adore, "adore_loss")):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, original=original, **k: original(*a, **k) * float("nan"))
    config = (StarConfig if train is train_star else AdoreConfig)(**options)
    with pytest.raises(LitotesError, match=r"loss is nan (by|at) step [12]\. Lower the learning rate"):
        train(data, config, tmp_path)
    assert not (tmp_path / "modules.json").exists()


def test_training_writes_nothing_on_stdout(data, tmp_path, capsys):
    train_star(data, StarConfig(**STAR), tmp_path)
    assert capsys.readouterr().out == ""


# --- arms and options -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arm",
    [
        {"num_negatives": 0},
        {"random_weight": 0.0},
        {"random_weight": 0.3},
        {"random_weight": 0.0, "miner": "random"},
        {"random_weight": 0.0, "miner": "bm25", "short": "drop"},
        {"refresh_epochs": 1, "num_train_epochs": 2},
        {"optimizer": "lamb"},
        {"dtype": "bfloat16"},
    ],
    ids=str,
)
def test_arms_of_star_train_and_differ(data, tmp_path, arm):
    train_star(data, StarConfig(**{**STAR, "save_steps": 100, **arm}), tmp_path)
    assert summary(tmp_path)["done"]
    assert (SentenceTransformer(str(tmp_path), device="cpu").encode(["red"]) != tiny_bert().encode(["red"])).any()


def test_the_static_list_is_exactly_top_and_holds_no_positive_and_no_twin(data, star):
    found = Candidates.load(star[0])
    counts = np.bincount(found.row, minlength=data.n_rows)
    assert (counts == 20).all() and not data.is_positive(found.row, found.col).any()


def test_a_list_deeper_than_the_corpus_is_refused_with_the_depth_there_is(data, tmp_path):
    with pytest.raises(DataError, match=r"list of 'q0' has 37 documents, not top=40: .*Choose top=37 or less"):
        train_star(data, StarConfig(**{**STAR, "top": 40}), tmp_path, dev=data.select_rows([3]))


def test_given_candidates_are_the_list_and_distrusted_ones_are_left_out(data, tmp_path, monkeypatch):
    drawn = []
    original = NegativesCollator.draw
    monkeypatch.setattr(NegativesCollator, "draw", lambda self, cells: drawn.append(original(self, cells)) or drawn[-1])
    found = candidates_of(data).with_columns({"trust.j": np.zeros(12 * 8)})
    found = found.with_columns({"trust.j": np.where(found.col % 3 == 0, 0.1, 0.9)})
    train_star(data, StarConfig(**STAR, min_trust=0.5), tmp_path, candidates=found)
    cols = np.concatenate(drawn).ravel()
    assert len(cols) and (cols % 3 != 0).all()


def test_refreshed_lists_leave_out_what_judges_distrust_too(data, tmp_path, monkeypatch):
    tables = []
    original = NegativesCollator.add_table
    monkeypatch.setattr(NegativesCollator, "add_table", lambda *given: tables.append(original(*given)) or tables[-1])
    found = candidates_of(data, per_row=20)
    found = found.with_columns({"trust.j": np.where(found.col % 3 == 0, 0.1, 0.9)})
    config = StarConfig(**STAR, min_trust=0.5, refresh_epochs=1, num_train_epochs=2)
    train_star(data, config, tmp_path, candidates=found)
    doubted = set(zip(found.row[found.trust < 0.5].tolist(), found.col[found.trust < 0.5].tolist(), strict=True))
    offered = set(zip(tables[0].candidates.row.tolist(), tables[0].candidates.col.tolist(), strict=True))
    assert len(tables) == 1 and offered and not offered & doubted


def test_min_trust_without_judged_candidates_is_refused(data, tmp_path):
    for train, config in (
        (train_star, StarConfig(**STAR, min_trust=0.5)),
        (train_adore, AdoreConfig(**ADORE, min_trust=0.5)),
    ):
        with pytest.raises(LitotesError, match="min_trust needs candidates that were judged"):
            train(data, config, tmp_path / "a")
        with pytest.raises(LitotesError, match="No judge has given these candidates a trust"):
            train(data, config, tmp_path / "b", candidates=candidates_of(data))


def test_candidates_that_would_not_be_used_are_refused(data, tmp_path):
    with pytest.raises(LitotesError, match="candidates only serve min_trust"):
        train_adore(data, AdoreConfig(**ADORE), tmp_path, candidates=candidates_of(data))
    with pytest.raises(LitotesError, match="num_negatives=0 draws from no candidates"):
        train_star(data, StarConfig(**STAR, num_negatives=0), tmp_path, candidates=candidates_of(data))


def test_adore_trains_for_a_compressed_index(data, tmp_path):
    train_adore(data, AdoreConfig(**ADORE, index="SQ8"), tmp_path)
    assert summary(tmp_path)["done"]
    with pytest.raises(LitotesError, match="CompressedIndex cannot build 'PQ7'"):
        train_adore(data, AdoreConfig(**ADORE, index="PQ7"), tmp_path / "bad")


@pytest.mark.parametrize("change", [{"learning_rate": 1e-3}, {"encoder": "builtin:minilm"}])
def test_a_folder_with_another_training_is_refused_and_says_what_differs(data, adore, change):
    config = AdoreConfig(**{**ADORE, "num_train_epochs": 2, "learning_rate": 3e-3, **change})
    words = "learning_rate \\(0.003 there, 0.001 now\\)" if "learning_rate" in change else "starting encoder.*encoder"
    with pytest.raises(StaleError, match=f"holds a model that was trained with another .*{words}"):
        train_adore(data, config, adore[0])


def test_a_folder_of_another_command_or_other_data_is_refused(data, adore):
    with pytest.raises(StaleError, match="holds a model of train/adore"):
        train_star(data, StarConfig(**STAR, num_negatives=0), adore[0])
    config = AdoreConfig(**ADORE, num_train_epochs=2, learning_rate=3e-3)
    with pytest.raises(StaleError, match="another data"):
        train_adore(data.select_rows(range(11)), config, adore[0])


def test_data_without_a_positive_is_refused(data, tmp_path):
    from litotes.core import LabelMatrix

    empty = data.with_labels(LabelMatrix(data.row_ids, data.col_ids, [0], [0], [0.0]))
    with pytest.raises(DataError, match="None of the 12 rows has both a text and a positive with a text"):
        train_adore(empty, AdoreConfig(**ADORE), tmp_path)


def test_a_star_without_any_negatives_is_refused():
    with pytest.raises(LitotesError, match="num_negatives=0 trains on random negatives"):
        StarConfig(num_negatives=0, random_weight=0)


def test_prompts_and_lengths_are_trained_with_and_saved(data, tmp_path):
    config = AdoreConfig(**ADORE, query_prompt="ask: ", corpus_prompt="doc: ", query_length=7, corpus_length=9)
    train_adore(data, config, tmp_path)
    loaded = SentenceTransformer(str(tmp_path), device="cpu")
    assert loaded.prompts["query"] == "ask: " and loaded.prompts["document"] == "doc: "
    encoder, start = resolve_encoder(loaded), tiny_bert()
    start[0].document_length = 9
    expected = start.encode_document(["doc: red and blue stone"])
    np.testing.assert_allclose(loaded.encode_document(["red and blue stone"]), expected, atol=1e-6)
    assert encoder.fingerprint("query")["max_length"] == "7" and encoder.fingerprint("document")["max_length"] == "9"


@pytest.mark.parametrize("config", [StarConfig, AdoreConfig])
def test_every_option_is_explained_and_the_paper_is_a_preset(config):
    assert all(field.description for field in config.model_fields.values())
    paper = config.preset("paper")
    assert paper.scale == 1.0 and paper.weight_decay == 0.01 and paper.max_grad_norm == 1.0 and paper.top == 200
    with pytest.raises(LitotesError, match="has no option 'learning_rat'. Did you mean 'learning_rate'"):
        config(learning_rat=1)


# --- the step of ADORE ----------------------------------------------------------------------------------------------


class Table(nn.Module):
    """A query tower that is no text model at all: one vector a text."""

    def __init__(self, texts, dim=8, seed=0):
        super().__init__()
        self.place = {text: i for i, text in enumerate(texts)}
        torch.manual_seed(seed)
        self.vectors = nn.Embedding(len(texts), dim)

    def forward(self, texts):
        return self.vectors(torch.tensor([self.place[text] for text in texts]))


def ranks_of_positives(tower, documents, data):
    scores = tower(data.row_texts).detach().numpy() @ documents.T
    return np.array([(scores[i] > scores[i, i]).sum() for i in range(data.n_rows)])


def test_any_tower_and_any_index_train(data, tmp_path):
    class Mine:
        """An index of one's own: two methods."""

        def __init__(self, documents):
            self.exact = ExactIndex(documents)
            self.searched = 0

        def search(self, queries, k):
            self.searched += 1
            assert not queries.requires_grad
            return self.exact.search(queries, k)

        def vectors(self, ids):
            return self.exact.vectors(ids)

    documents = np.random.default_rng(0).normal(size=(data.n_cols, 8)).astype(np.float32)
    tower, index = Table(data.row_texts), Mine(documents)
    before = ranks_of_positives(tower, documents, data)
    config = AdoreConfig(top=10, metric_cut=None, learning_rate=0.1, num_train_epochs=30, scale=1.0, save_steps=50)
    step = AdoreStep(tower, DynamicNegatives(data, index, 10), config)
    state = train_query_tower(tower, step, np.arange(data.n_rows), config, tmp_path)
    assert index.searched == state.global_step == 30
    assert ranks_of_positives(tower, documents, data).mean() < before.mean() / 3


def test_the_search_follows_the_live_vectors(data):
    documents = np.random.default_rng(0).normal(size=(data.n_cols, 8)).astype(np.float32)
    tower, negatives = Table(data.row_texts), DynamicNegatives(data, ExactIndex(documents), 5)
    first = negatives.lists([0, 1], tower(data.row_texts[:2])).ids
    with torch.no_grad():
        tower.vectors.weight.neg_()
    assert not torch.equal(first, negatives.lists([0, 1], tower(data.row_texts[:2])).ids)


def test_twins_and_suspected_cells_keep_their_place_and_teach_nothing(data):
    documents = encode_cols(data, resolve_encoder("tiny:bert", store=False))
    queries = torch.from_numpy(documents[:1])  # looks for document 0, whose twin is 30
    plain = DynamicNegatives(data, ExactIndex(documents), 10).lists([0], queries)
    place = plain.ids[0].tolist().index(30)
    assert not plain.keep[0, place] and not plain.positives[0, place]
    suspect = next(
        c for c, k, p in zip(plain.ids[0].tolist(), plain.keep[0], plain.positives[0], strict=True) if k and not p
    )
    masked = DynamicNegatives(data, ExactIndex(documents), 10, suspects=np.array([suspect])).lists([0], queries)
    assert torch.equal(masked.ids, plain.ids)
    assert masked.ids[0][plain.keep[0] & ~masked.keep[0]].tolist() == [suspect]


def test_a_positive_that_was_judged_doubtful_stays_a_positive(data):
    documents = encode_cols(data, resolve_encoder("tiny:bert", store=False))
    lists = DynamicNegatives(data, ExactIndex(documents), 10, suspects=np.array([0])).lists(
        [0], torch.from_numpy(documents[:1])
    )
    assert lists.positives[0, lists.ids[0].tolist().index(0)] and lists.keep[0, lists.ids[0].tolist().index(0)]


def test_documents_without_text_are_never_retrieved_nor_appended(data):
    documents = np.ones((data.n_cols, 4), dtype=np.float32)
    usable = np.arange(data.n_cols) % 2 == 0
    lists = DynamicNegatives(data, ExactIndex(documents, usable), 50).lists([0], torch.ones(1, 4))
    assert usable[lists.ids[lists.ids >= 0]].all() and (lists.ids[0, 20:] == -1).all()
