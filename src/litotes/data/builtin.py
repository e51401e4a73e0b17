"""The built-in data sets: what they are, and the door to each.

Each row says in words what a person asks before using data: what it is, under which licence, where it comes from, which
files it becomes, how it is made. The maker is named, not imported: listing the sets loads none of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from litotes.core.checks import check_choice
from litotes.core.collection import Collection

__all__ = ["BUILTIN", "BuiltinSet", "load_builtin"]


@dataclass(frozen=True)
class BuiltinSet:
    """One built-in set, in words, and where the function ``(split, size) -> Collection`` that makes it lives."""

    name: str
    what: str
    licence: str
    origin: str
    layout: str
    how: str
    splits: tuple[str, ...]
    sizes: tuple[str, ...]
    maker: str

    def load(self, split: str, size: str) -> Collection:
        """The collection of one split and size."""
        check_choice(f"the built-in set {self.name}", "split", split, self.splits)
        check_choice(f"the built-in set {self.name}", "size", size, self.sizes)
        module, function = self.maker.split(":")
        make: Callable[[str, str], Collection] = getattr(importlib.import_module(module), function)
        return make(split, size)


BUILTIN: dict[str, BuiltinSet] = {
    built_in.name: built_in
    for built_in in (
        BuiltinSet(
            name="pydocs",
            what="Documentation search: find the function, class or method that a sentence describes. Aliases and "
            "copied docstrings are false negatives with known truth.",
            licence="BSD-3-Clause and the other licences of the libraries whose documentation it is; nothing of it is "
            "shipped, it is read where it is installed",
            origin="docstrings of numpy, scipy, scikit-learn, pandas and torch as installed",
            layout="queries (first sentences), corpus (title: qualified name; text: signature and the rest), one "
            "labelled document a query, complete truth beside it",
            how="walk the public modules, cut each docstring after its first sentence, join what answers one query, "
            "label one document a group; seconds, then kept in the cache",
            splits=("train", "fit", "dev", "test", "all"),
            sizes=("demo", "tiny", "rest", "full"),
            maker="litotes.data.pydocs.sample:load_pydocs",
        ),
    )
}


def load_builtin(name: str, split: str | None = None, size: str = "demo") -> Collection:
    """A built-in set by name; ``split=None`` is all of it.

    Raises:
        LitotesError: no such set, split or size; the message names the nearest.
    """
    check_choice("load_builtin", "name", name, BUILTIN)
    return BUILTIN[name].load("all" if split is None else split, size)
