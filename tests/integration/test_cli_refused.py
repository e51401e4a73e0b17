"""What the command line refuses: one sentence on stderr, exit code 2 (1 for the machine's fault), nothing lost.

Most cases run in this process, where a traceback would be an error of its own; full disks and folders that cannot be
written need a process that they can be done to.
"""

import ctypes
import gzip
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from litotes.cli.main import main
from litotes.core.files import read_json
from tests.small_beir import write_small_beir

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Data, a run that was mined and judged by document, a trained model: what a mistake must not harm."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_small_beir(Path("data"))
        assert main(["mine", "data", "--miner", "bm25", "--top", "6", "--out", "run"]) == 0
        assert main(["judge", "run", "--by", "document"]) == 0
        train = ["train", "adore", "data", "--encoder", "tiny:bert", "--max-steps", "1", "--out", "model"]
        assert main(train) == 0
    return folder


@pytest.fixture
def here(whole, tmp_path, monkeypatch):
    """A copy of it to make mistakes in."""
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    edit(tmp_path / "run/run.json", str(whole), str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file and what it holds, but for the log."""
    return {
        str(path): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "log.jsonl"
    }


def refused(capsys, line, code=2):
    """The one sentence that a command line is refused with."""
    capsys.readouterr()
    assert main(line) == code
    said = capsys.readouterr()
    assert said.out == ""
    sentences = said.err.splitlines()
    assert "Traceback" not in said.err
    return sentences[-1]


def edit(path: str | Path, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


def bad_json_line():
    edit("data/corpus.jsonl", '{"_id": "d3"', '{"_id": d3')


def text_grade():
    edit("data/qrels/train.tsv", "q1\td1\t1", "q1\td1\tyes")


def contradiction():
    with open("data/qrels/train.tsv", "a") as file:
        file.write("q1\td1\t0\n")


def two_texts_of_one_id():
    with open("data/queries.jsonl", "a") as file:
        file.write('{"_id": "q1", "text": "another"}\n')


def empty_corpus():
    Path("data/corpus.jsonl").write_text("")


def cut_gz():
    packed = gzip.compress(Path("data/corpus.jsonl").read_bytes() * 50)
    Path("data/corpus.jsonl").unlink()
    Path("data/corpus.jsonl.gz").write_bytes(packed[: len(packed) // 2])


def changed_document():
    edit("data/corpus.jsonl", "The comet routine", "The very comet routine")


def no_run_json():
    Path("run/run.json").unlink()


def half_a_run_json():
    text = Path("run/run.json").read_text()
    Path("run/run.json").write_text(text[: len(text) // 2])


def damaged_shard():
    path = Path("run/candidates/bm25/0000.parquet")
    path.write_bytes(path.read_bytes()[:-30])


def not_a_run():
    Path("list.trec").write_text("q1 d1 1\n")


def run_of_another_corpus():
    Path("list.trec").write_text("q1 Q0 nowhere 1 2.0 theirs\n")


def nan_vectors():
    vectors("vec", np.where(np.arange(28)[:, None] == 3, np.nan, 1.0) * np.ones(4), np.ones((24, 4)))


def vectors_of_two_widths():
    vectors("vec", np.ones((28, 4)), np.ones((24, 5)))


def vectors(folder: str, documents: np.ndarray, queries: np.ndarray) -> None:
    """A folder as ``vectors:FOLDER`` reads it, with whatever arrays."""
    Path(folder).mkdir()
    names = {
        "corpus": [*(f"d{i}" for i in range(24)), *(f"c{i}" for i in range(4))],
        "queries": [f"q{i}" for i in range(24)],
    }
    for side, values in (("corpus", documents), ("queries", queries)):
        np.save(Path(folder) / f"{side}.npy", values.astype(np.float32))
        (Path(folder) / f"{side}.ids.txt").write_text("".join(f"{name}\n" for name in names[side]))


def nothing():
    pass


MINE = ["mine", "data", "--miner", "bm25", "--top", "6"]
TRAIN = ["train", "adore", "data", "--encoder", "tiny:bert", "--max-steps", "1"]
CASES = {
    # case: (what is wrong, the command, what the sentence must say)
    "missing data": (nothing, ["inspect", "dat"], "dat: no such file or folder. Did you mean data?"),
    "missing split": (nothing, ["inspect", "data", "--split", "trian"], "no split 'trian'. Splits there: test, train."),
    "bad JSON line": (bad_json_line, ["inspect", "data"], "data/corpus.jsonl:4: "),
    "grade that is no number": (text_grade, [*MINE, "--out", "new"], "data/qrels/train.tsv:3: "),
    "contradicting judgements": (contradiction, ["inspect", "data"], "was judged 1 and 0"),
    "one id, two texts": (two_texts_of_one_id, ["inspect", "data"], "data/queries.jsonl:25: "),
    "empty corpus": (empty_corpus, ["inspect", "data"], "the corpus is empty"),
    "cut gz": (cut_gz, ["inspect", "data"], "corpus.jsonl.gz"),
    "unknown miner": (nothing, ["mine", "data", "--miner", "dens", "--out", "new"], "Did you mean 'dense'?"),
    "unknown option of a miner": (
        nothing,
        ["mine", "data", "--miner", "bm25:k3=1", "--out", "new"],
        "has no option 'k3'",
    ),
    "option of another type": (
        nothing,
        ["mine", "data", "--miner", "bm25:b=much", "--out", "new"],
        "Got 'much' instead.",
    ),
    "constant out of range": (
        nothing,
        ["mine", "data", "--miner", "bm25:b=2", "--out", "new"],
        "The 'b' parameter of BM25Miner",
    ),
    "top of nothing": (nothing, ["mine", "data", "--miner", "bm25", "--top", "0", "--out", "new"], "'--top'"),
    "word for a number": (nothing, ["mine", "data", "--miner", "bm25", "--top", "ten", "--out", "new"], "'--top'"),
    "no --out": (nothing, MINE, "Missing option '--out'. See: litotes mine --help"),
    "unknown option": (nothing, [*MINE, "--out", "new", "--topp", "3"], "No such option: --topp"),
    "unknown verb": (nothing, ["mien", "data"], "No such command 'mien'. Did you mean 'mine'"),
    "encoder where nothing is embedded": (nothing, [*MINE, "--out", "new", "--encoder", "tiny:bert"], "leave it out"),
    "unknown encoder": (
        nothing,
        ["mine", "data", "--miner", "dense", "--encoder", "no/such", "--out", "new"],
        "no/such",
    ),
    "missing run file": (
        nothing,
        ["mine", "data", "--miner", "run:gone.trec", "--out", "new"],
        "gone.trec: no such run file",
    ),
    "a run file that is none": (
        not_a_run,
        ["mine", "data", "--miner", "run:list.trec", "--out", "new"],
        "list.trec:1: ",
    ),
    "a run of another corpus": (
        run_of_another_corpus,
        ["mine", "data", "--miner", "run:list.trec", "--out", "new"],
        "none of its documents is a document of this data",
    ),
    "NaN among the vectors": (
        nan_vectors,
        ["mine", "data", "--miner", "dense", "--encoder", "vectors:vec", "--out", "new"],
        "NaN",
    ),
    "vectors of two widths": (
        vectors_of_two_widths,
        ["mine", "data", "--miner", "dense", "--encoder", "vectors:vec", "--out", "new"],
        "vec: vectors of two widths, 5 in queries.npy and 4 in corpus.npy",
    ),
    "another split in the run": (nothing, [*MINE, "--split", "test", "--out", "run"], "run is about other data"),
    "another setting under one name": (
        nothing,
        ["mine", "data", "--miner", "bm25", "--top", "7", "--out", "run"],
        "top",
    ),
    "data that changed": (
        changed_document,
        ["judge", "run", "--by", "margin:scorer=bm25"],
        "the texts of columns differ",
    ),
    "changed data, mined": (changed_document, [*MINE, "--out", "run"], "the texts of columns differ"),
    "no run there": (nothing, ["judge", "data", "--by", "document"], "data: not a run folder (no run.json)"),
    "a run without its record": (no_run_json, ["report", "run"], "run: not a run folder (no run.json)"),
    "a record that was cut": (half_a_run_json, ["report", "run"], "not valid JSON"),
    "a shard that was cut": (damaged_shard, ["report", "run"], "0000.parquet"),
    "unknown judge": (nothing, ["judge", "run", "--by", "documents"], "Did you mean 'document'?"),
    "prompts without an encoder": (
        nothing,
        ["judge", "run", "--by", "margin", "--query-prompt", "q: "],
        "name it with --encoder",
    ),
    "a judge without its model": (nothing, ["judge", "run", "--by", "cross-encoder"], "model"),
    "calibrate by a missing file": (
        nothing,
        ["judge", "run", "--by", "document:name=x", "--calibrate", "gone.tsv"],
        "gone.tsv",
    ),
    "truth about other ids": (
        nothing,
        ["report", "run", "--truth", "other.tsv"],
        "None of the 1 judgements of the truth",
    ),
    "unknown format": (
        nothing,
        ["export", "run", "--format", "ntuple", "--out", "x.parquet"],
        "Did you mean 'n-tuple'?",
    ),
    "unknown ending": (nothing, ["export", "run", "--out", "x.txt"], "must be one of .parquet, .jsonl, .json, .csv"),
    "lists in a CSV": (
        nothing,
        ["export", "run", "--format", "labeled-list", "--out", "x.csv"],
        "a CSV file cannot hold",
    ),
    "a threshold above one": (nothing, ["export", "run", "--min-trust", "5", "--out", "x.parquet"], "'--min-trust'"),
    "relabel into training columns": (
        nothing,
        ["export", "run", "--relabel-below", "0.1", "--out", "x.parquet"],
        "use --format beir",
    ),
    "relabel and choose negatives": (
        nothing,
        ["export", "run", "--relabel-below", "0.1", "--min-trust", "0.5", "--format", "beir", "--out", "x"],
        "--min-trust choose negatives",
    ),
    "a miner where none is asked for": (
        nothing,
        ["export", "run", "--miner", "bm25", "--out", "x.parquet"],
        "--format n-tuple has no use for it",
    ),
    "relabel by foreign probabilities": (
        nothing,
        ["export", "run", "--relabel-below", "0.1", "--format", "beir", "--out", "fixed"],
        "calibrated on pydocs, not on your data",
    ),
    "drop by a margin that nobody asked": (
        nothing,
        ["export", "run", "--drop-margin", "--out", "x.parquet"],
        "no margin judge",
    ),
    "write into a full folder": (
        nothing,
        ["export", "run", "--format", "beir", "--out", "data"],
        "data: the folder is not empty",
    ),
    "unknown training command": (nothing, ["train", "adroe", "data", "--out", "m"], "Did you mean 'adore'?"),
    "unknown training option": (
        nothing,
        [*TRAIN, "--learning-rat", "1", "--out", "m"],
        "(Possible options: --learning-rate)",
    ),
    "a learning rate of zero": (nothing, [*TRAIN, "--learning-rate", "0", "--out", "m"], "learning_rate"),
    "unknown preset": (
        nothing,
        [*TRAIN, "--preset", "papper", "--out", "m"],
        "has no preset 'papper'. Known presets: 'paper'.",
    ),
    "a model trained with other options": (nothing, [*TRAIN, "--max-steps", "2", "--out", "model"], "max_steps"),
    "unknown metric": (
        nothing,
        ["evaluate", "data", "--encoder", "tiny:bert", "--metrics", "nDGC@10", "--out", "e"],
        "nDGC@10",
    ),
    "a split without judgements": (
        nothing,
        ["evaluate", "data", "--encoder", "tiny:bert", "--split", "dev", "--out", "e"],
        "dev",
    ),
    "unknown system": (nothing, ["recipes", "star-adroe"], "Did you mean 'star-adore'?"),
    "unknown built-in set": (nothing, ["data", "export", "pydoc", "--out", "x"], "Did you mean 'pydocs'?"),
    "nothing to resume from": (nothing, ["resume", "data"], "data: not a run folder (no run.json)"),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_mistake_is_one_sentence_and_loses_nothing(case, here, capsys):
    spoil, line, says = CASES[case]
    Path("other.tsv").write_text("query-id\tcorpus-id\tscore\nx\ty\t1\n")
    spoil()
    before = contents(here)
    sentence = refused(capsys, line)
    assert says in sentence
    after = contents(here)
    assert {path: after.get(path) for path in before} == before


def test_a_refused_command_is_not_left_to_be_resumed(here, capsys):
    refused(capsys, ["mine", "data", "--miner", "bm25", "--top", "7", "--out", "run"])
    assert all(command["done"] for command in read_json("run/run.json")["commands"])
    assert main(["resume", "run"]) == 0


def test_force_makes_it_again(here, capsys):
    assert main(["mine", "data", "--miner", "bm25", "--top", "7", "--out", "run", "--force"]) == 0
    assert read_json("run/run.json")["stages"]["candidates/bm25"]["config"]["top"] == 7


def program(line, folder, **limits):
    """The command line in a process of its own."""
    code = "import sys; from litotes.cli.main import main; sys.exit(main())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HOME": str(folder), "OMP_NUM_THREADS": "1"}
    environment.pop("COVERAGE_PROCESS_CONFIG", None)  # its file would not fit on a full disk
    words = [sys.executable, "-c", code, *line]
    return subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=170, check=False, **limits
    )


def small_files_only():
    """No file of this process may grow beyond a kilobyte: what a full disk does, to one process."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))


@pytest.mark.parametrize(
    "line",
    [
        [*MINE[:-1], "9", "--out", "new"],
        ["judge", "run", "--by", "document:name=other"],
        ["report", "run"],
        ["export", "run", "--format", "flagembedding", "--out", "x.jsonl"],
        ["export", "run", "--format", "beir", "--out", "judged"],
        [*MINE[:2], "--miner", "dense", "--encoder", "tiny:bert", "--out", "new"],
    ],
    ids=["mine", "judge", "report", "export a file", "export a folder", "vector store"],
)
def test_a_full_disk_is_the_machines_fault(here, line):
    before = contents(here)
    done = program(line, here, preexec_fn=small_files_only)
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1].endswith("written (File too large).")
    assert "Traceback" not in done.stderr
    after = contents(here)
    kept = [path for path in before if not path.endswith("run.json")]
    assert {path: after.get(path) for path in kept} == {path: before[path] for path in kept}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_device_that_is_full(here):
    log = Path("run/log.jsonl")
    log.unlink()
    log.symlink_to("/dev/full")
    done = program(["judge", "run", "--by", "document:name=other"], here)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("log.jsonl: cannot be written (No space left on device).")


