"""The search engineer's walk-through, command by command, on a small folder: what each prints, writes and adds."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sentence_transformers import SentenceTransformer

from litotes.cli.main import main
from litotes.core import Candidates
from litotes.core.files import read_json
from litotes.data import load, read_run
from tests.small_beir import write_small_beir

DENSE = ["--miner", "dense", "--encoder", "builtin:minilm", "--query-prompt", "", "--corpus-prompt", "", "--top", "8"]
TINY = ["--encoder", "tiny:bert", "--max-steps", "2", "--per-device-train-batch-size", "4"]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with data, a run of three miners and two judges, and its report: made by the commands themselves."""
    folder = tmp_path_factory.mktemp("walk")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_small_beir(Path("data/small"))
        Path("bm25.trec").write_text(
            "".join(f"q{i} Q0 d{(i + 1) % 24} 1 2.5 lucene\nq{i} Q0 d{i} 2 2.0 lucene\n" for i in range(16))
        )
        for line in (
            ["mine", "data/small", *DENSE, "--out", "runs/small"],
            ["mine", "data/small", "--miner", "bm25", "--top", "8", "--out", "runs/small"],
            ["mine", "data/small", "--miner", "run:bm25.trec,name=lucene", "--out", "runs/small"],
            ["judge", "runs/small", "--by", "document"],
            ["judge", "runs/small", "--by", "margin:relative_margin=0.05"],
            ["report", "runs/small"],
        ):
            assert main(line) == 0, line
    return folder


@pytest.fixture(autouse=True)
def here(work, monkeypatch):
    monkeypatch.chdir(work)


def run(capsys, *words):
    """What a command with ``--json`` answers: stdout must be one JSON object."""
    capsys.readouterr()
    code = main([*words, "--json"])
    said = capsys.readouterr()
    assert code == 0, said.err
    return json.loads(said.out)


def test_inspect_counts_and_writes_nothing(capsys):
    before = sorted(Path().rglob("*"))
    facts = run(capsys, "inspect", "data/small")
    assert (facts["queries"], facts["documents"], facts["positives"]) == (16, 28, 16)
    assert sorted(Path().rglob("*")) == before


def test_a_run_says_what_it_was_made_from():
    record = read_json("runs/small/run.json")
    assert record["data"]["source"] == str(Path("data/small").absolute())
    assert record["data"]["split"] == "train"
    assert [command["verb"] for command in record["commands"]] == ["mine", "mine", "mine", "judge", "judge"]
    assert all(command["done"] for command in record["commands"])
    assert set(record["stages"]) == {
        "candidates/dense",
        "candidates/bm25",
        "candidates/lucene",
        "judgements/document",
        "judgements/margin",
    }


def test_a_run_loads_as_candidates():
    found, data = Candidates.load("runs/small"), load("data/small")
    assert found.miners == ["dense", "bm25", "lucene"]
    assert found.judges == ["document", "margin"]
    assert found.trusted_by == ["document"]
    assert not data.is_positive(found.row, found.col).any()


def test_the_unjudged_copies_are_found():
    found, data = Candidates.load("runs/small"), load("data/small")
    names = {(data.row_ids[row], data.col_ids[col]) for row, col in zip(found.row, found.col, strict=True)}
    suspects = found.filter(found.trust < 0.5)
    flagged = {(data.row_ids[row], data.col_ids[col]) for row, col in zip(suspects.row, suspects.col, strict=True)}
    copies = {(f"q{i}", f"c{i}") for i in range(4)}
    assert copies <= names
    assert flagged == copies


def test_mining_again_does_nothing_and_says_so(capsys):
    shard = Path("runs/small/candidates/bm25/0000.parquet")
    before = shard.stat().st_mtime_ns
    main(["mine", "data/small", "--miner", "bm25", "--top", "8", "--out", "runs/small"])
    assert "already mined" in capsys.readouterr().out
    assert shard.stat().st_mtime_ns == before


def test_the_report_says_what_the_candidates_say(capsys):
    facts = run(capsys, "report", "runs/small")
    assert facts["suspected"] == 4
    assert Path(facts["page"]).exists()
    assert facts["candidates"] == len(Candidates.load("runs/small"))


def test_the_report_takes_truth(capsys):
    Path("truth.tsv").write_text("query-id\tcorpus-id\tscore\nq0\tc0\t1\nq1\tc1\t1\nq0\td5\t0\n")
    run(capsys, "report", "runs/small", "--truth", "truth.tsv")
    quality = read_json("runs/small/report.json")["quality"]
    line = next(line for line in quality["judges"] if line["judge"] == "document" and line["miner"] == "dense")
    assert (line["false_negatives"], line["hits"]) == (2, 2)


