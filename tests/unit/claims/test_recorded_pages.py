"""What the pages show of recorded results is what the JSON says, and the JSON is of the claims as they stand."""

from pathlib import Path

import pytest

from litotes.claims import claims_of, slugs_with_claims
from litotes.core.files import read_json
from litotes.evaluation.dot_chart import dot_chart
from tools.result_pages import DOCS, pages

RECORDED = [path for slug in slugs_with_claims() if (path := DOCS / "results" / f"{slug}.json").is_file()]


def test_every_page_reads_as_its_results_say():
    for page, text in pages(DOCS).items():
        assert page.read_text(encoding="utf-8") == text, f"{page.name}: run python -m tools.result_pages"


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_results_are_of_the_claims_as_they_stand(path: Path):
    claims = {claim.name: claim.digest for claim in claims_of(path.stem).claims}
    for record in read_json(path)["claims"]:
        assert claims.get(record["name"]) == record["digest"], f"{record['name']} was changed after its result"


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_plot_is_that_of_its_record(path: Path):
    for record in read_json(path)["claims"]:
        plot = path.with_name(f"{path.stem}-{record['name']}.svg")
        assert plot.read_text(encoding="utf-8") == dot_chart(record)
