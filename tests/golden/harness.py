"""Golden cases: ``<case>.npz`` holds arrays, ``<case>.json`` says what they are.

The JSON names the ``kind`` (which adapter runs the case), ``params``, the arrays that are ``inputs``, those that are
``outputs``, and the tolerances ``rtol`` and ``atol``. Arrays listed as inputs may be absent: the adapter is told less.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

__all__ = ["Adapter", "GoldenCase", "check_case", "find_cases", "grads"]

Adapter = Callable[[dict[str, np.ndarray], dict[str, Any], Callable], Mapping[str, Any]]
"""``adapter(inputs, params, grads) -> outputs`` by the names of the case."""


@dataclass(frozen=True)
class GoldenCase:
    """One case on disk; ``name`` is ``slug/case``."""

    name: str
    path: Path

    @cached_property
    def spec(self) -> dict[str, Any]:
        """The JSON beside the arrays."""
        return json.loads(self.path.with_suffix(".json").read_text(encoding="utf-8"))

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays; none may hold pickled objects."""
        with np.load(self.path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """Copies, so that an adapter cannot change what is compared."""
        return {name: array.copy() for name, array in self.arrays.items() if name in self.spec["inputs"]}

    @property
    def outputs(self) -> dict[str, np.ndarray]:
        """Everything that is no input."""
        return {name: array for name, array in self.arrays.items() if name not in self.spec["inputs"]}


def find_cases(folder: Path) -> list[GoldenCase]:
    """The cases in ``folder/*.npz`` and ``folder/<slug>/*.npz``; ValueError when there is none."""
    if not folder.is_dir():
        raise ValueError(f"--golden-dir {folder}: no such folder.")
    paths = sorted([*folder.glob("*.npz"), *folder.glob("*/*.npz")])
    if not paths:
        raise ValueError(f"--golden-dir {folder}: no case, neither {folder}/*.npz nor {folder}/<slug>/*.npz.")
    return [GoldenCase(f"{path.resolve().parent.name}/{path.stem}", path) for path in paths]


def check_case(case: GoldenCase, adapters: Mapping[str, Adapter]) -> None:
    """Run the case through its adapter and compare every output; AssertionError says which differs."""
    kind = case.spec["kind"]
    assert kind in adapters, f"no adapter for the kind {kind!r}; add one to ADAPTERS in tests/golden/adapters.py"
    found = adapters[kind](case.inputs, case.spec["params"], grads)
    assert case.outputs, f"{case.name} holds no output to compare"
    for name, expected in case.outputs.items():
        assert found.get(name) is not None, f"the adapter of {kind} does not return the output {name!r}"
        _assert_same(name, _as_numpy(found[name]), expected, case.spec["rtol"], case.spec["atol"])


def grads(output: torch.Tensor, inputs: Mapping[str, torch.Tensor | None]) -> dict[str, torch.Tensor]:
    """d output / d tensor under each name; zeros where the output does not depend on it. None entries are left out."""
    leaves = {name: tensor for name, tensor in inputs.items() if tensor is not None}
    found = torch.autograd.grad(output, list(leaves.values()), retain_graph=True, allow_unused=True)
    pairs = zip(leaves.items(), found, strict=True)
    return {name: torch.zeros_like(leaf) if grad is None else grad for (name, leaf), grad in pairs}


def _as_numpy(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def _assert_same(name: str, found: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> None:
    """Equal shapes; equal texts and whole numbers; floats within the tolerances, NaN only where it is expected."""
    assert found.shape == expected.shape, f"{name}: shape {found.shape}, expected {expected.shape}"
    numbers = found.dtype.kind in "biuf" and expected.dtype.kind in "biuf"
    if not numbers or "f" not in found.dtype.kind + expected.dtype.kind:
        assert np.array_equal(found, expected), f"{name}: {found.tolist()}, expected {expected.tolist()}"
    else:
        found, expected = found.astype(np.float64), expected.astype(np.float64)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol, equal_nan=True, err_msg=name)
