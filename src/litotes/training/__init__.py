"""Glue to trainers, schedules of negatives, and our one loop for several models (:mod:`litotes.training.rounds`)."""

from typing import TYPE_CHECKING

from litotes.core.lazy import lazy_names

if TYPE_CHECKING:
    from litotes.training.alternation import Alternation as Alternation
    from litotes.training.array_classifier import ArrayClassifier as ArrayClassifier
    from litotes.training.array_options import ArrayOptions as ArrayOptions
    from litotes.training.array_task import ArrayBatch as ArrayBatch
    from litotes.training.array_task import ArrayTask as ArrayTask
    from litotes.training.batches import ShuffledBatches as ShuffledBatches
    from litotes.training.co_teaching import ChooseChannels as ChooseChannels
    from litotes.training.co_teaching import CoTeaching as CoTeaching
    from litotes.training.co_teaching import best_channels as best_channels
    from litotes.training.co_teaching import cross_update as cross_update
    from litotes.training.document_index import CompressedIndex as CompressedIndex
    from litotes.training.document_index import DocumentIndex as DocumentIndex
    from litotes.training.document_index import ExactIndex as ExactIndex
    from litotes.training.draws import NegativeDraws as NegativeDraws
    from litotes.training.dynamic_negatives import DynamicNegatives as DynamicNegatives
    from litotes.training.elr_trainer import ELRTrainer as ELRTrainer
    from litotes.training.guarded_miner import GuardedMiner as GuardedMiner
    from litotes.training.held_out import HeldOut as HeldOut
    from litotes.training.held_out import hold_out as hold_out
    from litotes.training.keep_last_step import KeepLastStep as KeepLastStep
    from litotes.training.labelled_ids import LabelledIds as LabelledIds
    from litotes.training.labelled_ids import label_with_ids as label_with_ids
    from litotes.training.lamb import Lamb as Lamb
    from litotes.training.learner import Learner as Learner
    from litotes.training.learner import decaying as decaying
    from litotes.training.learner import linear_schedule as linear_schedule
    from litotes.training.memory_callback import MemoryCallback as MemoryCallback
    from litotes.training.mixup import Mixture as Mixture
    from litotes.training.mixup import draw_mixture as draw_mixture
    from litotes.training.negative_lists import given_list as given_list
    from litotes.training.negative_lists import mined_list as mined_list
    from litotes.training.negative_lists import suspected_cells as suspected_cells
    from litotes.training.negatives import NegativesCollator as NegativesCollator
    from litotes.training.progressive import ProgressSchedule as ProgressSchedule
    from litotes.training.progressive import scheduled_value as scheduled_value
    from litotes.training.query_tower import QueryTower as QueryTower
    from litotes.training.refresh import RefreshNegatives as RefreshNegatives
    from litotes.training.rounds import Rounds as Rounds
    from litotes.training.rounds import RoundsArguments as RoundsArguments
    from litotes.training.source_batches import SourceBatches as SourceBatches
    from litotes.training.source_batches import source_batch_sampler as source_batch_sampler
    from litotes.training.source_batches import sources_of_rows as sources_of_rows
    from litotes.training.text_towers import TextTowers as TextTowers
    from litotes.training.text_towers import separate_towers as separate_towers
    from litotes.training.trainer_run import train_sentence_transformer as train_sentence_transformer
    from litotes.training.training_run import ReportTraining as ReportTraining
    from litotes.training.training_run import TrainingRun as TrainingRun
    from litotes.training.watched_opponents import WatchedOpponents as WatchedOpponents
    from litotes.training.weight_average import WeightAverage as WeightAverage
    from litotes.training.weight_average import average_momentum as average_momentum

_HOMES = {
    "Alternation": "litotes.training.alternation",
    "ArrayBatch": "litotes.training.array_task",
    "ArrayClassifier": "litotes.training.array_classifier",
    "ArrayOptions": "litotes.training.array_options",
    "ArrayTask": "litotes.training.array_task",
    "ChooseChannels": "litotes.training.co_teaching",
    "CoTeaching": "litotes.training.co_teaching",
    "CompressedIndex": "litotes.training.document_index",
    "DocumentIndex": "litotes.training.document_index",
    "DynamicNegatives": "litotes.training.dynamic_negatives",
    "ExactIndex": "litotes.training.document_index",
    "ELRTrainer": "litotes.training.elr_trainer",
    "GuardedMiner": "litotes.training.guarded_miner",
    "HeldOut": "litotes.training.held_out",
    "KeepLastStep": "litotes.training.keep_last_step",
    "LabelledIds": "litotes.training.labelled_ids",
    "Lamb": "litotes.training.lamb",
    "Learner": "litotes.training.learner",
    "MemoryCallback": "litotes.training.memory_callback",
    "Mixture": "litotes.training.mixup",
    "NegativeDraws": "litotes.training.draws",
    "NegativesCollator": "litotes.training.negatives",
    "ProgressSchedule": "litotes.training.progressive",
    "QueryTower": "litotes.training.query_tower",
    "RefreshNegatives": "litotes.training.refresh",
    "ReportTraining": "litotes.training.training_run",
    "Rounds": "litotes.training.rounds",
    "RoundsArguments": "litotes.training.rounds",
    "ShuffledBatches": "litotes.training.batches",
    "SourceBatches": "litotes.training.source_batches",
    "TextTowers": "litotes.training.text_towers",
    "TrainingRun": "litotes.training.training_run",
    "WatchedOpponents": "litotes.training.watched_opponents",
    "WeightAverage": "litotes.training.weight_average",
    "average_momentum": "litotes.training.weight_average",
    "best_channels": "litotes.training.co_teaching",
    "cross_update": "litotes.training.co_teaching",
    "decaying": "litotes.training.learner",
    "draw_mixture": "litotes.training.mixup",
    "given_list": "litotes.training.negative_lists",
    "hold_out": "litotes.training.held_out",
    "label_with_ids": "litotes.training.labelled_ids",
    "linear_schedule": "litotes.training.learner",
    "mined_list": "litotes.training.negative_lists",
    "separate_towers": "litotes.training.text_towers",
    "scheduled_value": "litotes.training.progressive",
    "source_batch_sampler": "litotes.training.source_batches",
    "sources_of_rows": "litotes.training.source_batches",
    "suspected_cells": "litotes.training.negative_lists",
    "train_sentence_transformer": "litotes.training.trainer_run",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES, extra="retrieval")
