"""Equal to the original where that is deterministic and right, different where it is not: both are run side by side."""

import importlib
import inspect
import random
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset

from litotes.compat import mine_hard_negatives
from litotes.core.errors import LitotesError
from tests.unit.compat.small_pairs import word_model
from tests.unit.judging.small_cross_encoder import save_small_cross_encoder

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs/guide/from-sentence-transformers.md"

CONFIGURATIONS = {
    "defaults": {},
    "n-tuples with scores": {"output_format": "n-tuple", "output_scores": True, "num_negatives": 5},
    "a window of ranks": {"range_min": 3, "range_max": 12, "output_scores": True},
    "absolute margin": {"absolute_margin": 0.1, "output_scores": True},
    "relative margin, lists": {"relative_margin": 0.05, "output_format": "labeled-list", "output_scores": True},
    "bounds, pairs": {"max_score": 0.6, "min_score": 0.45, "output_format": "labeled-pair", "output_scores": True},
    "labelled pairs": {"relative_margin": 0.3, "output_format": "labeled-pair"},
    "labelled lists": {"max_score": 0.5, "range_min": 1, "output_format": "labeled-list"},
    "every bound, faiss": {
        "relative_margin": 0.01,
        "absolute_margin": 0.02,
        "max_score": 0.7,
        "min_score": 0.2,
        "range_min": 2,
        "range_max": 30,
        "num_negatives": 4,
        "output_format": "labeled-list",
        "output_scores": True,
        "use_faiss": True,
    },
    "small blocks": {"faiss_batch_size": 7, "batch_size": 3, "output_scores": True},
    "prompts by name": {"query_prompt_name": "ask", "corpus_prompt_name": "document", "output_scores": True},
    "prompts as text": {"query_prompt": "w4 ", "corpus_prompt": "w5 w6 ", "output_scores": True},
    "no prompts": {"query_prompt": "", "corpus_prompt": "", "query_prompt_name": "ask", "output_scores": True},
    "positives ranked too": {"include_positives": True, "output_scores": True, "num_negatives": 6},
    "positives ranked and bounded": {"include_positives": True, "max_score": 0.8, "output_format": "n-tuple"},
    "too few documents": {"num_negatives": 200, "output_format": "labeled-list", "output_scores": True},
    "whole n-tuples only": {"num_negatives": 4, "relative_margin": 0.05, "range_max": 20, "output_format": "n-tuple"},
    "older names": {"margin": 0.1, "as_triplets": False},
    "an older format": {"output_format": "n-tuple-scores"},
    "columns by name": {"anchor_column_name": "answer", "positive_column_name": "question"},
}


