"""Lazy names, on small packages written for each test."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from litotes.core.errors import LitotesError, MissingExtra

INIT = """
from litotes.core.lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {"noun": "lazypackage.parts", "load": "lazypackage.load", "ghost": "lazypackage.ghost", "own": "lazypackage.own"},
    extra="retrieval",
)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    folder = tmp_path / "lazypackage"
    folder.mkdir()
    (folder / "__init__.py").write_text(INIT)
    (folder / "parts.py").write_text("noun = 'a part'\n")
    (folder / "load.py").write_text("def load():\n    return 'loaded'\n")
    (folder / "ghost.py").write_text("import library_that_is_not_there.part\n")
    (folder / "own.py").write_text("import litotes.not_a_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "lazypackage"
    for name in [name for name in sys.modules if name.startswith("lazypackage")]:
        del sys.modules[name]


def test_a_name_loads_its_module_on_first_use_only(package: str) -> None:
    module = importlib.import_module(package)
    assert "lazypackage.parts" not in sys.modules
    assert module.noun == "a part"
    assert "lazypackage.parts" in sys.modules
    assert vars(module)["noun"] == "a part"


def test_an_unknown_name_is_an_attribute_error(package: str) -> None:
    module = importlib.import_module(package)
    with pytest.raises(AttributeError, match="module 'lazypackage' has no attribute 'nuon'"):
        _ = module.nuon
    assert not hasattr(module, "verb")


def test_dir_lists_what_is_not_loaded_yet(package: str) -> None:
    assert {"noun", "load", "ghost"} <= set(dir(importlib.import_module(package)))


def test_a_name_that_equals_its_file_is_the_name_also_after_the_file_was_imported(package: str) -> None:
    importlib.import_module("lazypackage.load")
    module = importlib.import_module(package)
    assert module.load() == "loaded"
    importlib.import_module("lazypackage.load")
    assert module.load() == "loaded"


def test_a_submodule_that_is_no_public_name_stays_reachable(package: str) -> None:
    importlib.import_module("lazypackage.parts")
    assert importlib.import_module(package).parts.noun == "a part"


def test_a_missing_library_names_the_command_that_brings_it(package: str) -> None:
    module = importlib.import_module(package)
    with pytest.raises(MissingExtra) as caught:
        _ = module.ghost
    assert str(caught.value) == (
        'lazypackage.ghost needs library_that_is_not_there; run: pip install "litotes[retrieval]"'
    )
    assert isinstance(caught.value, LitotesError)
    assert isinstance(caught.value, ImportError)


def test_a_missing_module_of_ours_is_our_fault_and_no_extra_is_named(package: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"litotes\.not_a_module") as caught:
        _ = importlib.import_module(package).own
    assert not isinstance(caught.value, MissingExtra)


def test_without_torch_a_public_name_says_what_to_type() -> None:
    program = "import sys; sys.modules['torch'] = None\nimport litotes\nlitotes.InfoNCELoss"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert 'needs torch; run: pip install "litotes[retrieval]"' in run.stderr.splitlines()[-1]
