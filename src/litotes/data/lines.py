"""Text files line by line: UTF-8, gzipped or not, with or without a byte order mark, LF or CRLF.

Lines end at LF and nowhere else, so a U+2028 inside a JSON string stays where it is. Nothing is read ahead: a file of
any size costs one line of memory. What is wrong with a line is first said without its place (:class:`BadLine`), by
whoever parses it; :func:`parsed_lines` knows file and number, and either raises or counts the line as skipped.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from litotes.core.checks import nearest
from litotes.core.errors import DataError, MachineError
from litotes.core.progress import Progress

__all__ = [
    "BadLine",
    "check_text",
    "excerpt",
    "first_character",
    "parse_object",
    "parsed_lines",
    "raw_lines",
    "skip_or_raise",
    "take_id",
    "take_number",
    "take_text",
]

T = TypeVar("T")

_GZIP_MAGIC = b"\x1f\x8b"
_TOLD = 4096  # lines between two looks at the clock
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class BadLine(ValueError):
    """What stood in a line, what was expected, what to do; without the line's place."""


def parsed_lines(
    path: Path, parse: Callable[[str], T], notes: Counter[str], skip_bad_lines: bool = False
) -> Iterator[tuple[int, T]]:
    """Number (from 1) and parsed value of every line that is not blank.

    ``notes`` counts ``blank_lines`` and, with ``skip_bad_lines``, ``skipped_lines``.

    Raises:
        DataError: ``path:line: ...`` for a line that ``parse`` refuses or that is not UTF-8.
    """
    for number, raw in raw_lines(path):
        try:
            line = _decoded(_without_end(raw))
            if not line.strip():
                notes["blank_lines"] += 1
                continue
            value = parse(line)
        except BadLine as error:
            skip_or_raise(path, number, error, notes, skip_bad_lines)
            continue
        yield number, value


def raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes, line end included, of every line; the byte order mark is taken off.

    Raises:
        DataError: no such file, a folder, or a gzip stream that is cut or damaged.
        MachineError: the file cannot be read.
    """
    number = 0
    try:
        with _opened(path) as file, Progress(f"Reading {path.name}", unit="lines") as bar:
            for number, raw in enumerate(file, start=1):
                yield number, raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw
                if number % _TOLD == 0:
                    bar.advance(_TOLD)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file.") from None
    except IsADirectoryError:
        raise DataError(f"{path}: is a folder, where a file was expected.") from None
    except EOFError:
        raise DataError(
            f"{path}: the gzip file is cut off after line {number:,}. Copy or download it again, or compress it anew."
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: the gzip file is damaged after line {number:,} ({error}). Get it anew.") from None
    except OSError as error:
        raise MachineError(f"{path}: cannot be read ({error.strerror or error}).") from error


def first_character(path: Path) -> str:
    """The first character of a file that is not blank; empty where there is none."""
    for _, raw in raw_lines(path):
        if text := raw.decode("utf-8", "replace").strip():
            return text[0]
    return ""


def skip_or_raise(path: Path, number: int, error: BadLine, notes: Counter[str], skip_bad_lines: bool) -> None:
    """Count a bad line, or say where it stands and how to go on without it."""
    if not skip_bad_lines:
        raise DataError.at(path, number, f"{error} Mend the line, or pass skip_bad_lines=True.") from None
    notes["skipped_lines"] += 1


def parse_object(line: str) -> dict[str, Any]:
    """The JSON object that is the line."""
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        if line.strip() in ("[", "{", "[{"):
            raise BadLine("one JSON document over several lines. Expected one JSON object on each line.") from None
        raise BadLine(
            f"not valid JSON ({error.msg} at column {error.colno}): {excerpt(line)}. Expected one JSON object."
        ) from None
    except (ValueError, RecursionError):  # a number of 5,000 digits, brackets 1,000 deep
        raise BadLine(f"JSON that cannot be read: {excerpt(line)}. Expected one plain JSON object.") from None
    if not isinstance(value, dict):
        raise BadLine(f"{_kind(value)}: {excerpt(line)}. Expected one JSON object.")
    return value


def take_text(fields: dict[str, Any], name: str, default: str | None = None) -> str:
    """The string under ``name``; null counts as absent, and an absent one is ``default`` where there is one."""
    value = fields.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, str):
        return check_text(value, name)
    raise _wrong_field(fields, name, "a string")


def take_id(fields: dict[str, Any], name: str, notes: Counter[str]) -> str:
    """The id under ``name``: a string that is not empty, or an integer, which is written out and counted."""
    value = fields.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        notes["numeric_ids"] += 1
        return str(value)
    if isinstance(value, str) and value:
        return check_text(value, name)
    raise _wrong_field(fields, name, "an id (a string that is not empty, or an integer)")


def take_number(text: str, what: str) -> float:
    """A finite number as people write it (``1``, ``-2``, ``0.5``, ``1e-3``)."""
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if number - number != 0 or "_" in text:  # nan and infinity differ from themselves; 1_000 is Python, not data
        raise BadLine(f"the {what} {excerpt(text)} is not a number. Expected one such as 1, 0 or 0.5.")
    return number


def check_text(text: str, name: str) -> str:
    """The text, if it can be written as UTF-8: no half surrogate pairs (nor bytes that were not UTF-8)."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            code = ord(text[error.start])
            found = (
                f"the byte 0x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"half a character (U+{code:04X})"
            )
            raise BadLine(f"{name!r} holds {found}, which is not UTF-8.") from None
    return text


def excerpt(text: str, length: int = 60) -> str:
    """The beginning of a text, quoted, for a message."""
    return repr(text if len(text) <= length else text[: length - 3] + "...")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with open(path, "rb") as file:
        if file.peek(2)[:2] == _GZIP_MAGIC:  # by content: names lie in both directions
            with gzip.GzipFile(fileobj=file, mode="rb") as unzipped:
                yield cast(BinaryIO, unzipped)
        else:
            yield file


def _without_end(raw: bytes) -> bytes:
    return raw.removesuffix(b"\n").removesuffix(b"\r")


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadLine(
            f"the byte 0x{raw[error.start]:02x} at column {error.start + 1} is not UTF-8. Save the file as UTF-8."
        ) from None


def _wrong_field(fields: dict[str, Any], name: str, expected: str) -> BadLine:
    if name in fields:
        return BadLine(f"the field {name!r} is {_kind(fields[name])}. Expected {expected}.")
    near = nearest(name, fields)
    hint = f" Did you mean {near!r}?" if near else ""
    return BadLine(f"no field {name!r} among {', '.join(map(repr, fields)) or 'none'}.{hint} Expected {expected}.")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a truth value", type(None): "null"}
    return names.get(type(value), f"the number {value!r}") if value != "" else "an empty string"
