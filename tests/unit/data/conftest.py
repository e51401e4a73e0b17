"""Small files for the readers' tests, written the way people have them."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """``put(name, content)`` writes a file (bytes, text, or a list of objects as JSON lines) and returns its path."""

    def write(name: str, content: bytes | str | list[Any], *, gz: bool = False) -> Path:
        if isinstance(content, list):
            content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in content)
        raw = content.encode() if isinstance(content, str) else content
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(raw) if gz else raw)
        return path

    return write


@pytest.fixture
def beir(put: Callable[..., Path]) -> Callable[..., Path]:
    """``beir(qrels=...)`` writes a BEIR folder of two queries and three documents; any file can be given instead."""

    def write(
        corpus: Any = (
            {"_id": "d1", "title": "Owls", "text": "hunt at night"},
            {"_id": "d2", "title": "", "text": "larks sing at dawn"},
            {"_id": "d3", "text": "bats are no birds"},
        ),
        queries: Any = ({"_id": "q1", "text": "night birds"}, {"_id": "q2", "text": "morning birds"}),
        qrels: str = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td3\t0\nq2\td2\t2\n",
        split: str = "train",
    ) -> Path:
        put("set/corpus.jsonl", list(corpus) if isinstance(corpus, tuple) else corpus)
        put("set/queries.jsonl", list(queries) if isinstance(queries, tuple) else queries)
        return put(f"set/qrels/{split}.tsv", qrels).parents[1]

    return write
