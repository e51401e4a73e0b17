"""Finding a training command: its row in the catalogue, its config, its function. Imports the recipe's module."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from litotes.core.errors import LitotesError

if TYPE_CHECKING:
    from litotes.core import Config
    from litotes.recipes.catalogue import Recipe

__all__ = ["TrainingCommand", "find_training_command"]


@dataclass(frozen=True)
class TrainingCommand:
    """What ``litotes train NAME`` runs."""

    name: str
    recipe: Recipe
    config: type[Config]
    train: Callable[..., Any]


def find_training_command(name: str) -> TrainingCommand:
    """The command ``name``; its config is the type of ``config`` in ``train_<name>``.

    Raises:
        LitotesError: no such command, or one that is planned only.
    """
    from litotes.recipes.catalogue import find_command

    recipe = find_command(name)
    if recipe.state != "works":
        raise LitotesError(f"{recipe.title} ({recipe.slug}) is planned and does not train yet. See: litotes recipes")
    module = importlib.import_module(recipe.module)
    train = getattr(module, f"train_{name.replace('-', '_')}")
    annotation = inspect.signature(train).parameters["config"].annotation
    config = getattr(module, annotation) if isinstance(annotation, str) else annotation
    return TrainingCommand(name, recipe, config, train)
