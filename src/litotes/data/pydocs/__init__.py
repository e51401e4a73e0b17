"""The built-in set ``pydocs``: documentation search over the Python libraries that are installed anyway.

The query is the first sentence of a docstring, the document is the rest with name and signature. Aliases and copied
docstrings make *real* false negatives: of each group of documents that answer one query a single one is labelled, and
the others are known.
"""

from litotes.core.lazy import lazy_names

__all__ = ["load_pydocs", "pydocs_truth"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {"load_pydocs": "litotes.data.pydocs.sample", "pydocs_truth": "litotes.data.pydocs.sample"},
)
