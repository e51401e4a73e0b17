"""A BEIR folder small enough to train on in a test, of the kind that ``litotes data export`` writes."""

import json
from pathlib import Path

THINGS = ["comet", "glacier", "violin", "lantern", "orchard", "anchor"]
ACTS = ["sorts an array of numbers", "draws a sample without replacement", "inverts a square matrix", "reads a table"]


def write_small_beir(folder: Path) -> None:
    """Twenty-four documents with a name as title, one query each: sixteen to train on, eight to test.

    Four of the documents lie there a second time under another module's name, and nobody judged the copies.
    """
    (folder / "qrels").mkdir(parents=True)
    pairs = [(thing, act) for act in ACTS for thing in THINGS]
    documents = [
        {"_id": f"d{i}", "title": f"lib.{thing}{i}", "text": f"{thing}{i}(x) The {thing} routine {act}, step {i}."}
        for i, (thing, act) in enumerate(pairs)
    ]
    copies = [row | {"_id": f"c{i}", "title": f"also.{row['title']}"} for i, row in enumerate(documents[:4])]
    queries = [{"_id": f"q{i}", "text": f"Which {thing} {act}?"} for i, (thing, act) in enumerate(pairs)]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in documents + copies))
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries))
    for split, numbers in {"train": range(16), "test": range(16, 24)}.items():
        lines = "".join(f"q{i}\td{i}\t1\n" for i in numbers)
        (folder / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + lines)
