"""A page made from a template of this room: whole by itself, with the style sheet that all pages share."""

from __future__ import annotations

from importlib import resources
from typing import Any

__all__ = ["page_of"]


def page_of(template: str, **values: Any) -> str:
    """The HTML of ``template`` (a file beside this one) with ``values`` and ``css`` in it; every text is escaped.

    A name that the template uses and that is not given is an error.
    """
    from jinja2 import Environment, StrictUndefined

    home = resources.files("litotes.auditing")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    source = (home / template).read_text(encoding="utf-8")
    css = (home / "report.css").read_text(encoding="utf-8")
    return environment.from_string(source).render(css=css, **values)