def test_after_the_disk_was_full_resume_goes_on(here, capsys):
    done = program(["judge", "run", "--by", "document:name=other"], here, preexec_fn=small_files_only)
    assert done.returncode == 1
    main(["judge", "run", "--by", "document:name=other"])
    assert main(["resume", "run"]) == 0
    assert "nothing to resume" in capsys.readouterr().out
    assert read_json("run/run.json")["stages"]["judgements/other"]["done"]


def without_roots_powers():
    """Root may write everywhere; a process without these capabilities may not. Nothing to do for anybody else."""
    if os.getuid() == 0:
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP: gone after exec


def test_a_folder_that_cannot_be_written(here):
    locked = here / "locked"
    locked.mkdir(mode=0o555)
    probe = [sys.executable, "-c", "open('locked/x', 'w')"]
    if not subprocess.run(
        probe, cwd=here, capture_output=True, preexec_fn=without_roots_powers, check=False
    ).returncode:
        pytest.skip("root, and its powers cannot be laid down here")
    before = contents(here)
    done = program([*MINE, "--out", "locked/run"], here, preexec_fn=without_roots_powers)
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1].endswith("cannot be written (Permission denied).")
    assert "Traceback" not in done.stderr
    assert contents(here) == before


def test_stopped_by_the_user_says_how_to_go_on(here, monkeypatch, capsys):
    import litotes.mining.bm25

    def stop(self, data, rows=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(litotes.mining.bm25.BM25Miner, "mine", stop)
    sentence = refused(capsys, [*MINE, "--out", "new"], code=130)
    assert sentence == "Stopped. What is done is kept; go on with: litotes resume new"
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert not read_json("new/run.json")["commands"][0]["done"]
    assert main(["resume", "new"]) == 0
    assert read_json("new/run.json")["commands"][0]["done"]
