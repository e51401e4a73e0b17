"""The program: light to start, its verbs helpful, its errors one sentence with the right exit code."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from litotes.cli import recipes as recipes_verb
from litotes.cli.main import app, main
from litotes.core.errors import LitotesError, MachineError

ROOT = Path(__file__).parents[3]
VERBS = ("demo", "inspect", "mine", "judge", "report", "export", "train", "predict", "evaluate")
VERBS += ("recipes", "reproduce", "resume", "data")
HELPFUL = [*([verb] for verb in VERBS if verb != "train"), ["train", "star"], ["train", "adore"], ["data", "export"]]
HEAVY = {"torch", "sentence_transformers", "transformers", "datasets", "faiss", "bm25s", "scipy", "sklearn", "pandas"}
HEAVY |= {"numpy", "pyarrow", "jinja2", "ir_measures", "safetensors"}


def loaded_after(*words: str) -> set[str]:
    """The libraries that a command line has loaded when it ends."""
    code = (
        "import contextlib, io, sys\nfrom litotes.cli.main import main\n"
        f"with contextlib.redirect_stdout(io.StringIO()): main({list(words)})\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("words", [["--help"], ["mine", "--help"], ["train", "--help"], ["recipes"]], ids=" ".join)
def test_help_and_lists_load_nothing_heavy(words):
    assert not loaded_after(*words) & HEAVY


def test_every_verb_is_there(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(verb in said for verb in VERBS)


@pytest.mark.parametrize("words", HELPFUL, ids=" ".join)
def test_every_verb_shows_an_example_and_takes_json_and_seed(words, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main([*words, "--help"]) == 0
    said = capsys.readouterr().out
    assert f"Example: litotes {words[0]}" in said
    assert "--json" in said
    assert "--seed" in said


@pytest.mark.parametrize("words", [[], ["train"]], ids=str)
def test_asked_for_nothing_it_shows_its_help(words, capsys):
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Usage: litotes")
    assert "\nCommands:\n" in said.err


def test_no_option_is_cut_in_a_narrow_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["train", "star", "--help"]) == 0
    assert "--per-device-train-batch-size" in capsys.readouterr().out


def test_the_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip()


def raising(monkeypatch, error):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(recipes_verb, "answer", fail)


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (LitotesError("a.tsv:3: 'x' is no grade. Write a number."), 2, "a.tsv:3: 'x' is no grade. Write a number."),
        (LitotesError("two\n  lines"), 2, "two lines"),
        (MachineError("a.tsv: cannot be written (No space left on device)."), 1, "No space left on device"),
        (
            OSError(errno.ENOSPC, "No space left on device", "a.tsv"),
            1,
            "a.tsv: cannot be read or written (No space left",
        ),
        (OSError(errno.EROFS, "Read-only file system", "a.tsv"), 1, "a.tsv: cannot be read or written (Read-only"),
        (ValueError("Error while serializing: I/O error: x (os error 28)"), 1, "No space left on device"),
        (MemoryError(), 1, "There is not enough memory for this."),
        (ModuleNotFoundError(name="torch.nn"), 2, 'This needs torch; run: pip install "litotes[retrieval]"'),
        (ModuleNotFoundError(name="sklearn"), 2, 'This needs sklearn; run: pip install "litotes[retrieval]"'),
        (ModuleNotFoundError(name="ray"), 2, 'This needs ray; run: pip install "litotes[ray]"'),
        (KeyboardInterrupt(), 130, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_is_one_sentence_and_its_exit_code(error, code, says, monkeypatch, capsys):
    raising(monkeypatch, error)
    assert main(["recipes"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert says in said.err
    assert len(said.err.splitlines()) <= 1


@pytest.mark.parametrize("error", [ValueError("a fault of ours"), OSError(errno.EBADF, "Bad file descriptor")])
def test_a_fault_of_ours_is_not_hidden(error, monkeypatch):
    raising(monkeypatch, error)
    with pytest.raises(type(error)):
        main(["recipes"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["mien"], "No such command 'mien'. Did you mean 'mine'? See: litotes --help"),
        (["mine"], "Missing argument 'DATA'. See: litotes mine --help"),
        (["mine", "x", "--top", "many"], "See: litotes mine --help"),
        (
            ["report", "x", "--truthh", "y"],
            "No such option: --truthh (Possible options: --truth). See: litotes report",
        ),
        (["recipes", "ar2", "cet"], "See: litotes recipes --help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_word_is_one_sentence_that_says_where_to_look(words, says, capsys):
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert says in said.err
    assert len(said.err.splitlines()) == 1


def test_a_reader_that_leaves_early_is_no_error():
    code = "import sys; from litotes.cli.main import main; sys.exit(main())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    words = f"{sys.executable} -c '{code}' recipes | head -n 1"
    done = subprocess.run(["bash", "-c", words], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_the_app_is_named():
    assert app.info.name == "litotes"


def test_recipes_lists_every_system(capsys):
    assert main(["recipes", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["recipes"]
    assert len(rows) == 32
    assert {row["state"] for row in rows} == {"works", "planned"}


def test_a_recipe_shows_its_options_with_the_papers_values(capsys):
    assert main(["recipes", "star-adore", "--json"]) == 0
    commands = json.loads(capsys.readouterr().out)["commands"]
    assert commands["adore"]["metric_cut"]["default"] == 200
    assert commands["adore"]["learning_rate"]["paper"] == 5e-6


def test_a_planned_recipe_says_so(capsys):
    assert main(["recipes", "npo"]) == 0
    assert "State: planned" in capsys.readouterr().out


def test_data_lists_the_built_in_sets(capsys):
    assert main(["data", "--json"]) == 0
    [pydocs] = json.loads(capsys.readouterr().out)["sets"]
    assert pydocs["name"] == "pydocs"
    assert all(pydocs[what] for what in ("what", "licence", "origin", "layout", "splits"))
