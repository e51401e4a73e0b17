"""A check holds a part to one promise; a suite is all checks that parts of one kind are held to."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from litotes.core.checks import nearest
from litotes.core.errors import LitotesError

__all__ = ["Check", "Suite", "demand"]


@dataclass(frozen=True)
class Check:
    """One promise of one part. Calling it returns nothing where the promise holds, and says what is broken where not.

    ``str(check)`` is its name, with ``-expected-to-fail`` behind it where a failure is expected.

    Attributes:
        name: what it is called, as in ``expected_failures``.
        explanation: what is promised, in a sentence or two.
        run: the check itself.
        part: what the message calls the part; asked when the message is written.
        expected_failure: the written reason why it fails, or "". Such a check passes as long as it fails, and fails
            when it no longer does, so that no reason outlives its cause.

    Raises:
        AssertionError: on a call, when the promise is broken or an expected failure holds after all.
    """

    name: str
    explanation: str
    run: Callable[[], None] = field(repr=False)
    part: Callable[[], str] = field(repr=False)
    expected_failure: str = ""

    def __call__(self) -> None:
        """Hold the part to the promise."""
        try:
            self.run()
        except Exception as error:  # a part that raises has broken its promise too
            if self.expected_failure:
                return
            raise AssertionError(self._sentence(error)) from error
        if self.expected_failure:
            raise AssertionError(
                f"{self.part()} was expected to break {self.name!r} ({self.expected_failure}), and keeps it. "
                "Take it out of expected_failures."
            )

    def __str__(self) -> str:
        return f"{self.name}-expected-to-fail" if self.expected_failure else self.name

    def _sentence(self, error: Exception) -> str:
        found = str(error) if isinstance(error, AssertionError) else f"it raised {type(error).__name__}: {error}"
        return f"{self.part()} breaks {self.name!r}: {found}\nPromised: {self.explanation}"


class Suite:
    """The checks of one kind of part, in the order in which they stand in their file.

    A check is a function of a case (the part, and what is known of it) that is decorated with the suite; its name is
    the function's, its explanation the docstring.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._functions: dict[str, Callable[[Any], None]] = {}

    def __call__(self, function: Callable[[Any], None]) -> Callable[[Any], None]:
        """Make ``function`` a check of this suite."""
        self._functions[function.__name__] = function
        return function

    @property
    def explanations(self) -> dict[str, str]:
        """What each check promises, by name."""
        return {name: " ".join((inspect.getdoc(f) or "").split()) for name, f in self._functions.items()}

    def over(
        self,
        case: Any,
        *,
        without: Collection[str] = (),
        expected_failures: Mapping[str, str] | None = None,
    ) -> list[Check]:
        """The checks of ``case``, whose ``str`` names the part; those in ``without`` do not concern it.

        Raises:
            LitotesError: an expected failure that no check of this part is called, or one without a reason.
        """
        expected = dict(expected_failures or {})
        names = [name for name in self._functions if name not in without]
        for name, reason in expected.items():
            if name not in names:
                hint = nearest(name, names)
                raise LitotesError(
                    f"expected_failures names {name!r}, and no check of this {self.kind} is called that"
                    f"{f'; did you mean {hint!r}?' if hint else '.'} There are: {', '.join(names)}."
                )
            check_reason("expected_failures", name, reason)
        return [
            Check(
                name,
                self.explanations[name],
                partial(self._functions[name], case),
                partial(str, case),
                expected.get(name, ""),
            )
            for name in names
        ]


def demand(holds: bool, sentence: str) -> None:
    """Say ``sentence`` unless it ``holds``; unlike an assert statement also under ``python -O``."""
    if not holds:
        raise AssertionError(sentence)


def check_reason(where: str, name: str, reason: object) -> None:
    """Refuse a reason that says nothing."""
    if not isinstance(reason, str) or not reason.strip():
        raise LitotesError(f"{where}[{name!r}] must be a written reason, one sentence. Got {reason!r} instead.")
