"""What each paper promises, as experiments that anyone can run; and the results that were recorded."""

from litotes.core.lazy import lazy_names

__all__ = ["ClaimsModule", "claims_of", "recorded", "recorded_verdicts", "slugs_with_claims"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ClaimsModule": "litotes.claims.registry",
        "claims_of": "litotes.claims.registry",
        "recorded": "litotes.claims.recorded",
        "recorded_verdicts": "litotes.claims.recorded",
        "slugs_with_claims": "litotes.claims.registry",
    },
)
