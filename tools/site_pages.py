"""Pages of the site that are made when it is built: the reference, the list of systems and the list of results.

MkDocs calls ``on_config`` and ``on_files`` (``hooks:`` in ``mkdocs.yml``). What a page shows is read from the package
and from ``docs/results/``, so that none of them can be out of date.
"""

import contextlib
import importlib
import inspect
import io
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # MkDocs loads this file by its path
from tools.docstring_markup import markdown  # noqa: E402

RESULTS = ROOT / "docs" / "results"
RECIPES = ROOT / "docs" / "recipes"
GUIDE = ROOT / "docs" / "guide"
FIRST = ("retrieval", "audit-retrieval", "from-sentence-transformers", "own-parts")
"""The guide in the order of what people come for; further pages follow by name."""
NO_CLAIMS = {"mutants.json"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the parts of the navigation that grow by themselves."""
    guide = sorted(GUIDE.glob("*.md"), key=lambda page: (*(page.stem != name for name in FIRST), page.stem))
    recipes = [f"recipes/{page.name}" for page in sorted(RECIPES.glob("*.md"))]
    reference = ["reference/index.md", "reference/command-line.md", *(f"reference/{room}.md" for room in rooms())]
    grown = {
        "Guide": [f"guide/{page.name}" for page in guide],
        "Systems": ["recipes/index.md", *recipes],
        "Reference": reference,
    }
    for entry in config.nav or []:
        for title in entry if isinstance(entry, dict) else ():
            entry[title] = grown.get(title, entry[title])
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    pages = {f"reference/{room}.md": reference_page(room) for room in rooms()}
    pages |= {"reference/index.md": reference_index(), "reference/command-line.md": command_line_page()}
    pages |= {"recipes/index.md": systems_page(), "results.md": results_page(RESULTS)}
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


# --- the reference ----------------------------------------------------------------------------------------------------


def rooms() -> list[str]:
    """The rooms with public names, in the order of the map; the command line has a page of its own."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [contract] = settings["tool"]["importlinter"]["contracts"]
    names = [name.strip(" ()") for layer in reversed(contract["layers"]) for name in layer.split(":")]
    return [name for name in names if (ROOT / "src" / "litotes" / name / "__init__.py").exists() and name != "cli"]


def public_names(room: str) -> dict[str, str]:
    """Every public name of a room with the module that defines it."""
    package = importlib.import_module(f"litotes.{room}")
    homes = dict(vars(package).get("_homes", {}))
    for name, home in importlib.import_module("litotes")._HOMES.items():
        if home.split(".")[1] == room:
            homes[name] = home
    return dict(sorted(homes.items(), key=lambda item: (item[1], item[0].casefold())))


def reference_page(room: str) -> str:
    """One room: what it is, then file by file what the file says of itself and its public names."""
    lines = [f"# litotes.{room}", "", markdown(inspect.getdoc(importlib.import_module(f"litotes.{room}")) or "")]
    names = public_names(room)
    for home in dict.fromkeys(names.values()):
        here = [name for name in names if names[name] == home]
        lines += ["", f"::: {home}", "    options:", f"      members: [{', '.join(here)}]"]
        lines += [line for name in here for line in _options(home, name)]
    return "\n".join(lines) + "\n"


def reference_index() -> str:
    """All names that are imported from ``litotes`` itself, with the room that explains each."""
    homes = importlib.import_module("litotes")._HOMES
    lines = [
        "# Reference",
        "",
        "Names of the package itself load what they need on first use (`import litotes as lt`). ",
    ]
    lines += [
        "Losses are functions of `litotes.losses`, contract suites of `litotes.testing`, drop-ins of `litotes.compat`."
    ]
    lines += ["", "| name | room |", "|---|---|"]
    for name in sorted(homes, key=str.casefold):
        room = homes[name].split(".")[1]
        lines.append(f"| [`litotes.{name}`]({room}.md#{homes[name]}.{name}) | `{room}` |")
    lines += ["", "| room | what is there |", "|---|---|"]
    for room in rooms():
        summary = (importlib.import_module(f"litotes.{room}").__doc__ or "").partition("\n")[0]
        lines.append(f"| [`litotes.{room}`]({room}.md) | {markdown(summary)} |")
    return "\n".join(lines) + "\n"


def command_line_page() -> str:
    """The help of every verb, as the program prints it."""
    from litotes.cli.main import app

    lines = ["# Command line", "", "Each verb takes `--json` and `--help`. What follows is printed by `--help`.", ""]
    for words in sorted(_verbs(app)):
        lines += [f"## litotes {' '.join(words)}", "", "```text", _help(words), "```", ""]
    return "\n".join(lines)


def _verbs(app: Any) -> list[list[str]]:
    import typer

    from litotes.recipes.catalogue import CATALOGUE

    found = [["train", command] for row in CATALOGUE if row.state == "works" for command in row.commands]
    program = typer.main.get_command(app)
    for name, command in program.commands.items():
        inner = getattr(command, "commands", {})
        found += [[name, *rest] for rest in ([[]] if not inner else [[], *([part] for part in inner)])]
    return found


def _help(words: list[str]) -> str:
    from litotes.cli.main import main

    with contextlib.redirect_stdout(io.StringIO()) as said:
        main([*words, "--help"])
    return said.getvalue().rstrip()


def _options(home: str, name: str) -> list[str]:
    """The options of a configuration as a table: the descriptions are its fields', which no docstring repeats."""
    value = getattr(importlib.import_module(home), name)
    fields = getattr(value, "model_fields", {})
    if not fields:
        return []
    paper = getattr(value, "presets", {}).get("paper", {})
    lines = ["", f"Options of `{name}`:", "", "| option | default | paper's | what it is |", "|---|---|---|---|"]
    for option, field in fields.items():
        default = "" if field.is_required() else f"`{field.default}`"
        value = f"`{paper[option]}`" if option in paper else ""
        lines.append(f"| `{option}` | {default} | {value} | {field.description or ''} |")
    return lines


# --- systems and results ----------------------------------------------------------------------------------------------


def systems_page() -> str:
    """The catalogue, with links to the pages that there are."""
    from litotes.recipes.catalogue import table

    lines = ["---", "hide: [toc]", "---", "", "# Systems", ""]
    lines += ["One module per published system; a page shows what of its paper was checked, and how."]
    lines += ["", "| system | door | what it does | paper | state |", "|---|---|---|---|---|"]
    for row in table():
        page = RECIPES / f"{row['system']}.md"
        name = f"[{row['system']}]({page.name})" if page.exists() else row["system"]
        lines.append(f"| {name} | {row['door']} | {row['what it does']} | {row['paper']} | {row['state']} |")
    return "\n".join(lines) + "\n"


def results_page(folder: Path) -> str:
    """What each recorded claim says and what came of it, from whatever results there are.

    A system with a page of its own has the details there; what has none shows them here.
    """
    from litotes.evaluation.result_page import result_section

    files = [file for file in sorted(folder.glob("*.json")) if file.name not in NO_CLAIMS]
    lines = ["# Results", "", "What was claimed beforehand, and what came of it; made from the recorded results."]
    lines += ["See also the [benchmarks](benchmarks.md) and [how good the tests are](quality.md)."]
    if not files:
        lines += ["", "No result is recorded yet."]
    for file in files:
        result = json.loads(file.read_text(encoding="utf-8"))
        page = next((home for room in (RECIPES, GUIDE) if (home := room / f"{file.stem}.md").exists()), None)
        lines += ["", f"## {file.stem}", "", f"All numbers: [{file.name}](results/{file.name}).", ""]
        if page is not None:
            lines += [f"In detail: [{file.stem}]({page.parent.name}/{page.name}).", "", *_verdicts(result["claims"])]
        else:
            lines += [result_section(result, plots="results")]
    return "\n".join(lines) + "\n"


def _verdicts(claims: list[dict[str, Any]]) -> list[str]:
    rows = [[claim["says"], claim["data"], claim["metric"], f"**{claim['verdict']}**"] for claim in claims]
    cells = [[cell.replace("|", chr(92) + "|") for cell in row] for row in rows]
    return ["| claim | data | metric | verdict |", "|---|---|---|---|", *(f"| {' | '.join(row)} |" for row in cells)]
