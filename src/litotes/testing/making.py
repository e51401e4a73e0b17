"""How a suite comes by the part that it tests: from a factory, with or without the data to prepare it on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from litotes.core import Collection
from litotes.testing.check import demand

__all__ = ["Making"]


class Making:
    """A factory of parts, and what messages call them: the class of the last one that was made.

    Args:
        make: ``make()`` or, where the part is prepared on the data (an index, a file), ``make(data)``.
        kind: what to call a part that was not made yet.
        method: what the part must have.
    """

    def __init__(self, make: Callable[..., Any], kind: str, method: str) -> None:
        self._make, self._method = make, method
        self._name = make.__name__ if isinstance(make, type) else f"the {kind}"
        self._takes_data = len(_needed(make)) == 1

    def __str__(self) -> str:
        return self._name

    def __call__(self, data: Collection) -> Any:
        """A new part for ``data``."""
        made = self._make(data) if self._takes_data else self._make()
        self._name = type(made).__name__
        demand(callable(getattr(made, self._method, None)), f"it has no method {self._method!r}.")
        return made


def _needed(make: Callable[..., Any]) -> list[str]:
    """Names of the arguments without which ``make`` cannot be called."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(make).parameters.values()
    return [p.name for p in parameters if p.kind in kinds and p.default is inspect.Parameter.empty]
