"""What a miner is, and how one is named: ``bm25``, ``dense:encoder=builtin:minilm,name=e5``, ``run:bm25.trec``."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any, Protocol

import numpy as np

from litotes.core import Candidates, Collection
from litotes.core.checks import check_choice
from litotes.core.errors import LitotesError
from litotes.core.spec import build, parse_spec

__all__ = ["MINERS", "Miner", "check_name", "miner_from_spec"]

MINERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "random": ("litotes.mining.random", "RandomMiner", {}),
    "popularity": ("litotes.mining.popularity", "PopularityMiner", {}),
    "bm25": ("litotes.mining.bm25", "BM25Miner", {}),
    "dense": ("litotes.mining.dense", "DenseMiner", {}),
    "hnsw": ("litotes.mining.approximate", "ApproximateMiner", {"index": "hnsw"}),
    "ivf": ("litotes.mining.approximate", "ApproximateMiner", {"index": "ivf"}),
    "run": ("litotes.mining.trec_run", "RunMiner", {}),
}
"""Kind -> module, class, and the parameters that the kind fixes."""

_PLAIN_NAME = re.compile(r"[^\W.][\w+-]*")


class Miner(Protocol):
    """Proposes cells. The same data, rows and parameters give the same cells, whatever the rows are cut into."""

    @property
    def name(self) -> str:
        """What the candidates' columns (``score.<name>``) and the run's folder are called."""
        ...

    def mine(self, data: Collection, rows: np.ndarray | None = None) -> Candidates:
        """Cells of ``rows`` (positions; None for all), never an observed positive or a text twin of one."""
        ...

    def fingerprint(self, data: Collection) -> dict[str, str]:
        """What decides the answer, by part: texts, weights, parameters."""
        ...


def miner_from_spec(spec: str, **defaults: Any) -> Miner:
    """The miner that ``spec`` describes; of ``defaults`` it takes those that it has, that the spec does not give, and
    that are not None.

    Raises:
        LitotesError: an unknown kind or option, with the nearest that exists.
    """
    parsed = parse_spec(spec)
    check_choice("--miner", "kind", parsed.kind, MINERS)
    module, class_name, fixed = MINERS[parsed.kind]
    for option, value in fixed.items():
        if option in parsed.options:
            raise LitotesError(f"{spec!r}: {parsed.kind} means {option}={value}; leave the option out.")
    make = getattr(importlib.import_module(module), class_name)
    return build(make, parsed.options, class_name, **_taken(make, defaults), **fixed, name=parsed.name)


def check_name(owner: str, name: str) -> str:
    """``name`` if it can name a folder and a column: letters, digits, ``-``, ``_`` and ``+``."""
    if not isinstance(name, str) or not _PLAIN_NAME.fullmatch(name):
        raise LitotesError(
            f"The 'name' parameter of {owner} must be a plain word (letters, digits, '-', '_', '+'). "
            f"Got {name!r} instead."
        )
    return name


def _taken(make: Any, defaults: dict[str, Any]) -> dict[str, Any]:
    """Those of ``defaults`` that are given and that the constructor has a parameter for."""
    parameters = inspect.signature(make).parameters
    return {key: value for key, value in defaults.items() if key in parameters and value is not None}
