"""How good a retriever is, whether a difference is more than chance, and which errors it makes."""

from typing import TYPE_CHECKING

from litotes.core.lazy import lazy_names

if TYPE_CHECKING:
    from litotes.evaluation.bias_variance import BiasVariance as BiasVariance
    from litotes.evaluation.bias_variance import bias_variance as bias_variance
    from litotes.evaluation.comparison import Comparison as Comparison
    from litotes.evaluation.comparison import compare as compare
    from litotes.evaluation.diagnostics import hard_negative_overlap as hard_negative_overlap
    from litotes.evaluation.diagnostics import pairwise_error_decomposition as pairwise_error_decomposition
    from litotes.evaluation.diagnostics import pairwise_errors as pairwise_errors
    from litotes.evaluation.information import information_by_channels as information_by_channels
    from litotes.evaluation.metrics import DEFAULT_METRICS as DEFAULT_METRICS
    from litotes.evaluation.metrics import measure_run as measure_run
    from litotes.evaluation.metrics import measure_scores as measure_scores
    from litotes.evaluation.pool_bias import pool_bias as pool_bias
    from litotes.evaluation.relation_f1 import relation_changes as relation_changes
    from litotes.evaluation.relation_f1 import relation_f1 as relation_f1
    from litotes.evaluation.reranking import rerank as rerank
    from litotes.evaluation.reranking import reranker as reranker
    from litotes.evaluation.retrieval import Evaluation as Evaluation
    from litotes.evaluation.retrieval import evaluate as evaluate
    from litotes.evaluation.significance import bootstrap_interval as bootstrap_interval
    from litotes.evaluation.significance import paired_randomisation_test as paired_randomisation_test
    from litotes.evaluation.weight_report import weight_report as weight_report

_HOMES = {
    "BiasVariance": "litotes.evaluation.bias_variance",
    "Comparison": "litotes.evaluation.comparison",
    "DEFAULT_METRICS": "litotes.evaluation.metrics",
    "Evaluation": "litotes.evaluation.retrieval",
    "bias_variance": "litotes.evaluation.bias_variance",
    "bootstrap_interval": "litotes.evaluation.significance",
    "compare": "litotes.evaluation.comparison",
    "evaluate": "litotes.evaluation.retrieval",
    "hard_negative_overlap": "litotes.evaluation.diagnostics",
    "information_by_channels": "litotes.evaluation.information",
    "measure_run": "litotes.evaluation.metrics",
    "measure_scores": "litotes.evaluation.metrics",
    "paired_randomisation_test": "litotes.evaluation.significance",
    "pairwise_error_decomposition": "litotes.evaluation.diagnostics",
    "pairwise_errors": "litotes.evaluation.diagnostics",
    "pool_bias": "litotes.evaluation.pool_bias",
    "relation_changes": "litotes.evaluation.relation_f1",
    "relation_f1": "litotes.evaluation.relation_f1",
    "rerank": "litotes.evaluation.reranking",
    "reranker": "litotes.evaluation.reranking",
    "weight_report": "litotes.evaluation.weight_report",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES, extra="retrieval")
