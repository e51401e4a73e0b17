"""The three types that everything speaks, and what keeps them: fingerprints, run folders, seeds, errors, progress."""

from litotes.core.lazy import lazy_names

__all__ = ["Candidates", "Collection", "Config", "DataError", "Ids", "LabelMatrix", "LitotesError", "RunFolder"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Candidates": "litotes.core.candidates",
        "Collection": "litotes.core.collection",
        "Config": "litotes.core.config",
        "DataError": "litotes.core.errors",
        "Ids": "litotes.core.ids",
        "LabelMatrix": "litotes.core.label_matrix",
        "LitotesError": "litotes.core.errors",
        "RunFolder": "litotes.core.run_folder",
    },
)
