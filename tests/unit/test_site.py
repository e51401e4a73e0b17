"""The site: every public name stands on its room's page, nothing is left out of the navigation, every link leads on."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest

pytest.importorskip("mkdocs", reason="builds the site")
pytest.importorskip("latex2mathml", reason="builds the site")

from tools import links, site_pages
from tools.docstring_markup import markdown

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make docs`` does."""
    folder = tmp_path_factory.mktemp("site")
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    environment.pop("COVERAGE_PROCESS_CONFIG", None)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_link_of_the_site_and_of_the_pages_outside_it_leads_somewhere(site: Path) -> None:
    assert links.dead_in_site(site) == []
    assert [line for page in PAGES for line in links.dead_in_markdown(ROOT / page)] == []


@pytest.mark.parametrize("room", site_pages.rooms())
def test_every_public_name_of_a_room_is_on_its_page(site: Path, room: str) -> None:
    names = site_pages.public_names(room)
    package = importlib.import_module(f"litotes.{room}")
    assert set(getattr(package, "__all__", ())) <= set(names) and names
    anchors = links._read(site / "reference" / room / "index.html").ids
    assert {f"{home}.{name}" for name, home in names.items()} <= anchors


def test_every_room_and_every_name_of_the_package_itself_is_in_the_reference(site: Path) -> None:
    import litotes

    folders = {folder.parent.name for folder in (ROOT / "src" / "litotes").glob("*/__init__.py")}
    assert set(site_pages.rooms()) == folders - {"cli"}
    text = (site / "reference" / "index.html").read_text(encoding="utf-8")
    assert [name for name in litotes._HOMES if f">litotes.{name}</code>" not in text] == []


def test_the_command_line_page_has_every_verb_with_its_options(site: Path) -> None:
    text = (site / "reference" / "command-line" / "index.html").read_text(encoding="utf-8")
    for verb in ("mine", "judge", "train-star", "data-export", "reproduce", "resume"):
        assert f'id="litotes-{verb}' in text
    assert "--query-prompt" in text


def test_formulas_and_roles_are_shown_and_not_their_markup(site: Path) -> None:
    pages = [page.read_text(encoding="utf-8") for page in (site / "reference").rglob("*.html")]
    assert sum(page.count("<math") for page in pages) > 10
    assert [
        mark for mark in (":math:", ".. math::", ":func:", ":class:", ":mod:") for page in pages if mark in page
    ] == []


class TestMarkup:
    def test_roles_become_code(self) -> None:
        assert markdown("see :func:`~litotes.losses.info_nce` and :class:`Ids`") == "see `info_nce` and `Ids`"

    def test_formulas_become_mathml_without_signs_that_markdown_reads(self) -> None:
        text = markdown("With :math:`a_i * b` and\n\n.. math:: x \\\\\n    + y\n\n    z\n\nafter.\n")
        assert text.count("<math") == 2 and 'display="block"' in text and "*" not in text
        assert text.endswith("</math>\n\nafter.") and "math::" not in text

    def test_an_indented_formula_ends_where_its_lines_do(self) -> None:
        text = markdown("    .. math:: x = 1\n\n    The mean.\n")
        assert text.startswith("    <math") and text.endswith("    The mean.")

    def test_a_simple_table_becomes_one_of_markdown(self) -> None:
        table = "a\n\n====  ======\nname  what\n====  ======\n``x``  |r|\ny     b\n====  ======\n\nafter"
        lines = ["a", "", "| name | what |", "| --- | --- |", "| ``x`` | \\|r\\| |", "| y | b |", "", "after"]
        assert markdown(table).splitlines() == lines


class TestLinks:
    def write(self, folder: Path, **files: str) -> None:
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(text)

    def test_markdown(self, tmp_path: Path) -> None:
        text = "# One\n[a](b.md) [b](b.md#two-words) [c](#one) ![d](x.png) [e](https://x.org/y) `[f](gone.md)`\n"
        self.write(tmp_path, a__md=text, b__md="# Two `words`!\n", x__png="")
        assert links.dead_in_markdown(tmp_path / "a.md") == []
        links._anchors.cache_clear()
        self.write(tmp_path, a__md="[a](gone.md) [b](b.md#three) [c](#none)")
        dead = [line.rpartition(" ")[2] for line in links.dead_in_markdown(tmp_path / "a.md")]
        assert dead == ["gone.md", "b.md#three", "#none"]

    def test_site(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "in").mkdir()
        self.write(
            tmp_path / "in", index__html='<h1 id="x">x</h1><a href="../a.html#y"></a><a href="https://x.org"></a>'
        )
        self.write(
            tmp_path, a__html='<a name="y" href="in/"></a><a href="in/#x"></a><a href="/in/"></a><img src="p.svg">'
        )
        assert links.dead_in_site(tmp_path) == [f"{tmp_path}/a.html: p.svg"]
        self.write(tmp_path, p__svg="", b__html='<a href="in/#z"></a><a href="gone/"></a>')
        assert links.main([str(tmp_path)]) == 1
        assert capsys.readouterr().out.split() == [f"{tmp_path}/b.html:", "in/#z", f"{tmp_path}/b.html:", "gone/"]


class TestResultsPage:
    CLAIM: ClassVar = {"name": "better", "says": "ADORE | beats", "data": "pydocs", "metric": "nDCG@10"}

    def test_a_system_with_a_page_has_its_verdicts_here_and_the_rest_there(self, tmp_path: Path) -> None:
        result = {"slug": "star-adore", "claims": [self.CLAIM | {"verdict": "does not hold"}]}
        (tmp_path / "star-adore.json").write_text(json.dumps(result))
        (tmp_path / "mutants.json").write_text("{}")
        page = site_pages.results_page(tmp_path)
        assert "In detail: [star-adore](recipes/star-adore.md)." in page and "mutants.json" not in page
        assert "| ADORE \\| beats | pydocs | nDCG@10 | **does not hold** |" in page

    def test_one_without_a_page_has_everything_here(self, tmp_path: Path) -> None:
        rest = {"source": "s", "note": "", "verdict": "holds", "digest": "d", "as_registered": True, "commit": None}
        rest |= {"clean": False, "arms": {}, "comparisons": [], "seconds": 1.0, "versions": {"python": "3"}}
        result = {"slug": "an-audit", "claims": [self.CLAIM | rest]}
        (tmp_path / "an-audit.json").write_text(json.dumps(result))
        page = site_pages.results_page(tmp_path)
        assert "### better" in page and "](results/an-audit-better.svg)" in page and "In detail" not in page

    def test_without_results_it_says_so(self, tmp_path: Path) -> None:
        assert "No result is recorded yet." in site_pages.results_page(tmp_path)
