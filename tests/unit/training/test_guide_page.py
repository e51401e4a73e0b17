"""The guide page about refreshing negatives: its Python runs, on a small folder, and prints what it shows."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from tests.small_beir import write_small_beir

PAGE = Path(__file__).parents[3] / "docs" / "guide" / "refresh.md"
BLOCKS = re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_every_block_runs_and_prints_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_small_beir(tmp_path / "data" / "scifact")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block, shown in BLOCKS:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block, "refresh.md", "exec"), names)
        own = [line for line in printed.getvalue().splitlines() if not line.startswith("{'")]  # what the trainer prints
        assert own == shown.splitlines()
    assert sum(bool(shown) for _, shown in BLOCKS) == 3
