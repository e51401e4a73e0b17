"""Folders of TREC files: topics, documents and judgements.

=============  ====================================================================================================
topics         ``topics*`` or ``queries*``: ``<top>`` elements, or lines of id TAB text
documents      ``documents*``, ``docs*``, ``corpus*`` or ``collection*``, a file or a folder of files: ``<DOC>``
               elements, or JSON lines with an id (``docno``, ``docid``, ``doc_id``, ``id``, ``_id``) and a text
               (``text``, ``contents``)
judgements     ``qrels.SPLIT.txt`` or ``qrels/SPLIT.txt``, or one ``qrels.txt`` for a collection without splits; the
               endings ``.qrels``, ``.trec``, ``.tsv`` or none do as well
=============  ====================================================================================================

Every file may be gzipped; what is in it is told by its first character, not by its name.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from litotes.core.collection import Collection
from litotes.core.errors import DataError
from litotes.data.judgements import Gathered
from litotes.data.lines import BadLine, excerpt, first_character, parse_object, parsed_lines, take_id, take_text
from litotes.data.trec import read_trec_judgements
from litotes.data.trec_sgml import document_element, read_documents, read_topics, topic_element
from litotes.data.writing import Texts, grade_text, new_folder, open_text, plain_id

__all__ = ["looks_like_trec", "read_trec", "trec_splits", "write_trec"]

_TOPICS = ("topics", "queries")
_DOCUMENTS = ("documents", "docs", "corpus", "collection")
_ENDINGS = (".txt", ".trec", ".xml", ".sgml", ".tsv", ".jsonl", ".qrels")
_ID_FIELDS = ("docno", "docid", "doc_id", "id", "_id")
_TEXT_FIELDS = ("text", "contents")


def read_trec(folder: Path, split: str | None, *, skip_bad_lines: bool = False) -> tuple[Gathered, str | None]:
    """Read one split of a folder of TREC files, or with ``split=None`` all of them together.

    A folder with one ``qrels.txt`` has no splits: it is read whole, whatever split is asked for.

    Returns:
        What was read, and the split that it is (None: everything).

    Raises:
        DataError: a file is missing, cut or holds a line that is none; an id has two texts.
    """
    splits = trec_splits(folder)
    if list(splits) == [""]:
        split = None
    chosen = list(splits.values()) if split is None else [splits[split]] if split in splits else []
    if not chosen:
        there = ", ".join(name or "(the unnamed one)" for name in splits) or "none"
        raise DataError(
            f"{folder}: no judgements qrels.{split}.txt. Splits there: {there}. In Python, split=None reads all."
        )
    found = Gathered("TREC", titles=True)
    for path in _files(folder, _TOPICS, "topics"):
        for number, (name, text) in _topics(path, found.notes, skip_bad_lines):
            found.queries.add(name, text, path, number)
    for path in _files(folder, _DOCUMENTS, "documents"):
        for number, (name, title, text) in _documents(path, found.notes, skip_bad_lines):
            found.documents.add(name, text, path, number, title)
    for path in chosen:
        read_trec_judgements(path, found.judgements, found.notes, skip_bad_lines)
    return found, split


def write_trec(
    folder: str | os.PathLike[str], data: Collection | Mapping[str, Collection], *, force: bool = False
) -> None:
    """Write ``topics.trec``, ``documents.trec`` and one ``qrels.SPLIT.txt`` a split, whole or not at all.

    Raises:
        LitotesError: the folder is not empty, or an id holds blanks, which divide the columns of TREC files.
    """
    texts = Texts(data)
    with new_folder(folder, force) as partial:
        with open_text(partial / "topics.trec") as file:
            for name, text in texts.queries():
                file.write(topic_element(plain_id(name, "TREC topics"), text))
        with open_text(partial / "documents.trec") as file:
            for name, title, text in texts.documents():
                file.write(document_element(plain_id(name, "TREC documents"), title, text))
        for split, collection in texts.splits.items():
            with open_text(partial / f"qrels.{split}.txt") as file:
                rows = [plain_id(name, "a TREC qrels file") for name in collection.row_ids]
                cols = [plain_id(name, "a TREC qrels file") for name in collection.col_ids]
                for row, col, grade in zip(*(part.tolist() for part in collection.labels.cells()), strict=True):
                    file.write(f"{rows[row]} 0 {cols[col]} {grade_text(grade)}\n")


def looks_like_trec(folder: Path) -> bool:
    """Whether there are judgements and topics under TREC's names."""
    return bool(trec_splits(folder)) and any(_named(path, _TOPICS) for path in folder.iterdir())


def trec_splits(folder: Path) -> dict[str, Path]:
    """The judgement files of a folder by split; the split of a plain ``qrels.txt`` is the empty name."""
    found: dict[str, Path] = {}
    inside = sorted((folder / "qrels").iterdir()) if (folder / "qrels").is_dir() else []
    for path in [*inside, *(path for path in sorted(folder.iterdir()) if _named(path, ("qrels",)))]:
        if not path.is_file() or path.name.startswith("."):
            continue
        split = _stem(path).removeprefix("qrels").lstrip("._-")
        if split in found:
            raise DataError(f"{folder}: {found[split].name} and {path.name} are the same split. Keep one of them.")
        found[split] = path
    return found


def _topics(path: Path, notes: Counter[str], skip_bad_lines: bool) -> Iterator[tuple[int, tuple[str, str]]]:
    if first_character(path) == "<":
        return read_topics(path, notes, skip_bad_lines)
    return parsed_lines(path, _topic_line, notes, skip_bad_lines)


def _topic_line(line: str) -> tuple[str, str]:
    cells = line.split("\t")
    if len(cells) != 2 or not cells[0].strip():
        there = f"{len(cells)} column{'s' * (len(cells) != 1)}: {excerpt(line)}"
        raise BadLine(f"{there}. Expected 2 columns divided by a tab: topic id, text.")
    return cells[0].strip(), cells[1]


def _documents(path: Path, notes: Counter[str], skip_bad_lines: bool) -> Iterator[tuple[int, tuple[str, str, str]]]:
    def parse(line: str) -> tuple[str, str, str]:
        fields = parse_object(line)
        id_field = next((name for name in _ID_FIELDS if name in fields), _ID_FIELDS[0])
        text_field = next((name for name in _TEXT_FIELDS if name in fields), _TEXT_FIELDS[0])
        title = take_text(fields, "title", default="")
        return take_id(fields, id_field, notes), title, take_text(fields, text_field)

    if first_character(path) == "<":
        return read_documents(path, notes, skip_bad_lines)
    return parsed_lines(path, parse, notes, skip_bad_lines)


def _files(folder: Path, names: tuple[str, ...], what: str) -> list[Path]:
    """The files under one of these names, and the files in folders of these names."""
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if _named(path, names):
            found += sorted(path.iterdir()) if path.is_dir() else [path]
    files = [path for path in found if path.is_file() and not path.name.startswith(".")]
    if not files:
        raise DataError(f"{folder}: no {what}. Expected a file or folder named {', '.join(f'{n}*' for n in names)}.")
    return files


def _named(path: Path, names: tuple[str, ...]) -> bool:
    stem = _stem(path)
    return any(stem == name or stem.startswith((f"{name}.", f"{name}-", f"{name}_")) for name in names)


def _stem(path: Path) -> str:
    """The name without a known ending."""
    name = path.name.removesuffix(".gz")
    ending = Path(name).suffix
    return name.removesuffix(ending) if ending in _ENDINGS else name
