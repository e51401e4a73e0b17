"""``litotes evaluate``: by labels and by the complete truth, run files under names that a file can have."""

import json
from pathlib import Path

import numpy as np
import pytest

from litotes.cli.main import main
from litotes.core import Collection
from litotes.data import load
from tests.small_beir import write_small_beir


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Test queries whose document ``d(i)`` is labelled, and of which ``d(i - 1)`` is an answer too."""
    monkeypatch.chdir(tmp_path)
    write_small_beir(Path("data"))
    data = load("data", split="test")
    rows, cols = data.labels.positive_cells()
    truth = data.labels.with_cells(rows, cols - 1)
    known = Collection(data.labels, data.rows.table, data.cols.table, name="small", split="test", truth=truth)
    monkeypatch.setattr("litotes.cli.evaluate.load_data", lambda *args, **options: known)
    Path("first.trec").write_text("".join(f"q{i} Q0 d{i - 1} 1 2.0 x\nq{i} Q0 d{i} 2 1.0 x\n" for i in range(16, 24)))
    Path("a folder").mkdir()
    Path("a folder/first.trec").write_text("".join(f"q{i} Q0 d{i} 1 2.0 x\n" for i in range(16, 24)))


def answered(capsys, *words):
    capsys.readouterr()
    assert main(["evaluate", "data", *words, "--out", "e", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_labels_and_complete_truth_stand_side_by_side(here, capsys):
    by = answered(capsys, "--encoder", "first.trec", "--metrics", "RR@10")["by"]
    means = {label: found["systems"][0]["means"]["RR@10"] for label, found in by.items()}
    assert means == {"labels": 0.5, "complete truth": 1.0}
    assert by["labels"]["comparison"] is None


def test_two_files_of_one_name_do_not_overwrite_each_other(here, capsys):
    found = answered(capsys, "--encoder", "first.trec", "--against", "a folder/first.trec", "--metrics", "RR@10")
    assert found["runs"] == {"first.trec": "first.trec", "a folder/first.trec": "first-2.trec"}
    assert Path("e/first.trec").read_text() != Path("e/first-2.trec").read_text()


def test_the_test_is_paired_and_seeded(here, capsys):
    words = ["--encoder", "first.trec", "--against", "a folder/first.trec", "--metrics", "RR@10", "--seed", "5"]
    first, second = (answered(capsys, *words)["by"]["labels"]["comparison"] for _ in range(2))
    assert first == second
    assert np.isclose(first["differences"][0]["difference"], -0.5)


def test_against_itself_is_one_system(here, capsys):
    found = answered(capsys, "--encoder", "first.trec", "--against", "first.trec")
    assert len(found["by"]["labels"]["systems"]) == 1


def test_a_reranking_stands_beside_the_encoder_with_the_paired_test(here, capsys):
    from litotes.models.interaction import InteractionRanker

    InteractionRanker.of(load("data", split="test")).save_pretrained("ranker")
    words = ["--encoder", "first.trec", "--rerank", "ranker", "--rerank-depth", "2", "--metrics", "RR@10"]
    found = answered(capsys, *words)
    by = found["by"]["labels"]
    names = [system["name"] for system in by["systems"]]
    assert names == ["first.trec + ranker", "first.trec"] and len(found["runs"]) == 2
    comparison = by["comparison"]
    assert (comparison["a"], comparison["b"]) == tuple(names)
    reranked, plain = (system["means"]["RR@10"] for system in by["systems"])
    assert np.isclose(comparison["differences"][0]["difference"], reranked - plain)
    assert reranked > plain == 0.5
    assert answered(capsys, *words[:4], "--rerank-depth", "1", *words[6:])["by"]["labels"]["systems"][0]["means"] == {
        "RR@10": 0.5
    }
    assert main(["evaluate", "data", *words, "--out", "e"]) == 0
    assert "first.trec + ranker" in capsys.readouterr().out


def test_two_comparisons_at_once_are_refused(here, capsys):
    words = ["evaluate", "data", "--encoder", "first.trec", "--against", "first.trec", "--rerank", "x", "--out", "e"]
    assert main(words) == 2
    assert "give --against or --rerank, not both" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--encoder", "--against"])
def test_a_ranker_cannot_search_and_is_named_where_it_belongs(here, capsys, option):
    from litotes.models.tiny import tiny_cross_encoder

    tiny_cross_encoder().save_pretrained("ranker")
    words = {"--encoder": "first.trec", option: "ranker"}
    assert main(["evaluate", "data", *(word for pair in words.items() for word in pair), "--out", "e"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "ranker holds a ranker, which reads a query and a document together" in said and "--rerank ranker" in said
