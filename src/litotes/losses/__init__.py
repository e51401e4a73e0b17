"""What is learned from negatives: pure functions of scores, and thin modules that training loops take.

Losses are imported from here (``from litotes.losses import info_nce``), which loads torch and, of ours, only ``core``.
With s a score, + a positive, P the positives of a row and K the cells that ``keep`` leaves in it:

===================================  ==================================================  ===============================
name                                 loss                                                special cases
===================================  ==================================================  ===============================
``info_nce``                         log sum_K exp(s / t) - log sum_P exp(s / t)         cross entropy: one positive
``multiple_negatives_ranking_loss``  info_nce of 20 cos, the diagonal positive            given negatives or none
``pairwise_logistic_loss``           mean over K of softplus(s - s+)                     RankNet
``star_loss``                        pooled mean of the same over two groups             in-batch; static negatives only
``adore_loss``                       mean of |1/rank - 1/rank+| softplus(s - s+)         LambdaRank with reciprocal rank
``triplet_loss``                     max(0, distance+ - distance- + margin)              euclidean; cosine
===================================  ==================================================  ===============================
"""

from typing import TYPE_CHECKING

from litotes.core.lazy import lazy_names

if TYPE_CHECKING:
    from litotes.losses.adore import AdoreLoss as AdoreLoss
    from litotes.losses.adore import adore_loss as adore_loss
    from litotes.losses.info_nce import InfoNCELoss as InfoNCELoss
    from litotes.losses.info_nce import info_nce as info_nce
    from litotes.losses.pairwise import pairwise_logistic_loss as pairwise_logistic_loss
    from litotes.losses.ranked_lists import RankedLists as RankedLists
    from litotes.losses.ranked_lists import ranked_lists as ranked_lists
    from litotes.losses.ranking import multiple_negatives_ranking_loss as multiple_negatives_ranking_loss
    from litotes.losses.ranking import triplet_loss as triplet_loss
    from litotes.losses.star import StarLoss as StarLoss
    from litotes.losses.star import star_loss as star_loss
    from litotes.losses.star import star_scores as star_scores

_HOMES = {
    "AdoreLoss": "litotes.losses.adore",
    "InfoNCELoss": "litotes.losses.info_nce",
    "RankedLists": "litotes.losses.ranked_lists",
    "StarLoss": "litotes.losses.star",
    "adore_loss": "litotes.losses.adore",
    "info_nce": "litotes.losses.info_nce",
    "multiple_negatives_ranking_loss": "litotes.losses.ranking",
    "pairwise_logistic_loss": "litotes.losses.pairwise",
    "ranked_lists": "litotes.losses.ranked_lists",
    "star_loss": "litotes.losses.star",
    "star_scores": "litotes.losses.star",
    "triplet_loss": "litotes.losses.ranking",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
