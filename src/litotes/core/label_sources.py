"""Where a label matrix comes from: judgements, pairs, interactions, triples, classes, label sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from litotes.core.checks import check_choice
from litotes.core.errors import DataError
from litotes.core.ids import Ids

if TYPE_CHECKING:
    from litotes.core.label_matrix import Duplicates

__all__ = ["LabelSources"]

INVERSE = "\u207b\u00b9"  # the mark of a relation read from tail to head


class LabelSources:
    """The constructors of :class:`~litotes.core.label_matrix.LabelMatrix`.

    Wherever ``rows`` or ``cols`` may be given they are all ids, in order; by default they are the ids that were seen,
    in the order in which they came.
    """

    if TYPE_CHECKING:

        def __init__(
            self, row_ids: Any, col_ids: Any, rows: Any, cols: Any, grades: Any = None, **options: Any
        ) -> None:
            """What a label matrix is made with."""

    @classmethod
    def from_qrels(
        cls,
        qrels: Mapping[str, Mapping[str, float]] | Iterable[tuple[str, str, float]],
        rows: Iterable[object] | None = None,
        cols: Iterable[object] | None = None,
        *,
        min_grade: float = 1.0,
        duplicates: Duplicates = "refuse",
        lines: Sequence[int] | None = None,
    ) -> Self:
        """From relevance judgements: ``{query: {document: grade}}`` or triples (query, document, grade)."""
        if isinstance(qrels, Mapping):
            qrels = ((row, col, grade) for row, judged in qrels.items() for col, grade in judged.items())
        cells = list(qrels)
        grades = [grade for _, _, grade in cells]
        return cls._from_ids(
            [str(row) for row, _, _ in cells],
            [str(col) for _, col, _ in cells],
            grades,
            rows,
            cols,
            min_grade=min_grade,
            duplicates=duplicates,
            lines=lines,
        )

    @classmethod
    def from_pairs(
        cls,
        pairs: Iterable[tuple[str, str]],
        rows: Iterable[object] | None = None,
        cols: Iterable[object] | None = None,
    ) -> Self:
        """From positive pairs (row id, column id), grade 1."""
        return cls.from_qrels(((row, col, 1.0) for row, col in pairs), rows, cols)

    @classmethod
    def from_interactions(
        cls,
        users: Sequence[object],
        items: Sequence[object],
        values: Sequence[float] | None = None,
        rows: Iterable[object] | None = None,
        cols: Iterable[object] | None = None,
        *,
        min_grade: float = 1.0,
        duplicates: Duplicates = "sum",
    ) -> Self:
        """From events of users with items; repeated events add up unless ``duplicates`` says otherwise."""
        if len(users) != len(items) or (values is not None and len(values) != len(users)):
            counts = f"{len(items)} items" if values is None else f"{len(items)} items and {len(values)} values"
            raise DataError(f"{len(users)} users came with {counts}; there must be one of each an event.")
        grades = np.ones(len(users)) if values is None else np.asarray(values, dtype=np.float64)
        return cls._from_ids(
            [str(user) for user in users],
            [str(item) for item in items],
            grades,
            rows,
            cols,
            min_grade=min_grade,
            duplicates=duplicates,
        )

    @classmethod
    def from_triples(
        cls,
        triples: Iterable[tuple[str, str, str]],
        side: Literal["tail", "head", "both"] = "tail",
        entities: Iterable[object] | None = None,
    ) -> Self:
        """From knowledge-graph triples (head, relation, tail): columns are entities.

        ``side="tail"`` has rows ``head TAB relation``, ``"head"`` has rows ``tail TAB relation`` with the relation
        marked as inverse (``⁻¹``), ``"both"`` has all of them. ``entities`` defaults to those of the triples, heads
        and tails alike.
        """
        check_choice("LabelMatrix.from_triples", "side", side, ("tail", "head", "both"))
        triples = [(str(head), str(relation), str(tail)) for head, relation, tail in triples]
        if entities is None:
            entities = dict.fromkeys(entity for head, _, tail in triples for entity in (head, tail))
        pairs: list[tuple[str, str]] = []
        if side in ("tail", "both"):
            pairs += [(f"{head}\t{relation}", tail) for head, relation, tail in triples]
        if side in ("head", "both"):
            pairs += [(f"{tail}\t{relation}{INVERSE}", head) for head, relation, tail in triples]
        return cls.from_pairs(pairs, cols=entities)

    @classmethod
    def from_classes(
        cls,
        y: Sequence[Any],
        classes: Iterable[object] | None = None,
        rows: Iterable[object] | None = None,
    ) -> Self:
        """From one class a sample. ``None``, NaN and pandas' NA are unlabelled: a row without an observed cell.

        ``classes`` may hold classes never observed; by default they are the sorted classes that occur.
        """
        values = list(y)
        labelled = [i for i, label in enumerate(values) if not _is_missing(label)]
        if classes is None:
            seen = {_plain(values[i]) for i in labelled}
            try:
                classes = sorted(seen)
            except TypeError:
                kinds = " and ".join(sorted({type(label).__name__ for label in seen}))
                raise DataError(
                    f"The classes are of several types, {kinds}; make them one, or pass classes=."
                ) from None
        col_ids = Ids(_plain(label) for label in classes)
        cols = col_ids.positions([str(_plain(values[i])) for i in labelled])
        row_ids = Ids(range(len(values)) if rows is None else rows)
        return cls(row_ids, col_ids, np.asarray(labelled, dtype=np.int64), cols)

    @classmethod
    def from_multilabel(
        cls,
        labels: Any,
        rows: Iterable[object] | None = None,
        cols: Iterable[object] | None = None,
        *,
        zeros: Literal["unobserved", "negative"] = "unobserved",
    ) -> Self:
        """From an indicator matrix ``[samples, labels]``, dense or scipy-sparse.

        1 is a positive, -1 an explicit negative, NaN unobserved; 0 is what ``zeros`` says.
        """
        check_choice("LabelMatrix.from_multilabel", "zeros", zeros, ("unobserved", "negative"))
        if hasattr(labels, "tocoo") and zeros == "unobserved":
            sparse = labels.tocoo()
            shape, at, to, values = sparse.shape, sparse.row, sparse.col, np.asarray(sparse.data, dtype=np.float64)
        else:
            dense = np.asarray(labels.toarray() if hasattr(labels, "toarray") else labels, dtype=np.float64)
            if dense.ndim != 2:
                raise DataError(f"A multi-label matrix has two axes, samples and labels. Got shape {dense.shape}.")
            shape = dense.shape
            at, to = np.nonzero(~np.isnan(dense))
            values = dense[at, to]
        odd = ~np.isin(values, (-1.0, 0.0, 1.0)) & ~np.isnan(values)
        if odd.any():
            where = int(np.flatnonzero(odd)[0])
            raise DataError(f"Sample {at[where]}, label {to[where]} holds {values[where]:g}. Expected 1, 0, -1 or NaN.")
        seen = ~np.isnan(values) & ((values != 0) | (zeros == "negative"))
        row_ids = Ids(range(shape[0]) if rows is None else rows)
        col_ids = Ids(range(shape[1]) if cols is None else cols)
        return cls(row_ids, col_ids, at[seen], to[seen], np.maximum(values[seen], 0.0))

    @classmethod
    def _from_ids(
        cls,
        row_names: list[str],
        col_names: list[str],
        grades: Any,
        rows: Iterable[object] | None,
        cols: Iterable[object] | None,
        **options: Any,
    ) -> Self:
        row_ids = Ids(dict.fromkeys(row_names) if rows is None else rows)
        col_ids = Ids(dict.fromkeys(col_names) if cols is None else cols)
        return cls(row_ids, col_ids, row_ids.positions(row_names), col_ids.positions(col_names), grades, **options)


def _is_missing(label: Any) -> bool:
    is_nan = isinstance(label, float | np.floating) and bool(np.isnan(label))
    return label is None or is_nan or type(label).__name__ in ("NAType", "NaTType")  # pandas' own, by name: not loaded


def _plain(label: Any) -> Any:
    """A class as plain Python: numpy's 3 and the float 3.0 of a column with NaN are the class 3."""
    value = label.item() if isinstance(label, np.generic) else label
    return int(value) if isinstance(value, float) and value.is_integer() else value
