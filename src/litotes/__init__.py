"""Litotes: learning from negatives and imperfect labels.

Every miner, judge, loss module, trainer and table is a name of this package and loads its libraries on first use;
``import litotes`` itself loads only the standard library.
"""

from typing import TYPE_CHECKING

from litotes.core.lazy import lazy_names

if TYPE_CHECKING:
    from litotes.auditing.apply import apply_review
    from litotes.auditing.report import write_report
    from litotes.auditing.retrieval_audit import Audit, audit_retrieval
    from litotes.core.candidates import Candidates
    from litotes.core.collection import Collection
    from litotes.core.errors import LitotesError
    from litotes.core.label_matrix import LabelMatrix
    from litotes.data.export import export
    from litotes.data.inspect import inspect
    from litotes.data.load import load
    from litotes.evaluation.reranking import rerank
    from litotes.evaluation.retrieval import evaluate
    from litotes.judging.cross_encoder import CrossEncoderJudge
    from litotes.judging.document import DocumentJudge
    from litotes.judging.margin import MarginJudge
    from litotes.judging.pair_filter import filter_pairs
    from litotes.judging.rank import RankJudge
    from litotes.judging.selection import SelectionJudge
    from litotes.losses.adore import AdoreLoss
    from litotes.losses.ar2 import Ar2Loss
    from litotes.losses.cet import CoupledLoss
    from litotes.losses.info_nce import InfoNCELoss
    from litotes.losses.progressive import ProgressiveInfoNCELoss
    from litotes.losses.star import StarLoss
    from litotes.mining.approximate import ApproximateMiner
    from litotes.mining.bm25 import BM25Miner
    from litotes.mining.dense import DenseMiner
    from litotes.mining.negative_samplers import (
        MinedNegativeSampler,
        PopularityNegativeSampler,
        UniformNegativeSampler,
    )
    from litotes.mining.popularity import PopularityMiner
    from litotes.mining.random import RandomMiner
    from litotes.mining.trec_run import RunMiner
    from litotes.recipes.load_model import load_model
    from litotes.recipes.retrieval.ar2 import Ar2Config, train_ar2
    from litotes.recipes.retrieval.cet import CetConfig, train_cet
    from litotes.recipes.retrieval.peg import PegConfig, train_peg
    from litotes.recipes.retrieval.star_adore import AdoreConfig, StarConfig, train_adore, train_star
    from litotes.training.draws import NegativeDraws
    from litotes.training.negatives import NegativesCollator
    from litotes.training.progressive import ProgressSchedule
    from litotes.training.refresh import RefreshNegatives
    from litotes.training.source_batches import SourceBatches, source_batch_sampler, sources_of_rows

__version__ = "0.1.0"

__all__ = [
    "AdoreConfig",
    "AdoreLoss",
    "ApproximateMiner",
    "Ar2Config",
    "Ar2Loss",
    "Audit",
    "BM25Miner",
    "Candidates",
    "CetConfig",
    "Collection",
    "CoupledLoss",
    "CrossEncoderJudge",
    "DenseMiner",
    "DocumentJudge",
    "InfoNCELoss",
    "LabelMatrix",
    "LitotesError",
    "MarginJudge",
    "MinedNegativeSampler",
    "NegativeDraws",
    "NegativesCollator",
    "PegConfig",
    "PopularityMiner",
    "PopularityNegativeSampler",
    "ProgressSchedule",
    "ProgressiveInfoNCELoss",
    "RandomMiner",
    "RankJudge",
    "RefreshNegatives",
    "RunMiner",
    "SelectionJudge",
    "SourceBatches",
    "StarConfig",
    "StarLoss",
    "UniformNegativeSampler",
    "apply_review",
    "audit_retrieval",
    "evaluate",
    "export",
    "filter_pairs",
    "inspect",
    "load",
    "load_model",
    "rerank",
    "source_batch_sampler",
    "sources_of_rows",
    "train_adore",
    "train_ar2",
    "train_cet",
    "train_peg",
    "train_star",
    "write_report",
]

_HOMES = {
    "AdoreConfig": "litotes.recipes.retrieval.star_adore",
    "AdoreLoss": "litotes.losses.adore",
    "ApproximateMiner": "litotes.mining.approximate",
    "Ar2Config": "litotes.recipes.retrieval.ar2",
    "Ar2Loss": "litotes.losses.ar2",
    "Audit": "litotes.auditing.retrieval_audit",
    "BM25Miner": "litotes.mining.bm25",
    "Candidates": "litotes.core.candidates",
    "CetConfig": "litotes.recipes.retrieval.cet",
    "Collection": "litotes.core.collection",
    "CoupledLoss": "litotes.losses.cet",
    "CrossEncoderJudge": "litotes.judging.cross_encoder",
    "DenseMiner": "litotes.mining.dense",
    "DocumentJudge": "litotes.judging.document",
    "InfoNCELoss": "litotes.losses.info_nce",
    "LabelMatrix": "litotes.core.label_matrix",
    "LitotesError": "litotes.core.errors",
    "MarginJudge": "litotes.judging.margin",
    "MinedNegativeSampler": "litotes.mining.negative_samplers",
    "NegativeDraws": "litotes.training.draws",
    "NegativesCollator": "litotes.training.negatives",
    "PegConfig": "litotes.recipes.retrieval.peg",
    "PopularityMiner": "litotes.mining.popularity",
    "PopularityNegativeSampler": "litotes.mining.negative_samplers",
    "ProgressSchedule": "litotes.training.progressive",
    "ProgressiveInfoNCELoss": "litotes.losses.progressive",
    "RandomMiner": "litotes.mining.random",
    "RankJudge": "litotes.judging.rank",
    "RefreshNegatives": "litotes.training.refresh",
    "RunMiner": "litotes.mining.trec_run",
    "SelectionJudge": "litotes.judging.selection",
    "SourceBatches": "litotes.training.source_batches",
    "StarConfig": "litotes.recipes.retrieval.star_adore",
    "StarLoss": "litotes.losses.star",
    "UniformNegativeSampler": "litotes.mining.negative_samplers",
    "apply_review": "litotes.auditing.apply",
    "audit_retrieval": "litotes.auditing.retrieval_audit",
    "evaluate": "litotes.evaluation.retrieval",
    "export": "litotes.data.export",
    "filter_pairs": "litotes.judging.pair_filter",
    "inspect": "litotes.data.inspect",
    "load": "litotes.data.load",
    "load_model": "litotes.recipes.load_model",
    "rerank": "litotes.evaluation.reranking",
    "source_batch_sampler": "litotes.training.source_batches",
    "sources_of_rows": "litotes.training.source_batches",
    "train_adore": "litotes.recipes.retrieval.star_adore",
    "train_ar2": "litotes.recipes.retrieval.ar2",
    "train_cet": "litotes.recipes.retrieval.cet",
    "train_peg": "litotes.recipes.retrieval.peg",
    "train_star": "litotes.recipes.retrieval.star_adore",
    "write_report": "litotes.auditing.report",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES, extra="retrieval")
