"""Litotes: learning from negatives and imperfect labels.

Every miner, judge, loss module, trainer and table is a name of this package and loads its libraries on first use;
``import litotes`` itself loads only the standard library.
"""

from typing import TYPE_CHECKING

from litotes.core.lazy import lazy_names

if TYPE_CHECKING:
    from litotes.auditing.apply import apply_review
    from litotes.auditing.label_apply import apply_label_review
    from litotes.auditing.label_audit import audit_labels
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
    from litotes.losses.elr import ELRLoss
    from litotes.losses.info_nce import InfoNCELoss
    from litotes.losses.progressive import ProgressiveInfoNCELoss
    from litotes.losses.star import StarLoss
    from litotes.losses.target_memory import TargetMemory
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
    from litotes.models.double_nested_head import DoubleNestedHead
    from litotes.models.nested_dropout import NestedDropout, add_nested_dropout
    from litotes.models.text_encoder import TextEncoder
    from litotes.recipes.classification.co_teaching_options import NestedCoTeachingConfig
    from litotes.recipes.classification.compress_features import NestedCoTeachingClassifier, train_nested_co_teaching
    from litotes.recipes.classification.elr import ELRClassifier, train_elr, train_elr_plus
    from litotes.recipes.classification.elr_options import ELRConfig, ELRPlusConfig
    from litotes.recipes.classification.elr_plus import ELRPlusClassifier
    from litotes.recipes.classification.tacred_noise import NeighbourCleaner
    from litotes.recipes.load_model import load_model
    from litotes.recipes.retrieval.ar2 import Ar2Config, train_ar2
    from litotes.recipes.retrieval.cet import train_cet
    from litotes.recipes.retrieval.cet_options import CetConfig
    from litotes.recipes.retrieval.peg import train_peg
    from litotes.recipes.retrieval.peg_options import PegConfig
    from litotes.recipes.retrieval.star_adore import AdoreConfig, StarConfig, train_adore, train_star
    from litotes.training.co_teaching import ChooseChannels, CoTeaching
    from litotes.training.draws import NegativeDraws
    from litotes.training.elr_trainer import ELRTrainer
    from litotes.training.labelled_ids import LabelledIds, label_with_ids
    from litotes.training.memory_callback import MemoryCallback
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
    "ChooseChannels",
    "CoTeaching",
    "Collection",
    "CoupledLoss",
    "CrossEncoderJudge",
    "DenseMiner",
    "DocumentJudge",
    "DoubleNestedHead",
    "ELRClassifier",
    "ELRConfig",
    "ELRLoss",
    "ELRPlusClassifier",
    "ELRPlusConfig",
    "ELRTrainer",
    "InfoNCELoss",
    "LabelMatrix",
    "LabelledIds",
    "LitotesError",
    "MarginJudge",
    "MemoryCallback",
    "MinedNegativeSampler",
    "NegativeDraws",
    "NegativesCollator",
    "NeighbourCleaner",
    "NestedCoTeachingClassifier",
    "NestedCoTeachingConfig",
    "NestedDropout",
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
    "TargetMemory",
    "TextEncoder",
    "UniformNegativeSampler",
    "add_nested_dropout",
    "apply_label_review",
    "apply_review",
    "audit_labels",
    "audit_retrieval",
    "evaluate",
    "export",
    "filter_pairs",
    "inspect",
    "label_with_ids",
    "load",
    "load_model",
    "rerank",
    "source_batch_sampler",
    "sources_of_rows",
    "train_adore",
    "train_ar2",
    "train_cet",
    "train_elr",
    "train_elr_plus",
    "train_nested_co_teaching",
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
    "CetConfig": "litotes.recipes.retrieval.cet_options",
    "ChooseChannels": "litotes.training.co_teaching",
    "CoTeaching": "litotes.training.co_teaching",
    "Collection": "litotes.core.collection",
    "CoupledLoss": "litotes.losses.cet",
    "CrossEncoderJudge": "litotes.judging.cross_encoder",
    "DenseMiner": "litotes.mining.dense",
    "DocumentJudge": "litotes.judging.document",
    "DoubleNestedHead": "litotes.models.double_nested_head",
    "ELRClassifier": "litotes.recipes.classification.elr",
    "ELRConfig": "litotes.recipes.classification.elr_options",
    "ELRLoss": "litotes.losses.elr",
    "ELRPlusClassifier": "litotes.recipes.classification.elr_plus",
    "ELRPlusConfig": "litotes.recipes.classification.elr_options",
    "ELRTrainer": "litotes.training.elr_trainer",
    "InfoNCELoss": "litotes.losses.info_nce",
    "LabelMatrix": "litotes.core.label_matrix",
    "LabelledIds": "litotes.training.labelled_ids",
    "LitotesError": "litotes.core.errors",
    "MarginJudge": "litotes.judging.margin",
    "MemoryCallback": "litotes.training.memory_callback",
    "MinedNegativeSampler": "litotes.mining.negative_samplers",
    "NegativeDraws": "litotes.training.draws",
    "NegativesCollator": "litotes.training.negatives",
    "NeighbourCleaner": "litotes.recipes.classification.tacred_noise",
    "NestedCoTeachingClassifier": "litotes.recipes.classification.compress_features",
    "NestedCoTeachingConfig": "litotes.recipes.classification.co_teaching_options",
    "NestedDropout": "litotes.models.nested_dropout",
    "PegConfig": "litotes.recipes.retrieval.peg_options",
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
    "TargetMemory": "litotes.losses.target_memory",
    "TextEncoder": "litotes.models.text_encoder",
    "UniformNegativeSampler": "litotes.mining.negative_samplers",
    "add_nested_dropout": "litotes.models.nested_dropout",
    "apply_label_review": "litotes.auditing.label_apply",
    "apply_review": "litotes.auditing.apply",
    "audit_labels": "litotes.auditing.label_audit",
    "audit_retrieval": "litotes.auditing.retrieval_audit",
    "evaluate": "litotes.evaluation.retrieval",
    "export": "litotes.data.export",
    "filter_pairs": "litotes.judging.pair_filter",
    "inspect": "litotes.data.inspect",
    "label_with_ids": "litotes.training.labelled_ids",
    "load": "litotes.data.load",
    "load_model": "litotes.recipes.load_model",
    "rerank": "litotes.evaluation.reranking",
    "source_batch_sampler": "litotes.training.source_batches",
    "sources_of_rows": "litotes.training.source_batches",
    "train_adore": "litotes.recipes.retrieval.star_adore",
    "train_ar2": "litotes.recipes.retrieval.ar2",
    "train_cet": "litotes.recipes.retrieval.cet",
    "train_elr": "litotes.recipes.classification.elr",
    "train_elr_plus": "litotes.recipes.classification.elr",
    "train_nested_co_teaching": "litotes.recipes.classification.compress_features",
    "train_peg": "litotes.recipes.retrieval.peg",
    "train_star": "litotes.recipes.retrieval.star_adore",
    "write_report": "litotes.auditing.report",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES, extra="retrieval")