@pytest.mark.peers
@pytest.mark.parametrize("options", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
@pytest.mark.parametrize("from_corpus", [True, False])
def test_the_result_is_the_originals(original, dataset, corpus, model, options, from_corpus):
    options = {**options, "corpus": corpus if from_corpus else None, "verbose": False}
    _assert_same(mine_hard_negatives(dataset, model, **options), original(dataset, model, **options))


@pytest.mark.peers
@pytest.mark.parametrize(
    "options",
    [
        {"relative_margin": 0.05, "output_scores": True},
        {"min_score": 0.8, "output_format": "labeled-pair", "output_scores": True},
        {"max_score": 0.9, "range_min": 2, "output_format": "labeled-list", "output_scores": True},
        {"absolute_margin": 0.0, "include_positives": True, "num_negatives": 2, "output_scores": True},
    ],
    ids=["relative margin", "min_score", "max_score", "positives ranked too"],
)
def test_the_result_with_a_cross_encoder_is_the_originals(original, dataset, corpus, model, options):
    options = {**options, "corpus": corpus, "cross_encoder": NumberedPairs(), "verbose": False}
    _assert_same(mine_hard_negatives(dataset, model, **options), original(dataset, model, **options))


def test_a_cross_encoder_gives_the_scores_that_it_predicts(dataset, corpus, model, tmp_path):
    from sentence_transformers import CrossEncoder

    reader = CrossEncoder(save_small_cross_encoder(tmp_path), device="cpu")
    options = {"corpus": corpus, "min_score": 0.0, "output_format": "labeled-pair", "output_scores": True}
    mined = mine_hard_negatives(dataset, model, cross_encoder=reader, **options, verbose=False)
    scores = reader.predict(list(zip(mined["question"], mined["answer"], strict=True)))
    np.testing.assert_allclose(mined["score"], scores, atol=1e-5)
    assert scores.std() > 0.1


def test_no_two_documents_score_so_alike_that_rounding_could_order_them(dataset, corpus, model):
    anchors, documents = dict.fromkeys(dataset["question"]), dict.fromkeys([*corpus, *dataset["answer"]])
    vectors = [model.encode(list(texts), normalize_embeddings=True) for texts in (anchors, documents)]
    scores = np.sort(vectors[0] @ vectors[1].T, axis=1)
    assert np.diff(scores, axis=1).min() > 1e-5 and scores.min() < -0.3
    assert len(dataset) > len(anchors)


@pytest.mark.peers
def test_positional_arguments_mean_the_same(original, dataset, corpus, model):
    some = (dataset, model, "question", "answer", corpus, None, 1, 20, 0.9, 0.0, 0.01, 0.02, 2, "top", None, "w4 ")
    _assert_same(mine_hard_negatives(*some, verbose=False), original(*some, verbose=False))


@pytest.mark.peers
def test_arguments_their_order_and_defaults_are_the_originals(original):
    ours, theirs = (inspect.signature(function).parameters for function in (mine_hard_negatives, original))
    assert {name: (argument.default, argument.kind) for name, argument in theirs.items()} == {
        name: (argument.default, argument.kind) for name, argument in ours.items() if name != "seed"
    }
    assert [*theirs, "seed"] == list(ours)


def test_the_guide_names_every_argument_and_the_version_that_is_tested_with():
    guide = GUIDE.read_text(encoding="utf-8")
    named = re.findall(r"`(\w+)", "".join(re.findall(r"^\| ([^|]*) \|", guide, flags=re.MULTILINE)))
    assert {*named, "output_format"} == set(inspect.signature(mine_hard_negatives).parameters)
    [pinned] = re.findall(r"^sentence-transformers==(.*)$", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE)
    assert f"**sentence-transformers {pinned}**" in guide


def test_the_python_of_the_guide_runs(dataset, corpus, model, capsys):
    [block] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)
    names = {"dataset": dataset, "model": model, "corpus": corpus}
    exec(compile(block, str(GUIDE), "exec"), names)
    assert names["triplets"].column_names == ["question", "answer", "negative"]
    assert names["tuples"].column_names[2:] == ["negative_1", "negative_2", "negative_3", "scores"]
    assert len(names["drawn"]) == 3 * 45


# --- where the original is not right, or not the same twice ----------------------------------------------------------


@pytest.mark.peers
@pytest.mark.parametrize("twin", ["w1 w2 w3 ", "W1 w2  w3"], ids=["a trailing blank", "capitals and blanks"])
def test_a_positive_in_other_spelling_is_no_negative(original, model, twin):
    pairs = Dataset.from_dict({"anchor": ["w1 w2", "w7"], "positive": ["w1 w2 w3", "w8 w9"]})
    options = {"corpus": [twin, "w20 w21"], "num_negatives": 1, "verbose": False}
    assert original(pairs, model, **options)[0] == {"anchor": "w1 w2", "positive": "w1 w2 w3", "negative": twin}
    mined = mine_hard_negatives(pairs, model, **options)
    assert mined["anchor"] == ["w1 w2", "w7"] and mined[0]["negative"] != twin


