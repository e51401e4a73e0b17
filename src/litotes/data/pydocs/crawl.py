"""Reading the docstrings of libraries that are installed anyway: the first step of pydocs, run as a program of its own.

    python -P crawl.py OUT.jsonl [LIBRARY ...]

It runs in a fresh process, so that neither what the caller has imported or patched changes the result, nor the many
imports here touch the caller; the standard library is all it needs itself. It writes one JSON line a name (``name``,
``object``: a number that all names of one object share, ``signature``, ``doc``) and last a line of counts,
and prints each library's name on stdout when that one is done. The network is refused while it runs.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import random
import re
import secrets
import sys
import types
import warnings
from collections.abc import Iterator
from typing import Any, TextIO

LIBRARIES = ("numpy", "scipy", "sklearn", "pandas", "torch")
MAX_DEPTH = 3  # of a module: torch.nn.functional
MAX_DOTS = 3  # of a name: torch.nn.Linear.forward
MAX_NAMES = 2  # of one object, shortest first

# Parts of the libraries that no user searches the documentation of: innards, compilers, copies for each device.
INTERNAL = frozenset(
    [
        *("numpy.core", "numpy.distutils", "numpy.f2py", "numpy.matlib"),
        *("pandas.compat", "pandas.core", "pandas.io", "pandas.util"),
        *("sklearn.externals", "sklearn.utils"),
        *("torch.accelerator", "torch.ao", "torch.backends", "torch.compiler", "torch.contrib", "torch.cpu"),
        *("torch.cuda", "torch.distributed", "torch.export", "torch.futures", "torch.fx", "torch.jit"),
        *("torch.library", "torch.monitor", "torch.mps", "torch.mtia", "torch.multiprocessing", "torch.nativert"),
        *("torch.onnx", "torch.overrides", "torch.package", "torch.profiler", "torch.quantization"),
        *("torch.serialization", "torch.storage", "torch.types", "torch.utils", "torch.xpu"),
    ]
)
_TYPED_TENSOR = re.compile(r"torch\.\w+Tensor")  # torch.FloatTensor and its like repeat torch.Tensor
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # "<function f at 0x7f...>" differs from process to process


def crawl(out: TextIO, libraries: tuple[str, ...] = LIBRARIES) -> dict[str, int]:
    """Write one line a documented name to ``out``; the counts of what was seen come back."""
    counts = {"modules": 0, "modules_not_importable": 0, "names": 0, "objects": 0, "docstrings": 0}
    found: dict[str, Any] = {}
    for library in libraries:
        for name, module in _modules(library, 1, counts):
            found.update(_members(name, module, libraries))
        print(library, flush=True)
    by_object: dict[int, list[str]] = {}
    for name in found:
        by_object.setdefault(id(_original(found[name])), []).append(name)
    docs = set()
    for number, names in enumerate(by_object.values()):
        for name in sorted(names, key=lambda name: (len(name), name))[:MAX_NAMES]:
            doc = getattr(found[name], "__doc__", None)
            if isinstance(doc, str) and doc.strip():
                docs.add(doc)
                entry = {"name": name, "object": number, "doc": _stable(inspect.cleandoc(doc))}
                out.write(json.dumps({**entry, "signature": _signature(found[name])}) + "\n")
    counts.update(names=len(found), objects=len(by_object), docstrings=len(docs))
    return counts


def is_internal(name: str) -> bool:
    """Whether a dotted name belongs to a part that is left out."""
    head = ".".join(name.split(".")[:2])
    return head in INTERNAL or (head != "torch.Tensor" and _TYPED_TENSOR.fullmatch(head) is not None)


def _modules(name: str, depth: int, counts: dict[str, int]) -> Iterator[tuple[str, types.ModuleType]]:
    """The module and its public submodules, by name; one that cannot be imported is counted and left out."""
    try:
        module = importlib.import_module(name)
    except Exception:  # noqa: BLE001  whatever a foreign module raises, the walk goes on without it
        counts["modules_not_importable"] += 1
        return
    counts["modules"] += 1
    yield name, module
    if depth < MAX_DEPTH:
        for part in sorted(info.name for info in pkgutil.iter_modules(getattr(module, "__path__", []))):
            inner = f"{name}.{part}"
            if not (part.startswith("_") or "test" in part or is_internal(inner)):
                yield from _modules(inner, depth + 1, counts)


def _members(module_name: str, module: types.ModuleType, libraries: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Public functions and classes of a module and public methods of its classes. Nothing is called or evaluated."""
    for part, value in sorted(vars(module).items()):
        name = f"{module_name}.{part}"
        if part.startswith("_") or is_internal(name) or not _is_documented(value, libraries):
            continue
        if name.count(".") <= MAX_DOTS:
            yield name, value
        if inspect.isclass(value) and name.count(".") < MAX_DOTS:
            for method in sorted(set(dir(value))):
                inner = _unbound(inspect.getattr_static(value, method, None))
                if not method.startswith("_") and inspect.isroutine(inner) and _is_documented(inner, libraries):
                    yield f"{name}.{method}", inner


def _is_documented(value: Any, libraries: tuple[str, ...]) -> bool:
    """A class, a routine or another callable with a docstring of its own (a ufunc), from one of the libraries."""
    if isinstance(value, types.ModuleType) or not (callable(value) or inspect.isroutine(value)):
        return False
    if not inspect.isclass(value) and getattr(value, "__doc__", None) is type(value).__doc__:
        return False
    home = getattr(value, "__module__", None) or getattr(getattr(value, "__objclass__", None), "__module__", None)
    return not isinstance(home, str) or home.split(".")[0] in libraries


def _unbound(value: Any) -> Any:
    return value.__func__ if isinstance(value, staticmethod | classmethod) else value


def _original(value: Any) -> Any:
    """The object behind bound methods and wrappers: rule (a) of the truth groups."""
    value = getattr(value, "__func__", value)
    if inspect.isclass(value):
        return value
    try:
        return inspect.unwrap(value)
    except ValueError:  # a cycle of wrappers
        return value


def _signature(value: Any) -> str:
    try:
        return _stable(str(inspect.signature(value)))
    except (ValueError, TypeError, NameError, AttributeError):  # compiled code often tells none
        return ""


def _stable(text: str) -> str:
    return _ADDRESS.sub("", text)


def _fix_chance() -> None:
    """Seed what seeds numpy's generators: some libraries draw the examples of their docstrings while they load."""
    random.seed(0)
    setattr(secrets, "randbits", random.Random(0).getrandbits)  # noqa: B010


def _refuse_network(event: str, args: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise PermissionError("pydocs is read without network")


if __name__ == "__main__":
    sys.addaudithook(_refuse_network)
    _fix_chance()
    warnings.simplefilter("ignore")
    path, *chosen = sys.argv[1:]
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps({"counts": crawl(file, tuple(chosen) or LIBRARIES)}) + "\n")
