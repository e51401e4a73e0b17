"""``litotes reproduce``: run a system's claims and say which hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from litotes.cli import options
from litotes.cli.answers import Table, answer
from litotes.core.errors import LitotesError
from litotes.core.progress import say

if TYPE_CHECKING:
    from litotes.claims import ClaimsModule
    from litotes.evaluation.claim import Claim
    from litotes.evaluation.experiment import Experiment

__all__ = ["register", "reproduce"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="reproduce", epilog="Example: litotes reproduce star-adore --out results/")(reproduce)


def reproduce(
    slug: Annotated[str, typer.Argument(metavar="SLUG", show_default=False, help="A system, as in litotes recipes.")],
    out: Annotated[str, typer.Option(metavar="FOLDER", help="Where results, plots and finished runs go.")] = "results",
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", metavar="NAME", show_default=False, help="Only this claim; may be given again."),
    ] = None,
    arm: Annotated[
        str | None, typer.Option(metavar="NAME", show_default=False, help="Run this arm alone, without a verdict.")
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, show_default="as registered", help="How many seeds. Fewer than five give no verdict."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, show_default=False, help="Run this seed alone, without a verdict.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only print what is left to run, and how long it takes.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Run a system's claims: each arm with each seed, then the verdicts.

    Writes SLUG.json, a plot a claim and SLUG.md. Finished runs are kept under runs/ of the output folder: a command
    that was killed and is given again goes on. Prints what holds, and what does not.
    """
    from litotes.claims import claims_of
    from litotes.evaluation.experiment import Experiment
    from litotes.evaluation.provenance import made_now

    module = claims_of(slug)
    claims = [module.named(name) for name in claim] if claim else list(module.claims)
    if arm is not None:
        claims = [each for each in claims if arm in each.arms]
        if not claims:
            names = sorted({name for each in module.claims for name in each.arms})
            raise LitotesError(f"No claim of {slug} has an arm {arm!r}. There are: {', '.join(names)}.")
    experiment = Experiment(slug, module.run, Path(out) / "runs" / slug, made_now)
    chosen = {each.name: _seeds(each, seeds, seed) for each in claims}
    left = experiment.plan(claims, [arm] if arm else (), chosen)
    summary = f"{slug}: {left.left} of {left.cells} runs left, about {left.seconds / 60:.0f} min on two cores"
    if plan:
        rows = [[name, runs, round(seconds)] for name, (runs, seconds) in left.by_claim.items()]
        facts = {"verb": "reproduce", "slug": slug, "runs": left.cells, "left": left.left, "seconds": left.seconds}
        facts["claims"] = {name: {"left": runs, "seconds": each} for name, (runs, each) in left.by_claim.items()}
        facts["absent"] = absent = _absent(claims)
        said = [f"Not on this machine: {', '.join(absent)}. Set LITOTES_DATA to the folder that holds them."]
        answer(json, facts, Table(["claim", "runs left", "seconds"], rows, summary), *(said if absent else ()))
        return
    say(summary)
    if arm is not None or seed is not None or (seeds is not None and seeds < 5):
        _values_alone(json, slug, claims, experiment, [arm] if arm else None, chosen)
        return
    _verdicts(json, module, claims, experiment, chosen, Path(out))


def _absent(claims: Sequence[Claim]) -> list[str]:
    """The public data that the claims ask for and nobody has put here."""
    from litotes.data.public import PUBLIC

    return sorted({each.data for each in claims if each.data in PUBLIC and PUBLIC[each.data].found() is None})


def _seeds(claim: Claim, count: int | None, only: int | None) -> list[int]:
    """The seeds to run: as registered, fewer or more, or one alone."""
    if only is not None:
        return [only]
    registered = list(claim.seeds)
    if count is None:
        return registered
    more = range(max(registered) + 1, max(registered) + 1 + count)
    return [*registered, *more][:count]


def _values_alone(
    json: bool,
    slug: str,
    claims: Sequence[Claim],
    experiment: Experiment,
    arms: Sequence[str] | None,
    seeds: dict[str, list[int]],
) -> None:
    """Arms with seeds, each value on a line."""
    values: list[dict[str, Any]] = [
        {"claim": each.name, "arm": name, "seed": one, **experiment.run(each, name, one).outcome.metrics}
        for each in claims
        for name in arms or each.arms
        for one in seeds[each.name]
    ]
    metrics = {each.name: each.metric for each in claims}
    rows = [[v["claim"], v["arm"], v["seed"], metrics[v["claim"]], v[metrics[v["claim"]]]] for v in values]
    headings = ["claim", "arm", "seed", "metric", "value"]
    answer(json, {"verb": "reproduce", "slug": slug, "values": values}, Table(headings, rows))


def _verdicts(
    json: bool,
    module: ClaimsModule,
    claims: Sequence[Claim],
    experiment: Experiment,
    seeds: dict[str, list[int]],
    out: Path,
) -> None:
    """Everything run, written down claim by claim, and said."""
    from litotes.core.files import write_atomically
    from litotes.evaluation.claim_result import claim_record, enter_results, made_as_one
    from litotes.evaluation.dot_chart import dot_chart
    from litotes.evaluation.result_page import result_section

    def page(result: dict[str, Any]) -> None:
        write_atomically(out / f"{module.slug}.md", result_section(result, plots="."))

    records: list[dict[str, Any]] = []
    for each in claims:
        choices = {name: experiment.choose(each, name) for name in each.arms}
        runs: dict[str, dict[int, Any]] = {name: {} for name in each.arms}
        for one in seeds[each.name]:
            for name in each.arms:
                runs[name][one] = experiment.run(each, name, one)
                made_as_one(each, runs, choices)  # before hours more are spent on what cannot be compared
        records.append(claim_record(each, runs, choices))
        write_atomically(out / f"{module.slug}-{each.name}.svg", dot_chart(records[-1]))
        enter_results(out / f"{module.slug}.json", module.slug, records, [c.name for c in module.claims], page)
        say(f"{each.name}: {records[-1]['verdict']}")
    experiment.tidy()
    tables = [part for record in records for part in _shown(record)]
    refused = [record["name"] for record in records if record["verdict"] != "holds"]
    last = f"Not shown to hold: {', '.join(refused)}" if refused else "All of them hold."
    facts = {"verb": "reproduce", "slug": module.slug, "out": str(out), "claims": records}
    answer(json, facts, *tables, last, f"Results, plots and {module.slug}.md are in {out}")


def _shown(record: dict[str, Any]) -> list[Any]:
    """A claim for people: its arms, its comparisons, its verdict."""
    arms = [
        [name, found["mean"], found["sd"], f"[{found['low']:.4f}, {found['high']:.4f}]", len(found["values"])]
        for name, found in record["arms"].items()
    ]
    title = f"{record['name']}: {record['says']} ({record['data']}, {record['metric']})"
    lines = [f"{c['a']} {c['operator']} {c['b']}: {c['verdict']}. {c['sentence']}" for c in record["comparisons"]]
    return [
        Table(["arm", "mean", "sd", "95% interval", "seeds"], arms, title),
        *lines,
        f"Verdict: {record['verdict']}",
        "",
    ]
