"""Try the mutants, write ``docs/results/mutants.json`` and the section of ``docs/quality.md``.

    python -m tools.mutants                                  # core whole, 300 each of losses, mining, judging
    python -m tools.mutants core=30 mining=30 --dry          # a look: nothing is written
    python -m tools.mutants --only src/litotes/core/ids.py   # one file whole, nothing is written

What was tried is kept in ``build/mutants/``: a stopped run goes on, and after tests were added to a room only those of
its mutants that had survived are tried again. ``--fresh`` forgets it.
"""

import argparse
import hashlib
import json
import random
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from tools.mutants import page, reach, trial
from tools.mutants.operators import Mutant, mutants

WORK = Path("build/mutants")
SAMPLES = ("core=all", "losses=300", "mining=300", "judging=300")
AT_ONCE = 40  # mutants between two notes
STARTING = 10.0  # seconds that a trial may take to start, on a busy machine


def main() -> None:
    """Choose, try, tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], usage="python -m tools.mutants [ROOM=N ...]")
    parser.add_argument("samples", nargs="*", default=SAMPLES, metavar="ROOM=N", help="a room and how many, or all")
    parser.add_argument("--only", help="the mutants of one file")
    parser.add_argument("--seed", type=int, default=0, help="of the samples")
    parser.add_argument("--workers", type=int, default=2, help="trials at a time")
    parser.add_argument("--fresh", action="store_true", help="forget what was tried before")
    parser.add_argument("--dry", action="store_true", help="write no result")
    options = parser.parse_args()
    rooms = dict(text.split("=") for text in options.samples)
    chosen, there = choose(rooms, options.seed) if not options.only else (mutants_of(Path(options.only)), {})
    start = time.monotonic()
    results = try_all(chosen, options.workers, options.fresh)
    print(f"{len(results)} mutants in {(time.monotonic() - start) / 60:.1f} minutes")
    result = page.result(results, there, options.seed, page.equal_ones())
    print(page.section(result))
    if not options.dry and not options.only:
        page.write(result)


def choose(rooms: dict[str, str], seed: int) -> tuple[list[Mutant], dict[str, int]]:
    """The sample of each room in the order of the code, and how many mutants each room has."""
    chosen, there = [], {}
    for room, number in rooms.items():
        everything = [mutant for file in sorted(Path("src/litotes", room).rglob("*.py")) for mutant in mutants_of(file)]
        there[room] = len(everything)
        wanted = there[room] if number == "all" else min(int(number), there[room])
        places = sorted(random.Random(seed).sample(range(there[room]), wanted))
        chosen += [everything[place] for place in places]
    return chosen, there


def mutants_of(file: Path) -> list[Mutant]:
    """All mutants of a file."""
    return mutants(file.read_bytes(), str(file))


def try_all(chosen: list[Mutant], workers: int, fresh: bool) -> list[tuple[Mutant, dict]]:
    """Each mutant with its outcome; what is known already is not tried again."""
    journal = Journal(WORK / "journal.jsonl", fresh)
    open_ones = [mutant for mutant in chosen if not journal.knows(mutant)]
    if open_ones:
        say(f"{len(chosen)} mutants, {len(chosen) - len(open_ones)} known already; which tests reach the others ...")
        seen = reach.measure(WORK, workers)
        trial.warm()
        say("the code as it stands ...")
        check_unchanged(open_ones, seen, workers)
        say("the mutants ...")
        start = time.monotonic()
        for first in range(0, len(open_ones), AT_ONCE):
            some = open_ones[first : first + AT_ONCE]
            files = sorted({test.partition("::")[0] for each in some for test in (*seen.own(each), *seen.others(each))})
            before, outcomes = "", []
            while digest(*files) != before:  # a trial reads the tests anew: where they changed meanwhile, once more
                before = digest(*files)
                outcomes = list(tried(some, seen, workers))
            for mutant, outcome, killer in outcomes:
                journal.add(mutant, outcome, killer)
            done = first + len(some)
            left = (time.monotonic() - start) / done * (len(open_ones) - done) / 60
            say(f"{done} of {len(open_ones)}, about {left:.0f} minutes left")
    return [(mutant, journal.outcome(mutant)) for mutant in chosen]


def say(text: str) -> None:
    """A line with the time of day, since the work takes long."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def tried(some: list[Mutant], seen: reach.Reach, workers: int) -> Iterator[tuple[Mutant, str, str]]:
    """Outcome and killer of each mutant: first by its room's own tests, then by others those that are left."""
    left = some
    for tests_of in (seen.own, seen.others):
        with_tests = [(mutant, tests) for mutant in left if (tests := tests_of(mutant))]
        left = [mutant for mutant in left if not tests_of(mutant)]
        for done in trial.run([trial_of(mutant, tests, seen) for mutant, tests in with_tests], workers):
            if done.outcome == "survived":
                left.append(done.note)
            else:
                yield done.note, done.outcome, done.killer
    for mutant in left:
        yield mutant, "survived" if seen.own(mutant) or seen.others(mutant) else "not reached", ""


def trial_of(mutant: Mutant, tests: list[str], seen: reach.Reach) -> trial.Trial:
    """The trial of a mutant by some tests, with three times the seconds that they need."""
    changed = mutant.applied(Path(mutant.file).read_bytes())
    return trial.Trial(mutant.file, changed, tests, STARTING + 3 * seen.expected(tests), note=mutant)


def check_unchanged(chosen: list[Mutant], seen: reach.Reach, workers: int) -> None:
    """The code as it stands must pass every test that will be asked, in a trial like any other."""
    trials = []
    for room in sorted({mutant.room for mutant in chosen}):
        mine = [mutant for mutant in chosen if mutant.room == room]
        for tests_of in (seen.own, seen.others):
            tests = list(dict.fromkeys(test for mutant in mine for test in tests_of(mutant)))
            if tests:
                trials.append(trial.Trial(mine[0].file, Path(mine[0].file).read_bytes(), tests, 900.0))
    for done in trial.run(trials, workers):
        if done.outcome != "survived":
            raise SystemExit(f"{done.file} unchanged: {done.outcome} by {done.killer or 'an error before any test'}")


@lru_cache
def digest_of_tests(room: str) -> str:
    """One digest of a room's own tests."""
    return digest(*sorted(Path("tests", "unit", room).rglob("*.py")))


def digest(*files: Path | str) -> str:
    """One digest of several files."""
    return hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()[:16]


class Journal:
    """What was tried, a JSON line each; a mutant is known by its place and the digest of its file."""

    def __init__(self, file: Path, fresh: bool) -> None:
        self.file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            file.unlink(missing_ok=True)
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        self.known = {line["key"]: line for line in map(json.loads, lines)}

    def knows(self, mutant: Mutant) -> bool:
        """Whether it was killed, or survived its room's tests as they are now."""
        line = self.known.get(self._key(mutant))
        return line is not None and (
            line["outcome"] in ("killed", "timeout") or line["tests"] == digest_of_tests(mutant.room)
        )

    def add(self, mutant: Mutant, outcome: str, killer: str) -> None:
        """Note an outcome at once, so that a stopped run has it."""
        line = {"key": self._key(mutant), "tests": digest_of_tests(mutant.room), "outcome": outcome, "killer": killer}
        self.known[line["key"]] = line
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def outcome(self, mutant: Mutant) -> dict:
        """What is noted of it."""
        return self.known[self._key(mutant)]

    @staticmethod
    def _key(mutant: Mutant) -> str:
        return f"{mutant.file} {digest(mutant.file)} {mutant.start}-{mutant.end} {mutant.operator} {mutant.after}"


if __name__ == "__main__":
    main()
