"""The golden harness: what it must fail, and that ``--break`` breaks everything that litotes returns."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from litotes.core import LabelMatrix
from tests.golden import adapters
from tests.golden.breaking import StandIn, break_results, wrong
from tests.golden.harness import GoldenCase, check_case, find_cases, grads

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden"


def run_goldens(tmp_path: Path, *options: object) -> dict[str, bool]:
    """``{test id: passed}`` of ``pytest tests/golden`` with these options."""
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "tests/golden", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    subprocess.run([*command, *map(str, options)], cwd=ROOT, capture_output=True, timeout=300, check=False)
    cases = ElementTree.parse(report).iter("testcase")
    return {
        case.get("name", ""): not any(child.tag in ("failure", "error", "skipped") for child in case) for case in cases
    }


def write_case(folder: Path, name: str, kind: str, inputs: dict, outputs: dict, **extra) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / f"{name}.npz", **inputs, **outputs)
    spec = {"kind": kind, "params": {}, "inputs": dict.fromkeys(inputs, ""), "outputs": dict.fromkeys(outputs, "")}
    (folder / f"{name}.json").write_text(json.dumps(spec | {"rtol": 1e-6, "atol": 0.0} | extra))
    return folder / f"{name}.npz"


def case(tmp_path: Path, inputs: dict, outputs: dict, **extra) -> GoldenCase:
    return GoldenCase("slug/case", write_case(tmp_path / "slug", "case", "slug/kind", inputs, outputs, **extra))


class TestCommand:
    def test_with_break_every_case_fails(self, tmp_path: Path):
        results = run_goldens(tmp_path, "--break")
        assert {f"test_golden[{found.name}]" for found in find_cases(GOLDEN)} == set(results)
        assert not any(results.values())

    def test_folders_of_both_forms_run_and_an_unknown_kind_fails(self, tmp_path: Path):
        flat, nested = tmp_path / "star-adore", tmp_path / "goldens"
        shutil.copytree(GOLDEN / "star-adore", flat)
        write_case(nested / "other-slug", "unknown", "other-slug/nobody", {"x": np.ones(2)}, {"y": np.ones(2)})
        results = run_goldens(tmp_path, "--golden-dir", flat, "--golden-dir", nested)
        assert results.pop("test_golden[other-slug/unknown]") is False
        assert set(results) == {f"test_golden[{found.name}]" for found in find_cases(GOLDEN / "star-adore")}
        assert all(results.values())


class TestComparison:
    def test_equal_outputs_pass_whatever_their_type(self, tmp_path: Path):
        outputs = {"floats": np.array([1.0, np.nan]), "ids": np.array([3, -1]), "texts": np.array(["a", "bc"])}
        answer = {
            "floats": torch.tensor([1.0, torch.nan], dtype=torch.float32),
            "ids": [3.0, -1.0],
            "texts": ["a", "bc"],
        }
        check_case(case(tmp_path, {"x": np.ones(1)}, outputs), {"slug/kind": lambda x, params, grads: answer})

    @pytest.mark.parametrize(
        ("expected", "found"),
        [
            (np.array([1.0]), np.array([1.01])),
            (np.array([1.0, 1.0]), np.array(1.0)),  # a scalar would broadcast
            (np.array([np.nan]), np.array([1.0])),
            (np.array([1.0]), np.array([np.nan])),
            (np.array([10**9]), np.array([10**9 + 1])),  # within rtol, but whole numbers are equal or not
            (np.array([True]), np.array([False])),
            (np.array(["a"]), np.array(["ab"])),
            (np.array(["1"]), np.array([1])),
            (np.zeros((0, 2)), np.zeros((1, 2))),
        ],
    )
    def test_different_outputs_fail(self, tmp_path: Path, expected, found):
        with pytest.raises(AssertionError):
            check_case(case(tmp_path, {"x": np.ones(1)}, {"y": expected}), {"slug/kind": lambda *_: {"y": found}})

    def test_a_missing_output_fails(self, tmp_path: Path):
        made = case(tmp_path, {"x": np.ones(1)}, {"y": np.ones(1), "z": np.ones(1)})
        with pytest.raises(AssertionError, match="does not return the output 'z'"):
            check_case(made, {"slug/kind": lambda *_: {"y": np.ones(1), "z": None}})

    def test_an_unknown_kind_fails(self, tmp_path: Path):
        with pytest.raises(AssertionError, match="no adapter for the kind 'slug/kind'"):
            check_case(case(tmp_path, {"x": np.ones(1)}, {"y": np.ones(1)}), {})

    def test_a_case_without_outputs_fails(self, tmp_path: Path):
        with pytest.raises(AssertionError, match="holds no output"):
            check_case(case(tmp_path, {"x": np.ones(1)}, {}), {"slug/kind": lambda *_: {}})

    def test_an_adapter_cannot_change_what_is_compared(self, tmp_path: Path):
        made = case(tmp_path, {"x": np.ones(1)}, {"y": np.ones(1)})
        made.inputs["x"][:] = 5
        assert made.inputs["x"] == 1

    def test_gradients_are_zero_where_nothing_depends(self):
        x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
        found = grads((x * 3).sum(), {"grad_x": x, "grad_y": y, "grad_absent": None})
        assert found["grad_x"].tolist() == [3, 3]
        assert found["grad_y"].tolist() == [0, 0]
        assert set(found) == {"grad_x", "grad_y"}

    def test_a_folder_without_cases_is_refused(self, tmp_path: Path):
        with pytest.raises(ValueError, match="no case"):
            find_cases(tmp_path)
        with pytest.raises(ValueError, match="no such folder"):
            find_cases(tmp_path / "absent")


class TestBreaking:
    @pytest.mark.parametrize(
        ("value", "broken"),
        [
            (2.0, 2.02),
            (0.0, 0.01),
            (3, 4),
            (True, False),
            ("abc", "abcx"),
            (None, None),
            ([1, 2.0], [2, 2.02]),
            ((), (0,)),
            ({"a": 1}, {"a": 2}),
            (np.float64(1.0), 1.01),
        ],
    )
    def test_plain_values(self, value, broken):
        assert wrong(value) == broken

    @pytest.mark.parametrize("make", [np.asarray, torch.tensor])
    def test_arrays(self, make):
        assert np.allclose(wrong(make([100.0, 0.0, np.nan, -np.inf])), [101.0, 0.01, 0.01, 0.01])
        assert wrong(make([1, -1])).tolist() == [2, 0]
        assert wrong(make([True, False])).tolist() == [False, True]
        assert wrong(make(np.zeros((0, 3)))).shape == (1, 3)

    def test_texts(self):
        assert wrong(np.array(["a", "bc"])).tolist() == ["ax", "bcx"]

    def test_gradients_go_through_and_are_off_too(self):
        x = torch.tensor([2.0], requires_grad=True)
        wrong(x * x).sum().backward()
        assert x.grad.item() == pytest.approx(4 * 1.01)

    def test_a_type_that_nobody_taught_it_is_an_error_not_a_pass(self):
        with pytest.raises(TypeError, match="how to make a SimpleNamespace wrong"):
            wrong(SimpleNamespace())

    def test_objects_of_litotes_are_broken_where_they_are_read_and_whole_where_they_go_back_in(self):
        labels = StandIn(LabelMatrix)(["a"], ["x", "y"], [0], [1])
        assert labels.n_rows == 2
        assert labels.positives(0).tolist() == [2]
        taken = StandIn(_of_litotes(lambda matrix: matrix.n_rows))(labels)
        assert taken == 2  # 1, broken once: inside it was whole

    @pytest.mark.parametrize("memory", [torch.tensor([1.0, 2.0]), np.array([1.0, 2.0])])
    def test_an_argument_that_was_changed_counts_as_a_result(self, memory):
        def update(memory, untouched):
            memory *= 10

        untouched = torch.tensor([5.0])
        StandIn(_of_litotes(update))(memory, untouched)
        assert memory.tolist() == pytest.approx([10.1, 20.2])
        assert untouched == 5

    def test_a_model_that_was_trained_counts_as_a_result(self):
        model = torch.nn.Linear(1, 1, bias=False)

        def train(model):
            with torch.no_grad():
                model.weight.fill_(2.0)

        StandIn(_of_litotes(train))(model)
        assert model.weight.item() == pytest.approx(2.02)

    def test_every_name_of_litotes_in_the_adapters_is_replaced(self):
        module = ModuleType("a copy of the adapters")
        vars(module).update({name: value for name, value in vars(adapters).items() if not name.startswith("__")})
        break_results(module)
        ours = [name for name in _imported_from_litotes() if isinstance(getattr(module, name), StandIn)]
        assert ours == _imported_from_litotes()
        assert not isinstance(module.np, StandIn)


class TestAdapters:
    def test_only_numpy_torch_and_litotes_are_imported(self):
        roots = set()
        for node in ast.walk(_tree()):
            if isinstance(node, ast.Import):
                roots |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                roots.add((node.module or "").split(".")[0])
        assert roots == {"numpy", "torch", "litotes"}

    def test_an_adapter_takes_at_most_fifteen_lines(self):
        functions = [node for node in _tree().body if isinstance(node, ast.FunctionDef)]
        assert functions
        assert {f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno - f.lineno >= 15} == {}

    def test_every_case_in_the_repository_may_be_here_and_has_an_adapter(self):
        for found in find_cases(GOLDEN):
            assert found.spec.get("redistribute", True), f"{found.name} holds somebody else's data"
            assert found.spec["kind"] in adapters.ADAPTERS


def _tree() -> ast.Module:
    return ast.parse((GOLDEN / "adapters.py").read_text())


def _imported_from_litotes() -> list[str]:
    found = [node for node in _tree().body if isinstance(node, ast.ImportFrom) and node.module.startswith("litotes")]
    return [alias.name for node in found for alias in node.names]


def _of_litotes(function):
    """A function that passes for one of litotes."""
    function.__module__ = "litotes.somewhere"
    return function