def test_prompts_reach_the_encoder_of_a_judge(capsys):
    run(capsys, "mine", "data/small", "--miner", "random", "--top", "3", "--out", "runs/prompts")
    for name, words in (("plain", []), ("asking", ["--query-prompt", "question: ", "--corpus-prompt", ""])):
        run(capsys, "judge", "runs/prompts", "--by", f"margin:name={name}", "--encoder", "tiny:bert", *words)
    found = Candidates.load("runs/prompts")
    assert not np.allclose(found.column("judge.plain"), found.column("judge.asking"))
    command = read_json("runs/prompts/run.json")["commands"][-1]
    assert command["options"]["query_prompt"] == "question: "


def test_a_judge_can_be_calibrated(capsys):
    Path("known.qrels").write_text("".join(f"q{i} 0 c{i} 1\nq{i} 0 d{i + 6} 0\n" for i in range(4)))
    facts = run(capsys, "judge", "runs/small", "--by", "document:name=checked", "--calibrate", "known.qrels")
    assert facts["calibration"] == "calibrated on these data"
    assert "checked" in Candidates.load("runs/small").trusted_by


def test_export_training_columns(capsys):
    facts = run(capsys, "export", "runs/small", "--negatives", "3", "--min-trust", "0.5", "--out", "train.parquet")
    table = pq.read_table("train.parquet")
    assert table.column_names == ["anchor", "positive", "negative_1", "negative_2", "negative_3"]
    assert facts["lines"] == len(table) == 16
    data = load("data/small")
    copies = {data.corpus[f"c{i}"] for i in range(4)}
    for anchor, *negatives in zip(
        *(table[name].to_pylist() for name in ("anchor", "negative_1", "negative_2", "negative_3")), strict=True
    ):
        own = {data.corpus[f"c{i}"] for i in range(4) if data.queries[f"q{i}"] == anchor}
        assert not own & set(negatives)
    assert copies & set(
        table["negative_1"].to_pylist() + table["negative_2"].to_pylist() + table["negative_3"].to_pylist()
    )


def test_export_says_what_it_chose_and_what_it_replaced(capsys):
    assert main(["export", "runs/small", "--out", "again.parquet"]) == 0
    table = pq.read_table("again.parquet")
    assert table.column_names == ["anchor", "positive", *(f"negative_{i}" for i in range(1, 6))] and len(table) > 1
    capsys.readouterr()
    assert main(["export", "runs/small", "--format", "triplet", "--out", "again.parquet"]) == 0
    assert "it replaced a file" in capsys.readouterr().out
    assert main(["export", "runs/small", "--format", "beir", "--out", "zeros"]) == 0
    assert "suspects too" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("format", "out", "columns"),
    [
        ("triplet", "t.jsonl", {"anchor", "positive", "negative"}),
        ("labeled-pair", "p.csv", {"anchor", "document", "label"}),
        ("labeled-list", "l.jsonl", {"anchor", "documents", "labels"}),
    ],
)
def test_export_other_layouts(capsys, format, out, columns):
    import datasets

    facts = run(capsys, "export", "runs/small", "--negatives", "2", "--format", format, "--out", out)
    kind = "csv" if out.endswith("csv") else "json"
    table = datasets.load_dataset(kind, data_files=out, split="train", cache_dir="cache")
    assert set(table.column_names) == columns
    assert len(table) == facts["lines"]


@pytest.mark.parametrize("format", ["flagembedding", "tevatron"])
def test_export_to_other_trainers(capsys, format):
    run(capsys, "export", "runs/small", "--negatives", "2", "--format", format, "--out", f"{format}.jsonl")
    data = load(f"{format}.jsonl")
    assert data.n_rows == 16
    assert (data.labels.grades == 0).sum() == 32


def test_export_a_ranking(capsys):
    run(capsys, "export", "runs/small", "--format", "trec", "--miner", "bm25", "--out", "bm25-again.trec")
    found = Candidates.load("runs/small")
    assert sum(map(len, read_run("bm25-again.trec").values())) == np.isfinite(found.column("rank.bm25")).sum()


def test_export_negatives_as_judgements(capsys):
    facts = run(
        capsys, "export", "runs/small", "--negatives", "2", "--min-trust", "0.5", "--format", "beir", "--out", "judged"
    )
    data = load("judged")
    assert (data.labels.grades == 0).sum() == facts["judged_negative"] == 32


def test_drop_margin_drops_what_the_margin_would(capsys):
    facts = run(capsys, "export", "runs/small", "--drop-margin", "--format", "triplet", "--out", "m.parquet")
    margin = Candidates.load("runs/small").column("judge.margin")
    assert facts["kept"] == (~(margin < 0)).sum() < len(margin)


