"""The report: one page that stands alone, numbers that agree with the cells, texts that cannot write the page."""

import re
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pytest

from litotes.auditing import write_report
from litotes.core import Candidates, Collection, LabelMatrix
from litotes.core.errors import StaleError
from litotes.core.files import read_json
from tests.unit.auditing.conftest import Says, every_cell, is_alias, small_collection

DOCUMENT = Says(
    "document",
    judge=lambda cells: is_alias(cells).astype(float),
    trust=lambda cells: np.where(is_alias(cells), 0.1, 0.9),
    summary={"calibration": "calibrated on pydocs, not on your data"},
)
MARGIN = Says("margin", judge=lambda cells: np.where(cells.col % 3 == 0, -0.1, 0.1) + cells.col / 1000)
RAW = Says("cross-encoder", judge=lambda cells: cells.col / 10)


class Page(HTMLParser):
    """The elements of a page, and whether each is closed in order."""

    VOID = ("meta", "line", "polygon", "polyline", "circle", "link", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append(dict(attrs))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append(dict(attrs))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def run(data, make_run):
    return make_run(data, {"m": every_cell(data)}, {"document": DOCUMENT, "margin": MARGIN, "ce": RAW})


@pytest.fixture
def page(run, data):
    return write_report(run, data).read_text(encoding="utf-8")


def test_every_element_is_closed_in_order(page):
    assert Page(page).open == []


def test_it_needs_no_network_and_no_script(page):
    found = Page(page)
    assert "script" not in found.tags
    assert "link" not in found.tags
    assert "img" not in found.tags
    for attributes in found.attributes:
        assert attributes.get("href", "#").startswith("#")
        assert "src" not in attributes
    assert not re.search(r"url\(|@import|https?://", page)


def test_every_section_can_be_reached(page):
    ids = {attributes["id"] for attributes in Page(page).attributes if "id" in attributes}
    assert {link[1:] for link in re.findall(r'href="(#[^"]+)"', page)} <= ids
    assert {"counts", "curves", "agreement", "quality", "suspects", "left-out", "origin"} <= ids


def test_wide_tables_scroll_and_take_the_keyboard(page):
    assert page.count("<table>") == page.count('class="scroll" tabindex="0" role="region" aria-label=')


def test_it_follows_the_readers_colours(page):
    assert "prefers-color-scheme: dark" in page
    assert "color-scheme: light dark" in page


def test_the_numbers_are_those_of_the_cells(run, data):
    write_report(run, data)
    facts, cells = read_json(run.path / "report.json"), Candidates.load(run.path)
    assert facts["cells"] == {
        "candidates": len(cells),
        "rows_with_candidates": 4,
        "suspected": int(is_alias(cells).sum()),
        "rows_with_suspects": 4,
    }
    assert facts["miners"] == [
        {
            "miner": "m",
            "cells": len(cells),
            "only_this_miner": len(cells),
            "rows": 4,
            "left_out": {"excluded_positive": 8, "short_rows": 2},
        }
    ]
    judge = {line["judge"]: line for line in facts["judges"]}
    assert judge["document"]["flagged"] == 4
    assert judge["margin"]["flagged"] == int((cells.column("judge.margin") < 0).sum())
    assert judge["ce"]["reading"] == "raw"
    assert "flagged" not in judge["ce"]


def test_what_a_miner_found_alone(data, make_run):
    row, col, score, rank = every_cell(data)
    first = rank == 1
    run = make_run(
        data, {"wide": (row, col, score, rank), "narrow": (row[first], col[first], score[first], rank[first])}
    )
    write_report(run, data)
    miners = {line["miner"]: line for line in read_json(run.path / "report.json")["miners"]}
    assert (miners["wide"]["cells"], miners["wide"]["only_this_miner"]) == (32, 28)
    assert (miners["narrow"]["cells"], miners["narrow"]["only_this_miner"]) == (4, 0)


def test_of_several_positives_the_one_that_shares_most_words_is_shown(make_run):
    plain = small_collection(truth=False)
    labels = LabelMatrix(plain.row_ids, plain.col_ids, [0, 0, 1, 2, 3], [1, 8, 1, 2, 3])  # d8 is about what d4 is about
    data = plain.with_labels(labels)
    run = make_run(data, {"m": every_cell(data)}, {"document": DOCUMENT}, name="several")
    write_report(run, data)
    shown = {cell["query_id"]: cell["positive_id"] for cell in read_json(run.path / "report.json")["suspects"]}
    assert shown["q0"] == "d8"


def test_curves_are_those_of_a_loop(run, data):
    write_report(run, data)
    curves, cells = read_json(run.path / "report.json")["curves"], Candidates.load(run.path)
    by_rank = next(curve for curve in curves["rank"] if curve["judge"] == "document")
    for point in by_rank["points"]:
        rank = cells.column("rank.m")
        inside = (rank >= point["x_low"]) & (rank < point["x_high"])
        assert point["cells"] == inside.sum()
        assert point["value"] == pytest.approx(is_alias(cells)[inside].mean())
    margins = [curve["judge"] for curve in curves["margin"]]
    assert margins == ["document", "ce"]  # a margin against itself says nothing
    assert sum(point["cells"] for point in curves["margin"][0]["points"]) == len(cells)


def test_suspects_come_with_texts_and_reasons(run, data, page):
    facts = read_json(run.path / "report.json")
    assert {(cell["query_id"], cell["candidate_id"]) for cell in facts["suspects"]} == {
        (f"q{i}", f"d{i + 4}") for i in range(4)
    }
    assert all(cell["positive_id"] == f"d{cell['query_id'][1:]}" for cell in facts["suspects"])
    assert all(cell["is_false_negative"] for cell in facts["suspects"])
    assert "<mark>matrix inverse" in page
    assert "document: " in page


def test_foreign_probabilities_are_called_so(page):
    assert "calibrated on pydocs, not on your data" in page
    assert re.search(r"<code>litotes judge \S+ --by document --calibrate QRELS --force</code>", page)


def test_truth_brings_precision_and_recall(run, data):
    write_report(run, data)
    quality = read_json(run.path / "report.json")["quality"]
    document = next(line for line in quality["judges"] if line["judge"] == "document" and line["ranks"] == "all")
    assert (document["precision"], document["recall"]) == (1.0, 1.0)
    assert {line["judge"] for line in quality["judges"]} == {"document", "margin"}


def test_without_truth_nothing_is_claimed(make_run):
    data = small_collection(truth=False)
    run = make_run(data, {"m": every_cell(data)}, {"document": DOCUMENT}, name="no-truth")
    page = write_report(run, data).read_text(encoding="utf-8")
    assert read_json(run.path / "report.json")["quality"] is None
    assert 'id="quality"' not in page


def test_truth_can_be_given(make_run):
    data = small_collection(truth=False)
    run = make_run(data, {"m": every_cell(data)}, {"document": DOCUMENT}, name="given")
    write_report(run, data, truth=LabelMatrix(["q0", "q1"], ["d4", "d6"], [0, 1], [0, 1], [1, 0]))
    line = read_json(run.path / "report.json")["quality"]["judges"][-1]
    assert (line["cells"], line["false_negatives"], line["hits"]) == (2, 1, 1)


def test_without_judges_it_says_what_to_type(data, make_run):
    run = make_run(data, {"m": every_cell(data)}, name="unjudged")
    page = write_report(run, data).read_text(encoding="utf-8")
    assert "litotes judge" in page
    assert Page(page).open == []
    assert read_json(run.path / "report.json")["cells"]["suspected"] is None


def test_without_a_margin_judge_it_says_how_to_see_that_curve(data, make_run):
    run = make_run(data, {"m": every_cell(data)}, {"document": DOCUMENT}, name="no-margin")
    page = write_report(run, data).read_text(encoding="utf-8")
    assert "--by margin" in page
    assert read_json(run.path / "report.json")["curves"]["margin"] == []


@pytest.mark.parametrize("titled", [True, False])
def test_texts_ids_and_names_cannot_write_the_page(make_run, titled):
    attack = "<script>alert('x')</script>"
    plain = small_collection()
    ids = [f"{name}{attack}" for name in plain.col_ids]
    cols = pa.table(
        {"id": ids, "title": [attack if titled else ""] * 12, "text": [f"{attack} & {i}" for i in range(12)]}
    )
    rows = pa.table({"id": plain.row_ids.values, "text": [attack] * 4})
    labels = LabelMatrix(plain.row_ids, ids, range(4), range(4))
    data = Collection(labels, rows, cols, name=attack, origin=attack, split=attack)
    run = make_run(data, {"m": every_cell(data)}, {"document": DOCUMENT}, name="attack")
    page = write_report(run, data).read_text(encoding="utf-8")
    assert "<script" not in page
    assert Page(page).open == []


def test_a_query_without_positives_and_documents_without_text_are_shown(make_run):
    plain = small_collection(truth=False)
    labels = LabelMatrix(plain.row_ids, plain.col_ids, [0, 1, 2], [0, 1, 2])
    data = Collection(labels, plain.rows.table, plain.cols.table.slice(0, 6), name="holes")
    run = make_run(data, {"m": every_cell(data)}, {"document": DOCUMENT}, name="holes")
    page = write_report(run, data).read_text(encoding="utf-8")
    assert "nothing is labelled for this query" in page
    assert "(no text)" in page


def test_the_same_run_gives_the_same_bytes(run, data):
    first = write_report(run, data).read_bytes(), (run.path / "report.json").read_bytes()
    assert (write_report(run, data).read_bytes(), (run.path / "report.json").read_bytes()) == first


def test_other_data_is_refused(run, data):
    rows, cols, _ = data.labels.cells()
    other = data.with_labels(LabelMatrix(data.row_ids, data.col_ids, rows[1:], cols[1:]))
    with pytest.raises(StaleError, match="judgements differ"):
        write_report(run, other)
    assert not (run.path / "report.html").exists()


def test_long_texts_make_no_long_page(make_run):
    plain = small_collection()
    texts = [f"{text} " + "word " * 50_000 for text in plain.col_bodies]
    cols = pa.table({"id": plain.col_ids.values, "title": plain.col_titles, "text": texts})
    data = Collection(plain.labels, plain.rows.table, cols, name="long")
    run = make_run(data, {"m": every_cell(data)}, {"document": DOCUMENT}, name="long")
    assert write_report(run, data).stat().st_size < 100_000
