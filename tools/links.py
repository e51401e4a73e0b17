"""Checks links without network: ``python -m tools.links README.md site`` prints each that leads nowhere.

A Markdown file is read for ``[text](target)`` and ``![text](target)``: the file must be there, and have the heading
that an anchor names. A folder is a built site: every ``href`` and ``src`` of its pages must lead to a file of it, and
an anchor to an element with that id. Links with a scheme (``https:``, ``mailto:``) are not followed.
"""

import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", flags=re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_HEADING = re.compile(r"^#+ +(.*?)(?: +#+)?$", flags=re.MULTILINE)


def main(paths: list[str]) -> int:
    """Print what leads nowhere; 1 when there is any."""
    found = [line for path in map(Path, paths) for line in (dead_in_site if path.is_dir() else dead_in_markdown)(path)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


def dead_in_markdown(file: Path) -> list[str]:
    """The links of a Markdown file that lead nowhere, as ``file: target``."""
    targets = _LINK.findall(_CODE.sub("", file.read_text(encoding="utf-8")))
    return [f"{file}: {target}" for target in targets if not _leads_from_markdown(file, target)]


def dead_in_site(folder: Path) -> list[str]:
    """The links of all pages of a built site that lead nowhere, as ``page: target``."""
    return [f"{page}: {target}" for page in sorted(folder.rglob("*.html")) for target in _dead_on_page(folder, page)]


def _leads_from_markdown(file: Path, target: str) -> bool:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return True
    other = file.parent / unquote(parts.path) if parts.path else file
    if not other.exists():
        return False
    return not parts.fragment or other.suffix != ".md" or parts.fragment in _slugs(other)


@lru_cache
def _slugs(file: Path) -> frozenset[str]:
    """The anchors of a file's headings as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    plain = (re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in _HEADING.findall(text))
    return frozenset(plain)


def _dead_on_page(folder: Path, page: Path) -> Iterator[str]:
    for target in _read(page).targets:
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            continue
        path = unquote(parts.path)
        other = (folder / path.lstrip("/") if path.startswith("/") else page.parent / path) if path else page
        other = other / "index.html" if other.is_dir() else other
        is_there = other.is_file()
        if is_there and parts.fragment and other.suffix == ".html":
            is_there = unquote(parts.fragment) in _read(other.resolve()).ids
        if not is_there:
            yield target


class _Page(HTMLParser):
    """What a page links to, and where it can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: set[str] = {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                self.targets.append(value)
            elif (name == "id" or (name == "name" and tag == "a")) and value:
                self.ids.add(value)


@lru_cache
def _read(page: Path) -> _Page:
    return _Page(page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
