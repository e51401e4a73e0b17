r"""BEIR folders: ``corpus.jsonl``, ``queries.jsonl``, ``qrels/SPLIT.tsv``, each plain or gzipped (Thakur et al. 2021).

A document is ``{"_id": ..., "title": ..., "text": ...}`` (title optional; what is searched is title, blank, text),
a query ``{"_id": ..., "text": ...}``. A judgement is ``query-id TAB corpus-id TAB score``, under a header line that may
be absent; 0 and negative scores are explicit negatives. Ids are strings: ``007`` stays ``007``, the JSON number 7 is
``7``.

The rows of a split are the queries that are judged in it; ``split=None`` reads all splits and keeps every query.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from litotes.core.collection import Collection
from litotes.core.errors import DataError
from litotes.data.judgements import Gathered, Judgements
from litotes.data.lines import (
    BadLine,
    excerpt,
    parse_object,
    parsed_lines,
    skip_or_raise,
    take_id,
    take_number,
    take_text,
)
from litotes.data.text_table import TextTable
from litotes.data.writing import Texts, grade_text, json_line, new_folder, open_text, plain_id

__all__ = [
    "beir_splits",
    "looks_like_beir",
    "read_beir",
    "read_beir_judgements",
    "split_of",
    "write_beir",
    "write_beir_judgements",
]

_QUERY_NAMES = {"queryid", "qid", "query", "topic", "topicid"}
_DOCUMENT_NAMES = {"corpusid", "docid", "docno", "documentid", "did", "pid", "document", "corpus"}
_GRADE_NAMES = {"score", "relevance", "rel", "grade", "label", "judgement", "judgment"}


def read_beir(folder: Path, split: str | None, *, skip_bad_lines: bool = False) -> Gathered:
    """Read one split of a BEIR folder, or with ``split=None`` all of them together.

    Raises:
        DataError: a file is missing, cut or holds a line that is none; an id has two texts.
    """
    splits = beir_splits(folder)
    if split is not None and split not in splits:
        there = ", ".join(splits) or "none"
        raise DataError(
            f"{folder / 'qrels'}: no split {split!r}. Splits there: {there}. In Python, split=None reads all."
        )
    if not splits:
        raise DataError(f"{folder / 'qrels'}: no judgements. Expected qrels/SPLIT.tsv or qrels/SPLIT.tsv.gz.")
    found = Gathered("BEIR", titles=True)
    for table, name in ((found.documents, "corpus"), (found.queries, "queries")):
        _read_texts(_only_file(folder, name), table, found.notes, skip_bad_lines)
    for path in splits.values() if split is None else [splits[split]]:
        read_beir_judgements(path, found.judgements, found.notes, skip_bad_lines)
    return found


def write_beir(
    folder: str | os.PathLike[str], data: Collection | Mapping[str, Collection], *, force: bool = False
) -> None:
    """Write a BEIR folder: all documents, all queries, and one ``qrels/SPLIT.tsv`` a split, whole or not at all.

    Args:
        data: one collection (its split is its own name, else ``train``), or one a split over the same documents.
        force: write into a folder that is not empty; files of other names stay.

    Raises:
        LitotesError: the folder is not empty; an id holds a tab or a line break; an id has two texts in two splits.
    """
    texts = Texts(data)
    with new_folder(folder, force) as partial_folder:
        with open_text(partial_folder / "corpus.jsonl") as file:
            for name, title, body in texts.documents():
                file.write(json_line({"_id": name, "title": title, "text": body}))
        with open_text(partial_folder / "queries.jsonl") as file:
            for name, text in texts.queries():
                file.write(json_line({"_id": name, "text": text}))
        (partial_folder / "qrels").mkdir()
        for split, collection in texts.splits.items():
            write_beir_judgements(partial_folder / "qrels" / f"{split}.tsv", collection)


def write_beir_judgements(path: Path, data: Collection) -> None:
    """Write the judgements alone, as ``qrels/SPLIT.tsv`` of a BEIR folder holds them.

    Raises:
        LitotesError: an id holds a tab or a line break.
    """
    with open_text(path) as file:
        file.write("query-id\tcorpus-id\tscore\n")
        rows = [plain_id(name, "a BEIR qrels file", "\t\n\r") for name in data.row_ids]
        cols = [plain_id(name, "a BEIR qrels file", "\t\n\r") for name in data.col_ids]
        for row, col, grade in zip(*(part.tolist() for part in data.labels.cells()), strict=True):
            file.write(f"{rows[row]}\t{cols[col]}\t{grade_text(grade)}\n")


def looks_like_beir(folder: Path) -> bool:
    """Whether texts and judgements lie there under BEIR's names, or enough of them to say what is missing."""
    there = [any((folder / f"{name}.jsonl{gz}").exists() for gz in ("", ".gz")) for name in ("corpus", "queries")]
    return all(there) or (any(there) and bool(beir_splits(folder)))


