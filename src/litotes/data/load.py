"""``load``: labels and texts from wherever they are, whatever their format is.

The format is told by what is there: in a folder by the names of its files, in a JSONL file by the fields of its first
line, elsewhere by the ending of the name. What was found is said, and stands in the collection's ``notes``.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from litotes.core.checks import check_choice, check_float
from litotes.core.collection import Collection
from litotes.core.errors import DataError, LitotesError
from litotes.core.label_matrix import Duplicates
from litotes.core.progress import say
from litotes.core.spec import parse_spec
from litotes.data.beir import looks_like_beir, read_beir, split_of
from litotes.data.flagembedding import read_flagembedding
from litotes.data.judgements import Gathered
from litotes.data.lines import parse_object, parsed_lines
from litotes.data.public import PUBLIC, public_folder
from litotes.data.table_sources import (
    JSON_LINES,
    TABLE_ENDINGS,
    DatasetRows,
    TableSource,
    check_table_path,
    live_table,
    table_file,
)
from litotes.data.tables import read_table
from litotes.data.tevatron import read_tevatron
from litotes.data.trec_folder import looks_like_trec, read_trec

__all__ = ["load"]

_LOOKED_FOR = (
    "a BEIR folder (corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv), "
    "TREC files (topics*, documents*, qrels.SPLIT.txt), "
    f"SPLIT{', SPLIT'.join(TABLE_ENDINGS)}"
)
_BUILTIN = "builtin:"


def load(
    source: Any,
    split: str | None = "train",
    *,
    query_column: str | None = None,
    positive_column: str | None = None,
    min_grade: float = 1.0,
    duplicates: Duplicates = "refuse",
    skip_bad_lines: bool = False,
) -> Collection:
    """Read a data set and say what it was taken for.

    Args:
        source: a folder (BEIR, TREC, or one table a split), a file (JSONL, CSV, TSV, Parquet; FlagEmbedding or Tevatron
            JSONL; each may be gzipped), ``"builtin:pydocs"``, the name of a public set such as ``"nfcorpus"`` where
            nothing here has that name (``litotes data`` lists them), a ``datasets.Dataset`` or ``DatasetDict``, or a
            pandas ``DataFrame``.
        split: which split of a folder or ``DatasetDict``; None reads all of them together. What has no splits is read
            whole.
        query_column, positive_column: columns of a table, by default its first and second.
        min_grade: the smallest grade of a positive, where the format has grades.
        duplicates: what to do with a cell that was judged twice: ``"refuse"`` (if the grades differ), ``"max"``,
            ``"last"`` or ``"sum"``.
        skip_bad_lines: count lines that cannot be read in the notes instead of refusing them.

    Raises:
        DataError: nothing is there, or nothing known; a file holds what it should not (``file:line: ...``).
    """
    check_float("load", "min_grade", min_grade)
    check_choice("load", "duplicates", duplicates, ("refuse", "max", "last", "sum"))
    if isinstance(source, str) and source.startswith(_BUILTIN):
        return _load_builtin(source, split)
    chosen = {"query_column": query_column, "positive_column": positive_column}
    if isinstance(source, str | os.PathLike):
        path = Path(source).expanduser()
        public = source if isinstance(source, str) and source in PUBLIC and not path.exists() else None
        path = path if public is None else public_folder(public)
        found, split = _read_path(path, split, chosen, skip_bad_lines)
        name, origin = path.name.removesuffix(".gz").split(".")[0] if path.is_file() else path.resolve().name, str(path)
        name = public or name
    else:
        tables, split = _live_tables(source, split)
        found = read_table(tables, **chosen, skip_bad_lines=skip_bad_lines)
        name, origin = found.facts["format"], found.facts["format"]
    data = found.collection(
        name=name,
        origin=origin,
        split=split,
        min_grade=float(min_grade),
        duplicates=duplicates,
        every_query=found.facts["format"] not in ("BEIR", "TREC") or split is None,
    )
    _say_what(data, f"{origin}: read as {found.facts['format']}")
    return data


def _read_path(
    path: Path, split: str | None, chosen: dict[str, str | None], skip_bad_lines: bool
) -> tuple[Gathered, str | None]:
    """What was read, and the split that it is (None: everything)."""
    if path.is_dir():
        if looks_like_beir(path) or looks_like_trec(path):
            _refuse_columns(path, chosen)
        if looks_like_beir(path):
            return read_beir(path, split, skip_bad_lines=skip_bad_lines), split
        if looks_like_trec(path):
            return read_trec(path, split, skip_bad_lines=skip_bad_lines)
        return _read_files(_files_of(path, split), chosen, skip_bad_lines), split
    check_table_path(path)
    return _read_files([path], chosen, skip_bad_lines), None


def _read_files(paths: list[Path], chosen: dict[str, str | None], skip_bad_lines: bool) -> Gathered:
    """Read files of one split as FlagEmbedding, Tevatron or tables."""
    if paths[0].name.removesuffix(".gz").lower().endswith(JSON_LINES):
        _, fields = next(parsed_lines(paths[0], parse_object, Counter(), skip_bad_lines=True), (0, {}))
        readers = {"pos": read_flagembedding, "positive_passages": read_tevatron}
        for field, reader in readers.items():
            if field in fields:
                _refuse_columns(paths[0], chosen)
                return reader(paths, skip_bad_lines=skip_bad_lines)
        if "_id" in fields and "text" in fields:
            raise DataError(f"{paths[0]}: this is one file of a BEIR folder. Give the folder that it lies in.")
    sources = [table_file(path) for path in paths]
    if sources[0].columns(skip_bad_lines)[:2] == ["query-id", "corpus-id"]:
        raise DataError(f"{paths[0]}: these are judgements of a BEIR folder. Give the folder above {paths[0].parent}.")
    return read_table(sources, **chosen, skip_bad_lines=skip_bad_lines)


def _files_of(folder: Path, split: str | None) -> list[Path]:
    """The tables of one split (``train.jsonl``, ``train-00000-of-00002.parquet``), or of all."""
    splits: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        name = split_of(path, TABLE_ENDINGS)
        if name is not None:
            splits.setdefault(re.sub(r"-\d+-of-\d+$", "", name), []).append(path)
    if {"dataset_info", "dataset_dict"} & splits.keys() or (folder / "dataset_dict.json").exists():
        raise DataError(f"{folder}: a folder of datasets' save_to_disk. Pass datasets.load_from_disk(...) instead.")
    if not splits:
        raise DataError(f"{folder}: nothing to read here. Looked for: {_LOOKED_FOR}.")
    if split is not None and split not in splits:
        raise DataError(
            f"{folder}: no split {split!r}. Splits there: {', '.join(splits)}. In Python, split=None reads all."
        )
    files = [path for name, paths in splits.items() if split in (None, name) for path in paths]
    endings = {Path(path.name.removesuffix(".gz")).suffix for path in files}
    if len(endings) > 1:
        raise DataError(f"{folder}: {', '.join(path.name for path in files)} are of several formats. Keep one of them.")
    return files


def _live_tables(source: Any, split: str | None) -> tuple[list[TableSource], str | None]:
    """The tables of a live object. Its library is already loaded, so nothing is imported for the question."""
    table = live_table(source)
    if table is not None:
        return [table], None
    datasets = sys.modules.get("datasets")
    if datasets is not None and isinstance(source, datasets.DatasetDict | datasets.IterableDatasetDict):
        if split is not None and split not in source:
            raise DataError(f"{type(source).__name__}: no split {split!r}. Splits there: {', '.join(source)}.")
        parts = list(source.values()) if split is None else [source[split]]
        return [DatasetRows(part) for part in parts], split
    raise LitotesError(
        "The 'source' parameter of load must be a path, 'builtin:NAME', a datasets.Dataset or a pandas.DataFrame. "
        f"Got {type(source).__name__} instead."
    )


def _load_builtin(source: str, split: str | None) -> Collection:
    from litotes.data.builtin import load_builtin

    options = parse_spec(source).options
    name, size = options.pop("path", ""), options.pop("size", "demo")
    if options:
        raise LitotesError(
            f"{source!r}: unknown option {next(iter(options))!r}. Write builtin:NAME or builtin:NAME,size=full."
        )
    data = load_builtin(name, split, size)
    _say_what(data, source)
    return data


def _refuse_columns(path: Path, chosen: dict[str, str | None]) -> None:
    given = next((option for option, name in chosen.items() if name is not None), None)
    if given is not None:
        raise LitotesError(f"{path}: {given} is for tables, and this is none. Leave it out.")


def _say_what(data: Collection, what: str) -> None:
    counts = {name: count for name, count in data.notes.items() if isinstance(count, int)}
    noted = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
    columns = data.notes.get("columns")
    chosen = f" (query: {columns['query']!r}, positive: {columns['positive']!r})" if columns else ""
    say(
        f"{what}{chosen}, {f'split {data.split}' if data.split else 'all of it'}: "
        f"{data.n_rows:,} queries, {data.n_cols:,} documents, {len(data.labels):,} judgements"
        f"{f' ({noted})' if noted else ''}."
    )
