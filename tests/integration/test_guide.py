"""The guide's command lines, in its order, on a small copy of the data that its first line writes."""

import re
import shlex
from pathlib import Path

import pytest

from litotes.cli.main import main
from tests.small_beir import write_small_beir

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "retrieval.md"


@pytest.mark.slow
def test_every_command_of_the_retrieval_guide_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = re.findall(r"^\$ litotes (.*)$", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    commands = [shlex.split(line, comments=True) for line in lines]
    assert commands[0] == ["data", "export", "pydocs", "--format", "beir", "--out", "data/pydocs"]
    assert {"inspect", "mine", "judge", "report", "export", "train", "evaluate"} <= {words[0] for words in commands}
    write_small_beir(tmp_path / "data" / "pydocs")
    monkeypatch.chdir(tmp_path)
    for words in commands[1:]:
        assert main(words) == 0, f"litotes {shlex.join(words)}: {capsys.readouterr().err}"
    for made in ("runs/pydocs/report.html", "train.parquet", "data/pydocs-repaired/corpus.jsonl", "models/adore"):
        assert Path(made).exists(), made
