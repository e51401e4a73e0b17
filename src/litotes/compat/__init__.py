"""Functions with the signatures of other libraries, on our engine: one import changes and the arguments stay."""

from typing import TYPE_CHECKING

from litotes.core.lazy import lazy_names

if TYPE_CHECKING:
    from litotes.compat.mine_hard_negatives import mine_hard_negatives as mine_hard_negatives

__all__ = ["mine_hard_negatives"]

__getattr__, __dir__ = lazy_names(
    __name__, {"mine_hard_negatives": "litotes.compat.mine_hard_negatives"}, extra="retrieval"
)
