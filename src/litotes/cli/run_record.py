"""What a run folder remembers beyond its stages: the data it is about, and the commands that worked on it.

``run.json`` gains ``data`` (where the data was read from, how, and its fingerprints: so that ``litotes judge RUN``
needs no DATA) and ``commands`` (each verb with its full resolved options: so that ``litotes resume RUN`` can repeat one
that was stopped).
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from litotes.core.errors import LitotesError, MachineError, StaleError
from litotes.core.progress import say

if TYPE_CHECKING:
    from litotes.core.collection import Collection
    from litotes.core.run_folder import RunFolder
    from litotes.data.labelled_table import LabelledTable

__all__ = ["bind_data", "load_data", "recorded", "reload_data", "resolved", "resolved_spec"]


def load_data(source: str, split: str | None, **reading: Any) -> Collection:
    """The collection at ``source``, which is said, with what the reader had to count."""
    from litotes.data.load import load

    return load(source, split=split, **reading)


def bind_data(
    run: RunFolder, data: Collection | LabelledTable, source: str, split: str | None, reading: Mapping[str, Any]
) -> None:
    """Enter the data in the run, or check that it is the data this run is about.

    Raises:
        StaleError: the run was made from another data set or split; the message names the part that differs.
    """
    parts = _parts(data)
    theirs = run.record.get("data")
    if theirs is None:
        known = {"source": resolved(source), "split": split, "reading": dict(reading), "parts": parts}
        run.record["data"] = {**known, "name": data.name, "fingerprint": data.fingerprint}
        run.save()
        return
    differs = _difference(parts, theirs["parts"])
    if differs:
        split_differs = f" (split {theirs['split']} there, {split} here)" if theirs["split"] != split else ""
        raise StaleError(
            f"{run.path} is about other data: {theirs['source']}{split_differs}; the {' and the '.join(differs)} "
            f"differ. Use another --out for this data."
        )


def reload_data(run: RunFolder, moved: str | None = None) -> Collection:
    """The data that the run is about, read again from where it was, or from ``moved``.

    Raises:
        LitotesError: the run does not say what data it is about, or the data is gone.
        StaleError: what lies there now is not what the run was made from.
    """
    known = run.record.get("data")
    if known is None:
        raise LitotesError(
            f"{run.path}: this run does not say which data it was made from. Mine it with: "
            f"litotes mine DATA --out {run.path}"
        )
    if "label" in known["reading"]:
        raise LitotesError(
            f"{run.path}: is about {known['source']}, a table of examples with labels. This verb needs judgements of "
            "queries and documents."
        )
    from litotes.data.public import PUBLIC

    source = resolved(moved) if moved else known["source"]
    if not (source.startswith("builtin:") or source in PUBLIC or Path(source).exists()):
        raise LitotesError(f"{source}: the data of {run.path} is not there any more. Say where it is with --data PATH.")
    data = load_data(source, known["split"], **known["reading"])
    differs = _difference(_parts(data), known["parts"])
    if differs:
        raise StaleError(
            f"{source}: not the data that {run.path} was made from: the {' and the '.join(differs)} differ. "
            "Restore it, say where it is with --data PATH, or begin again in another folder."
        )
    return data


@contextlib.contextmanager
def recorded(run: RunFolder, verb: str, options: Mapping[str, Any]) -> Iterator[None]:
    """Enter a command in the run while it works, so that ``litotes resume`` can repeat it if it is stopped.

    A command refused for a mistake of the user leaves no trace, unless it had written something already; one that was
    killed or met a full disk stays to be resumed.
    """
    commands: list[dict[str, Any]] = run.record.setdefault("commands", [])
    entry = next(
        (old for old in commands if not old["done"] and (old["verb"], old["options"]) == (verb, options)), None
    )
    if entry is None:
        entry = {"verb": verb, "options": dict(options), "begun": _now(), "done": False}
        commands.append(entry)
    run.save()
    run.log("begun", verb=verb)
    before = set(run.stages)
    try:
        yield
    except KeyboardInterrupt:
        say(f"Stopped. What is done is kept; go on with: litotes resume {run.path}")
        raise
    except MachineError:
        raise
    except LitotesError:
        if _forget_empty_stages(run, before):
            commands.remove(entry)
        if run.stages or commands:
            run.save()
        else:
            _unmake(run)
        raise
    entry.update(done=True, ended=_now())
    run.save()
    run.log("done", verb=verb)


def _forget_empty_stages(run: RunFolder, before: set[str]) -> bool:
    """Forget the stages begun since ``before`` whose shards are all missing; whether that leaves none of them.

    A training has no shards but may have left a checkpoint, which its stage must go on to speak for.
    """
    begun = [key for key in run.stages if key not in before]
    for key in begun:
        if run.stages[key]["shards"] and not (run.path / key / "manifest.json").exists():
            del run.stages[key]
    return not any(key in run.stages for key in begun)


def _unmake(run: RunFolder) -> None:
    """Take back a run that nothing was done in, so that its folder is free for another."""
    for name in ("run.json", "log.jsonl"):
        (run.path / name).unlink(missing_ok=True)
    if not any(run.path.iterdir()):
        run.path.rmdir()


def resolved(name: str) -> str:
    """A path, alone or in ``kind:path,option=value``, as it is found from anywhere; other names stay as they are."""
    if name and Path(name).exists():
        return str(Path(name).absolute())
    return name if name.startswith("builtin:") else resolved_spec(name)


def resolved_spec(spec: str) -> str:
    """The paths in ``kind:path,option=value``; the kind is never one, even if a folder of that name lies here."""
    kind, colon, rest = spec.partition(":")
    return f"{kind}:{','.join(map(_resolved_item, rest.split(',')))}" if colon else spec


def _resolved_item(item: str) -> str:
    """One item of ``kind:path,option=value``; of the options only those that may be paths."""
    option, equals, value = item.partition("=")
    if not equals:
        return resolved(item)
    return f"{option}={resolved(value)}" if option in ("path", "model", "encoder", "calibration") else item


def _parts(data: Collection | LabelledTable) -> dict[str, str]:
    from litotes.core.candidates import data_parts
    from litotes.core.collection import Collection

    return data_parts(data) if isinstance(data, Collection) else data.parts


def _difference(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    from litotes.core.fingerprint import difference

    return difference(ours, theirs)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
