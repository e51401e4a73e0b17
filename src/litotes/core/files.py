"""Files that are whole or absent: written under a temporary name, synced, renamed."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from litotes.core.errors import DataError, LitotesError, MachineError

__all__ = [
    "cache_folder",
    "machine_errors",
    "make_folder",
    "read_json",
    "read_parquet",
    "sync",
    "write_atomically",
    "write_json",
    "write_parquet",
]


def write_atomically(path: str | os.PathLike[str], content: bytes | str | Callable[[Path], None]) -> None:
    """Write ``content`` (bytes, text, or a function that writes to a path) so that ``path`` is never half there.

    Raises:
        MachineError: the folder cannot be written or the disk is full; what stood at ``path`` before is untouched.
    """
    path = Path(path)
    make_folder(path.parent)
    with machine_errors(path), _temporary_beside(path) as temporary:
        if callable(content):
            content(temporary)
        else:
            temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write ``value`` as JSON that a person can read; NaN and infinity are refused."""
    write_atomically(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike[str]) -> Any:
    """The value in a JSON file; an unreadable one is an error that names the line."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError.at(path, error.lineno, f"not valid JSON: {error.msg}.") from None
    except FileNotFoundError:
        raise DataError(f"{os.fspath(path)}: no such file.") from None


def write_parquet(table: pa.Table, path: str | os.PathLike[str]) -> None:
    """Write a table; the same table gives the same bytes with the same version of pyarrow."""
    write_atomically(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))


def read_parquet(path: str | os.PathLike[str]) -> pa.Table:
    """The table in a Parquet file, whole in memory."""
    try:
        return pq.read_table(path, partitioning=None, memory_map=False)
    except FileNotFoundError:
        raise DataError(f"{os.fspath(path)}: no such file.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{os.fspath(path)}: not a whole Parquet file ({str(error).splitlines()[0]}).") from None


def make_folder(path: str | os.PathLike[str]) -> Path:
    """The folder, made with its parents where it is missing."""
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise LitotesError(f"{path}: a file stands where a folder is needed.")
    with machine_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def cache_folder(part: str) -> Path:
    """Where this part of what can be made again is kept: in ``$LITOTES_CACHE``, or in the user's own cache folder."""
    chosen = os.environ.get("LITOTES_CACHE")
    if chosen:
        return Path(chosen) / part
    import platformdirs

    return Path(platformdirs.user_cache_dir("litotes")) / part


@contextlib.contextmanager
def _temporary_beside(path: Path) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    temporary.chmod(0o666 & ~_umask())  # mkstemp makes it private, a plain open would not have
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def machine_errors(path: Path) -> Iterator[None]:
    """What the system refuses while ``path`` is written is a :class:`MachineError` that names it."""
    try:
        yield
    except OSError as error:
        raise MachineError(f"{path}: cannot be written ({error.strerror or error}).") from error


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of files, lies on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
