"""The wheel, alone with the base dependencies: it carries the results of the claims, and ``litotes recipes`` runs.

The environment is an empty one, made without network: the wheel is installed by pip, and beside it lie links to the
packages that litotes depends on without any extra, and to what those depend on.
"""

import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.small_beir import write_small_beir

pytest.importorskip("hatchling", reason="builds the wheel")

ROOT = Path(__file__).parents[2]
RESULTS = {file.name for file in (ROOT / "docs" / "results").glob("*.json")} - {"mutants.json"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def home(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment with the wheel and its base dependencies, and nothing else."""
    home = tmp_path_factory.mktemp("home")
    run(sys.executable, "-m", "venv", "--without-pip", str(home / "env"))
    python = str(home / "env" / "bin" / "python")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", str(wheel))
    [packages] = (home / "env" / "lib").glob("python*/site-packages")
    for dependency in base_dependencies():
        for file in dependency.files or ():
            top = packages / file.parts[0]
            if file.parts[0] not in ("..", "__pycache__") and not top.exists():
                top.symlink_to(Path(str(dependency.locate_file(file.parts[0]))))
    write_small_beir(home / "data")
    return home


def run(*command: str, cwd: Path | None = None, code: int = 0) -> str:
    """The standard output of a command that sees nothing of this environment."""
    environment = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LANG") if name in os.environ}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def base_dependencies() -> list[importlib.metadata.Distribution]:
    """What litotes needs without extras, and what that needs."""
    from packaging.requirements import Requirement

    found: dict[str, importlib.metadata.Distribution] = {}
    wanted = ["litotes"]
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = importlib.metadata.distribution(name)
            needs = map(Requirement, found[name].requires or ())
            wanted += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    del found["litotes"]
    return list(found.values())


def test_the_wheel_has_the_results_of_the_claims_and_no_plots(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {Path(name).name for name in names if name.startswith("litotes/claims/results/")} == RESULTS
    assert "litotes/py.typed" in names and "litotes/judging/calibrations/names.json" in names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"litotes"}


def test_only_results_of_claims_go_into_the_wheel(tmp_path: Path) -> None:
    folder = tmp_path / "docs" / "results"
    (folder / "benchmarks").mkdir(parents=True)
    for name in ("star-adore.json", "star-adore-1.svg", "mutants.json", "benchmarks/mining.json"):
        (folder / name).write_text("{}")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    assert hook.results(tmp_path) == {str(folder / "star-adore.json"): "litotes/claims/results/star-adore.json"}
    assert hook.results(tmp_path / "docs") == {}


def test_recipes_are_listed_with_the_base_dependencies_alone(home: Path) -> None:
    python, litotes = str(home / "env" / "bin" / "python"), str(home / "env" / "bin" / "litotes")
    where = run(python, "-c", "import litotes, sys; print(litotes.__file__, *sys.path, sep='\\n')", cwd=home).split()
    assert where[0].startswith(str(home)) and not [path for path in where if path.startswith(str(ROOT))]
    said = json.loads(run(litotes, "recipes", "--json", cwd=home))
    assert {row["system"] for row in said["recipes"]} >= {"star-adore", "npo"}
    assert "star-adore" in run(litotes, "recipes", cwd=home)


@pytest.mark.parametrize("words", ["demo", "train star data --out m", "mine data --miner bm25 --out r"])
def test_what_needs_an_extra_says_which_command_brings_it(home: Path, words: str) -> None:
    said = run(str(home / "env" / "bin" / "litotes"), *words.split(), cwd=home, code=2)
    assert said.splitlines()[-1].endswith('run: pip install "litotes[retrieval]"') and "Traceback" not in said
