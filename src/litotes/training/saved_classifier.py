"""A fitted classifier of arrays as two files: ``classifier.json`` and ``classifier.safetensors``. No pickle.

Weights, the arrays that a method wants kept, and everything else as JSON. What a module of one's own looks like cannot
be written down so: loading such a model takes the same ``module`` again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import nn

from litotes.core.errors import DataError, LitotesError
from litotes.core.files import read_json, write_atomically, write_json
from litotes.models.precision import best_device

if TYPE_CHECKING:
    from litotes.training.array_classifier import ArrayClassifier

__all__ = ["kind_of", "load_classifier", "save_classifier"]

FORMAT = "litotes classifier 1"
DESCRIPTION, WEIGHTS = "classifier.json", "classifier.safetensors"


def save_classifier(model: ArrayClassifier, folder: str | os.PathLike[str]) -> None:
    """Write a fitted classifier, weights first, so that a description always has its weights.

    Raises:
        NotFittedError: there is nothing to write.
        LitotesError: labels that JSON cannot hold.
    """
    from safetensors.torch import save_file

    check_is_fitted(model, "networks_")
    tensors = {f"array.{name}": torch.from_numpy(np.array(value)) for name, value in _arrays(model).items()}
    for name, network in model.networks_.items():
        for key, tensor in network.state_dict().items():  # tied weights are written twice
            tensors[f"network.{name}.{key}"] = tensor.detach().cpu().contiguous().clone()
    parameters = {name: value for name, value in model.get_params(deep=False).items() if name != "module"}
    if not isinstance(parameters["random_state"], int | np.integer | None):
        parameters["random_state"] = None  # a generator of numpy
    description = {
        "format": FORMAT,
        "kind": type(model).__name__,
        "module": "own" if model.module is None else "given",
        "parameters": {name: _plain(value) for name, value in parameters.items()},
        "n_features": list(model.networks_shape_),
        "n_features_in": model.n_features_in_,
        "feature_names_in": _plain(getattr(model, "feature_names_in_", None)),
        "classes": [_label(label) for label in model.classes_.tolist()],
        "classes_dtype": model.classes_.dtype.str if model.classes_.dtype.kind != "O" else "object",
        "networks": list(model.networks_),
        "history": model.history_,
    }
    write_atomically(Path(folder) / WEIGHTS, lambda path: save_file(tensors, str(path)))
    write_json(Path(folder) / DESCRIPTION, description)


def kind_of(kinds: Sequence[type[ArrayClassifier]], folder: str | os.PathLike[str]) -> type[ArrayClassifier]:
    """Which of some classes was saved in a folder.

    Raises:
        DataError: none of them, or nothing.
    """
    place = Path(folder) / DESCRIPTION
    saved = read_json(place)
    came = saved.get("kind") if isinstance(saved, dict) and saved.get("format") == FORMAT else "something else"
    found = next((kind for kind in kinds if kind.__name__ == came), None)
    if found is None:
        names = " or ".join(kind.__name__ for kind in kinds)
        raise DataError(f"{place}: not a {names} of this version of Litotes. It holds: {came}.")
    return found


def load_classifier(
    kind: type[ArrayClassifier], folder: str | os.PathLike[str], *, module: Any = None, device: str = "auto"
) -> Any:
    """What :func:`save_classifier` wrote.

    Args:
        kind: the class that was saved.
        module: what the model was made with, where that was not None.
        device: where to put the networks.

    Raises:
        DataError: the folder does not hold a classifier of this kind, or weights that do not fit it.
        LitotesError: ``module`` is missing.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    place, weights = Path(folder) / DESCRIPTION, Path(folder) / WEIGHTS
    saved = read_json(place)
    kind = kind_of([kind], folder)
    if (saved["module"] == "given") != (module is not None):
        raise LitotesError(
            f"{place}: was trained with a module of your own. Load it with {kind.__name__}.load(folder, module=...)."
            if module is None
            else f"{place}: was trained with the network of {kind.__name__}; load it without module=."
        )
    parameters = {
        name: tuple(value) if isinstance(value, list) else value for name, value in saved["parameters"].items()
    }
    model: Any = kind(module=module, **parameters)
    model.classes_ = np.array(saved["classes"], dtype=saved["classes_dtype"])
    model.n_features_in_, model.history_ = saved["n_features_in"], saved["history"]
    if saved["feature_names_in"] is not None:
        model.feature_names_in_ = np.array(saved["feature_names_in"], dtype=object)
    model.networks_shape_ = tuple(saved["n_features"])
    try:
        tensors = load_file(str(weights))
        model.networks_ = {name: _network(model, name, tensors) for name in saved["networks"]}
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(f"{weights}: does not hold the weights of this classifier ({reason}).") from None
    for network in model.networks_.values():
        network.to(best_device() if device == "auto" else device).eval()
    for name, tensor in tensors.items():
        if name.startswith("array."):
            setattr(model, name.removeprefix("array."), tensor.numpy())
    model._summarise()
    return model


def _network(model: Any, name: str, tensors: dict[str, torch.Tensor]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        network = model._shaped(model.networks_shape_, model._options())
    start = f"network.{name}."
    network.load_state_dict({key.removeprefix(start): x for key, x in tensors.items() if key.startswith(start)})
    return network


def _arrays(model: Any) -> dict[str, np.ndarray]:
    return {name: getattr(model, name) for name in ("held_out_", *model._saved_arrays) if hasattr(model, name)}


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value


def _label(label: Any) -> Any:
    if not isinstance(label, str | int | float | bool):
        raise LitotesError(f"Labels of the type {type(label).__name__} cannot be saved. Use texts or numbers.")
    return label
