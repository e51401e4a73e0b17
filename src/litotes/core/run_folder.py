"""A run folder: stages of shards that a killed program takes up again, and a record of what made them.

``run.json`` lists the stages, each with its verb, full configuration, versions, the fingerprints of what it was made
from, and the digest of every shard. A shard is the unit of resume: written to a temporary file, synced, renamed, then
entered in the stage's manifest. A shard whose bytes do not match its digest is made again.

Several programs may work in one run at once: each saves its own changes and keeps those that others made meanwhile.
"""

from __future__ import annotations

import datetime
import json
import platform
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow as pa

from litotes.core.errors import DataError, LitotesError, MachineError, StaleError
from litotes.core.files import make_folder, read_json, read_parquet, write_json, write_parquet
from litotes.core.fingerprint import difference, digest_file
from litotes.core.folder_lock import locked

__all__ = ["RunFolder", "Stage", "versions"]

_LIBRARIES = ("litotes", "numpy", "pyarrow", "torch", "sentence-transformers", "transformers", "faiss-cpu", "bm25s")


class RunFolder:
    """A folder that holds one run over one data set. Make or open it with :meth:`open`."""

    def __init__(self, path: Path, record: dict[str, Any]) -> None:
        self.path, self.record = path, record
        self._seen = _plain(record)  # as it stood in run.json when it was last read or written

    @classmethod
    def open(cls, path: str | Path, create: bool = True) -> RunFolder:
        """The run at ``path``; a missing one is made, or refused when ``create`` is false."""
        path = Path(path)
        if (path / "run.json").exists():
            return cls(path, read_json(path / "run.json"))
        if not create:
            raise LitotesError(f"{path}: not a run folder (no run.json). Make one with: litotes mine DATA --out {path}")
        make_folder(path)
        run = cls(path, {"litotes": versions().get("litotes"), "stages": {}})
        run.save()  # keeps what another program entered since we looked
        return run

    @property
    def stages(self) -> dict[str, dict[str, Any]]:
        """The record of every stage by its key (``candidates/dense``), in the order in which they were begun."""
        return self.record["stages"]

    def stage(
        self,
        key: str,
        *,
        verb: str,
        config: Mapping[str, Any],
        fingerprints: Mapping[str, str],
        shards: int,
        seed: int | None = None,
        force: bool = False,
    ) -> Stage:
        """Begin a stage, or go on with one that was begun from the same things.

        Raises:
            StaleError: a stage of this key was made from something else; the message names the part that differs.
        """
        self._take_over()
        old = self.stages.get(key)
        if old is not None and not force:
            differs = difference(dict(fingerprints), old["fingerprints"])
            if differs:
                kind = key.rsplit("/", 1)[-1]
                raise StaleError(
                    f"{self.path / key} was made from something else: {', '.join(differs)} "
                    f"{'differs' if len(differs) == 1 else 'differ'}. "
                    f"Use another name ({kind}:name=NAME), another --out, or --force to make it again."
                )
            if old["shards"] == shards:
                return Stage(self, key)
        self.stages.pop(key, None)
        stage_folder = self.path / key
        for stale in [*stage_folder.glob("*.parquet"), *stage_folder.glob("manifest.json")]:
            stale.unlink()
        self.stages[key] = {
            "verb": verb,
            "config": dict(config),
            "seed": seed,
            "fingerprints": dict(fingerprints),
            "versions": versions(),
            "shards": shards,
            "begun": _now(),
            "done": False,
        }
        self.save()
        return Stage(self, key)

    def unfinished(self) -> list[str]:
        """Keys of stages that were begun and not finished."""
        return [key for key, stage in self.stages.items() if not stage["done"]]

    def save(self) -> None:
        """Write ``run.json``: our changes, and those that other programs made since we read it.

        Raises:
            StaleError: another program entered other data in this run at the same time.
        """
        with locked(self.path):
            self._take_over()
            write_json(self.path / "run.json", self.record)
            self._seen = _plain(self.record)

    def _take_over(self) -> None:
        """Bring what other programs entered in ``run.json`` into the record; what we changed ourselves stays ours."""
        if not (self.path / "run.json").exists():
            return
        theirs, seen = read_json(self.path / "run.json"), self._seen
        if theirs == seen:
            return
        ours = self.record
        _merge(self.stages, seen["stages"], theirs["stages"])
        if "commands" in theirs:
            commands = ours.setdefault("commands", [])
            merged = _by_begin(commands)
            _merge(merged, _by_begin(seen.get("commands", [])), _by_begin(theirs["commands"]))
            commands[:] = merged.values()
        for key in theirs.keys() - {"stages", "commands"}:
            if _plain(ours.get(key)) == seen.get(key):
                ours[key] = theirs[key]
            elif theirs[key] not in (seen.get(key), _plain(ours[key])):
                raise StaleError(
                    f"{self.path}: another program has just entered other {key} in this run. Use another --out."
                )
        self._seen = theirs

    def log(self, event: str, **fields: Any) -> None:
        """Add one line to ``log.jsonl``."""
        line = json.dumps({"at": _now(), "event": event, **fields}, ensure_ascii=False, default=str)
        try:
            with open(self.path / "log.jsonl", "a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise MachineError(f"{self.path / 'log.jsonl'}: cannot be written ({error.strerror}).") from error


class Stage:
    """One verb's share of a run: numbered shards with their digests."""

    def __init__(self, run: RunFolder, key: str) -> None:
        self.run, self.key = run, key
        self.folder = run.path / key
        self._manifest_path = self.folder / "manifest.json"
        self._digests: dict[str, str] = read_json(self._manifest_path) if self._manifest_path.exists() else {}

    @property
    def record(self) -> dict[str, Any]:
        """The stage's entry in ``run.json``."""
        return self.run.stages[self.key]

    @property
    def done(self) -> bool:
        """Whether every shard was made and the stage was closed."""
        return self.record["done"] and not self.pending

    @property
    def pending(self) -> list[int]:
        """Shards that are missing, or whose bytes are not those that were entered."""
        return [i for i in range(self.record["shards"]) if not self._is_whole(i)]

    def shard_path(self, shard: int) -> Path:
        """Where a shard lies."""
        return self.folder / f"{shard:04d}.parquet"

    def write(self, shard: int, table: pa.Table) -> None:
        """Write a shard, then enter its digest."""
        write_parquet(table, self.shard_path(shard))
        self._digests[str(shard)] = digest_file(self.shard_path(shard))
        write_json(self._manifest_path, dict(sorted(self._digests.items(), key=lambda item: int(item[0]))))

    def finish(self, summary: Mapping[str, Any] | None = None) -> None:
        """Close the stage: every shard is there; their digests and a summary go to ``run.json``."""
        missing = self.pending
        if missing:
            raise DataError(f"{self.folder}: shards {missing} are missing; the stage cannot be closed.")
        for left_by_a_kill in self.folder.glob(".*.partial"):
            left_by_a_kill.unlink(missing_ok=True)
        self.record.update(done=True, ended=_now(), digests=dict(self._digests), summary=dict(summary or {}))
        self.run.save()

    def tables(self) -> Iterator[pa.Table]:
        """The shards in order; a missing or damaged one is an error."""
        for shard in range(self.record["shards"]):
            if not self._is_whole(shard):
                raise DataError(f"{self.shard_path(shard)}: missing or not whole. Run: litotes resume {self.run.path}")
            yield read_parquet(self.shard_path(shard))

    def _is_whole(self, shard: int) -> bool:
        path, entered = self.shard_path(shard), self._digests.get(str(shard))
        return entered is not None and path.exists() and digest_file(path) == entered


def _plain(value: Any) -> Any:
    """A copy of ``value`` as reading it from JSON would give it."""
    return json.loads(json.dumps(value))


def _by_begin(commands: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Commands by what tells them apart."""
    return {json.dumps([each["verb"], each["options"], each["begun"]], sort_keys=True): each for each in commands}


def _merge(ours: dict[str, dict[str, Any]], seen: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Change ``ours``, entry by entry, to what others made of it; entries that we changed since ``seen`` stay."""
    for key in [key for key in {**theirs, **ours} if _plain(ours.get(key)) == seen.get(key)]:
        if key not in theirs:
            ours.pop(key, None)
        elif key in ours:  # the same object, which others may hold
            ours[key].clear()
            ours[key].update(theirs[key])
        else:
            ours[key] = theirs[key]


def versions() -> dict[str, str]:
    """Versions of what decides the numbers, for the record."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
