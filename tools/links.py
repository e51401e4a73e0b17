"""Checks links without network: ``python -m tools.links README.md site`` prints each that leads nowhere.

A Markdown file is read for ``[text](target)``, ``![text](target)``, ``[text]: target`` and, in HTML, ``href``, ``src``
and ``srcset``: the file must be there, and have the heading that an anchor names. A folder is a built site: what its
pages name so, and what ``url(...)`` of its styles names, must lead to a file of it, and an anchor to an element with
that id. Links with a scheme (``https:``, ``mailto:``) are not followed.
"""

import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_BLOCK = re.compile(r"^ {0,3}(```+|~~~+)[^\n]*\n.*?(?:^ {0,3}\1[`~]* *$|\Z)", flags=re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", flags=re.DOTALL)
_TITLE = r"""(?:\s+(?:"[^"]*"|'[^']*'|\([^)]*\)))?\s*"""
_LINK = re.compile(rf"\]\(\s*(?:<([^>\n]*)>|((?:[^()\s<>]|\([^()\s]*\))+)){_TITLE}\)")
_REFERENCE = re.compile(rf"^ {{0,3}}\[(?!\^)[^\]]+\]:\s*(?:<([^>\n]*)>|(\S+)){_TITLE}$", flags=re.MULTILINE)
_HEADING = re.compile(r"^ {0,3}#{1,6} +(.*?)(?: +#+)? *$", flags=re.MULTILINE)
_LINK_TEXT = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_URL = re.compile(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"'\s]+))\s*\)""")
_COMMENT = re.compile(r"/\*.*?\*/", flags=re.DOTALL)


def main(paths: list[str]) -> int:
    """Print what leads nowhere; 1 when there is any."""
    found = [line for path in map(Path, paths) for line in (dead_in_site if path.is_dir() else dead_in_markdown)(path)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


def dead_in_markdown(file: Path) -> list[str]:
    """The links of a Markdown file that lead nowhere, as ``file: target``."""
    text = _CODE.sub("", _BLOCK.sub("", file.read_text(encoding="utf-8")))
    marked = [first or second for form in (_LINK, _REFERENCE) for first, second in form.findall(text)]
    return [f"{file}: {target}" for target in marked + _Page(text).targets if not _leads_from_markdown(file, target)]


def dead_in_site(folder: Path) -> list[str]:
    """The links of all pages and styles of a built site that lead nowhere, as ``page: target``."""
    site = folder.resolve()
    found = [(page, target) for page in sorted(folder.rglob("*.html")) for target in _read(page).targets]
    found += [(style, target) for style in sorted(folder.rglob("*.css")) for target in _urls(style.read_text("utf-8"))]
    return [f"{page}: {target}" for page, target in found if not _leads_on_site(site, page.resolve(), target)]


def _leads_from_markdown(file: Path, target: str) -> bool:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return True
    other = file.parent / unquote(parts.path) if parts.path else file
    if not other.exists():
        return False
    return not parts.fragment or other.suffix != ".md" or unquote(parts.fragment) in _anchors(other)


@lru_cache
def _anchors(file: Path) -> frozenset[str]:
    """Where a file can be linked to: its headings as GitHub names them, the second of a name with -1, and its ids."""
    text = _BLOCK.sub("", file.read_text(encoding="utf-8"))
    found = set(_Page(_CODE.sub("", text)).ids)
    seen: dict[str, int] = {}
    for heading in _HEADING.findall(text):
        slug = re.sub(r"[^\w\- ]", "", _LINK_TEXT.sub(r"\1", heading)).strip().lower().replace(" ", "-")
        number = seen[slug] = seen.get(slug, -1) + 1
        found.add(f"{slug}-{number}" if number else slug)
    return frozenset(found)


def _leads_on_site(site: Path, page: Path, target: str) -> bool:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return True
    path = unquote(parts.path)
    other = ((site / path.lstrip("/") if path.startswith("/") else page.parent / path) if path else page).resolve()
    other = other / "index.html" if other.is_dir() else other
    if not other.is_relative_to(site) or not other.is_file():
        return False
    return not parts.fragment or other.suffix != ".html" or unquote(parts.fragment) in _read(other).ids


class _Page(HTMLParser):
    """What a page links to, and where it can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: set[str] = {"", "top"}
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        for name, value in attrs:
            if value is None:
                continue
            if name in ("href", "src"):
                self.targets.append(value)
            elif name == "srcset":
                self.targets += [part.split()[0] for part in re.split(r",\s+|,$", value.strip()) if part.strip()]
            elif name == "style":
                self.targets += _urls(value)
            elif name == "id" or (name == "name" and tag == "a"):
                self.ids.add(value)

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.targets += _urls(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False


def _urls(style: str) -> Iterator[str]:
    """What the ``url(...)`` of a style name."""
    return ("".join(found) for found in _URL.findall(_COMMENT.sub("", style)))


@lru_cache
def _read(page: Path) -> _Page:
    return _Page(page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
