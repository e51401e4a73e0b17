"""The check of links: what leads nowhere is named, in whatever form it is written, and what leads somewhere is not."""

from pathlib import Path

import pytest

from tools.links import dead_in_markdown, dead_in_site, main

OTHER = """# Same

# Same

## `code_x` and [link](c.md)

~~~
# not a heading
~~~

<a id="by-hand"></a>
"""
DEAD = {
    "plain": "[a](no.md)",
    "image": "![a](no.md)",
    "reference": "[a][r]\n\n[r]: no.md\n",
    "reference with a title": "[a][r]\n\n[r]: <no.md> 'title'\n",
    "image in a link": "[![b](b.md)](no.md)",
    "double-quoted title": '[a](no.md "title")',
    "single-quoted title": "[a](no.md 'title')",
    "html link": '<p>x <a href="no.md">a</a></p>',
    "html image": '<img src="no.md">',
    "html images": '<img srcset="b.md 1x, no.md 2x">',
    "anchor": "[a](b.md#same-2)",
    "heading in code": "[a](b.md#not-a-heading)",
    "own anchor": "# Here\n\n[a](#there)",
}
DEAD_WITH_BLANKS = {"in brackets": ("[a](<no there.md>)", "no there.md"), "round": ("[a](no(1).md)", "no(1).md")}
ALIVE = {
    "file": "[a](b.md) ![a](c.md) [![a](c.md)](b.md 'title')",
    "blank": "[a](<a b.md>)",
    "round": "[a](d(1).md)",
    "reference": "[a][r]\n\n[r]: b.md 'title'\n",
    "repeated heading": "[a](b.md#same) [b](b.md#same-1)",
    "heading with a link": "[a](b.md#code_x-and-link)",
    "id": "[a](b.md#by-hand)",
    "scheme": "[a](https://example.org/no.md) [b](mailto:a@b.c)",
    "tildes": "~~~\n[a](no.md)\n~~~\n",
    "backquotes": "```\n[a](no.md)\n```\n\nAnd `[a](no.md)` and ``[b](`no.md)``.",
    "fence in a fence": "````\n```\n[a](no.md)\n```\n[b](no.md)\n````\n",
    "html in code": '`<a href="no.md">`',
    "folder": "[a](./)",
    "footnote": "x[^1]\n\n[^1]: no.md is gone\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.md").write_text(OTHER, encoding="utf-8")
    for name in ("c.md", "a b.md", "d(1).md"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    return tmp_path


def dead(folder: Path, text: str) -> list[str]:
    file = folder / "page.md"
    file.write_text(text, encoding="utf-8")
    return [line.removeprefix(f"{file}: ") for line in dead_in_markdown(file)]


@pytest.mark.parametrize("form", DEAD)
def test_a_dead_link_is_named_once(folder: Path, form: str) -> None:
    [found] = dead(folder, DEAD[form])
    assert found in DEAD[form]


@pytest.mark.parametrize("form", DEAD_WITH_BLANKS)
def test_a_dead_link_of_odd_letters_is_named(folder: Path, form: str) -> None:
    text, target = DEAD_WITH_BLANKS[form]
    assert dead(folder, text) == [target]


@pytest.mark.parametrize("form", ALIVE)
def test_a_link_that_leads_somewhere_is_not_named(folder: Path, form: str) -> None:
    assert dead(folder, ALIVE[form]) == []


DEAD_ON_SITE = {
    '<a href="x.html">a</a>': "x.html",
    '<img srcset="a.css 1x, no.png 2x">': "no.png",
    '<a href="../outside.html">a</a>': "../outside.html",
    '<a href="/../outside.html">a</a>': "/../outside.html",
    '<a href="sub/#no">a</a>': "sub/#no",
    '<a href="empty">a</a>': "empty",
    '<p style="background: url(no.png)">': "no.png",
    "<style>p { background: url('no.png') }</style>": "no.png",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "outside.html").write_text("x", encoding="utf-8")
    made = tmp_path / "site"
    (made / "sub").mkdir(parents=True)
    (made / "empty").mkdir()
    (made / "sub" / "index.html").write_text('<p id="here">', encoding="utf-8")
    (made / "a.css").write_text("/* url(gone.png) */ p { background: url(sub/index.html) }", encoding="utf-8")
    return made


@pytest.mark.parametrize("text", DEAD_ON_SITE)
def test_what_is_dead_on_a_site(site: Path, text: str) -> None:
    page = site / "index.html"
    page.write_text(text, encoding="utf-8")
    assert dead_in_site(site) == [f"{page}: {DEAD_ON_SITE[text]}"]


def test_what_is_alive_on_a_site(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = site / "index.html"
    links = "sub", "sub/", "sub/#here", "/sub/index.html", "a.css?v=1", "", "#top", "https://example.org", "data:,x"
    page.write_text("".join(f'<a href="{link}">a</a>' for link in links), encoding="utf-8")
    monkeypatch.chdir(site.parent)
    assert dead_in_site(Path("site")) == dead_in_site(site) == []


def test_a_style_that_names_what_is_not_there(site: Path) -> None:
    style = site / "sub" / "b.css"
    style.write_text('p { background: url( "../no.png" ) } q { mask: url(#here) }', encoding="utf-8")
    assert dead_in_site(site) == [f"{style}: ../no.png"]


def test_the_command_prints_them_and_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "page.md").write_text("[a](no.md)", encoding="utf-8")
    assert main([str(folder / "b.md")]) == 0
    assert main([str(folder / "page.md"), str(folder / "b.md")]) == 1
    assert capsys.readouterr().out == f"{folder / 'page.md'}: no.md\n"
