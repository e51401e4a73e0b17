"""A sentence-transformers model by name: from a folder, from what pip brought, from the hub's cache."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from litotes.core.errors import LitotesError, require
from litotes.models.builtin import BUILTIN, builtin_folder
from litotes.models.precision import resolve_device

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["load_sentence_transformer", "no_loading_bars"]

_RUN_FILES = (".trec", ".run", ".txt")  # what people compare with; no model is called so


def load_sentence_transformer(
    name: str | os.PathLike[str], *, device: str = "auto", dtype: str = "auto", seed: int = 0
) -> SentenceTransformer:
    """The model ``name``: a folder, a hub name, ``builtin:minilm`` or ``tiny:bert`` (random weights from ``seed``).

    ``dtype="float32"`` makes the weights float32, and so does ``"auto"`` on a CPU; otherwise they stay as saved.

    Raises:
        LitotesError: there is no such model here; the message says what was looked for and what there is.
    """
    require("sentence_transformers", extra="retrieval")
    device = resolve_device(device)
    text = os.fspath(name)
    kind, colon, rest = text.partition(":")
    if kind == "tiny" and colon:
        from litotes.models.tiny import tiny_model

        return tiny_model(rest, seed=seed).to(device)
    model = _from_folder_or_hub(text, str(builtin_folder(rest)) if kind == "builtin" and colon else text, device)
    if dtype == "float32" or (dtype == "auto" and device == "cpu"):
        model.float()
    return model


def _from_folder_or_hub(asked: str, where: str, device: str) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    if not Path(where).exists() and (where.startswith((".", "/", "~")) or where.count("/") > 1):
        raise LitotesError(f"The encoder {asked!r} is a folder that does not exist.")
    if not Path(where).exists() and where.endswith(_RUN_FILES):
        raise LitotesError(f"{where}: no such file.")
    try:
        with no_loading_bars():
            return SentenceTransformer(where, device=device)
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # whatever the loaders of three libraries raise, the user reads one sentence
        known = ", ".join(f"builtin:{key}" for key in BUILTIN)
        if Path(where).exists():
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise LitotesError(f"The folder {asked!r} does not hold a model that can embed: {reason}") from error
        raise LitotesError(
            f"The encoder {asked!r} is neither a folder here nor a model that could be fetched. "
            f"Check the name or the connection, or use {known} or vectors:FOLDER."
        ) from error


@contextlib.contextmanager
def no_loading_bars() -> Iterator[None]:
    """transformers draws a bar for every model that it loads, however small; ours starts where work takes seconds."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
