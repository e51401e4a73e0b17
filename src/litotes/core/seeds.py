"""Chance that can be repeated: independent streams by name, and pure random numbers for single cells."""

from __future__ import annotations

import hashlib
import random
import sys

import numpy as np

__all__ = ["derived_seed", "rng", "seed_everything", "uniform_hash"]


def rng(seed: int, *names: str | int) -> np.random.Generator:
    """A generator for one purpose: the same seed and names give the same stream, other names an independent one."""
    label = "\x1f".join(map(str, names)).encode()
    words = np.frombuffer(hashlib.blake2b(label, digest_size=16).digest(), dtype=np.uint32)
    return np.random.default_rng([seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF, *words.tolist()])


def derived_seed(seed: int, *names: str | int) -> int:
    """A seed for one stage, below 2 ** 32, for what takes a number: stages that share a seed repeat each other's draws.

    The same seed and names give the same number, other names an unrelated one.
    """
    return int(rng(seed, "seed of", *names).integers(2**32))


def uniform_hash(seed: int, epoch: int, rows: np.ndarray, cols: np.ndarray, table: int = 0) -> np.ndarray:
    """Uniform uint64 numbers, one a cell: a pure function of (seed, epoch, row, col, table number).

    Taking the k smallest numbers of a row is a draw of k cells without replacement that needs no generator's state, so
    it does not matter who draws, in which order, or whether earlier draws were made at all.
    """
    state = np.array(0x9E3779B97F4A7C15, dtype=np.uint64)
    for value in (seed, epoch, table):
        state = _mix(state ^ np.uint64(value & 0xFFFFFFFFFFFFFFFF))
    keys = _mix(state ^ np.asarray(rows, dtype=np.int64).astype(np.uint64))
    return _mix(keys ^ _mix(np.asarray(cols, dtype=np.int64).astype(np.uint64)))


def seed_everything(seed: int) -> None:
    """Seed Python, numpy's legacy state (libraries still read it) and torch where it is loaded."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def _mix(x: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): a bijection whose output bits look independent."""
    with np.errstate(over="ignore"):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))
