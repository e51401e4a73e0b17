r"""TREC's tagged texts: topics (``<top>``) and documents (``<DOC>``), read one element at a time.

Topics may be of the old kind, without closing tags (``<num> Number: 301``, ``<title> Topic: ...``). Of a topic the
title is taken, of a document its DOCNO, title (or headline) and texts; other tags inside a text count as blanks.
TREC has no rule for ``<``, ``&`` and outer blanks in a text: we write them as ``&lt;``, ``&amp;``, ``&#10;`` and read
these back, other entities stay as they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from litotes.core.errors import DataError
from litotes.data.lines import BadLine, check_text, raw_lines, skip_or_raise

__all__ = ["document_element", "read_documents", "read_topics", "topic_element"]

T = TypeVar("T")

_TAG = r"</?[A-Za-z][^<>]*>"
_TEXT = re.compile(r"<text>(.*?)</text>", re.IGNORECASE | re.DOTALL)
_ENTITY = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#(\d{1,7}));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_HEADLINES = ("title", "headline", "hl", "head")


def read_topics(path: Path, notes: Counter[str], skip_bad_lines: bool = False) -> Iterator[tuple[int, tuple[str, str]]]:
    """Line, and (id, title) of every topic."""
    return _elements(path, "top", _topic, notes, skip_bad_lines)


def read_documents(
    path: Path, notes: Counter[str], skip_bad_lines: bool = False
) -> Iterator[tuple[int, tuple[str, str, str]]]:
    """Line, and (id, title, text) of every document."""
    return _elements(path, "doc", _document, notes, skip_bad_lines)


def topic_element(name: str, text: str) -> str:
    """A topic as it is written to a file."""
    return f"<top>\n<num>{_escaped(name)}</num>\n<title>{_escaped_blanks(_escaped(text))}</title>\n</top>\n"


def document_element(name: str, title: str, text: str) -> str:
    """A document as it is written to a file."""
    head = f"<TITLE>{_escaped_blanks(_escaped(title))}</TITLE>\n" if title else ""
    return f"<DOC>\n<DOCNO>{_escaped(name)}</DOCNO>\n{head}<TEXT>\n{_escaped_ends(_escaped(text))}\n</TEXT>\n</DOC>\n"


def _elements(
    path: Path, tag: str, parse: Callable[[str], T], notes: Counter[str], skip_bad_lines: bool
) -> Iterator[tuple[int, T]]:
    opening, closing = f"<{tag}>", f"</{tag}>"
    held: list[str] | None = None
    start = 0
    for number, raw in raw_lines(path):
        line = raw.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
        mark = line.strip().lower()
        if mark == opening or (held is None and mark.startswith(opening)):
            if held is not None:
                raise DataError.at(
                    path, number, f"{opening} inside the one begun in line {start}. Close that one first."
                )
            held, start = [], number
        if held is None:
            if mark:
                raise DataError.at(path, number, f"text outside {opening}...{closing}: {mark[:60]!r}.")
            continue
        held.append(line)
        if not mark.endswith(closing):
            continue
        element, held = "".join(held), None
        try:
            value = parse(_whole(element))
        except BadLine as error:
            skip_or_raise(path, start + _lines_before_bad_byte(element), error, notes, skip_bad_lines)
            continue
        yield start, value
    if held is not None:
        raise DataError.at(path, start, f"the {opening} begun here is never closed: the file is cut off.")


def _topic(element: str) -> tuple[str, str]:
    number = _field(element, "num", old_prefix="Number:")
    title = _field(element, "title", old_prefix="Topic:")
    if not number or title is None:
        raise BadLine(f"a topic without {'<num>' if not number else '<title>'}. Expected both.")
    return number, title


def _document(element: str) -> tuple[str, str, str]:
    texts = _TEXT.findall(element)
    rest = _TEXT.sub("", element)  # short, and a <title> in a text is not the document's
    name = _field(rest, "docno")
    if not name or not texts:
        raise BadLine(f"a document without {'<DOCNO>' if not name else '<TEXT>...</TEXT>'}. Expected both.")
    titles = (_field(rest, tag) for tag in _HEADLINES)
    text = "\n".join(_unescaped(re.sub(_TAG, " ", text).strip()) for text in texts)
    return name, next((title for title in titles if title), ""), text


def _field(element: str, tag: str, old_prefix: str = "") -> str | None:
    """What follows ``<tag>`` up to the next tag, blanks collapsed; None where there is no such tag."""
    found = re.search(rf"<{tag}>(.*?)({_TAG})", element, re.IGNORECASE | re.DOTALL)
    if found is None:
        return None
    text = " ".join(found[1].split())
    is_closed = found[2].lower() == f"</{tag}>"
    return _unescaped(text if is_closed else text.removeprefix(old_prefix).lstrip())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _escaped_ends(text: str) -> str:
    """Blanks at both ends as numbers, so that stripping leaves them."""
    inner = text.strip()
    if not inner:
        return _as_numbers(text)
    start = text.index(inner[0])
    return _as_numbers(text[:start]) + inner + _as_numbers(text[start + len(inner) :])


def _escaped_blanks(text: str) -> str:
    """Every blank but a single inner space as a number, so that collapsing leaves them."""
    return re.sub(r"^\s+|\s+$|\s{2,}|[^\S ]", lambda found: _as_numbers(found[0]), text)


def _as_numbers(blanks: str) -> str:
    return "".join(f"&#{ord(blank)};" for blank in blanks)


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda found: _NAMED[found[1]] if found[1] else _character(found), text)


def _character(found: re.Match[str]) -> str:
    code = int(found[2])
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else found[0]


def _whole(element: str) -> str:
    return check_text(element, "the element")


def _lines_before_bad_byte(element: str) -> int:
    """How many lines of the element stand before the first byte that is not UTF-8."""
    bad = re.search("[\ud800-\udfff]", element)
    return element.count("\n", 0, bad.start()) if bad else 0
