"""How good a retriever is, whether a difference is more than chance, and which errors it makes."""

from typing import TYPE_CHECKING

from litotes.core.lazy import lazy_names

if TYPE_CHECKING:
    from litotes.evaluation.comparison import Comparison as Comparison
    from litotes.evaluation.comparison import compare as compare
    from litotes.evaluation.diagnostics import hard_negative_overlap as hard_negative_overlap
    from litotes.evaluation.diagnostics import pairwise_error_decomposition as pairwise_error_decomposition
    from litotes.evaluation.diagnostics import pairwise_errors as pairwise_errors
    from litotes.evaluation.metrics import DEFAULT_METRICS as DEFAULT_METRICS
    from litotes.evaluation.metrics import measure_run as measure_run
    from litotes.evaluation.metrics import measure_scores as measure_scores
    from litotes.evaluation.pool_bias import pool_bias as pool_bias
    from litotes.evaluation.reranking import rerank as rerank
    from litotes.evaluation.reranking import reranker as reranker
    from litotes.evaluation.retrieval import Evaluation as Evaluation
    from litotes.evaluation.retrieval import evaluate as evaluate
    from litotes.evaluation.significance import bootstrap_interval as bootstrap_interval
    from litotes.evaluation.significance import paired_randomisation_test as paired_randomisation_test
    from litotes.evaluation.weight_report import weight_report as weight_report

_HOMES = {
    "Comparison": "litotes.evaluation.comparison",
    "DEFAULT_METRICS": "litotes.evaluation.metrics",
    "Evaluation": "litotes.evaluation.retrieval",
    "bootstrap_interval": "litotes.evaluation.significance",
    "compare": "litotes.evaluation.comparison",
    "evaluate": "litotes.evaluation.retrieval",
    "hard_negative_overlap": "litotes.evaluation.diagnostics",
    "measure_run": "litotes.evaluation.metrics",
    "measure_scores": "litotes.evaluation.metrics",
    "paired_randomisation_test": "litotes.evaluation.significance",
    "pairwise_error_decomposition": "litotes.evaluation.diagnostics",
    "pairwise_errors": "litotes.evaluation.diagnostics",
    "pool_bias": "litotes.evaluation.pool_bias",
    "rerank": "litotes.evaluation.reranking",
    "reranker": "litotes.evaluation.reranking",
    "weight_report": "litotes.evaluation.weight_report",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES, extra="retrieval")
