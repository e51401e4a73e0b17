"""``litotes data``: the sets known by name; a built-in one as files that are read back as the same set."""

import json

import pytest

from litotes.cli.main import main
from litotes.data import load, load_builtin


def test_both_kinds_of_sets_are_listed_with_where_they_were_looked_for(tmp_path, capsys, monkeypatch):
    (tmp_path / "scifact").mkdir()
    monkeypatch.setenv("LITOTES_DATA", str(tmp_path))
    assert main(["data", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in facts["sets"]] == ["pydocs"]
    public = {row["name"]: row for row in facts["public"]}
    assert list(public["scifact"]) == ["name", "what", "licence", "origin", "layout", "looked_for", "found"]
    assert public["scifact"]["found"] == str(tmp_path / "scifact")
    assert public["nfcorpus"]["found"] is None
    assert public["nfcorpus"]["looked_for"] == [str(tmp_path / "retrieval-nfcorpus"), str(tmp_path / "nfcorpus")]


@pytest.mark.parametrize("is_set", [True, False])
def test_the_list_for_people_says_what_is_here(tmp_path, capsys, monkeypatch, is_set):
    root = tmp_path / "d"
    (root / "scifact").mkdir(parents=True)
    monkeypatch.chdir(root)
    monkeypatch.setenv("LITOTES_DATA", ".") if is_set else monkeypatch.delenv("LITOTES_DATA", raising=False)
    assert main(["data"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Use one as DATA: builtin:NAME" in said and "licence: CC BY 3.0 origin: github.com/clinc/oos-eval" in said
    assert ("train, test found in scifact" in said) == is_set
    assert ("not found; looked for retrieval-nfcorpus and nfcorpus" in said) == is_set
    assert ("not looked for: LITOTES_DATA, the folder that holds public sets, is not set" in said) != is_set


def test_a_built_in_set_is_written_and_read_back(tmp_path, capsys):
    out = tmp_path / "pydocs"
    assert main(["data", "export", "pydocs", "--size", "tiny", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert f"pydocs in {out}" in said and f"Next: litotes inspect {out}" in said
    for split in ("train", "test"):
        written, built_in = load(str(out), split=split), load_builtin("pydocs", split, "tiny")
        assert set(written.row_ids) == set(built_in.row_ids) and len(written.labels) == len(built_in.labels)
        assert written.corpus == built_in.corpus
        assert {key: written.queries[key] for key in built_in.queries} == built_in.queries


def test_the_answer_for_programs_and_a_folder_that_is_not_empty(tmp_path, capsys):
    words = ["data", "export", "pydocs", "--size", "tiny", "--format", "jsonl", "--out", str(tmp_path / "x"), "--json"]
    assert main(words) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["verb"], facts["name"], facts["format"]) == ("data export", "pydocs", "jsonl")
    assert set(facts["splits"]) == {"train", "fit", "dev", "test"} and all(facts["splits"].values())
    assert main(words) == 2
    assert main([*words, "--force"]) == 0


@pytest.mark.parametrize(
    ("option", "value", "says"), [("--size", "huge", "must be one of"), ("--format", "xml", "must be one of")]
)
def test_unknown_sizes_and_formats_are_refused(tmp_path, capsys, option, value, says):
    assert main(["data", "export", "pydocs", "--out", str(tmp_path / "x"), option, value]) == 2
    assert says in capsys.readouterr().err
