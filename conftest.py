"""A run of the whole suite ends by holding the recipe pages to the tests they name; see ``tests/recipe_pages.py``."""

import pytest

from tests.recipe_pages import RecipePages


def pytest_configure(config: pytest.Config) -> None:
    """Add the check to the run."""
    config.pluginmanager.register(RecipePages(config), "recipe-pages")
