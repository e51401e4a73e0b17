"""Loading what a training command left in a folder, whatever class that is."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from litotes.core import RunFolder
from litotes.core.errors import LitotesError
from litotes.recipes.catalogue import find_command

__all__ = ["load_model"]


def load_model(folder: str | Path, device: str = "auto") -> Any:
    """The model that ``litotes train COMMAND ... --out folder`` made: the recipe's own ``load_model`` reads it.

    Raises:
        LitotesError: the folder is no run folder, was not trained into, or its training was not finished.
    """
    run = RunFolder.open(folder, create=False)
    trained = [key for key in run.stages if key.startswith("train/")]
    if not trained:
        raise LitotesError(
            f"{folder}: a run folder, but no model was trained into it. It holds: {', '.join(run.stages)}."
        )
    if not run.stages[trained[-1]]["done"]:
        raise LitotesError(f"{folder}: its training is not finished. Go on with: litotes resume {folder}")
    recipe = find_command(trained[-1].removeprefix("train/"))
    return importlib.import_module(recipe.module).load_model(folder, device=device)