def beir_splits(folder: Path) -> dict[str, Path]:
    """The splits of a BEIR folder and their files, by name."""
    qrels = folder / "qrels"
    found: dict[str, Path] = {}
    for path in sorted(qrels.iterdir()) if qrels.is_dir() else []:
        name = split_of(path, (".tsv",))
        if name and name in found:
            raise DataError(f"{qrels}: holds both {found[name].name} and {path.name}. Keep one of them.")
        if name:
            found[name] = path
    return found


def split_of(path: Path, endings: tuple[str, ...]) -> str | None:
    """The name of a file without one of these endings (and ``.gz``); None for other files and hidden ones."""
    name = path.name.removesuffix(".gz")
    for ending in endings:
        if name.endswith(ending) and not name.startswith(".") and name != ending and path.is_file():
            return name.removesuffix(ending)
    return None


def _only_file(folder: Path, name: str) -> Path:
    """The one file of this name, gzipped or not; none and two are errors."""
    candidates = [folder / f"{name}.jsonl{gz}" for gz in ("", ".gz")]
    there = [path for path in candidates if path.exists()]
    if not there:
        raise DataError(f"{folder}: no {candidates[0].name} or {candidates[1].name}, which a BEIR folder needs.")
    if len(there) > 1:
        raise DataError(f"{folder}: holds {there[0].name} and {there[1].name}. Keep one of them.")
    return there[0]


def _read_texts(path: Path, table: TextTable, notes: Counter[str], skip_bad_lines: bool) -> None:
    def parse(line: str) -> tuple[str, str, str]:
        fields = parse_object(line)
        return take_id(fields, "_id", notes), take_text(fields, "text"), take_text(fields, "title", default="")

    for number, (name, text, title) in parsed_lines(path, parse, notes, skip_bad_lines):
        table.add(name, text, path, number, title)


def read_beir_judgements(path: Path, judgements: Judgements, notes: Counter[str], skip_bad_lines: bool) -> None:
    """Add the judgements of a ``qrels/SPLIT.tsv``.

    Raises:
        DataError: a line without three columns, a grade that is no number, or not a single line.
    """
    before = len(judgements)
    columns = (0, 1, 2)
    width = 3
    first = True
    for number, cells in parsed_lines(path, partial(str.split, sep="\t"), notes, skip_bad_lines):
        if first:
            first = False
            header = _header(cells)
            if header is not None:
                columns, width = header, len(cells)
                continue
        try:
            row, col, grade = _judgement(cells, columns, width)
        except BadLine as error:
            skip_or_raise(path, number, error, notes, skip_bad_lines)
            continue
        judgements.add(row, col, grade, path, number)
    if len(judgements) == before:
        raise DataError(f"{path}: there is not a single judgement. Expected query-id, corpus-id, score on each line.")


def _header(cells: list[str]) -> tuple[int, int, int] | None:
    """Where query, document and grade stand, if the first line says so."""
    names = ["".join(filter(str.isalnum, cell.lower())) for cell in cells]
    places = [
        next((place for place, name in enumerate(names) if name in known), None)
        for known in (_QUERY_NAMES, _DOCUMENT_NAMES, _GRADE_NAMES)
    ]
    return None if None in places else tuple(places)  # type: ignore[return-value]


def _judgement(cells: list[str], columns: tuple[int, int, int], width: int) -> tuple[str, str, float]:
    expected = f"Expected {width} columns divided by tabs: query-id, corpus-id, score."
    if len(cells) != width:
        hint = " This looks like a TREC qrels file." if len(cells) == 1 and len(cells[0].split()) == 4 else ""
        raise BadLine(f"{len(cells)} column{'s' * (len(cells) != 1)}: {excerpt(chr(9).join(cells))}. {expected}{hint}")
    row, col, grade = (cells[place] for place in columns)
    if not row or not col:
        raise BadLine(f"an empty id. {expected}")
    return row, col, take_number(grade, "score")
