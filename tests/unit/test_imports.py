"""``import litotes`` costs nothing: it loads the standard library and litotes, and every public name resolves."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import litotes

SOURCE = Path(litotes.__file__)
LISTING = """
import sys
before = set(sys.modules)
{program}
print(*sorted({{name.partition(".")[0] for name in set(sys.modules) - before}}))
"""


def test_importing_loads_only_the_standard_library() -> None:
    assert _loaded_by("import litotes") - set(sys.stdlib_module_names) == {"litotes"}


def test_a_name_of_core_loads_no_heavy_library() -> None:
    loaded = _loaded_by("import litotes\nlitotes.LabelMatrix, litotes.Collection, litotes.Candidates")
    assert "numpy" in loaded
    assert not loaded & {"torch", "transformers", "sentence_transformers", "datasets", "sklearn", "pandas", "scipy"}


def test_listing_the_recipes_loads_no_heavy_library() -> None:
    loaded = _loaded_by("from litotes.recipes.catalogue import table\ntable()")
    assert not loaded & {"numpy", "pyarrow", "pydantic", "torch", "transformers", "sentence_transformers"}


@pytest.mark.parametrize("name", litotes.__all__)
def test_a_public_name_resolves_to_what_its_module_defines(name: str) -> None:
    value = getattr(litotes, name)
    assert value is getattr(importlib.import_module(litotes._HOMES[name]), name)
    assert value.__module__ == litotes._HOMES[name]


def test_editors_see_the_same_names_in_the_same_modules() -> None:
    for_editors = {
        alias.asname or alias.name: node.module
        for block in ast.walk(ast.parse(SOURCE.read_text()))
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert for_editors == litotes._HOMES
    assert sorted(litotes.__all__) == sorted(litotes._HOMES)
    assert set(litotes.__all__) <= set(dir(litotes))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'litotes' has no attribute 'DensMiner'"):
        _ = litotes.DensMiner


def _loaded_by(program: str) -> set[str]:
    """The top-level modules that ``program`` adds in a fresh interpreter, without private helpers of the start-up."""
    command = [sys.executable, "-c", LISTING.format(program=program)]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
