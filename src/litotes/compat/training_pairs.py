"""What a dataset of (anchor, positive) lines and a list of documents hold, as rows, columns and known positives.

An anchor is a row and a document a column; equal texts are one. Positives join the documents at their end. The same
anchor on several lines has several positives, and so has an anchor that is only spelled otherwise (see
:func:`litotes.core.text.normalise`): what is a positive of one spelling is never a negative of another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from litotes.core import Collection, LabelMatrix
from litotes.core.checks import nearest
from litotes.core.errors import DataError, LitotesError
from litotes.core.text import normalise
from litotes.data.lines import BadLine, check_text
from litotes.mining.exclusion import Allowed

if TYPE_CHECKING:
    import datasets

__all__ = ["TrainingPairs"]


@dataclass(frozen=True)
class TrainingPairs:
    """Texts by position, and the pairs: each once, by row, within a row in the order of their lines."""

    anchor_name: str
    positive_name: str
    anchors: list[str]
    documents: list[str]
    row: np.ndarray  # int64 [pairs], ascending
    col: np.ndarray  # int64 [pairs]
    n_lines: int
    most_lines: int  # that one anchor has, repeated pairs counted

    @classmethod
    def read(
        cls, dataset: datasets.Dataset, anchor: str | None, positive: str | None, corpus: Iterable[str] | None
    ) -> TrainingPairs:
        """The lines of ``dataset``; its first column is the anchor and its second the positive unless they are named.

        Raises:
            LitotesError: no such column, no lines, or a line without a text.
        """
        anchor, positive = _columns(dataset, anchor, positive)
        lines = dataset.select_columns([anchor, positive]).with_format("arrow")[:]
        anchors, positives = (_texts(lines[name].to_pylist(), name) for name in (anchor, positive))
        row_of = {text: row for row, text in enumerate(dict.fromkeys(anchors))}
        col_of = {text: col for col, text in enumerate(dict.fromkeys([*_documents(corpus), *positives]))}
        row = np.fromiter(map(row_of.__getitem__, anchors), dtype=np.int64, count=len(anchors))
        col = np.fromiter(map(col_of.__getitem__, positives), dtype=np.int64, count=len(positives))
        once = np.sort(np.unique(row * len(col_of) + col, return_index=True)[1])
        once = once[np.argsort(row[once], kind="stable")]
        most = int(np.bincount(row).max())
        return cls(anchor, positive, list(row_of), list(col_of), row[once], col[once], len(anchors), most)

    @property
    def n_rows(self) -> int:
        """Number of distinct anchors."""
        return len(self.anchors)

    def allowed(self) -> Allowed:
        """Which columns may be proposed for each row: those with a text that is no positive's, whatever its blanks."""
        spellings: dict[str, int] = {}
        same = np.array([spellings.setdefault(normalise(text), len(spellings)) for text in self.anchors])
        ids = list(map(str, range(len(self.documents))))
        labels = LabelMatrix(map(str, range(len(spellings))), ids, same[self.row], self.col)
        data = Collection(labels, cols=pa.table({"id": ids, "text": pa.array(self.documents, pa.large_string())}))
        return Allowed.of(data, same)


def _columns(dataset: Any, anchor: str | None, positive: str | None) -> tuple[str, str]:
    import datasets

    if isinstance(dataset, dict):
        raise LitotesError(f"mine_hard_negatives takes one split. Pass one of {', '.join(map(repr, dataset))}.")
    if not isinstance(dataset, datasets.Dataset):
        raise LitotesError(f"mine_hard_negatives takes a datasets.Dataset. Got {type(dataset).__name__} instead.")
    names = dataset.column_names
    if len(names) < 2:
        there = ", ".join(map(repr, names)) or "none"
        raise LitotesError(f"The dataset has the columns {there}. Expected an anchor and a positive.")
    for option, name in (("anchor_column_name", anchor), ("positive_column_name", positive)):
        if name is not None and name not in names:
            near = nearest(name, names)
            hint = f" Did you mean {near!r}?" if near else ""
            raise LitotesError(f"{option}={name!r} is not among the columns {', '.join(map(repr, names))}.{hint}")
    anchor, positive = anchor or names[0], positive or names[1]
    if anchor == positive:
        raise LitotesError(f"Anchor and positive are both the column {anchor!r}. Name both columns.")
    if not len(dataset):
        raise LitotesError("The dataset has no lines, so there is nothing to mine for.")
    return anchor, positive


def _documents(corpus: Iterable[str] | None) -> list[str]:
    if isinstance(corpus, str):
        raise LitotesError("The 'corpus' parameter of mine_hard_negatives must be a list of texts. Got one text.")
    documents = list(corpus or ())
    for place, text in enumerate(documents):
        if not isinstance(text, str):
            raise DataError(f"The corpus holds {text!r:.60} at place {place} (from 0). Expected a text.")
        try:
            check_text(text, "the text")
        except BadLine as error:
            raise DataError(f"The corpus at place {place} (from 0): {error} Mend it or leave it out.") from None
    return documents


def _texts(values: list[Any], name: str) -> list[str]:
    for line, value in enumerate(values):
        if not isinstance(value, str) or not value.strip():
            raise DataError(
                f"Line {line} of the dataset (from 0): the column {name!r} holds {value!r:.60}. Expected a text; "
                "leave such lines out with dataset.filter."
            )
    return values
