"""What no classifier can learn from, said before it tries: one class alone, a class that only the check rows have."""

from __future__ import annotations

from litotes.core.checks import nearest
from litotes.core.errors import DataError
from litotes.data.labelled_table import LabelledTable

__all__ = ["check_classes"]


def check_classes(data: LabelledTable, valid: LabelledTable | None = None) -> None:
    """Refuse data of one class, and rows to validate on with a class that the data has not.

    Raises:
        DataError: the message names the place of the first such row.
    """
    classes = data.classes
    if len(classes) < 2:
        only = f"every row has the label {classes[0]!r}" if classes else "no row has a label"
        raise DataError(f"{data.origin}: {only}. Expected two classes at least.")
    known = set(classes)
    for place, label in zip(valid.places, valid.labels, strict=True) if valid is not None else ():
        if label not in known:
            near = nearest(label, classes)
            hint = f" Did you mean {near!r}?" if near else ""
            raise DataError(
                f"{place}: the label {label!r} is none of the {len(classes)} classes of {data.origin}.{hint} "
                "Mend the label, or leave the row out."
            )