@pytest.mark.peers
def test_the_positive_of_an_anchor_in_other_spelling_is_no_negative(original, model):
    lines = {"anchor": ["w1 w2", "W1 w2 ", "w9"], "positive": ["w1 w4", "w2 w5", "w9 w8"]}
    pairs = Dataset.from_dict(lines)
    options = {"num_negatives": 1, "verbose": False}
    assert original(pairs, model, **options)["negative"][:2] == ["w2 w5", "w1 w4"]
    mined = mine_hard_negatives(pairs, model, **options)
    assert mined["anchor"] == lines["anchor"] and mined["negative"][:2] == ["w9 w8", "w9 w8"]


@pytest.mark.peers
def test_a_random_draw_has_a_seed_and_leaves_pythons_generator_alone(original, dataset, corpus, model):
    options = {"corpus": corpus, "sampling_strategy": "random", "range_max": 30, "verbose": False}
    assert original(dataset, model, **options).to_dict() != original(dataset, model, **options).to_dict()
    state = random.getstate()
    first, second, other = (mine_hard_negatives(dataset, model, **options, seed=seed) for seed in (0, 0, 1))
    assert first.to_dict() == second.to_dict() != other.to_dict()
    assert random.getstate() == state


def test_a_random_draw_takes_from_the_window_and_stays_in_order(dataset, corpus, model):
    options = {"corpus": corpus, "range_min": 2, "range_max": 10, "output_format": "labeled-list", "verbose": False}
    window = mine_hard_negatives(dataset, model, **options, num_negatives=8)["answer"]
    drawn = mine_hard_negatives(dataset, model, **options, num_negatives=3, sampling_strategy="random", seed=4)
    assert {len(documents) for documents in drawn["answer"]} == {4}
    for documents, all_eight in zip(drawn["answer"], window, strict=True):
        places = [all_eight.index(document) for document in documents]
        assert places == sorted(places) and places[0] == 0
    assert any(documents != all_eight[:4] for documents, all_eight in zip(drawn["answer"], window, strict=True))


@pytest.mark.peers
def test_a_relative_margin_below_zero_stays_on_the_right_side_as_in_the_original_since_5_6(original):
    """Before, the bound at a positive of -.5 was -.475, above it."""
    cosines = {"close": -0.49, "positive": -0.5, "inside the margin": -0.51, "far": -0.8}
    model = vector_model({"anchor": [1.0, 0.0], **{name: [c, (1 - c * c) ** 0.5] for name, c in cosines.items()}})
    pairs = Dataset.from_dict({"anchor": ["anchor"], "positive": ["positive"]})
    options = {"corpus": list(cosines), "relative_margin": 0.05, "verbose": False}
    mined = mine_hard_negatives(pairs, model, **options)
    assert mined["negative"] == ["far"]
    _assert_same(mined, original(pairs, model, **options))


@pytest.mark.peers
def test_a_margin_is_never_taken_between_scores_of_two_kinds(original, dataset, corpus):
    """With faiss, the original holds inner products of candidates against negative distances of positives."""
    model = word_model(similarity_fn_name="euclidean")
    options = {"corpus": corpus, "absolute_margin": 0.0, "verbose": False}
    assert len(original(dataset, model, **options)) > 50
    assert len(original(dataset, model, **options, use_faiss=True)) < 10
    with pytest.raises(LitotesError) as caught:
        mine_hard_negatives(dataset, model, **options)
    assert str(caught.value) == (
        "The model compares by 'euclidean'; mine_hard_negatives searches by the cosine of two vectors. "
        "Set model.similarity_fn_name = 'cosine' to mine by that."
    )


@pytest.mark.peers
def test_kept_vectors_are_those_of_this_model(original, dataset, corpus, tmp_path):
    options = {"corpus": corpus, "verbose": False}
    one, other = word_model(0), word_model(1)
    expected = [original(dataset, model, **options).to_dict() for model in (one, other)]
    assert expected[0] != expected[1]
    theirs = [original(dataset, model, **options, cache_folder=str(tmp_path / "a")).to_dict() for model in (one, other)]
    assert theirs == [expected[0], expected[0]]  # the second model silently got the vectors of the first
    ours = [mine_hard_negatives(dataset, model, **options, cache_folder=tmp_path / "b") for model in (one, other)]
    assert [mined.to_dict() for mined in ours] == expected


