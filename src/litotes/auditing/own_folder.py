"""Where an audit and its cleaned data may be written: never into the data that they are about."""

from __future__ import annotations

import os
from pathlib import Path

from litotes.core import Collection
from litotes.core.errors import LitotesError

__all__ = ["check_outside"]


def check_outside(out: str | os.PathLike[str], data: Collection) -> None:
    """Refuse a folder that is the one which ``data`` was read from, or lies in it.

    Raises:
        LitotesError: it is, or does.
    """
    if not data.origin or not Path(data.origin).is_dir():
        return
    source, wanted = Path(data.origin).resolve(), Path(out).resolve()
    if wanted == source or source in wanted.parents:
        where = "is" if wanted == source else "lies in"
        raise LitotesError(f"{os.fspath(out)} {where} the folder of the data, {data.origin}. Name a folder of its own.")
