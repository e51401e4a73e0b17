"""Checkpoints of several models and optimisers as safetensors and JSON: whole or absent, and no pickle.

A checkpoint folder holds ``models/<name>.safetensors``, ``optimizers/<name>.safetensors``, ``rng.safetensors`` (the
states of torch, numpy and Python as tensors) and ``state.json``, which is written last. It is written under another
name and renamed.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, load_model, save_file, save_model

from litotes.core.errors import MachineError, StaleError
from litotes.core.files import make_folder, read_json, sync, write_json
from litotes.training.learner import Learner

__all__ = ["commit_checkpoint", "last_checkpoint", "load_checkpoint", "new_checkpoint", "write_checkpoint"]

_STATE = "state.json"


def new_checkpoint(folder: Path, step: int) -> Path:
    """An empty folder, beside the checkpoints, in which the one of this step is made."""
    draft = folder / ".partial" / f"checkpoint-{step}"
    shutil.rmtree(draft, ignore_errors=True)
    return make_folder(draft)


def write_checkpoint(draft: Path, learners: Mapping[str, Learner], state: Mapping[str, Any]) -> None:
    """Write models, optimisers, generators and ``state`` (JSON) into a draft."""
    structure = {}
    try:
        for name, learner in learners.items():
            make_folder(draft / "models"), make_folder(draft / "optimizers")
            save_model(learner.model, str(draft / "models" / f"{name}.safetensors"))
            tensors, structure[name] = _take_apart(learner)
            save_file(tensors, str(draft / "optimizers" / f"{name}.safetensors"))
        save_file(_random_states(), str(draft / "rng.safetensors"))
    except OSError as error:
        raise MachineError(f"{draft}: cannot be written ({error.strerror or error}).") from error
    write_json(draft / _STATE, {**state, "learners": structure})


def commit_checkpoint(draft: Path, keep: int) -> Path:
    """Give a finished draft its name and remove all but the last ``keep`` checkpoints."""
    folder = draft.parent.parent
    for file in (path for path in draft.rglob("*") if path.is_file()):
        sync(file)
    final = folder / draft.name
    shutil.rmtree(final, ignore_errors=True)
    os.replace(draft, final)
    sync(folder)
    for old in _checkpoints(folder)[:-keep]:
        shutil.rmtree(old)
    return final


def last_checkpoint(folder: Path) -> Path | None:
    """The latest checkpoint in a folder, or None."""
    found = _checkpoints(folder)
    return found[-1] if found else None


def load_checkpoint(checkpoint: Path, learners: Mapping[str, Learner]) -> dict[str, Any]:
    """Put models, optimisers and generators back as they were; returns what ``state.json`` holds.

    Raises:
        StaleError: the checkpoint is of other learners.
    """
    state = read_json(checkpoint / _STATE)
    structure = state.pop("learners")
    if set(structure) != set(learners):
        raise StaleError(f"{checkpoint} holds the models {sorted(structure)}, the run has {sorted(learners)}.")
    for name, learner in learners.items():
        load_model(learner.model, str(checkpoint / "models" / f"{name}.safetensors"))
        _put_together(learner, load_file(str(checkpoint / "optimizers" / f"{name}.safetensors")), structure[name])
    _restore_random_states(load_file(str(checkpoint / "rng.safetensors")))
    return state


def _take_apart(learner: Learner) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """An optimiser's state: its tensors by ``parameter.key``, and the rest as JSON."""
    if learner.optimizer is None:
        return {}, {"steps": learner.steps}
    state = learner.optimizer.state_dict()
    tensors, values = {}, {}
    for index, entries in state["state"].items():
        for key, value in entries.items():
            if isinstance(value, torch.Tensor):
                tensors[f"{index}.{key}"] = value.contiguous()
            else:
                values[f"{index}.{key}"] = value
    return tensors, {"steps": learner.steps, "values": values, "groups": state["param_groups"]}


def _put_together(learner: Learner, tensors: Mapping[str, torch.Tensor], structure: Mapping[str, Any]) -> None:
    learner.steps = structure["steps"]
    if learner.optimizer is None:
        return
    ours = learner.optimizer.state_dict()["param_groups"]
    shapes = [len(group["params"]) for group in structure["groups"]]
    if shapes != [len(group["params"]) for group in ours]:
        raise StaleError(f"The checkpoint's optimiser holds {shapes} parameters a group, the run's another number.")
    state: dict[int, dict[str, Any]] = {}
    for name, value in [*tensors.items(), *structure["values"].items()]:
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    groups = [
        {key: tuple(value) if isinstance(group.get(key), tuple) else value for key, value in saved.items()}
        for saved, group in zip(structure["groups"], ours, strict=True)
    ]
    learner.optimizer.load_state_dict({"state": state, "param_groups": groups})


def _random_states() -> dict[str, torch.Tensor]:
    """The states of all generators, each as one tensor; a cached half of a Gaussian pair is stored as [has, value]."""
    state: Any = np.random.get_state(legacy=True)
    _, keys, pos, has_gauss, gauss = state
    version, words, python_gauss = random.getstate()
    states = {
        "torch": torch.get_rng_state(),
        "numpy": torch.tensor([*keys.tolist(), pos], dtype=torch.int64),
        "numpy.gauss": torch.tensor([has_gauss, gauss], dtype=torch.float64),
        "python": torch.tensor([version, *words], dtype=torch.int64),
        "python.gauss": torch.tensor([python_gauss is not None, python_gauss or 0.0], dtype=torch.float64),
    }
    if torch.cuda.is_available():
        states |= {f"cuda.{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())}
    return states


def _restore_random_states(states: Mapping[str, torch.Tensor]) -> None:
    torch.set_rng_state(states["torch"])
    *keys, pos = states["numpy"].tolist()
    has_gauss, gauss = states["numpy.gauss"].tolist()
    np.random.set_state(("MT19937", np.array(keys, dtype=np.uint32), pos, int(has_gauss), gauss))
    version, *words = states["python"].tolist()
    has_gauss, gauss = states["python.gauss"].tolist()
    random.setstate((version, tuple(words), gauss if has_gauss else None))
    for name, state in states.items():
        if name.startswith("cuda.") and torch.cuda.is_available():
            torch.cuda.set_rng_state(state, int(name.removeprefix("cuda.")))


def _checkpoints(folder: Path) -> list[Path]:
    found = [path for path in folder.glob("checkpoint-*") if (path / _STATE).exists()]
    return sorted(found, key=lambda path: int(path.name.removeprefix("checkpoint-")))
