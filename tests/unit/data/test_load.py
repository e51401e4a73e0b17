"""``load``: what a source is taken for, what is said of it, what is looked for."""

import subprocess
import sys

import datasets
import pandas
import pytest

from litotes.core.errors import DataError, LitotesError
from litotes.data.load import load

ROWS = [{"q": "night", "p": "owl"}, {"q": "dawn", "p": "lark"}]


def test_what_was_read_is_said(beir, put, capsys):
    load(beir())
    load(put("x.jsonl", ROWS))
    captured = capsys.readouterr()
    assert captured.out == ""
    first, second = captured.err.splitlines()
    assert first.endswith("set: read as BEIR, split train: 2 queries, 3 documents, 3 judgements.")
    assert "read as JSONL table (query: 'q', positive: 'p'), all of it: 2 queries, 2 documents, 2 judgements." in second


def test_what_was_counted_is_said(beir, capsys):
    load(beir(qrels="q1\td1\t1\nq1\td1\t1\nqx\tdx\t1\n"))
    said = capsys.readouterr().err
    for part in ("1 documents without text", "1 queries without judgement", "1 repeated judgements"):
        assert part in said


def test_names_and_origins(beir, put, monkeypatch):
    folder = beir()
    monkeypatch.chdir(folder)
    assert (load(".").name, load(".").origin) == ("set", ".")
    path = put("x.y.jsonl.gz", ROWS, gz=True)
    assert (load(path).name, load(path).origin, load(path).split) == ("x", str(path), None)
    assert load(pandas.DataFrame(ROWS)).origin == "pandas.DataFrame"


@pytest.mark.parametrize(
    ("line", "form"),
    [
        ({"q": "a", "p": "b"}, "JSONL table"),
        ({"query": "a", "pos": ["b"], "neg": []}, "FlagEmbedding"),
        ({"query_id": 1, "query": "a", "positive_passages": [{"docid": 1, "text": "b"}]}, "Tevatron"),
    ],
)
@pytest.mark.parametrize("ending", [".jsonl", ".json", ".ndjson", ".jsonl.gz"])
def test_json_lines_are_told_by_their_fields(put, line, form, ending):
    assert load(put(f"x{ending}", [line], gz=ending.endswith(".gz"))).notes["format"] == form


def test_a_bad_first_line_can_be_skipped(put):
    path = put("x.jsonl", 'nonsense\n{"query": "a", "pos": ["b"]}\n')
    assert load(path, skip_bad_lines=True).notes == {"format": "FlagEmbedding", "skipped_lines": 1}
    with pytest.raises(DataError, match=r"x\.jsonl:1: not valid JSON"):
        load(path)


def test_a_folder_of_tables_by_split(put):
    put("set/test.csv", "q,p\nnoon,bee\n")
    put("set/train-00000-of-00002.jsonl", ROWS[:1])
    folder = put("set/train-00001-of-00002.jsonl", ROWS[1:]).parent
    put("set/README.md", "words")
    assert load(folder).relevant_docs.keys() == load(put("x.jsonl", ROWS)).relevant_docs.keys()
    assert list(load(folder, split="test").queries.values()) == ["noon"]
    with pytest.raises(DataError, match=r"no split 'dev'\. Splits there: test, train"):
        load(folder, split="dev")
    with pytest.raises(DataError, match="of several formats"):
        load(folder, split=None)


def test_one_file_of_a_beir_folder(beir):
    with pytest.raises(DataError, match="one file of a BEIR folder. Give the folder"):
        load(beir() / "corpus.jsonl")


def test_a_dataset_dict_has_splits():
    splits = datasets.DatasetDict(
        {"train": datasets.Dataset.from_list(ROWS[:1]), "test": datasets.Dataset.from_list(ROWS)}
    )
    assert load(splits).n_rows == 1 and load(splits, split="test").n_rows == 2 and load(splits, split=None).n_rows == 2
    assert load(splits, split="test").split == "test"
    with pytest.raises(DataError, match=r"DatasetDict: no split 'dev'\. Splits there: train, test"):
        load(splits, split="dev")


def test_a_folder_of_save_to_disk(tmp_path):
    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "saved")
    with pytest.raises(DataError, match="load_from_disk"):
        load(tmp_path / "saved")
    datasets.DatasetDict({"train": datasets.Dataset.from_list(ROWS)}).save_to_disk(tmp_path / "splits")
    with pytest.raises(DataError, match="load_from_disk"):
        load(tmp_path / "splits")


def test_nothing_to_read_lists_what_was_looked_for(tmp_path):
    with pytest.raises(DataError) as raised:
        load(tmp_path)
    for name in ("corpus.jsonl", "qrels.SPLIT.txt", "SPLIT.parquet"):
        assert name in str(raised.value)


def test_a_name_that_is_not_there_has_a_neighbour(beir):
    folder = beir()
    with pytest.raises(DataError, match=r"no such file or folder\. Did you mean .*set\?"):
        load(folder.with_name("sett"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"duplicates": "maxx"}, "The 'duplicates' parameter of load must be one of"),
        ({"min_grade": "1"}, "The 'min_grade' parameter of load must be a float"),
        ({"query_column": "q"}, "query_column is for tables, and this is none"),
    ],
)
def test_options_are_checked(beir, options, said):
    with pytest.raises(LitotesError, match=said):
        load(beir(), **options)


def test_other_things_are_refused():
    with pytest.raises(LitotesError, match=r"The 'source' parameter of load must be a path.*Got list instead"):
        load(ROWS)


def test_built_in_sets_go_to_their_door(monkeypatch, beir):
    asked = []
    monkeypatch.setattr("litotes.data.builtin.load_builtin", lambda *args: asked.append(args) or made)
    made = load(beir())
    assert load("builtin:pydocs") is made and load("builtin:pydocs,size=all", split=None) is made
    assert asked == [("pydocs", "train", "demo"), ("pydocs", None, "all")]
    with pytest.raises(LitotesError, match="unknown option 'seed'"):
        load("builtin:pydocs,seed=1")


def test_loading_files_loads_no_heavy_library(put):
    path = put("x.jsonl", ROWS)
    heavy = "{'torch', 'datasets', 'scipy', 'faiss', 'sklearn', 'transformers'}"  # pyarrow itself asks for pandas
    read = f"from litotes.data import load, inspect; inspect(load({str(path)!r}))"
    code = f"import sys; {read}; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
