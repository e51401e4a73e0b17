"""Batch samplers that break one promise each, beside one that keeps them all."""

import numpy as np
import torch
from torch.utils.data import Sampler


class Plain(Sampler[list[int]]):
    """50 rows, 7 a batch."""

    def __init__(self):
        self.epoch = self.given = self.resume_at = 0

    def __len__(self):
        return 8

    def __iter__(self):
        order = self.order().tolist()
        first, self.resume_at = self.resume_at, 0
        for batch in range(first, 8):
            self.given = batch + 1
            yield order[7 * batch : 7 * batch + 7]

    def order(self):
        return np.random.default_rng([5, self.epoch]).permutation(50)

    def set_epoch(self, epoch):
        if epoch != self.epoch:
            self.given = self.resume_at = 0
        self.epoch = epoch

    def state_dict(self):
        return {"epoch": self.epoch, "given": self.given}

    def load_state_dict(self, state):
        self.epoch, self.given = state["epoch"], state["given"]
        self.resume_at = self.given


class NoSampler:
    """Has the methods of one, and is none."""

    def __init__(self):
        self._plain = Plain()

    def __getattr__(self, name):
        return getattr(self._plain, name)

    def __len__(self):
        return len(self._plain)

    def __iter__(self):
        return iter(self._plain)


class Stateless(Sampler[list[int]]):
    def __iter__(self):
        return iter([[0], [1]])

    def set_epoch(self, epoch):
        pass


class OfNumpy(Plain):
    def __iter__(self):
        return ([np.int64(row) for row in batch] for batch in super().__iter__())


class OfTensors(Plain):
    def __iter__(self):
        return (torch.tensor(batch) for batch in super().__iter__())


class WithReplacement(Plain):
    def order(self):
        return np.random.default_rng([5, self.epoch]).integers(50, size=50)


class LeavesSomeOut(Plain):
    def order(self):
        return super().order()[:49]


class CountsFromOne(Plain):
    def order(self):
        return super().order() + 1


class DropsTheLast(Plain):
    def __iter__(self):
        return (batch for batch in super().__iter__() if len(batch) == 7)


class EndsEmpty(Plain):
    def __len__(self):
        return 9

    def __iter__(self):
        yield from super().__iter__()
        yield []


class Unseeded(Plain):
    made = 0

    def __init__(self):
        super().__init__()
        Unseeded.made += 1
        self.seed = Unseeded.made

    def order(self):
        return np.random.default_rng([self.seed, self.epoch]).permutation(50)


class AlwaysTheSame(Plain):
    def order(self):
        return np.random.default_rng(5).permutation(50)


class DrawsOn(Plain):
    """Each epoch takes up the generator where the last left it."""

    def __init__(self):
        super().__init__()
        self.generator = np.random.default_rng(5)

    def order(self):
        return self.generator.permutation(50)


class StateOfNumpy(Plain):
    def state_dict(self):
        return {"epoch": self.epoch, "given": np.int64(self.given)}


class StateOfTuples(Plain):
    def state_dict(self):
        return {"at": (self.epoch, self.given)}

    def load_state_dict(self, state):
        super().load_state_dict({"epoch": state["at"][0], "given": state["at"][1]})


class RemembersTheEpochAlone(Plain):
    def load_state_dict(self, state):
        super().load_state_dict({"epoch": state["epoch"], "given": 0})


class SkipsForEver(Plain):
    """After a resume, every epoch lacks its beginning."""

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.skips = state["given"]

    def __iter__(self):
        batches = list(super().__iter__())
        skips = getattr(self, "skips", 0)
        return iter(batches[skips:] if len(batches) == 8 else batches)


class ForgetsTheEpoch(Plain):
    def load_state_dict(self, state):
        super().load_state_dict({"epoch": 0, "given": state["given"]})


class StartsAnewWhenTold(Plain):
    """Naming the epoch that it is in sends it back to the beginning."""

    def set_epoch(self, epoch):
        self.epoch, self.given, self.resume_at = epoch, 0, 0


class RepeatsAnEpoch(Plain):
    """At the end of an epoch its state is that of the beginning."""

    def state_dict(self):
        return {"epoch": self.epoch, "given": self.given % 8}


class ForgetsWhenTheLoopEnds(Plain):
    """After the last batch its state is right; once the loop has ended it is that of the beginning."""

    def __iter__(self):
        yield from super().__iter__()
        self.given = 0


RIGHT_PARTS = {"plain": {"make": Plain, "rows": 50}, "rows of numpy": {"make": Plain, "rows": np.int64(50)}}

_WRONG = {
    "is_a_sampler": [NoSampler, Stateless],
    "works_in_a_loader": [OfNumpy, OfTensors],
    "every_row_once": [WithReplacement, LeavesSomeOut, CountsFromOne],
    "true_length": [DropsTheLast, EndsEmpty],
    "same_seed_same_batches": [Unseeded],
    "epochs_differ": [AlwaysTheSame],
    "epochs_stand_alone": [DrawsOn],
    "state_is_json": [StateOfNumpy, StateOfTuples],
    "resumed_in_the_middle": [RemembersTheEpochAlone, SkipsForEver],
    "resumed_in_a_later_epoch": [ForgetsTheEpoch, StartsAnewWhenTold],
    "resumed_between_epochs": [RepeatsAnEpoch, ForgetsWhenTheLoopEnds],
}
WRONG: dict[str, list[dict]] = {
    check: [{"make": make, "rows": 50} for make in makes] for check, makes in _WRONG.items()
}
WRONG["every_row_once"].append({"make": DropsTheLast, "rows": 50})
