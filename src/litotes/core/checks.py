"""Parameters are checked where the user typed them, and every message has one form.

>>> check_int("DenseMiner", "top", 0, at_least=1)
Traceback (most recent call last):
    ...
litotes.core.errors.LitotesError: The 'top' parameter of DenseMiner must be an int in the range [1, inf). Got 0 instead.
"""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Iterable
from typing import Any

from litotes.core.errors import LitotesError

__all__ = ["check_choice", "check_float", "check_int", "nearest"]


def check_int(owner: str, name: str, value: Any, *, at_least: int | None = None, at_most: int | None = None) -> int:
    """``value`` as an int within the bounds (both included)."""
    low, high = -math.inf if at_least is None else at_least, math.inf if at_most is None else at_most
    is_int = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not (is_int and low <= value <= high):
        _refuse(owner, name, f"an int in the range {_interval(at_least, at_most)}", value)
    return int(value)


def check_float(
    owner: str,
    name: str,
    value: Any,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> float:
    """``value`` as a finite float within the bounds; ``above`` and ``below`` exclude the bound itself."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
    inside = (
        is_number
        and (at_least is None or value >= at_least)
        and (at_most is None or value <= at_most)
        and (above is None or value > above)
        and (below is None or value < below)
    )
    if not inside:
        _refuse(owner, name, f"a float in the range {_interval(at_least, at_most, above, below)}", value)
    return float(value)


def check_choice(owner: str, name: str, value: Any, choices: Iterable[Any]) -> Any:
    """``value`` if it is one of ``choices``; otherwise an error that names the nearest one."""
    choices = list(choices)
    if value not in choices:
        hint = nearest(str(value), map(str, choices))
        allowed = f"one of {', '.join(map(repr, choices))}"
        _refuse(owner, name, allowed, value, f" Did you mean {hint!r}?" if hint else "")
    return value


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that looks most like ``word``, or None when none does."""
    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return found[0] if found else None


def _interval(
    at_least: float | None, at_most: float | None, above: float | None = None, below: float | None = None
) -> str:
    left = f"[{at_least}" if at_least is not None else f"({above}" if above is not None else "(-inf"
    right = f"{at_most}]" if at_most is not None else f"{below})" if below is not None else "inf)"
    return f"{left}, {right}"


def _refuse(owner: str, name: str, allowed: str, value: Any, hint: str = "") -> None:
    raise LitotesError(f"The {name!r} parameter of {owner} must be {allowed}. Got {value!r} instead.{hint}")
