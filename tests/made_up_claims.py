"""A claim of no paper, and arms that return numbers from a function: what the tests of the harness are made of."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from litotes.evaluation.claim import Arm, Claim
from litotes.evaluation.experiment import Cell, Outcome

START = Arm("start", {"rate": 1.0}, seconds=10.0)
GOOD = Arm("good", {"steps": 2}, START, [{"rate": 1.0}, {"rate": 3.0}, {"rate": 2.0}], seconds=5.0)
PLAIN = Arm("plain", {"steps": 2}, START, [{"rate": 5.0}, {"rate": 4.0}, {"rate": 6.0}], seconds=5.0)
CLAIM = Claim(
    name="better",
    says="Good beats plain",
    source="section 1",
    data="made-up",
    metric="score",
    arms={"good": GOOD, "plain": PLAIN},
    holds=[("good", ">", "plain")],
    effect=0.05,
)


def claim(**changes: Any) -> Claim:
    """The claim above with other fields."""
    return replace(CLAIM, **changes)


def score(cell: Cell) -> float:
    """What an arm scores; a higher rate is better, and a seed adds a little."""
    level = {"start": 0.1, "good": 0.5, "plain": 0.2}[cell.arm.command]
    return level + 0.01 * float(cell.arm.config["rate"]) + 0.001 * (cell.seed * 7 % 5)


class Runs:
    """Makes cells, keeps what it was asked for, and leaves a model; can be made to fail at one cell."""

    def __init__(self, value: Callable[[Cell], float] = score, *, fail_at: int | None = None) -> None:
        self.value, self.fail_at = value, fail_at
        self.cells: list[Cell] = []

    def __call__(self, cell: Cell) -> Outcome:
        """Make one cell; an arm that starts from another one needs its model."""
        if len(self.cells) == self.fail_at:
            raise KeyboardInterrupt
        if cell.start is not None:
            assert (cell.start / "model" / "weights").read_text() == f"{cell.seed}"
        self.cells.append(cell)
        value = self.value(cell)
        (cell.folder / "model").mkdir(exist_ok=True)
        (cell.folder / "model" / "weights").write_text(f"{cell.seed}")
        (cell.folder / "log").write_text("ran")
        return Outcome({"score": value, "other": 1.0}, facts={"data": {"name": cell.data}})

    def words(self) -> list[tuple[str, float, int, str]]:
        """Command, rate, seed and split of each cell that was made."""
        return [(c.arm.command, c.arm.config["rate"], c.seed, c.split) for c in self.cells]
