"""``litotes demo``: the whole way on data that is there anyway, in words for somebody who has never seen it.

Documentation search over the installed Python libraries (the built-in set pydocs): mine hard negatives, find the false
ones, train a retriever, measure before and after.
"""

from __future__ import annotations

import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from litotes.cli import options
from litotes.cli.answers import Table, answer
from litotes.cli.run_record import bind_data, load_data, recorded
from litotes.core.progress import say

if TYPE_CHECKING:
    from litotes.core import Collection, RunFolder
    from litotes.evaluation import Evaluation

__all__ = ["demo", "register"]

SIZE, ENCODER, QUERY_TOKENS, DOCUMENT_TOKENS = "demo", "builtin:minilm", 32, 64
TOP, STEPS = 50, 50
METRICS = ("nDCG@10", "RR@10", "R@100")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="demo", epilog="Example: litotes demo --out runs/demo")(demo)


def demo(
    out: Annotated[str, typer.Option(metavar="FOLDER", help="Where run, report and model go.")] = "runs/demo",
    json: options.Json = False,
    seed: options.Seed = 0,
) -> None:
    """Show the whole way: mine, judge, report, train, measure.

    It takes about three minutes on two cores. The data is the documentation of the Python libraries that are installed
    anyway; nothing is downloaded. The seed is that of training, sample and split of the data stay fixed.
    """
    from litotes.core import RunFolder
    from litotes.models import resolve_encoder
    from litotes.models.precision import best_device, best_dtype

    started = time.monotonic()
    _tell(
        "1. The data. Questions are first sentences of docstrings, documents are the rest. Each question has one "
        "labelled answer; aliases and copied docstrings are answers that nobody labelled. Here all are known."
    )
    source = f"builtin:pydocs,size={SIZE}"
    everything = load_data(source, "all")
    run = RunFolder.open(out)
    bind_data(run, everything, source, "all", {})
    with recorded(run, "demo", {"out": str(run.path.absolute()), "seed": seed}):
        reading = {
            "dtype": best_dtype(best_device()),
            "query_length": QUERY_TOKENS,
            "corpus_length": DOCUMENT_TOKENS,
        }
        encoder = resolve_encoder(ENCODER, **reading)
        page, judges = _mined_and_judged(run, everything, encoder)
        before, after = _trained(run, everything, encoder, reading, seed)
    seconds = time.monotonic() - started
    facts = {
        "verb": "demo",
        "out": str(out),
        "report": str(page),
        "model": str(_model_folder(run, seed)),
        "seed": seed,
        "seconds": round(seconds, 1),
        "reading": reading,
        "data": everything.notes,
        "before": {by: found.means for by, found in before.items()},
        "after": {by: found.means for by, found in after.items()},
        "judges": judges,
    }
    where = [f"The report, to open in a browser: {page}", f"The trained model: {facts['model']}"]
    answer(json, facts, *where, "", _table(before, after, judges, f"After {seconds:.0f} seconds"))


def _mined_and_judged(run: RunFolder, data: Collection, encoder: Any) -> tuple[Path, dict[str, dict[str, Any]]]:
    """Candidates of two miners, two judges, the report; precision and recall of the judges."""
    from litotes.auditing import write_report
    from litotes.judging import DocumentJudge, MarginJudge, judge_into
    from litotes.mining import BM25Miner, DenseMiner, mine_into

    _tell(
        f"2. Mining. For each question, the {TOP} documents that look most like an answer and are not labelled as one: "
        "by the words they share (bm25) and by what they mean (dense, the encoder all-MiniLM-L6-v2)."
    )
    for miner in (BM25Miner(top=TOP), DenseMiner(encoder=encoder, top=TOP)):
        mine_into(run, miner, data, say=_indented)
    _tell(
        "3. Judging. Some of these would-be negatives are answers, and would teach the wrong thing. The document judge "
        "compares each with the labelled answer; the usual margin rule only asks whether it scores nearly as high."
    )
    for judge in (DocumentJudge(), MarginJudge(relative_margin=0.05, encoder=encoder)):
        judge_into(run, judge, data, say=_indented)
    return write_report(run, data), _judges_against_truth(run, data)


