"""Public data sets by name: where they are looked for, what is said where they are not."""

import pytest

from litotes.core.errors import DataError, LitotesError
from litotes.data.builtin import BUILTIN
from litotes.data.load import load
from litotes.data.public import PUBLIC, public_folder


def test_each_row_says_everything_once():
    assert not PUBLIC.keys() & BUILTIN.keys()
    assert len({row.folder for row in PUBLIC.values()}) == len(PUBLIC)
    for name, row in PUBLIC.items():
        assert name == row.name == name.lower()
        for words in (row.folder, row.what, row.licence, row.origin, row.layout):
            assert words == words.strip() and words
        assert "/" not in row.folder and row.origin.startswith("github.com/")


def test_a_licence_says_what_it_forbids_and_what_nobody_stated():
    marked = {word: {name for name, row in PUBLIC.items() if word in row.licence} for word in ("NC", "unknown")}
    assert marked["NC"] == {"nfcorpus", "lastfm2k", "cifar10n-labels"}
    assert marked["unknown"] == {
        *("cranfield", "vaswani", "umls", "acm", "dblp", "freebase", "multilabel-arff", "trec6", "sst2"),
        *("tacred-relabels", "csqa-cose", "zero-shot-commonsense"),
    }


@pytest.mark.parametrize("folder", ["retrieval-nfcorpus", "nfcorpus"])
def test_a_set_is_found_under_either_name(tmp_path, monkeypatch, folder):
    (tmp_path / folder).mkdir()
    monkeypatch.setenv("LITOTES_DATA", str(tmp_path))
    assert public_folder("nfcorpus") == PUBLIC["nfcorpus"].found() == tmp_path / folder


def test_the_longer_name_comes_first_and_a_file_is_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LITOTES_DATA", str(tmp_path))
    (tmp_path / "nfcorpus").write_text("")
    assert PUBLIC["nfcorpus"].found() is None
    (tmp_path / "nfcorpus").unlink()
    (tmp_path / "nfcorpus").mkdir()
    (tmp_path / "retrieval-nfcorpus").mkdir()
    assert public_folder("nfcorpus") == tmp_path / "retrieval-nfcorpus"


def test_a_home_is_understood(tmp_path, monkeypatch):
    (tmp_path / "sets" / "scifact").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LITOTES_DATA", "~/sets")
    assert public_folder("scifact") == tmp_path / "sets" / "scifact"


def test_what_is_absent_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("LITOTES_DATA", str(tmp_path))
    with pytest.raises(DataError) as caught:
        public_folder("nfcorpus")
    assert str(caught.value) == (
        "The public data set nfcorpus is not part of litotes and is not on this machine: looked for "
        f"{tmp_path / 'retrieval-nfcorpus'} and {tmp_path / 'nfcorpus'} under the folder that LITOTES_DATA names."
    )
    for unset in ("", None):
        monkeypatch.setenv("LITOTES_DATA", unset) if unset is not None else monkeypatch.delenv("LITOTES_DATA")
        with pytest.raises(DataError) as caught:
            public_folder("nfcorpus")
        assert str(caught.value) == (
            "The public data set nfcorpus is not part of litotes: set LITOTES_DATA to the folder that holds such sets, "
            "where it is looked for as retrieval-nfcorpus and as nfcorpus."
        )


def test_an_unknown_name_is_refused():
    with pytest.raises(LitotesError, match="must be one of .*. Got 'nfcorpsu' instead. Did you mean 'nfcorpus'"):
        public_folder("nfcorpsu")


class TestLoad:
    def test_by_name(self, beir, tmp_path, monkeypatch, capsys):
        folder = beir()
        folder.rename(folder.parent / "retrieval-nfcorpus")
        monkeypatch.setenv("LITOTES_DATA", str(folder.parent))
        monkeypatch.chdir(tmp_path.parent)
        data = load("nfcorpus")
        assert (data.name, data.origin) == ("nfcorpus", str(folder.parent / "retrieval-nfcorpus"))
        assert data.fingerprint == load(folder.parent / "retrieval-nfcorpus").fingerprint
        assert f"{data.origin}: read as BEIR, split train" in capsys.readouterr().err

    def test_what_lies_here_comes_first(self, beir, monkeypatch):
        folder = beir()
        folder.rename(folder.parent / "nfcorpus")
        monkeypatch.chdir(folder.parent)
        monkeypatch.setenv("LITOTES_DATA", "/nowhere")
        assert load("nfcorpus").origin == "nfcorpus"

    def test_a_path_is_never_a_name(self, tmp_path, beir, monkeypatch):
        folder = beir()
        folder.rename(folder.parent / "retrieval-nfcorpus")
        monkeypatch.setenv("LITOTES_DATA", str(folder.parent))
        with pytest.raises(DataError, match="no such file or folder"):
            load(tmp_path / "elsewhere" / "nfcorpus")

    def test_absent(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("LITOTES_DATA", str(tmp_path))
        with pytest.raises(DataError, match="The public data set nfcorpus is not part of litotes and is not on this"):
            load("nfcorpus")


REAL = [
    ("nfcorpus", "test", 323, 3395, 12334),
    ("scifact", "test", 300, 5183, 339),
    ("cranfield", "all", 225, 1400, 1837),
    ("vaswani", "all", 93, 11429, 2083),
    ("banking77", "test", 3080, 77, 3080),
]


@pytest.mark.data
@pytest.mark.parametrize(("name", "split", "queries", "documents", "judgements"), REAL)
def test_the_retrieval_sets_load_as_they_are(name, split, queries, documents, judgements, tmp_path, monkeypatch):
    if PUBLIC[name].found() is None:
        pytest.skip(f"{name} is not in a folder that LITOTES_DATA names")
    monkeypatch.chdir(tmp_path)
    data = load(name, split=split)
    assert (data.n_rows, data.n_cols, len(data.labels)) == (queries, documents, judgements)
    assert data.rows_with_content.all() and data.name == name
