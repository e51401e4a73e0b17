"""All documents of pydocs as one table, built from the installed libraries once and kept in the user's cache.

The set is a function of the libraries' versions, the Python version and the construction here; each combination has
its own file, so nothing kept can be out of date. Counts and a digest of the content travel in the table's metadata.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from litotes.core.errors import DataError, MachineError, require
from litotes.core.files import cache_folder, read_parquet, write_parquet
from litotes.core.fingerprint import digest
from litotes.core.progress import Progress, say
from litotes.data.pydocs import crawl
from litotes.data.pydocs.docstrings import DocstringParts, reason_to_drop, split_docstring
from litotes.data.pydocs.groups import capped, groups_by_key, join_near_duplicates

__all__ = ["build_table", "pydocs_about", "pydocs_table"]

CONSTRUCTION = 1  # rises whenever the same libraries would give another table
SAMPLE_SEED = 0
_DISTRIBUTIONS = {"numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "pandas": "pandas", "torch": "torch"}
_METADATA_KEY = b"litotes"


def pydocs_table() -> pa.Table:
    """One line a document, sorted by ``id`` (the qualified name): ``text``, ``group`` and ``strict_group`` (numbers of
    the truth groups of rules a-d and a-c), ``labelled``, ``query`` (null unless labelled), ``place`` (of the group, in
    the order in which samples are drawn). See :func:`pydocs_about` for its counts.
    """
    require(*crawl.LIBRARIES, extra="retrieval")
    return _table_of(cache_folder("builtin") / f"pydocs-{digest(_made_from())}.parquet")


def pydocs_about(table: pa.Table) -> dict[str, Any]:
    """What the table was made from and what was counted: ``made_from``, ``counts``, ``content`` (a digest)."""
    return json.loads(table.schema.metadata[_METADATA_KEY])


@lru_cache(maxsize=1)
def _table_of(path: Path) -> pa.Table:
    if path.exists():
        try:
            return read_parquet(path)
        except DataError as error:
            say(f"{error} It is built anew.")
    entries, counts = _crawled()
    table = build_table(entries, counts, _made_from())
    try:
        write_parquet(table, path)
    except MachineError as error:
        say(f"pydocs is not kept for the next time: {error}")
    return table


def build_table(entries: list[dict[str, Any]], counts: dict[str, Any], made_from: dict[str, Any]) -> pa.Table:
    """Steps 2 to 5 on what the crawl found (``name``, ``object``, ``signature``, ``doc`` of each name)."""
    parts = [split_docstring(entry["doc"]) for entry in entries]
    reasons = [reason_to_drop(part) for part in parts]
    entries = [entry for entry, reason in zip(entries, reasons, strict=True) if reason is None]
    parts = [part for part, reason in zip(parts, reasons, strict=True) if reason is None]
    names, docs = [entry["name"] for entry in entries], [entry["doc"] for entry in entries]
    strict = groups_by_key([entry["object"] for entry in entries], docs, [part.sentence for part in parts])
    groups = join_near_duplicates(strict, names, [f"{part.sentence} {part.rest}" for part in parts])

    members: dict[int, list[int]] = {}
    for item, group in enumerate(groups):
        members.setdefault(group, []).append(item)
    chosen = sorted((capped(items, names, docs) for items in members.values()), key=lambda items: names[items[0]])
    places = _drawn_order([names[items[0]] for items in chosen])
    lines = [
        {
            "id": names[item],
            "text": _document(entries[item]["signature"], parts[item]),
            "query": parts[item].sentence if item == items[0] else None,
            "labelled": item == items[0],
            "group": number,
            "strict_group": strict[item],
            "place": places[number],
        }
        for number, items in enumerate(chosen)
        for item in items
    ]
    lines.sort(key=lambda line: line["id"])
    schema = pa.schema(
        [("id", pa.string()), ("text", pa.string()), ("query", pa.string()), ("labelled", pa.bool_())]
        + [(column, pa.int32()) for column in ("group", "strict_group", "place")]
    )
    table = pa.Table.from_pylist(lines, schema)
    sizes = [len(items) for items in members.values()]
    about = {
        "made_from": made_from,
        "counts": {
            **counts,
            "dropped": dict(sorted(Counter(filter(None, reasons)).items())),
            "names_kept": len(names),
            "groups": len(chosen),
            "groups_of_several": sum(size > 1 for size in sizes),
            "largest_group": max(sizes, default=0),
            "documents": len(table),
        },
        "content": digest(*(table[column].to_pylist() for column in table.column_names)),
    }
    return table.replace_schema_metadata({_METADATA_KEY: json.dumps(about)})


def _drawn_order(labelled: list[str]) -> list[int]:
    """The place of each group in the order in which samples are drawn: that of a hash of its labelled name.

    A group keeps its place among the others when libraries gain or lose functions; so what the shipped calibrations
    were fitted on stays out of the demo's sample, but for a few groups at the border, with other versions too.
    """
    order = sorted(range(len(labelled)), key=lambda number: digest("pydocs", SAMPLE_SEED, labelled[number]))
    places = [0] * len(labelled)
    for place, number in enumerate(order):
        places[number] = place
    return places


def _document(signature: str, parts: DocstringParts) -> str:
    """Signature, blank, rest; Python's own signature where there is one, else the docstring's first paragraph."""
    return f"{signature or parts.signature} {parts.rest}".strip()


def _crawled() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What a fresh process finds: entries and counts."""
    with tempfile.TemporaryDirectory(prefix="litotes-") as folder:
        out, log = Path(folder) / "found.jsonl", Path(folder) / "stderr"
        command = [sys.executable, "-P", str(Path(crawl.__file__).resolve()), str(out)]
        quiet = {"PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore", "MPLBACKEND": "Agg", "CUDA_VISIBLE_DEVICES": ""}
        with (
            log.open("w") as stderr,
            Progress("Reading docstrings", total=len(crawl.LIBRARIES), unit="libraries") as bar,
            subprocess.Popen(
                command, env={**os.environ, **quiet}, cwd=folder, stdout=subprocess.PIPE, stderr=stderr, text=True
            ) as process,
        ):
            for line in process.stdout or ():
                if line.strip() in crawl.LIBRARIES:
                    bar.advance()
        if process.returncode != 0:
            said = log.read_text(errors="replace").strip().splitlines() or ["nothing was said"]
            raise MachineError(
                f"pydocs: reading the docstrings of {', '.join(crawl.LIBRARIES)} ended with code "
                f"{process.returncode}: {said[-1]}"
            )
        *entries, last = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    return entries, last["counts"]


def _made_from() -> dict[str, Any]:
    versions = {name: importlib.metadata.version(project) for name, project in _DISTRIBUTIONS.items()}
    machine = f"{sys.platform}-{platform.machine()}"
    return {**versions, "python": platform.python_version(), "machine": machine, "construction": CONSTRUCTION}