def _judges_against_truth(run: RunFolder, data: Collection) -> dict[str, dict[str, Any]]:
    """Precision and recall over the dense top-10 of all questions, by the whole truth and by rules (a) to (c) alone.

    Rule (d) of pydocs joins near-duplicates of one name, which is close to what the judge looks at; truth without it
    shows that the judge does not live off that.
    """
    from litotes.auditing import judges_against
    from litotes.data.pydocs import pydocs_truth

    found: dict[str, dict[str, Any]] = {}
    for name, rules in (("complete truth", "abcd"), ("rules (a)-(c) alone", "abc")):
        lines = judges_against(run, data, pydocs_truth(data, rules))["judges"]
        found[name] = {line["judge"]: line for line in lines if (line["miner"], line["ranks"]) == ("dense", "1 to 10")}
    return found


def _trained(
    run: RunFolder, data: Collection, encoder: Any, reading: dict[str, Any], seed: int
) -> tuple[dict[str, Evaluation], dict[str, Evaluation]]:
    """The test questions measured before and after training on the training questions."""
    from litotes.core import Candidates
    from litotes.data import load_builtin
    from litotes.models import resolve_encoder
    from litotes.recipes.retrieval.star_adore import AdoreConfig, train_adore

    fit, dev, test = (load_builtin("pydocs", split, SIZE) for split in ("fit", "dev", "test"))
    _tell(
        f"4. Training (ADORE). At each of {STEPS} steps the encoder searches for some of {fit.n_rows:,} questions and "
        "learns from what it ranks too high, except what the judge suspects. Only the question side moves."
    )
    before = _measured(test, encoder, "before")
    config = AdoreConfig(encoder=ENCODER, max_steps=STEPS, top=TOP, metric_cut=TOP, min_trust=0.5, seed=seed, **reading)
    rows = data.row_ids.positions(fit.row_ids.values)
    candidates = Candidates.load(run.path).select_rows(rows, fit)
    folder = _model_folder(run, seed)
    train_adore(fit, config, folder, dev=dev, candidates=candidates)
    _tell(
        f"5. Measuring. {test.n_rows:,} questions that training never saw, each against all {test.n_cols:,} documents. "
        "nDCG@10 and RR@10 say how high the answers stand, R@100 how many are among the first hundred. Of the judges: "
        "precision is the share of the suspected that are answers, recall the share of such answers that is suspected."
    )
    trained = resolve_encoder(str(folder), dtype=reading["dtype"])
    return before, _measured(test, trained, "after")


def _measured(test: Collection, encoder: Any, name: str) -> dict[str, Evaluation]:
    """Metrics by the complete truth, and by the one labelled answer a question."""
    from litotes.evaluation import evaluate

    found = evaluate(test, encoder, METRICS, qrels=test.truth, name=name)
    return {"complete truth": found, "labels only": evaluate(test, found.run, METRICS, name=name)}


def _model_folder(run: RunFolder, seed: int) -> Path:
    return run.path / f"adore-seed{seed}"


def _table(
    before: dict[str, Evaluation], after: dict[str, Evaluation], judges: dict[str, dict[str, Any]], title: str
) -> Table:
    """Search before and after training; below, the margin rule and the document judge."""
    rows: list[list[Any]] = []
    for by, found in before.items():
        for metric, value in found.means.items():
            rows.append([f"{metric}, {by}", value, after[by].means[metric], f"{after[by].means[metric] - value:+.4f}"])
    rows.append(["", "", "", ""])
    rows.append(["JUDGES, dense top 10", "margin .95", "document", ""])
    for by, found_by in judges.items():
        for what in ("precision", "recall"):
            rows.append([f"{what}, {by}", found_by["margin"][what], found_by["document"][what], ""])
    return Table(["SEARCH, test questions", "before", "after", "gain"], rows, title)


def _tell(text: str) -> None:
    """A paragraph for the person who watches."""
    for line in textwrap.wrap(text, 100, subsequent_indent="   "):
        say(line)


def _indented(line: str) -> None:
    say(f"   {line}")
