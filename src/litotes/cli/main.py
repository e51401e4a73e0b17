"""The program ``litotes``: its verbs, and what a person sees when something goes wrong.

A verb's own libraries are imported inside the verb, so that ``litotes --help`` is instant.
"""

from __future__ import annotations

import errno
import importlib.metadata
import os
import re
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from litotes.cli import (
    answers,
    audit,
    clean,
    data,
    demo,
    evaluate,
    export,
    inspect,
    judge,
    mine,
    predict,
    recipes,
    report,
    reproduce,
    resume,
    train,
)
from litotes.core.errors import LitotesError

__all__ = ["app", "main"]

_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOMEM}
_QUIET = {"TRANSFORMERS_VERBOSITY": "error", "TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1"}  # bars are our own

app = typer.Typer(
    name="litotes",
    help="Learn from negatives and imperfect labels.\n\nStart with: litotes demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: it never cuts the name of an option
)


def _show_version(wanted: bool) -> None:
    if wanted:
        answers.print_version()
        raise typer.Exit()


@app.callback()
def program(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_show_version),
    ] = False,
) -> None:
    """Learn from negatives and imperfect labels."""


for verb in (
    demo,
    inspect,
    mine,
    judge,
    report,
    export,
    train,
    predict,
    evaluate,
    audit,
    clean,
    recipes,
    reproduce,
    resume,
    data,
):
    verb.register(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns its exit code: 0, 2 for the user's mistake, 1 for the machine's, 130 when stopped.

    A mistake is one sentence on stderr, never a traceback.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # other libraries' remarks to programmers; python -W shows them
    try:
        return int(app(args=arguments, prog_name="litotes", standalone_mode=False) or 0)
    except LitotesError as error:
        return _refuse(str(error), error.exit_code)
    except TyperException as error:
        if "\n" in error.format_message():  # nothing was asked for, and this is the help
            print(error.format_message(), file=sys.stderr)
            return error.exit_code
        return _refuse(_usage(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _refuse("Stopped.", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left; nothing more to say
        return 1
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module in ("", "litotes"):
            raise
        return _refuse(f'This needs {module}; run: pip install "litotes[{_extra_with(module)}]"', 2)
    except MemoryError:
        return _refuse("There is not enough memory for this. A smaller --batch-size or --top needs less.", 1)
    except Exception as error:
        number = _error_number(error)
        if number not in _MACHINE:
            raise
        place = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
        return _refuse(f"{place}cannot be read or written ({os.strerror(number)}).", 1)


def _extra_with(module: str) -> str:
    """The extra that brings a module: that of the first door, unless only another one names it."""
    needs = importlib.metadata.requires("litotes") or []
    named = {found.group(1) for need in needs if (found := re.match(rf"{module}\b.*extra == ['\"](\w+)", need))}
    return "retrieval" if "retrieval" in named or not named else min(named - {"all", "dev"})


def _error_number(error: Exception) -> int | None:
    """The system's error number, also of libraries written in Rust, which put it into their message."""
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found.group(1)) if found else None


def _usage(error: TyperException) -> str:
    """The mistake in one sentence, and where its cure stands."""
    message = error.format_message()
    message += "" if message.endswith((".", "?")) else "."
    context = getattr(error, "ctx", None)
    return f"{message} See: {context.command_path if context else 'litotes'} --help"


def _refuse(sentence: str, exit_code: int) -> int:
    print(" ".join(sentence.split()), file=sys.stderr)
    return exit_code