def test_kept_vectors_are_used_again(dataset, corpus, model, tmp_path, monkeypatch):
    options = {"corpus": corpus, "verbose": False, "cache_folder": tmp_path, "output_scores": True}
    first = mine_hard_negatives(dataset, model, **options)
    monkeypatch.setattr(model, "encode_document", None)
    monkeypatch.setattr(model, "encode_query", None)
    assert mine_hard_negatives(dataset, model, **options).to_dict() == first.to_dict()
    with pytest.raises(TypeError):
        mine_hard_negatives(dataset, model, **options, query_prompt="w9 ")


@pytest.mark.peers
def test_a_misspelt_column_is_refused_not_replaced(original, model):
    pairs = Dataset.from_dict({"question": ["w1", "w2"], "source": ["w3", "w4"], "answer": ["w5", "w6"]})
    assert original(pairs, model, positive_column_name="answers", num_negatives=1)["source"] == ["w3", "w4"]
    with pytest.raises(LitotesError, match="positive_column_name='answers' is not among .* Did you mean 'answer'?"):
        mine_hard_negatives(pairs, model, positive_column_name="answers")


@pytest.mark.peers
def test_a_vector_that_is_no_number_is_refused_not_ranked_first(original):
    model = vector_model({"anchor": [1.0, 0.0], "positive": [1.0, 0.1], "broken": [np.nan, 0.0], "other": [1.0, 0.3]})
    pairs = Dataset.from_dict({"anchor": ["anchor"], "positive": ["positive"]})
    options = {"corpus": ["other", "broken"], "num_negatives": 1, "absolute_margin": 0.0, "verbose": False}
    assert original(pairs, model, **options)["negative"] == ["broken"]
    with pytest.raises(LitotesError, match="made NaN or infinity of text 1 .*broken"):
        mine_hard_negatives(pairs, model, **options)


@pytest.mark.peers
def test_a_document_without_text_is_no_negative(original, model):
    pairs = Dataset.from_dict({"anchor": ["w1"], "positive": ["w1 w2"]})
    options = {"corpus": ["", " ", "w30"], "num_negatives": 3, "output_format": "labeled-list", "verbose": False}
    assert {"", " "} < set(original(pairs, model, **options)["positive"][0])
    assert mine_hard_negatives(pairs, model, **options)["positive"] == [["w1 w2", "w30"]]


@pytest.mark.peers
def test_a_cross_encoder_that_no_bound_asks_is_named(original, dataset, corpus, model, capsys):
    options = {"corpus": corpus, "output_scores": True, "verbose": False}
    unasked = mine_hard_negatives(dataset, model, cross_encoder=NumberedPairs(broken=True), **options)
    assert capsys.readouterr().err == (
        "mine_hard_negatives: cross_encoder is not asked, as in sentence-transformers: it scores candidates where "
        "absolute_margin, relative_margin, max_score or min_score is given.\n"
    )
    _assert_same(unasked, original(dataset, model, cross_encoder=NumberedPairs(broken=True), **options))
    with pytest.raises(ZeroDivisionError):
        mine_hard_negatives(dataset, model, cross_encoder=NumberedPairs(broken=True), max_score=1.0, **options)


@pytest.mark.peers
def test_what_a_bound_dropped_is_counted_without_positives(original, dataset, corpus, model, capsys):
    """Nothing is below -2; the original counts the positives, which it has set to minus infinity."""
    original(dataset, model, corpus=corpus, min_score=-2.0)
    assert "due to the min_score of -2.0" in capsys.readouterr().out
    mine_hard_negatives(dataset, model, corpus=corpus, min_score=-2.0)
    assert "dropped" not in capsys.readouterr().err


