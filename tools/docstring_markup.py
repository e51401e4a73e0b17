r"""Docstrings as Markdown: what Sphinx would read (roles, ``.. math::``, simple tables) as the site shows it.

Formulas become MathML while the site is built, so that a page needs neither network nor script. mkdocstrings loads
``DocstringMarkup`` as an extension (``mkdocs.yml``).
"""

import html
import re
import textwrap
from typing import Any

import griffe
from latex2mathml.converter import convert

_ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|obj):`([^`]+)`")
_INLINE = re.compile(r":math:`([^`]+)`")
_BLOCK = re.compile(r"^( *)\.\. math::[ ]?(.*(?:\n(?:\1 +.*|[ ]*(?=\n\1 )))*)", flags=re.MULTILINE)
_RULE = re.compile(r"^ *=+(?: +=+)+ *$")


class DocstringMarkup(griffe.Extension):
    """Rewrites every docstring when its object was read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called by griffe for modules, classes, functions and attributes."""
        if obj.docstring:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    """A docstring's text as Markdown."""
    text = _BLOCK.sub(lambda found: f"{found[1]}{mathml(textwrap.dedent(found[2]), 'block')}", text)
    text = _INLINE.sub(lambda found: mathml(found[1], "inline"), text)
    text = _ROLE.sub(lambda found: f"`{found[1].removeprefix('~').removeprefix('!').rpartition('.')[2]}`", text)
    return "\n".join(_with_tables(text.splitlines()))


def mathml(tex: str, display: str) -> str:
    """A formula; signs that Markdown would read are written as numbers."""
    written = convert(" ".join(tex.split()), display=display)
    signs = re.compile(r"(>)([^<]*)(<)")
    return signs.sub(lambda found: found[1] + _numbered(html.unescape(found[2])) + found[3], written)


def _numbered(text: str) -> str:
    return "".join(sign if sign.isalnum() or sign == " " else f"&#{ord(sign)};" for sign in text)


def _with_tables(lines: list[str]) -> list[str]:
    """Simple tables between rules of ``===`` as tables of Markdown; the columns are where the rules are."""
    out: list[str] = []
    rules = [place for place, line in enumerate(lines) if _RULE.match(line)]
    start = 0
    for top, middle, bottom in zip(*[iter(rules)] * 3, strict=False):
        columns = [found.span() for found in re.finditer("=+", lines[top])]
        inside = (line for place, line in enumerate(lines[top:bottom], top) if place not in (top, middle))
        head, *rows = ([line[a:b].strip() for a, b in _stretched(columns)] for line in inside)
        out += [*lines[start:top], _row(head), _row(["---"] * len(head)), *map(_row, rows)]
        start = bottom + 1
    return [*out, *lines[start:]]


def _stretched(columns: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Each column up to the next, the last without end."""
    return [(a, b) for (a, _), b in zip(columns, [*(a for a, _ in columns[1:]), 10_000], strict=True)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
