"""Parts named on one line: ``dense:name=e5,top=20``, ``run:bm25.trec``, ``cross-encoder:model=NAME``."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pydantic

from litotes.core.checks import nearest
from litotes.core.errors import LitotesError

__all__ = ["Spec", "build", "parse_spec"]

T = TypeVar("T")

_REST = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class Spec:
    """A kind of part, the name it is filed under (its kind unless ``name=`` is given) and its options as typed."""

    kind: str
    name: str
    options: dict[str, str] = field(default_factory=dict)


def parse_spec(text: str) -> Spec:
    """Read ``kind[:[path,]option=value,...]``; the first item without ``=`` is the option ``path``.

    >>> parse_spec("run:bm25.trec,name=lucene")
    Spec(kind='run', name='lucene', options={'path': 'bm25.trec'})
    """
    kind, _, rest = text.partition(":")
    options: dict[str, str] = {}
    for position, item in enumerate(filter(None, rest.split(","))):
        key, equals, value = item.partition("=")
        if not equals and position == 0:
            key, value = "path", item
        elif not equals:
            raise LitotesError(f"{text!r}: {item!r} is not option=value. Write kind:option=value,option=value.")
        if key in options:
            raise LitotesError(f"{text!r}: the option {key!r} stands twice.")
        options[key] = value
    if not kind.strip():
        raise LitotesError(f"{text!r}: no kind before the colon. Write kind:option=value.")
    name = options.pop("name", kind)
    if not name or any(c in name for c in "/\\.: "):
        raise LitotesError(f"{text!r}: the name {name!r} must be a plain word (no slash, dot, colon or blank).")
    return Spec(kind.strip(), name, options)


def build(make: Callable[..., T], options: dict[str, str], owner: str, **fixed: Any) -> T:
    """Call ``make`` with options typed as text, read as its annotations say; ``fixed`` values are passed as they are.

    Raises:
        LitotesError: an option that ``make`` does not have (with the nearest name), a value of another type, or an
            option that it needs and nobody gave.
    """
    parameters = inspect.signature(make).parameters
    hints = typing.get_type_hints(make.__init__ if inspect.isclass(make) else make)
    values: dict[str, Any] = {}
    for key, text in options.items():
        if key not in parameters:
            near = nearest(key, parameters)
            hint = f" Did you mean {near!r}?" if near else ""
            raise LitotesError(f"{owner} has no option {key!r}. It takes: {', '.join(parameters)}.{hint}")
        hint_type = hints.get(key, str)
        try:
            values[key] = pydantic.TypeAdapter(hint_type).validate_strings(text)
        except (pydantic.ValidationError, pydantic.PydanticSchemaGenerationError):
            choices = typing.get_args(hint_type) if typing.get_origin(hint_type) is typing.Literal else ()
            wanted = ", ".join(map(repr, choices)) or getattr(hint_type, "__name__", str(hint_type))
            raise LitotesError(f"The {key!r} option of {owner} must be {wanted}. Got {text!r} instead.") from None
    given = {**fixed, **values}
    needed = (key for key, at in parameters.items() if at.default is at.empty and at.kind not in _REST)
    missing = [key for key in needed if key not in given]
    if missing:
        raise LitotesError(f"{owner} needs the option {missing[0]!r}. Write it as {missing[0]}=VALUE after the colon.")
    return make(**given)
