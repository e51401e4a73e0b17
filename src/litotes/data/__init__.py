"""Readers, writers and the built-in sets: from files, tables and live objects to a collection, and back."""

from litotes.core.lazy import lazy_names

__all__ = [
    "BUILTIN",
    "Inspection",
    "export",
    "inspect",
    "load",
    "load_builtin",
    "noisy_positives",
    "read_run",
    "write_beir",
    "write_flagembedding",
    "write_run",
    "write_tevatron",
    "write_trec",
    "write_trec_run",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "BUILTIN": "litotes.data.builtin",
        "Inspection": "litotes.data.inspect",
        "export": "litotes.data.export",
        "inspect": "litotes.data.inspect",
        "load": "litotes.data.load",
        "load_builtin": "litotes.data.builtin",
        "noisy_positives": "litotes.data.noisy_positives",
        "read_run": "litotes.data.trec",
        "write_beir": "litotes.data.beir",
        "write_flagembedding": "litotes.data.flagembedding",
        "write_run": "litotes.data.trec",
        "write_tevatron": "litotes.data.tevatron",
        "write_trec": "litotes.data.trec_folder",
        "write_trec_run": "litotes.data.export",
    },
)
