"""What is learned from negatives: pure functions of scores, and thin modules that training loops take.

Losses are imported from here (``from litotes.losses import info_nce``), which loads torch and, of ours, only ``core``.
With s a score, + a positive, P the positives of a row and K the cells that ``keep`` leaves in it:

===================================  ==================================================  ===============================
name                                 loss                                                special cases
===================================  ==================================================  ===============================
``info_nce``                         log sum_K exp(s / t) - log sum_P exp(s / t)         cross entropy: one positive
``tiled_info_nce``                   the next, from vectors, never a matrix              dense InfoNCE: beta = 0
``difficulty_info_nce``              log (e+ + sum_K w exp(s / t)) - log e+              w = 1: beta = 0
``multiple_negatives_ranking_loss``  info_nce of 20 cos, the diagonal positive            given negatives or none
``pairwise_logistic_loss``           mean over K of softplus(s - s+)                     RankNet
``star_loss``                        pooled mean of the same over two groups             in-batch; static negatives only
``weighted_pair_loss``               mean over K of w softplus(s - s+), w given          RankNet: w = 1
``coupled_losses``                   two of these, w = 1 + exp(s / t) of the other model twice RankNet: large t
``adore_loss``                       mean of |1/rank - 1/rank+| softplus(s - s+)         LambdaRank with reciprocal rank
``ar2_loss``                         lambda (mean of p~ R) + (1 - lambda) H(p_D, p)      distillation: lambda = 0
``ar2_ranker_loss``                  cross entropy of a list, the positive first         info_nce, t = 1
``elr_loss``                         cross entropy + lambda log(1 - <T, p>)              cross entropy: lambda = 0
``elr_plus_loss``                    the same with mixed labels and a partner's targets  soft_cross_entropy: lambda = 0
``triplet_loss``                     max(0, distance+ - distance- + margin)              euclidean; cosine
===================================  ==================================================  ===============================
"""

from typing import TYPE_CHECKING

from litotes.core.lazy import lazy_names

if TYPE_CHECKING:
    from litotes.losses.adore import AdoreLoss as AdoreLoss
    from litotes.losses.adore import adore_loss as adore_loss
    from litotes.losses.ar2 import Ar2Loss as Ar2Loss
    from litotes.losses.ar2 import Ar2Terms as Ar2Terms
    from litotes.losses.ar2 import ar2_loss as ar2_loss
    from litotes.losses.ar2 import ar2_ranker_loss as ar2_ranker_loss
    from litotes.losses.ar2 import ar2_scores as ar2_scores
    from litotes.losses.ar2 import ar2_terms as ar2_terms
    from litotes.losses.cet import CoupledLoss as CoupledLoss
    from litotes.losses.cet import CoupledLosses as CoupledLosses
    from litotes.losses.cet import cet_weights as cet_weights
    from litotes.losses.cet import coupled_losses as coupled_losses
    from litotes.losses.cet import weighted_pair_loss as weighted_pair_loss
    from litotes.losses.difficulty import difficulty_info_nce as difficulty_info_nce
    from litotes.losses.difficulty import difficulty_weights as difficulty_weights
    from litotes.losses.elr import ELRLoss as ELRLoss
    from litotes.losses.elr import early_learning_term as early_learning_term
    from litotes.losses.elr import elr_loss as elr_loss
    from litotes.losses.elr import soft_cross_entropy as soft_cross_entropy
    from litotes.losses.elr_plus import elr_plus_loss as elr_plus_loss
    from litotes.losses.elr_plus import elr_plus_targets as elr_plus_targets
    from litotes.losses.elr_plus import sigmoid_ramp as sigmoid_ramp
    from litotes.losses.for_trainer import for_trainer as for_trainer
    from litotes.losses.gradient_cache import cached_encode as cached_encode
    from litotes.losses.info_nce import InfoNCELoss as InfoNCELoss
    from litotes.losses.info_nce import info_nce as info_nce
    from litotes.losses.pairwise import pairwise_logistic_loss as pairwise_logistic_loss
    from litotes.losses.partition_plan import negatives_plan as negatives_plan
    from litotes.losses.progressive import ProgressiveInfoNCELoss as ProgressiveInfoNCELoss
    from litotes.losses.ranked_lists import RankedLists as RankedLists
    from litotes.losses.ranked_lists import ranked_lists as ranked_lists
    from litotes.losses.ranking import multiple_negatives_ranking_loss as multiple_negatives_ranking_loss
    from litotes.losses.ranking import triplet_loss as triplet_loss
    from litotes.losses.star import StarLoss as StarLoss
    from litotes.losses.star import star_loss as star_loss
    from litotes.losses.star import star_scores as star_scores
    from litotes.losses.target_memory import TargetMemory as TargetMemory
    from litotes.losses.tiled_info_nce import tiled_info_nce as tiled_info_nce
    from litotes.losses.tiled_partition import tiled_partition as tiled_partition

_HOMES = {
    "AdoreLoss": "litotes.losses.adore",
    "Ar2Loss": "litotes.losses.ar2",
    "Ar2Terms": "litotes.losses.ar2",
    "CoupledLoss": "litotes.losses.cet",
    "CoupledLosses": "litotes.losses.cet",
    "ELRLoss": "litotes.losses.elr",
    "InfoNCELoss": "litotes.losses.info_nce",
    "ProgressiveInfoNCELoss": "litotes.losses.progressive",
    "RankedLists": "litotes.losses.ranked_lists",
    "StarLoss": "litotes.losses.star",
    "TargetMemory": "litotes.losses.target_memory",
    "adore_loss": "litotes.losses.adore",
    "ar2_loss": "litotes.losses.ar2",
    "ar2_ranker_loss": "litotes.losses.ar2",
    "ar2_scores": "litotes.losses.ar2",
    "ar2_terms": "litotes.losses.ar2",
    "cached_encode": "litotes.losses.gradient_cache",
    "cet_weights": "litotes.losses.cet",
    "coupled_losses": "litotes.losses.cet",
    "difficulty_info_nce": "litotes.losses.difficulty",
    "difficulty_weights": "litotes.losses.difficulty",
    "early_learning_term": "litotes.losses.elr",
    "elr_loss": "litotes.losses.elr",
    "elr_plus_loss": "litotes.losses.elr_plus",
    "elr_plus_targets": "litotes.losses.elr_plus",
    "for_trainer": "litotes.losses.for_trainer",
    "info_nce": "litotes.losses.info_nce",
    "multiple_negatives_ranking_loss": "litotes.losses.ranking",
    "negatives_plan": "litotes.losses.partition_plan",
    "pairwise_logistic_loss": "litotes.losses.pairwise",
    "ranked_lists": "litotes.losses.ranked_lists",
    "sigmoid_ramp": "litotes.losses.elr_plus",
    "soft_cross_entropy": "litotes.losses.elr",
    "star_loss": "litotes.losses.star",
    "star_scores": "litotes.losses.star",
    "tiled_info_nce": "litotes.losses.tiled_info_nce",
    "tiled_partition": "litotes.losses.tiled_partition",
    "triplet_loss": "litotes.losses.ranking",
    "weighted_pair_loss": "litotes.losses.cet",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
