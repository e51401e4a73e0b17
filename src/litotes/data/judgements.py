"""Judgements gathered while files stream by, and the collection that they and the texts make."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from litotes.core.collection import Collection
from litotes.core.errors import DataError
from litotes.core.label_matrix import Duplicates, LabelMatrix
from litotes.data.text_table import TextTable

__all__ = ["Gathered", "Judgements"]


class Judgements:
    """Triples (row id, column id, grade), each with its place, in a few bytes a cell."""

    def __init__(self) -> None:
        self._row_position: dict[str, int] = {}
        self._col_position: dict[str, int] = {}
        self._rows, self._cols, self._grades = array("q"), array("q"), array("d")
        self._lines, self._files = array("q"), array("L")
        self._paths: list[Path] = []

    def __len__(self) -> int:
        return len(self._grades)

    @property
    def row_ids(self) -> Iterable[str]:
        """Row ids in the order in which they first came."""
        return self._row_position.keys()

    @property
    def col_ids(self) -> Iterable[str]:
        """Column ids in the order in which they first came."""
        return self._col_position.keys()

    def add(self, row: str, col: str, grade: float, path: Path, line: int) -> None:
        """One judgement and where it stands."""
        if not self._paths or self._paths[-1] != path:
            self._paths.append(path)
        self._rows.append(self._row_position.setdefault(row, len(self._row_position)))
        self._cols.append(self._col_position.setdefault(col, len(self._col_position)))
        self._grades.append(grade)
        self._lines.append(line)
        self._files.append(len(self._paths) - 1)

    def matrix(
        self, row_ids: list[str], col_ids: list[str], *, min_grade: float, duplicates: Duplicates
    ) -> LabelMatrix:
        """The label matrix over these ids, which must hold all ids that were judged.

        Raises:
            DataError: a cell with two grades, with both places, unless ``duplicates`` settles it.
        """
        rows = _renumbered(self._row_position, row_ids, self._rows)
        cols = _renumbered(self._col_position, col_ids, self._cols)
        grades = np.asarray(self._grades)

        def build(lines: np.ndarray | None) -> LabelMatrix:
            return LabelMatrix(
                row_ids, col_ids, rows, cols, grades, min_grade=min_grade, duplicates=duplicates, lines=lines
            )

        try:
            return build(None)
        except DataError:  # only now is it worth spelling out where each judgement stood
            places = [f"{self._paths[file]}:{line}" for file, line in zip(self._files, self._lines, strict=True)]
            return build(np.array(places, dtype=object))


class Gathered:
    """What a reader fills while the files stream by: texts, judgements, counts; then it becomes a collection.

    Args:
        form: the format, as people call it.
        titles: whether documents have titles.
        graded: whether judgements have grades; where a format only knows positive and negative, grades are 1 and 0
            and ``min_grade`` has nothing to say.
    """

    def __init__(self, form: str, *, titles: bool = False, graded: bool = True) -> None:
        self.facts: dict[str, Any] = {"format": form}  # what is not a count: the format, the columns used
        self.notes: Counter[str] = Counter()
        self.queries = TextTable("query", self.notes)
        self.documents = TextTable("document", self.notes, titles=titles)
        self.judgements = Judgements()
        self.graded = graded

    def collection(
        self,
        *,
        name: str,
        origin: str,
        split: str | None,
        min_grade: float = 1.0,
        duplicates: Duplicates = "refuse",
        every_query: bool = True,
    ) -> Collection:
        """The collection, rows and columns in the order of their texts.

        Judged ids without a text become rows and columns without content, and are counted; so do queries without a
        judgement, unless ``every_query`` is false, when they are counted and left out.

        Raises:
            DataError: no document, no judgement, or contradicting judgements.
        """
        queries, documents, judgements, notes = self.queries, self.documents, self.judgements, self.notes
        if not len(documents):
            raise DataError(f"{origin}: the corpus is empty. Expected at least one document.")
        if not len(judgements):
            raise DataError(f"{origin}: there is not a single judgement. Expected at least one.")
        named = set(judgements.row_ids)
        kept = [name for name in queries.ids if every_query or name in named]
        row_ids = [*kept, *(name for name in judgements.row_ids if name not in queries)]
        col_ids = [*documents.ids, *(name for name in judgements.col_ids if name not in documents)]
        notes["queries_without_judgement"] += sum(name not in named for name in queries.ids)
        notes["queries_without_text"] += len(row_ids) - len(kept)
        notes["documents_without_text"] += len(col_ids) - len(documents)
        labels = judgements.matrix(row_ids, col_ids, min_grade=min_grade if self.graded else 1.0, duplicates=duplicates)
        notes["repeated_judgements"] += labels.n_merged
        table = queries.table()
        if len(kept) < len(queries):
            table = table.filter(pc.is_in(table["id"], pa.array(kept, pa.string())))
        return Collection(
            labels,
            table,
            documents.table(),
            name=name,
            split=split,
            origin=origin,
            notes={**self.facts, **{what: count for what, count in sorted(notes.items()) if count}},
        )


def _renumbered(positions: dict[str, int], ids: list[str], cells: array) -> np.ndarray:
    """The cells' positions among ``ids`` instead of in the order in which they came."""
    place = {name: position for position, name in enumerate(ids)}
    there = np.fromiter((place[name] for name in positions), dtype=np.int64, count=len(positions))
    return there[np.asarray(cells, dtype=np.int64)]
