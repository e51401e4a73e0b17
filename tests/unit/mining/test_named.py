"""Miners by their names."""

import pytest

from litotes.core.errors import LitotesError
from litotes.mining.bm25 import BM25Miner
from litotes.mining.named import MINERS, check_name, miner_from_spec
from litotes.mining.random import RandomMiner
from litotes.mining.trec_run import RunMiner


def test_a_spec_gives_a_miner():
    assert miner_from_spec("bm25") == BM25Miner()
    assert miner_from_spec("bm25:k1=0.9,top=7,name=lucene") == BM25Miner(k1=0.9, top=7, name="lucene")
    assert miner_from_spec("bm25:stop_words=english,stemmer=english").stop_words == "english"
    assert miner_from_spec("bm25:memory_map=true").memory_map is True


def test_defaults_serve_where_the_spec_is_silent():
    made = miner_from_spec("random:top=7", top=5, seed=3, encoder="builtin:minilm", skip=None)
    assert made == RandomMiner(top=7, seed=3)


def test_a_run_is_named_by_its_path(tmp_path):
    (tmp_path / "bm25.trec").touch()
    made = miner_from_spec(f"run:{tmp_path}/bm25.trec,name=lucene")
    assert made == RunMiner(f"{tmp_path}/bm25.trec", name="lucene")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("bm52", "The 'kind' parameter of --miner must be one of 'random', 'popularity', 'bm25'"),
        ("bm25:k2=1", "BM25Miner has no option 'k2'. It takes: top, skip, min_score, max_score, k1, b,"),
        ("bm25:top=many", "The 'top' option of BM25Miner must be int. Got 'many' instead."),
        ("bm25:top=0", "The 'top' parameter of BM25Miner must be an int in the range [1, inf). Got 0 instead."),
        ("bm25:name=a/b", "'bm25:name=a/b': the name 'a/b' must be a plain word"),
        ("hnsw:index=ivf", "'hnsw:index=ivf': hnsw means index=hnsw; leave the option out."),
        ("popularity:draw=tops", "The 'draw' option of PopularityMiner must be"),
    ],
)
def test_what_is_wrong_with_a_spec_is_said(spec, message):
    with pytest.raises(LitotesError) as error:
        miner_from_spec(spec)
    assert str(error.value).startswith(message)


def test_every_kind_leads_to_a_class_with_its_parts():
    for kind, (module, class_name, fixed) in MINERS.items():
        assert module.startswith("litotes.mining.") and class_name.endswith("Miner") and kind.islower()
        assert set(fixed) <= {"index"}


@pytest.mark.parametrize("name", ["dense", "e5", "bge-m3", "a_b+c", "π"])
def test_plain_names_pass(name):
    assert check_name("M", name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "a:b", "-a", None, "a\n"])
def test_other_names_do_not(name):
    with pytest.raises(LitotesError, match="The 'name' parameter of M must be a plain word"):
        check_name("M", name)
