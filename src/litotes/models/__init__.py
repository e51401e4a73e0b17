"""What turns texts into vectors: encoders by name, folder, live model or function, and the store of their vectors."""

from litotes.core.lazy import lazy_names

__all__ = [
    "Encoder",
    "PairModel",
    "VectorStore",
    "best_dtype",
    "encode_cols",
    "encode_rows",
    "freeze_lower_layers",
    "load_cross_encoder",
    "load_sentence_transformer",
    "resolve_encoder",
    "save_vectors",
    "tiny_bert",
    "tiny_cross_encoder",
    "train_last_layers",
    "word_bag",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Encoder": "litotes.models.encoder",
        "PairModel": "litotes.models.cross_encoder",
        "VectorStore": "litotes.models.vector_store",
        "best_dtype": "litotes.models.precision",
        "encode_cols": "litotes.models.encoder",
        "encode_rows": "litotes.models.encoder",
        "freeze_lower_layers": "litotes.models.frozen_layers",
        "load_cross_encoder": "litotes.models.cross_encoder",
        "load_sentence_transformer": "litotes.models.loading",
        "resolve_encoder": "litotes.models.encoder",
        "save_vectors": "litotes.models.vector_folder",
        "tiny_bert": "litotes.models.tiny",
        "tiny_cross_encoder": "litotes.models.tiny",
        "train_last_layers": "litotes.models.last_layers",
        "word_bag": "litotes.models.word_bag",
    },
    extra="retrieval",
)