@pytest.mark.peers
def test_an_empty_result_keeps_its_types(original, dataset, corpus, model):
    options = {"corpus": corpus, "max_score": -2.0, "verbose": False}
    assert {feature.dtype for feature in original(dataset, model, **options).features.values()} == {"null"}
    empty = mine_hard_negatives(dataset, model, **options)
    assert len(empty) == 0 and {feature.dtype for feature in empty.features.values()} == {"string"}


def test_documents_of_equal_score_stand_in_the_order_of_the_corpus():
    model = vector_model({"anchor": [1.0, 0.0], "positive": [1.0, 0.1], **{word: [1.0, 0.3] for word in "edcba"}})
    pairs = Dataset.from_dict({"anchor": ["anchor"], "positive": ["positive"]})
    mined = mine_hard_negatives(pairs, model, corpus=list("bdaec"), num_negatives=4, verbose=False)
    assert list(mined["negative"]) == list("bdae")


# --- what is said ----------------------------------------------------------------------------------------------------


def test_older_names_are_said(dataset, model, capsys):
    mine_hard_negatives(dataset, model, margin=0.1, as_triplets=True, verbose=False)
    assert capsys.readouterr().err == (
        "mine_hard_negatives: as_triplets is called output_format now; output_format='triplet' is used.\n"
        "mine_hard_negatives: margin is called absolute_margin now; absolute_margin=0.1 is used.\n"
    )
    mine_hard_negatives(dataset, model, output_format="n-tuple-scores", verbose=False)
    assert "'n-tuple-scores' is now 'n-tuple' with output_scores=True" in capsys.readouterr().err


def test_what_ranked_positives_need_is_said(dataset, model, capsys):
    mine_hard_negatives(dataset, model, include_positives=True, range_min=1, verbose=False)
    assert capsys.readouterr().err == (
        "mine_hard_negatives: include_positives=True needs output_format='n-tuple', which keeps the ranking; 'triplet' "
        "is not used.\n"
        "mine_hard_negatives: with include_positives=True, bounds, range_min and sampling may leave positives out as "
        "well.\n"
    )
    mine_hard_negatives(dataset, model, include_positives=True, output_format="n-tuple", verbose=False)
    assert capsys.readouterr().err == ""


def test_verbose_prints_to_stderr_and_not_verbose_prints_nothing(dataset, corpus, model, capsys):
    mine_hard_negatives(dataset, model, corpus=corpus, verbose=False)
    assert capsys.readouterr() == ("", "")
    mine_hard_negatives(dataset, model, corpus=corpus)
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith(
        "30 anchors with 45 positives (46 lines), 105 documents; ranks 0 to 6 "
    )


def test_the_window_that_is_said_is_wide_where_bounds_thin_it_out(dataset, corpus, model, capsys):
    said = []
    for options in ({"min_score": 0.0}, {"max_score": 0.9}, {"min_score": 0.0, "cross_encoder": NumberedPairs()}):
        mine_hard_negatives(dataset, model, corpus=corpus, **options)
        said.append(capsys.readouterr().err.partition("ranks ")[2].partition(" give")[0])
    assert said == ["0 to 6", "0 to 33", "0 to 33"]


def test_n_tuples_that_are_left_out_are_not_counted(dataset, corpus, model, capsys):
    options = {"corpus": corpus, "max_score": 0.6, "range_max": 8, "num_negatives": 6}
    lists = mine_hard_negatives(dataset, model, **options, output_format="labeled-list", verbose=False)["answer"]
    assert {7} < {len(documents) for documents in lists}  # some rows are short, else this would be vacuous
    mined = mine_hard_negatives(dataset, model, **options, output_format="n-tuple")
    said = capsys.readouterr().err
    assert f"\ncount             45{6 * len(mined):>12}{6 * len(mined):>12}\n" in said
    assert f"\n{45 - len(mined)} of 45 pairs" in said and 0 < len(mined) < 45


