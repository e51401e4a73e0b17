"""Which systems have claims; a system or a claim that is not there is an error that says what is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from litotes.claims import registry
from litotes.claims.registry import ClaimsModule, claims_of, slugs_with_claims
from litotes.core.errors import LitotesError
from litotes.evaluation.claim import Claim
from litotes.recipes.catalogue import CATALOGUE
from tests.made_up_claims import CLAIM, Runs, claim

ROOT = Path(__file__).parents[3]
OUR_OWN = {"audit-labels", "audit-retrieval"}  # what Litotes itself promises, beside the systems of papers


@pytest.mark.parametrize("slug", slugs_with_claims())
def test_every_module_has_claims_and_a_function_that_runs_them(slug):
    module = claims_of(slug)
    assert module.slug == slug
    assert module.claims and all(isinstance(each, Claim) for each in module.claims)
    assert callable(module.run)
    assert slug in {recipe.slug for recipe in CATALOGUE} | OUR_OWN
    names = [each.name for each in module.claims]
    assert len(set(names)) == len(names)
    assert [module.named(name) for name in names] == list(module.claims)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names)  # they name files


def test_slugs_are_sorted():
    assert slugs_with_claims() == sorted(registry._MODULES) and "star-adore" in slugs_with_claims()


def test_an_unknown_system_is_told_the_nearest_or_all(monkeypatch):
    monkeypatch.setattr(registry, "_MODULES", {"star-adore": "x", "ance": "y"})
    with pytest.raises(LitotesError) as near:
        claims_of("star-adorn")
    assert str(near.value) == "There are no claims of 'star-adorn'. Did you mean 'star-adore'?"
    with pytest.raises(LitotesError) as far:
        claims_of("zzz")
    assert str(far.value) == "There are no claims of 'zzz'. There are claims of: ance, star-adore."


def test_an_unknown_claim_is_told_all():
    module = ClaimsModule("made-up", [CLAIM, claim(name="other")], Runs())
    with pytest.raises(LitotesError) as refused:
        module.named("best")
    assert str(refused.value) == "made-up has no claim 'best'. It has: better, other."


def test_claims_are_listed_without_what_runs_them():
    code = (
        "import sys\nfrom litotes.claims import claims_of, slugs_with_claims\n"
        "print(*[c.digest for slug in slugs_with_claims() for c in claims_of(slug).claims])\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    digests, modules = done.stdout.splitlines()
    assert digests.split() == [each.digest for slug in slugs_with_claims() for each in claims_of(slug).claims]
    assert not set(modules.split()) & {"torch", "sentence_transformers", "transformers", "faiss", "scipy"}
