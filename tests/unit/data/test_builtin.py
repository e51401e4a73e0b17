"""The list of built-in sets and its door."""

import subprocess
import sys

import pytest

from litotes.core.errors import LitotesError
from litotes.data.builtin import BUILTIN, load_builtin


@pytest.mark.parametrize("name", BUILTIN)
def test_each_set_says_what_a_person_asks(name: str) -> None:
    built_in = BUILTIN[name]
    assert built_in.name == name
    for answer in (built_in.what, built_in.licence, built_in.origin, built_in.layout, built_in.how):
        assert len(answer.split()) >= 5
    assert "all" in built_in.splits


@pytest.mark.parametrize("name", BUILTIN)
def test_each_set_loads(name: str) -> None:
    size = "tiny" if "tiny" in BUILTIN[name].sizes else BUILTIN[name].sizes[0]
    data = load_builtin(name, size=size)
    assert data.name == name and data.n_rows and data.n_cols
    assert data.fingerprint == load_builtin(name, "all", size).fingerprint


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(LitotesError, match="'pydoc' instead. Did you mean 'pydocs'"):
        load_builtin("pydoc")
    with pytest.raises(LitotesError, match="'split' parameter of the built-in set pydocs must be one of 'train'"):
        load_builtin("pydocs", "trian")
    with pytest.raises(LitotesError, match="Did you mean 'demo'"):
        load_builtin("pydocs", size="demos")


def test_listing_loads_no_heavy_library() -> None:
    heavy = "{'torch', 'pandas', 'scipy', 'sklearn'}"
    program = f"import sys, litotes.data.builtin; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