def test_the_size_of_blocks_and_whether_to_show_bars_reach_the_search(dataset, model, monkeypatch):
    module, asked = importlib.import_module("litotes.compat.mine_hard_negatives"), []
    search, shown = module.search, []

    def seen(*vectors, **options):
        asked.append((options["block_queries"], options["description"]))
        return search(*vectors, **options)

    class Vectors:
        similarity = "cosine"

        def encode(self, texts, role, *, ids=None, progress=True):
            shown.append((role, progress))
            return model.encode(texts, normalize_embeddings=True)

        def fingerprint(self, role):
            return {}

    monkeypatch.setattr(module, "search", seen)
    mine_hard_negatives(dataset, Vectors(), faiss_batch_size=5, verbose=False)
    mine_hard_negatives(dataset, Vectors())
    assert asked == [(5, None), (16384, "Searching")]
    assert shown == [("document", False), ("query", False), ("document", True), ("query", True)]


def test_a_score_that_is_no_number_is_refused(dataset, model):
    reader = NumberedPairs()
    reader.predict = lambda pairs, **options: np.full(len(pairs), np.nan)
    with pytest.raises(LitotesError, match="The cross-encoder gave no finite number for 'w.*' and 'w.*'\\."):
        mine_hard_negatives(dataset, model, cross_encoder=reader, max_score=1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"faiss_batch_size": 0}, "The 'faiss_batch_size' parameter of mine_hard_negatives must be an int"),
        ({"output_format": "triplets"}, "'output_format' parameter .* Did you mean 'triplet'?"),
        ({"sampling_strategy": "hardest"}, "'sampling_strategy' .* must be one of 'top', 'random'. Got 'hardest'"),
        ({"seed": 0.5}, "The 'seed' parameter of mine_hard_negatives must be an int"),
        ({"max_score": float("nan")}, "The 'max_score' parameter of mine_hard_negatives must be a float"),
        ({"num_negatives": 4, "range_max": 3}, "Ranks 0 to 3 leave 3 candidates a query, and num_negatives=4"),
    ],
)
def test_an_argument_out_of_range_is_refused(dataset, model, options, message):
    with pytest.raises(LitotesError, match=message):
        mine_hard_negatives(dataset, model, **options)


# --- helpers ---------------------------------------------------------------------------------------------------------


class NumberedPairs:
    """A cross-encoder whose score of a pair is a number made of its letters: exact, and the same for everybody."""

    num_labels, training, max_seq_length, device = 1, False, 64, torch.device("cpu")

    def __init__(self, broken: bool = False) -> None:
        self.broken = broken

    def predict(self, pairs, batch_size, convert_to_tensor=False, **options):
        if self.broken:
            raise ZeroDivisionError
        scores = [zlib.crc32("|".join(pair).encode()) / 2**32 for pair in pairs]
        return torch.tensor(scores) if convert_to_tensor else np.array(scores, dtype=np.float32)

    def train(self, mode):
        """Nothing to switch."""


def vector_model(vectors: dict[str, list[float]]):
    """A model that knows the vector of each word."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models

    vocabulary = {word: number for number, word in enumerate(["[UNK]", *vectors])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    weights = np.array([[0.0, 0.0], *vectors.values()], dtype=np.float32)
    return SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)], device="cpu")


def _assert_same(ours: Dataset, theirs: Dataset) -> None:
    """The same columns, lines and texts in the same order; scores up to rounding."""
    assert ours.column_names == theirs.column_names
    if len(theirs):
        assert ours.features == theirs.features
    assert len(ours) == len(theirs)
    for name in theirs.column_names:
        if name in ("score", "scores"):
            flat = [np.hstack([*dataset[name], 0.0]) for dataset in (ours, theirs)]
            np.testing.assert_allclose(*flat, atol=1e-6)
        else:
            assert list(ours[name]) == list(theirs[name]), name
