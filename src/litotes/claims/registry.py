"""Which systems have claims, and the module of each: ``CLAIMS`` and the function ``run`` that makes a cell."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from litotes.core.checks import nearest
from litotes.core.errors import LitotesError
from litotes.evaluation.claim import Claim
from litotes.evaluation.experiment import Cell, Outcome

__all__ = ["ClaimsModule", "claims_of", "slugs_with_claims"]

_MODULES = {
    "ar2": "litotes.claims.ar2",
    "audit-labels": "litotes.claims.audit_labels",
    "audit-retrieval": "litotes.claims.audit_retrieval",
    "cet": "litotes.claims.cet",
    "compress-features": "litotes.claims.compress_features",
    "elr": "litotes.claims.elr",
    "peg": "litotes.claims.peg",
    "star-adore": "litotes.claims.star_adore",
    "tacred-noise": "litotes.claims.tacred_noise",
}


@dataclass(frozen=True)
class ClaimsModule:
    """The claims of one system, and how an arm of theirs is run."""

    slug: str
    claims: Sequence[Claim]
    run: Callable[[Cell], Outcome]

    def named(self, name: str) -> Claim:
        """One claim; an unknown name is an error that lists them."""
        known = {claim.name: claim for claim in self.claims}
        if name not in known:
            raise LitotesError(f"{self.slug} has no claim {name!r}. It has: {', '.join(known)}.")
        return known[name]


def slugs_with_claims() -> list[str]:
    """What ``litotes reproduce`` takes."""
    return sorted(_MODULES)


def claims_of(slug: str) -> ClaimsModule:
    """The claims of one system.

    Raises:
        LitotesError: it has none, or there is no such system.
    """
    if slug not in _MODULES:
        hint = nearest(slug, _MODULES)
        known = f"Did you mean {hint!r}?" if hint else f"There are claims of: {', '.join(slugs_with_claims())}."
        raise LitotesError(f"There are no claims of {slug!r}. {known}")
    module = importlib.import_module(_MODULES[slug])
    return ClaimsModule(slug, module.CLAIMS, module.run)