def test_relabel_repairs_the_data_and_keeps_its_history(capsys):
    words = ["export", "runs/small", "--relabel-below", "0.5", "--format", "beir", "--out", "data/repaired"]
    assert main(words) == 2
    refusal = capsys.readouterr().err
    assert "calibrated on pydocs, not on your data" in refusal
    assert "--accept-foreign-calibration" in refusal
    assert not Path("data/repaired").exists()
    facts = run(capsys, *words, "--accept-foreign-calibration")
    assert facts["new_judgements"] == 4
    repaired, before = load("data/repaired"), load("data/small")
    assert repaired.relevant_docs["q2"] == {"d2", "c2"}
    assert len(repaired.labels) == len(before.labels) + 4
    assert load("data/repaired", split="test").labels.fingerprint == load("data/small", split="test").labels.fingerprint
    history = [json.loads(line) for line in Path("data/repaired/history.jsonl").read_text().splitlines()]
    assert {(line["query_id"], line["document_id"]) for line in history} == {(f"q{i}", f"c{i}") for i in range(4)}
    assert all(line["trust"] < 0.5 and line["calibrations"]["document"] for line in history)


def test_train_then_evaluate(capsys):
    star = run(
        capsys,
        "train",
        "star",
        "data/small",
        "--candidates",
        "runs/small",
        *TINY,
        "--short",
        "repeat",
        "--out",
        "models/star",
    )
    assert star["steps"] == 2
    adore = ["--encoder", "models/star", "--max-steps", "2", "--per-device-train-batch-size", "4"]
    facts = run(capsys, "train", "adore", "data/small", *adore, "--out", "models/adore")
    assert facts["config"]["encoder"] == str(Path("models/star").absolute())
    SentenceTransformer("models/star")
    SentenceTransformer("models/adore")
    facts = run(
        capsys, "evaluate", "data/small", "--encoder", "models/adore", "--against", "tiny:bert", "--out", "eval"
    )
    assert facts["split"] == "test"
    comparison = facts["by"]["labels"]["comparison"]
    assert [line["metric"] for line in comparison["differences"]] == ["nDCG@10", "RR@10", "R@100"]
    assert set(facts["runs"]) == {"models/adore", "tiny:bert"}
    for name in facts["runs"].values():
        assert len(read_run(f"eval/{name}")) == 8
    assert read_json("eval/evaluation.json")["by"] == facts["by"]


def test_evaluate_against_a_run_file(capsys):
    Path("theirs.trec").write_text("".join(f"q{i} Q0 d{i} 1 1.0 theirs\n" for i in range(16, 24)))
    facts = run(
        capsys,
        "evaluate",
        "data/small",
        "--encoder",
        "tiny:bert",
        "--against",
        "theirs.trec",
        "--metrics",
        "RR@10",
        "--out",
        "e2",
    )
    assert facts["by"]["labels"]["comparison"]["differences"][0]["mean_b"] == 1.0


def test_resume_when_everything_is_done(capsys):
    assert run(capsys, "resume", "runs/small")["resumed"] == []


def test_resume_mends_a_finished_stage_that_lost_a_shard(capsys):
    run(capsys, "mine", "data/small", "--miner", "bm25", "--top", "8", "--out", "runs/damaged")
    shard = next(Path("runs/damaged/candidates/bm25").glob("*.parquet"))
    whole = shard.read_bytes()
    shard.unlink()
    assert run(capsys, "resume", "runs/damaged")["verb"] == "mine"
    assert shard.read_bytes() == whole


def test_resume_goes_on_with_what_was_stopped(capsys):
    main(["mine", "data/small", "--miner", "random", "--top", "3", "--out", "runs/stopped"])
    record = read_json("runs/stopped/run.json")
    whole = Path("runs/stopped/candidates/random/0000.parquet").read_bytes()
    record["commands"][0]["done"] = record["stages"]["candidates/random"]["done"] = False
    Path("runs/stopped/run.json").write_text(json.dumps(record))
    Path("runs/stopped/candidates/random/0000.parquet").unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir("runs")  # recorded paths hold from anywhere
        facts = run(capsys, "resume", "stopped")
    assert (facts["verb"], facts["miner"]) == ("mine", "random")
    assert Path("runs/stopped/candidates/random/0000.parquet").read_bytes() == whole
    assert run(capsys, "resume", "runs/stopped")["resumed"] == []


def test_data_that_moved_is_found_with_data(capsys):
    write_small_beir(Path("there"))
    main(["mine", "there", "--miner", "random", "--top", "3", "--out", "runs/moved"])
    Path("there").rename("elsewhere")
    capsys.readouterr()
    assert main(["report", "runs/moved"]) == 2
    assert "Say where it is with --data PATH." in capsys.readouterr().err
    assert run(capsys, "report", "runs/moved", "--data", "elsewhere")["candidates"] == 48


def test_the_program_itself(tmp_path):
    code = "import sys; from litotes.cli.main import main; sys.exit(main())"
    program = [sys.executable, "-c", code, "inspect", str(Path("data/small").absolute()), "--json"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["documents"] == 28
