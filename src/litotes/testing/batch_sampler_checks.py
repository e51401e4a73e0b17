"""What a batch sampler is held to."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from torch.utils.data import DataLoader, Dataset, Sampler

from litotes.testing.check import Suite, demand

__all__ = ["SUITE", "BatchCase"]

SUITE = Suite("batch sampler")

_EPOCHS = 4


@dataclass(frozen=True)
class BatchCase:
    """What the checks of a batch sampler work with."""

    make: Callable[[], Any]
    rows: frozenset[int]
    drop_last: bool

    def __str__(self) -> str:
        return self.make.__name__ if isinstance(self.make, type) else "the batch sampler"

    def epochs(self, sampler: Any = None, first: int = 0) -> list[list[list[int]]]:
        """The batches of epochs ``first`` to 3, of a sampler that is never stopped."""
        sampler = self.make() if sampler is None else sampler
        found = []
        for epoch in range(first, _EPOCHS):
            sampler.set_epoch(epoch)
            found.append([list(batch) for batch in sampler])
        return found

    def stopped(self, epoch: int, given: int | None) -> Any:
        """A new sampler in the state of one that was stopped in ``epoch`` after ``given`` batches; None: when the loop
        over it had ended.
        """
        sampler = self.make()
        for earlier in range(epoch):
            sampler.set_epoch(earlier)
            list(sampler)
        sampler.set_epoch(epoch)
        iterator = iter(sampler)
        list(islice(iterator, given))
        state = json.loads(json.dumps(sampler.state_dict()))
        resumed = self.make()
        resumed.load_state_dict(state)
        return resumed


@SUITE
def is_a_sampler(case: BatchCase) -> None:
    """It is a torch ``Sampler`` with ``set_epoch``, ``state_dict`` and ``load_state_dict``."""
    sampler = case.make()
    demand(isinstance(sampler, Sampler), f"{type(sampler).__name__} is no torch.utils.data.Sampler.")
    lacks = [name for name in ("set_epoch", "state_dict", "load_state_dict", "__len__") if not hasattr(sampler, name)]
    demand(not lacks, f"it has no {', no '.join(lacks)}.")


@SUITE
def works_in_a_loader(case: BatchCase) -> None:
    """Batches are lists of Python ints, and a ``DataLoader`` that takes it as ``batch_sampler`` gives just those."""
    found = case.epochs()[0]
    for batch in case.make():
        odd = [index for index in batch if type(index) is not int]
        demand(
            isinstance(batch, list) and not odd, f"it gives {type(batch).__name__} of {type((odd or [0])[0]).__name__}."
        )
    sampler = case.make()
    sampler.set_epoch(0)
    loaded = list(DataLoader(_Positions(), batch_sampler=sampler, collate_fn=list))
    demand(loaded == found, f"a loader gives {loaded[:1]} first, it gives {found[:1]}.")


@SUITE
def every_row_once(case: BatchCase) -> None:
    """In every epoch every row comes once, and no other; with ``drop_last`` less than a batch is missing."""
    for epoch, batches in enumerate(case.epochs()):
        given = [row for batch in batches for row in batch]
        twice, other = len(given) - len(set(given)), set(given) - case.rows
        demand(not twice, f"in epoch {epoch} {twice} of {len(given)} rows came before.")
        demand(not other, f"epoch {epoch} has rows that there are not, such as {min(other, default=0)}.")
        missing = case.rows - set(given)
        allowed = max(map(len, batches), default=1) - 1 if case.drop_last else 0
        demand(
            len(missing) <= allowed,
            f"epoch {epoch} lacks {len(missing)} of {len(case.rows)} rows: {sorted(missing)[:5]}.",
        )


@SUITE
def true_length(case: BatchCase) -> None:
    """``len`` is the number of batches of every epoch, and no batch is empty."""
    sampler = case.make()
    for epoch in range(_EPOCHS):
        sampler.set_epoch(epoch)
        said, batches = len(sampler), list(sampler)
        demand(said == len(batches), f"its len is {said}, and epoch {epoch} has {len(batches)} batches.")
        demand(all(map(len, batches)), f"epoch {epoch} has an empty batch.")


@SUITE
def same_seed_same_batches(case: BatchCase) -> None:
    """Two samplers of one seed give the same batches in every epoch."""
    for epoch, (one, other) in enumerate(zip(case.epochs(), case.epochs(), strict=True)):
        demand(one == other, f"two samplers differ in epoch {epoch}: they begin with {one[:1]} and {other[:1]}.")


@SUITE
def epochs_differ(case: BatchCase) -> None:
    """Another epoch has another order."""
    epochs = case.epochs()
    for epoch in range(1, _EPOCHS):
        demand(epochs[epoch] != epochs[epoch - 1], f"epochs {epoch - 1} and {epoch} have the same batches.")


@SUITE
def epochs_stand_alone(case: BatchCase) -> None:
    """The order of an epoch does not depend on whether the epochs before it were gone through."""
    epochs = case.epochs()
    for first in (1, 3):
        alone = case.epochs(first=first)
        demand(
            alone == epochs[first:], f"begun with epoch {first} its batches are others than after epoch {first - 1}."
        )


@SUITE
def state_is_json(case: BatchCase) -> None:
    """``state_dict`` is made of what JSON has, at the beginning, in the middle and at the end of an epoch."""
    sampler = case.make()
    states = [sampler.state_dict()]
    for number, _ in enumerate(sampler):
        states += [sampler.state_dict()] if number == 1 else []
    for state in [*states, sampler.state_dict()]:
        try:
            same = json.loads(json.dumps(state)) == state
        except TypeError as error:
            raise AssertionError(f"its state {state!r} is nothing that JSON has: {error}.") from error
        demand(same, f"its state {state!r} is another after it went through JSON.")


@SUITE
def resumed_in_the_middle(case: BatchCase) -> None:
    """Stopped after two batches and resumed, it goes on with the third, and then through the next epochs as ever."""
    _same_as_never_stopped(case, epoch=0, given=2)


@SUITE
def resumed_in_a_later_epoch(case: BatchCase) -> None:
    """The same in the third epoch, also where the loop names the epoch again before it goes on."""
    _same_as_never_stopped(case, epoch=2, given=2)


@SUITE
def resumed_between_epochs(case: BatchCase) -> None:
    """Stopped after the last batch of an epoch, or when the loop over it has ended, and resumed, it repeats nothing of
    it and goes on with the next.
    """
    _same_as_never_stopped(case, epoch=1, given=len(case.epochs()[1]))
    _same_as_never_stopped(case, epoch=1, given=None)


def _same_as_never_stopped(case: BatchCase, epoch: int, given: int | None) -> None:
    epochs = case.epochs()
    fewest = min(map(len, epochs))
    demand(fewest >= 4, f"an epoch has {fewest} batches; make the check's sampler with more rows or smaller batches.")
    expected = [] if given is None else epochs[epoch][given:]
    when = "when its loop had ended" if given is None else f"after {given} of {len(epochs[epoch])} batches"
    for names_epoch in (False, True):
        resumed = case.stopped(epoch, given)
        if names_epoch:
            resumed.set_epoch(epoch)
        rest = [list(batch) for batch in resumed]
        demand(
            rest == expected,
            f"stopped in epoch {epoch} {when}, it goes on with {len(rest)}, "
            f"first {rest[:1]}; never stopped it gives {len(expected)}, first {expected[:1]}.",
        )
        later = case.epochs(resumed, first=epoch + 1)
        demand(later == epochs[epoch + 1 :], f"resumed in epoch {epoch}, the epochs after it are others.")


class _Positions(Dataset[int]):
    """Every position is its own value."""

    def __getitem__(self, position: int) -> int:
        return position
