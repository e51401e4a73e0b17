"""The command lines of every guide page, in its order, on a small copy of the data that its export commands write.

A page shows its commands in ``console`` blocks, a ``$`` before each; ``tools/guide_output.py`` writes what they print.
Here ``litotes data export`` writes a folder of some two dozen documents instead, and everything else runs as it stands.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from litotes.cli.main import main
from tests.small_beir import write_small_beir
from tools.guide_output import BLOCK

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
PAGES = sorted(page.name for page in GUIDE.glob("*.md") if BLOCK.search(page.read_text(encoding="utf-8")))
MADE = {
    "labels.md": ("audit/report.html", "cleaned/tickets.csv", "answers.csv", "relabelled.csv"),
    "retrieval.md": ("runs/pydocs/report.html", "train.parquet", "data/pydocs-repaired/corpus.jsonl", "models/adore"),
}
"""What must lie there afterwards."""


def commands_of(page: str) -> list[str]:
    """The commands of a page, in its order."""
    blocks = BLOCK.findall((GUIDE / page).read_text(encoding="utf-8"))
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_guide_page_runs(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)  # of `python` in the shell
    for script in GUIDE.glob("*.py"):  # what a page runs as `python NAME.py`
        shutil.copy(script, tmp_path)
    for command in commands_of(page):
        words = shlex.split(command, comments=True)
        if words[:3] == ["litotes", "data", "export"]:
            assert words[words.index("--format") + 1] == "beir", f"{page}: no small copy in another format than beir"
            write_small_beir(Path(words[words.index("--out") + 1]))
        elif words[0] == "litotes":
            assert main(words[1:]) == 0, f"{command}: {capsys.readouterr().err}"
        else:
            done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{command}: {done.stderr}"
    assert [path for path in MADE.get(page, ()) if not Path(path).exists()] == []


def test_the_walkthrough_of_the_search_engineer_is_there_whole() -> None:
    verbs = {shlex.split(command)[1] for command in commands_of("retrieval.md")}
    assert verbs == {"data", "inspect", "mine", "judge", "report", "export", "train", "evaluate"}


@pytest.mark.parametrize("page", PAGES)
def test_each_command_is_shown_with_what_it_printed(page: str) -> None:
    for block in BLOCK.findall((GUIDE / page).read_text(encoding="utf-8")):
        shown = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
        assert shown, f"{page}: a console block without a command"
        silent = [command for command in shown if command.startswith("litotes ") and "\n" not in command.strip()]
        assert silent == [], f"{page}: run tools/guide_output.py"
