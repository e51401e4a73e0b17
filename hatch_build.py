"""Puts the recorded results of the claims (``docs/results/*.json``) into the wheel as ``litotes/claims/results/``.

``litotes recipes`` reads its verdicts there. Only the results of claims: the plots beside them and the numbers about
tests and speed are for the pages alone.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NO_CLAIMS = {"mutants.json"}


def results(root: Path) -> dict[str, str]:
    """Where each result comes from and where it goes."""
    files = sorted((root / "docs" / "results").glob("*.json"))
    return {str(file): f"litotes/claims/results/{file.name}" for file in files if file.name not in NO_CLAIMS}


class ResultsHook(BuildHookInterface):
    """Called by hatchling for each wheel; an editable install reads the files where they are."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files."""
        if version != "editable":
            build_data["force_include"].update(results(Path(self.root)))
