"""What an audit of class labels reads: the table, vectors of its rows, one's own probabilities, a clean reference."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from litotes.auditing.label_probabilities import check_pred_probs
from litotes.core.errors import ArrayError, DataError, LitotesError
from litotes.core.fingerprint import digest
from litotes.core.text import normalise
from litotes.data.label_checks import check_classes
from litotes.data.labelled_table import LabelledTable, read_labelled_table

__all__ = ["LabelInputs", "class_order", "read_inputs", "read_pred_probs"]


@dataclass(frozen=True, eq=False)
class LabelInputs:
    """The data of one audit.

    Attributes:
        table: the rows and their labels.
        codes: int64 ``[n]``, labels as positions in :func:`class_order`.
        pred_probs: float64 ``[n, classes]``, or None.
        reference: rows whose labels are right, or None.
        vectors: float32 ``[n, d]``, after :meth:`with_vectors`; None before, and where there are neither texts nor
            numbers.
        reference_vectors: ``(vectors, codes)`` of the reference.
        encoder_parts: fingerprints of what embedded the texts.
    """

    table: LabelledTable
    codes: np.ndarray
    pred_probs: np.ndarray | None = None
    reference: LabelledTable | None = None
    vectors: np.ndarray | None = None
    reference_vectors: tuple[np.ndarray, np.ndarray] | None = None
    encoder_parts: dict[str, str] | None = None

    @property
    def has_features(self) -> bool:
        """Whether there are texts or numbers to look at."""
        return self.table.texts is not None or self.table.features is not None

    def with_vectors(self, encoder: Any) -> LabelInputs:
        """With texts embedded and brought to length 1, or numbers to mean 0 and deviation 1."""
        clean = self.reference
        if self.table.texts is not None:
            from litotes.models.encoder import resolve_encoder

            embed = resolve_encoder(encoder)
            vectors, theirs = (
                None if one is None or one.texts is None else _unit(embed.encode(one.texts, "document", ids=one.ids))
                for one in (self.table, clean)
            )
            parts = dict(embed.fingerprint("document"))
        elif self.table.features is not None:
            numbers = self.table.features
            mean, deviation = numbers.mean(axis=0, dtype=np.float64), numbers.std(axis=0, dtype=np.float64)
            deviation = np.where(deviation > 0, deviation, 1.0)
            vectors, theirs = (
                None if table is None else ((table.features - mean) / deviation).astype(np.float32)
                for table in (self.table, clean)
            )
            parts = {}
        else:
            return self
        known = None if clean is None or theirs is None else (theirs, _codes(clean, class_order(self.table)))
        return replace(self, vectors=vectors, reference_vectors=known, encoder_parts=parts)

    def parts(self, with_features: bool) -> dict[str, str]:
        """Fingerprints of what decides the numbers of a detector."""
        found = dict(self.table.parts)
        if with_features and self.encoder_parts:
            found |= {f"encoder {name}": value for name, value in self.encoder_parts.items()}
        if self.pred_probs is not None:
            found["pred_probs"] = digest(self.pred_probs)
        if self.reference is not None:
            found["reference"] = self.reference.fingerprint
        return found


def read_inputs(
    source: Any,
    *,
    label: str,
    text: str | None = None,
    features: Sequence[str] | None = None,
    id_column: str | None = None,
    pred_probs: Any = None,
    reference: Any = None,
    skip_bad_lines: bool = False,
) -> LabelInputs:
    """Read and check everything; see :func:`.label_audit.audit_labels`.

    Raises:
        DataError: labels that are missing or all the same, a reference that holds a row of the data or a label that the
            data does not have.
        ArrayError: probabilities that do not fit.
    """
    if text is not None and features is not None:
        raise LitotesError("An audit reads texts or numbers: give text= or features=, not both.")
    if pred_probs is not None and text is None and features is None:
        features = []  # labels and probabilities are enough
        if reference is not None:
            raise LitotesError(
                "A reference is compared by texts or numbers. Name their columns with text= or features=."
            )
    columns: dict[str, Any] = {"label": label, "text": text, "skip_bad_lines": skip_bad_lines}
    table = read_labelled_table(source, features=features, id_column=id_column, **columns)
    if len(table) < 2:
        raise DataError(f"{table.origin}: one row. Expected two at least.")
    clean = None
    if reference is not None:
        same = features if text is not None else list(table.feature_columns)
        clean = read_labelled_table(reference, features=same, **columns)
    check_classes(table, clean)
    if clean is not None:
        _check_apart(table, clean)
    classes = class_order(table)
    given = None if pred_probs is None else read_pred_probs(pred_probs, table)
    return LabelInputs(table, _codes(table, classes), given, clean)


def class_order(table: LabelledTable) -> list[str]:
    """The classes as columns of probabilities go: whole numbers by value, texts by character."""
    try:
        return sorted(set(table.labels), key=int)
    except ValueError:
        return table.classes


def read_pred_probs(source: Any, table: LabelledTable) -> np.ndarray:
    """Probabilities as float64 ``[rows, classes]`` in :func:`class_order`.

    Args:
        source: an array, a frame whose columns are the classes, or a file: ``.npy``, or a table as ``litotes predict
            --proba`` writes it.

    Raises:
        DataError: a file that cannot be read, or a class without a column.
        ArrayError: what is in it does not fit; see :func:`.label_probabilities.check_pred_probs`.
    """
    classes = class_order(table)
    if isinstance(source, str | os.PathLike):
        source = _file(Path(source))
    if hasattr(source, "columns") and hasattr(source, "to_numpy"):
        names = {str(name).removeprefix("proba."): name for name in source.columns}
        missing = [name for name in classes if name not in names]
        if missing:
            raise ArrayError(
                f"pred_probs has no column for the class {missing[0]!r}. Its columns are the classes, or proba.CLASS "
                "as litotes predict --proba writes them."
            )
        source = source[[names[name] for name in classes]].to_numpy()
    return check_pred_probs(source, len(table), len(classes))


def _file(path: Path) -> Any:
    if not path.exists():
        raise DataError(f"{path}: no such file.")
    if path.suffix == ".npy":
        try:
            return np.load(path, allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise DataError(f"{path}: not an array that can be read ({error}). Write it with numpy.save.") from None
    import pandas as pd

    rows = read_labelled_table(path, label=None, features=[])
    return pd.DataFrame(rows.columns)


def _codes(table: LabelledTable, classes: Sequence[str]) -> np.ndarray:
    place = {name: code for code, name in enumerate(classes)}
    return np.array([place[name] for name in table.labels], dtype=np.int64)


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1.0)).astype(np.float32)


def _check_apart(table: LabelledTable, clean: LabelledTable) -> None:
    """Refuse a reference with a row of the data: it would vouch for its own label."""
    ours: list[Any]
    theirs: list[Any]
    if table.texts is not None and clean.texts is not None:
        ours = [normalise(text) for text in table.texts]
        theirs = [normalise(text) for text in clean.texts]
    elif table.features is not None and clean.features is not None:
        ours, theirs = _row_keys(table.features), _row_keys(clean.features)
    else:
        return
    known = dict(zip(theirs, clean.places, strict=True))
    shared = [(place, known[key]) for key, place in zip(ours, table.places, strict=True) if key in known]
    if shared:
        raise DataError(
            f"The reference overlaps the data: {len(shared):,} rows of the data are also in the reference, the first "
            f"is {shared[0][0]} ({shared[0][1]}). Leave them out of one of the two."
        )


def _row_keys(features: np.ndarray) -> list[bytes]:
    return [row.tobytes() for row in features + np.float32(0)]  # -0 is 0
