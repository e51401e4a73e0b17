"""The README's Python runs as it stands, on a small folder of the kind that its own command writes."""

import re
from pathlib import Path

import pytest

from tests.small_beir import write_small_beir

README = Path(__file__).parents[2] / "README.md"


def test_the_python_of_the_readme_is_about_ten_lines_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [block] = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len([line for line in block.splitlines() if line.strip()]) <= 10
    write_small_beir(tmp_path / "data" / "pydocs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), names)
    assert names["table"].column_names[:2] == ["anchor", "positive"]
    assert (tmp_path / "models" / "adore" / "modules.json").is_file()
    assert capsys.readouterr().out.count("nDCG@10") == 2


def test_every_file_that_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8"))
    assert "LICENSE" in links
    assert [link for link in links if "://" not in link and not (README.parent / link).exists()] == []
