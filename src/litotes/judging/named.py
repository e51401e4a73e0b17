"""What a judge is, and how one is named: ``document``, ``margin:scorer=bm25``, ``cross-encoder:model=NAME``."""

from __future__ import annotations

import importlib
import inspect
from typing import Any, Protocol

from litotes.core import Candidates, Collection
from litotes.core.checks import check_choice
from litotes.core.spec import build, parse_spec

__all__ = ["JUDGES", "Judge", "judge_from_spec"]

JUDGES: dict[str, tuple[str, str]] = {
    "margin": ("litotes.judging.margin", "MarginJudge"),
    "document": ("litotes.judging.document", "DocumentJudge"),
    "cross-encoder": ("litotes.judging.cross_encoder", "CrossEncoderJudge"),
    "rank": ("litotes.judging.rank", "RankJudge"),
    "selection": ("litotes.judging.selection", "SelectionJudge"),
}
"""Kind -> module and class."""


class Judge(Protocol):
    """Says of each candidate what it is worth. Adds columns, drops nothing, and looks at observed labels only."""

    @property
    def name(self) -> str:
        """What the columns (``judge.<name>``, ``trust.<name>``) and the run's folder are called."""
        ...

    def judge(self, candidates: Candidates, data: Collection) -> Candidates:
        """The candidates with ``judge.<name>`` (raw) and, only where it is a probability, ``trust.<name>``."""
        ...

    def fingerprint(self) -> dict[str, str]:
        """What decides the answer besides data and candidates, by part."""
        ...


def judge_from_spec(spec: str, **defaults: Any) -> Judge:
    """The judge that ``spec`` describes; of ``defaults`` it takes those that it has, that the spec does not give, and
    that are not None.

    Raises:
        LitotesError: an unknown kind or option, with the nearest that exists.
    """
    parsed = parse_spec(spec)
    check_choice("--by", "kind", parsed.kind, JUDGES)
    module, class_name = JUDGES[parsed.kind]
    make = getattr(importlib.import_module(module), class_name)
    parameters = inspect.signature(make).parameters
    taken = {key: value for key, value in defaults.items() if key in parameters and value is not None}
    return build(make, parsed.options, class_name, **taken, name=parsed.name)
