"""PEG's loss in sentence-transformers: difficulty-weighted InfoNCE over very large batches, in bounded memory.

Wu et al. 2023, "Towards Robust Text Retrieval with Progressive Learning": tens of thousands of in-batch negatives, a
few hard ones for each query, and weights that change in the course of training with the difficulty of the negatives.
The weights' formula and its schedule are this project's reconstruction (:mod:`litotes.losses.difficulty`).

Three layers bound the memory, each exact: the scores by tiles (:func:`~litotes.losses.tiled_info_nce`), the encoder by
gradient caching (Gao et al. 2021; sentence-transformers' own, which also knows images and flattened batches), and the
vectors by several processes.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import torch
from jaxtyping import Float, Int, Shaped
from sentence_transformers.base.losses.gradcache import CachedLossMixin, has_static_embedding_input
from torch import Tensor, nn

from litotes.core.checks import check_choice, check_int
from litotes.core.errors import LitotesError
from litotes.losses.across_processes import gathered, rank
from litotes.losses.batch_ids import check_ids, known_positives, text_ids
from litotes.losses.difficulty import Level, WeightNorm, check_difficulty, query_weights
from litotes.losses.partition_plan import Which, check_tiled, negatives_plan, own_and_known, reverse_plan
from litotes.losses.tiled_partition import tiled_partition

if TYPE_CHECKING:
    from litotes.core import Collection

__all__ = ["ProgressiveInfoNCELoss"]

_NAME = "ProgressiveInfoNCELoss"


class ProgressiveInfoNCELoss(CachedLossMixin, nn.Module):
    """:func:`~litotes.losses.tiled_info_nce` for a ``SentenceTransformerTrainer``.

    Every anchor is scored against all positives and all negatives of the batch, and of all processes if asked. A
    document that is a known positive of the anchor (an observed positive or its text twin) is left out, by id.
    ``beta`` is a plain attribute that a schedule sets before each step; ``where``, what an error says of that step.

    Inputs: columns anchor, positive, negative_1..k (k may be 0); labels: ids int64 ``[B, 2 + k]`` as
    :class:`NegativesCollator` makes them, or none (only the anchor's own positive is then known).

    Args:
        model: the model in training.
        data: the collection that the ids are positions of.
        temperature: divides the similarities.
        beta: strength of the weights by difficulty; 0 is plain InfoNCE.
        which: ``"all_negatives"``, ``"hard_negatives"`` (the anchor's own) or ``"in_batch_negatives"`` are weighted.
        weight_norm: ``"mean"``: the weights of an anchor's chosen negatives have mean 1; ``None``: exp(beta s).
        level: ``"pair"``, or ``"query"``: whole anchors weigh by the mean similarity of their chosen negatives, with
            mean 1 over the batch.
        mini_batch_size: texts encoded at one time, with a second forward for each; None encodes all at once. A model of
            static word vectors cannot be cut, and needs None.
        max_bytes: of memory for tiles of scores.
        similarity: ``"cosine"`` or ``"dot"``.
        margin, ratio: the guard against false negatives, off by default.
        symmetric: the mean of this and the loss of each positive against all anchors.
        gather_across_devices: documents (and anchors, if ``symmetric``) of all processes; batches of equal size.

    Raises:
        LitotesError: parameters out of range, or a model whose inputs cannot be cut into mini-batches; in training, a
            loss that is NaN or infinite, before anything is learnt from it.
    """

    def __init__(
        self,
        model: nn.Module,
        data: "Collection | None" = None,
        *,
        temperature: float = 0.02,
        beta: float = 0.0,
        which: Which = "all_negatives",
        weight_norm: WeightNorm = "mean",
        level: Level = "pair",
        mini_batch_size: int | None = 32,
        max_bytes: int = 2**26,
        similarity: Literal["cosine", "dot"] = "cosine",
        margin: float | None = None,
        ratio: float | None = None,
        symmetric: bool = False,
        gather_across_devices: bool = False,
    ) -> None:
        super().__init__()
        check_difficulty(_NAME, temperature, beta, weight_norm, level)
        check_tiled(_NAME, which, margin, ratio, max_bytes)
        check_choice(_NAME, "similarity", similarity, ("cosine", "dot"))
        if mini_batch_size is not None:
            check_int(_NAME, "mini_batch_size", mini_batch_size, at_least=1)
            if isinstance(model, nn.Sequential) and has_static_embedding_input(model):
                raise LitotesError(
                    f"{_NAME}: the inputs of a model of static word vectors cannot be cut into mini-batches. Pass "
                    "mini_batch_size=None; the scores stay in bounded memory."
                )
        self.model, self.data = model, data
        self.temperature, self.beta, self.which, self.weight_norm, self.level = (
            temperature, beta, which, weight_norm, level,
        )  # fmt: skip
        self.mini_batch_size, self.max_bytes = mini_batch_size, max_bytes
        self.uses_gradient_cache = mini_batch_size is not None
        self.similarity: Literal["cosine", "dot"] = similarity
        self.margin, self.ratio = margin, ratio
        self.symmetric, self.gather_across_devices = symmetric, gather_across_devices
        self.where = ""

    def forward(
        self,
        sentence_features: Iterable[dict[str, Any]],
        labels: Shaped[Tensor, "..."] | None = None,
    ) -> Float[Tensor, ""]:
        """The mean loss over the anchors of a batch."""
        features = list(sentence_features)
        if len(features) < 2:
            raise LitotesError(
                f"{_NAME} takes the columns anchor, positive, negative_1, ... Got {len(features)} column(s): "
                "give the training dataset at least an anchor and a positive."
            )
        if self.mini_batch_size is not None:
            return CachedLossMixin.forward_cached(self, features, labels)
        return self.calculate_loss([[self.model(column)["sentence_embedding"]] for column in features], labels)

    def calculate_loss(
        self,
        reps: list[list[Tensor]],
        labels: Shaped[Tensor, "..."] | None = None,
        *,
        with_backward: bool = False,
    ) -> Float[Tensor, ""]:
        """The loss of vectors, column by column in mini-batches; gradient caching asks for it with its backward."""
        anchors = _joined(reps[0])
        documents = _joined([part for column in reps[1:] for part in column])
        n_columns = len(documents) // len(anchors)
        ids = check_ids(labels, self.data, batch=len(anchors), columns=n_columns, owner=_NAME)
        loss = self._loss(anchors, documents, n_columns, ids)
        if not loss.isfinite():
            vectors = "finite" if anchors.isfinite().all() and documents.isfinite().all() else "not all finite either"
            raise LitotesError(
                f"The loss is {loss.item()}{self.where and ' at '}{self.where}, with temperature {self.temperature:g} "
                f"and beta {self.beta:g}; the encoder's vectors are {vectors}. Lower the learning rate or beta, or "
                "raise the temperature; checkpoints before it are good."
            )
        if with_backward:
            loss.backward()
            return loss.detach()
        return loss

    def _loss(
        self,
        anchors: Float[Tensor, "batch dim"],
        documents: Float[Tensor, "local dim"],
        n_columns: int,
        ids: Int[Tensor, "batch width"] | None,
    ) -> Float[Tensor, ""]:
        """Documents stand column by column: all positives, then all first negatives, and so on."""
        everyone = gathered if self.gather_across_devices else _alone
        before = rank() * len(documents) if self.gather_across_devices else 0
        place = torch.arange(len(anchors), device=anchors.device)
        of_all = everyone(documents)
        owners = torch.full((len(of_all),), -1, device=anchors.device)
        owners[before : before + len(documents)] = place.repeat(n_columns)
        document_ids = known_ids = None
        if ids is not None:
            assert self.data is not None
            ids = ids.to(anchors.device)
            document_ids = everyone(text_ids(self.data, ids[:, 1:]).T.flatten())
            known_ids = known_positives(self.data, ids[:, 0], document_ids)
        plan = negatives_plan(
            anchors, of_all, positives=before + place, owners=owners, document_ids=document_ids, known_ids=known_ids,
            temperature=self.temperature, normalize=self.similarity == "cosine", beta=self.beta, which=self.which,
            weight_norm=self.weight_norm, level=self.level, margin=self.margin, ratio=self.ratio,
            max_bytes=self.max_bytes,
        )  # fmt: skip
        found = tiled_partition(anchors, of_all, plan)
        losses = found.losses
        if plan.difficulty:
            every = everyone(found.difficulty), everyone(found.chosen) > 0
            weights = query_weights(*every, beta=self.beta)
            losses = losses * weights[before // n_columns : before // n_columns + len(losses)]
        if self.symmetric:
            all_anchors, own, known = everyone(anchors), before // n_columns + place, []
            if document_ids is not None and ids is not None:
                assert self.data is not None
                first = torch.arange(len(all_anchors), device=place.device)
                first = first // len(anchors) * len(documents) + first % len(anchors)  # everybody's positives
                of_anchors = known_positives(self.data, everyone(ids[:, 0].contiguous()), document_ids)
                known = own_and_known(first, document_ids, of_anchors)
            back = reverse_plan(all_anchors, own, plan, document_ids, known, tile=None, max_bytes=self.max_bytes)
            positives = documents[: len(anchors)]
            losses = (losses + tiled_partition(positives, all_anchors, back).losses) / 2
        return losses.mean()

    def get_config_dict(self) -> dict[str, Any]:
        """What the model card of sentence-transformers prints."""
        names = (
            "temperature", "beta", "which", "weight_norm", "level", "mini_batch_size", "max_bytes", "similarity",
            "margin", "ratio", "symmetric", "gather_across_devices",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _alone(tensor: Tensor) -> Tensor:
    return tensor
