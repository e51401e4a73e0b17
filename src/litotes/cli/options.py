"""Options that several verbs share: each spelt, explained and typed once."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

__all__ = [
    "BatchSize",
    "CorpusPrompt",
    "Data",
    "Device",
    "Dtype",
    "Duplicates",
    "Encoder",
    "Features",
    "Force",
    "IdColumn",
    "Json",
    "Label",
    "LabelledData",
    "MinGrade",
    "MovedData",
    "PositiveColumn",
    "QueryColumn",
    "QueryPrompt",
    "Run",
    "Seed",
    "SkipBadLines",
    "Text",
]

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        show_default=False,
        help="A BEIR folder, TREC files, a JSONL, CSV or Parquet table, builtin:pydocs, or a set of litotes data.",
    ),
]
Run = Annotated[str, typer.Argument(metavar="RUN", show_default=False, help="The run folder that litotes mine wrote.")]
MovedData = Annotated[
    str | None,
    typer.Option("--data", metavar="PATH", help="Where the run's data lies now, if it has moved.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout; text for people goes to stderr.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random in this verb.")]
Force = Annotated[
    bool, typer.Option("--force", help="Make it again where something of that name was made from other things.")
]

QueryColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Column of a table that holds the query.",
        show_default="the first",
    ),
]
PositiveColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Column of a table that holds the positive.",
        show_default="the second",
    ),
]
MinGrade = Annotated[float, typer.Option(help="Judgements of this grade and above are positives.")]
Duplicates = Annotated[
    Literal["refuse", "max", "last", "sum"],
    typer.Option(help="What to do when two lines judge one cell differently."),
]
SkipBadLines = Annotated[
    bool,
    typer.Option("--skip-bad-lines", help="Count lines that cannot be read instead of stopping."),
]

LabelledData = Annotated[
    str,
    typer.Argument(
        metavar="TABLE",
        show_default=False,
        help="A JSONL, CSV, TSV or Parquet table, a row for each example.",
    ),
]
Label = Annotated[str, typer.Option(metavar="COLUMN", help="Column of the classes.", show_default=False)]
Text = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Column of the texts, which the encoder embeds.", show_default=False),
]
Features = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN,...",
        help="Columns of numbers, or of lists of numbers.",
        show_default="without --text every column of numbers",
    ),
]
IdColumn = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Column that names the rows.", show_default="their positions"),
]

Encoder = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="What embeds: a sentence-transformers name or folder, builtin:minilm, or vectors:FOLDER.",
        show_default=False,
    ),
]
QueryPrompt = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help='Put before every query, such as "query: ".',
        show_default="the model's own",
    ),
]
CorpusPrompt = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Put before every document.", show_default="the model's own"),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps or auto.")]
Dtype = Annotated[
    Literal["auto", "float32", "bfloat16", "float16"],
    typer.Option(help="Precision of the encoder; auto is float32 on a CPU and the checkpoint's own elsewhere."),
]
BatchSize = Annotated[int, typer.Option(min=1, help="Texts embedded or scored at once.")]
