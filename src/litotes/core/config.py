"""Configuration is checked once, frozen, and written down whole."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import pydantic

from litotes.core.checks import nearest
from litotes.core.errors import LitotesError

__all__ = ["Config", "NameOrPlace"]


class NameOrPlace:
    """Marks a field, ``Annotated[str, NameOrPlace("features")]``, whose text may be a file or folder.

    The command line writes such a place down in full, so that a run goes on from anywhere; ``words`` are none, whatever
    lies in the folder.
    """

    def __init__(self, *words: str) -> None:
        self.words = words


class Config(pydantic.BaseModel):
    """A frozen set of named, typed, described values. Unknown names and wrong values are errors of one sentence.

    A subclass lists named variants in ``presets`` (``"paper"`` holds the values of the paper where ours differ).
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", validate_default=True)
    presets: ClassVar[dict[str, dict[str, Any]]] = {}

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except pydantic.ValidationError as error:
            raise LitotesError(_first_sentence(type(self), error)) from None

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """The values of a named variant, with ``changes`` on top."""
        if name not in cls.presets:
            known = ", ".join(map(repr, cls.presets)) or "none"
            raise LitotesError(f"{cls.__name__} has no preset {name!r}. Known presets: {known}.")
        return cls(**{**cls.presets[name], **changes})


def _first_sentence(cls: type[Config], error: pydantic.ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    name = ".".join(map(str, problem["loc"])) or "value"
    if problem["type"] == "extra_forbidden":
        near = nearest(name, cls.model_fields)
        hint = f" Did you mean {near!r}?" if near else f" It takes: {', '.join(cls.model_fields)}."
        return f"{cls.__name__} has no option {name!r}.{hint}"
    return f"The {name!r} option of {cls.__name__}: {problem['msg']}. Got {problem.get('input')!r} instead."
