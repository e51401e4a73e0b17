"""Public names that load their module on first use, so that importing a package costs nothing (PEP 562)."""

import importlib
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from litotes.core.errors import LitotesError, MissingExtra


def lazy_names(
    package: str, homes: Mapping[str, str], extra: str | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of ``package``, whose public names live in the modules that ``homes`` gives.

    A package calls it at the end of its ``__init__.py``::

        __getattr__, __dir__ = lazy_names(__name__, {"DenseMiner": "litotes.mining.dense"})

    ``extra`` is named in the error when the module of a name needs a third-party library that is not installed and
    does not say so itself. A name may equal the file that it lives in (``litotes.data.load``): the name wins.

    Raises:
        AttributeError: on use, when ``package`` has no such name.
        MissingExtra: on use, when a library is missing; the message holds the command that brings it.
    """
    module = sys.modules[package]
    module.__class__ = _LazyPackage
    module.__dict__["_homes"] = dict(homes)

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            value = getattr(importlib.import_module(homes[name]), name)
        except ModuleNotFoundError as error:
            if extra is None or isinstance(error, LitotesError) or _is_ours(error):
                raise
            raise MissingExtra(f'{package}.{name} needs {error.name}; run: pip install "litotes[{extra}]"') from error
        module.__dict__[name] = value  # the next use finds it at once
        return value

    def names() -> list[str]:
        return sorted({*module.__dict__, *homes})

    return load, names


class _LazyPackage(ModuleType):
    """A package whose public names are not replaced by the submodules of the same name when those are imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in self.__dict__["_homes"]):
            super().__setattr__(name, value)


def _is_ours(error: ModuleNotFoundError) -> bool:
    """Whether the missing module is one of litotes itself: a fault of ours that no extra mends."""
    return (error.name or "litotes").partition(".")[0] == "litotes"
