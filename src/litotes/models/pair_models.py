"""Rankers as modules that are called on (query, document) pairs: by name, from a folder, or live.

A cross-encoder, the interaction ranker, or any module that gives logits of pairs and can be saved.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from torch import nn

from litotes.core.errors import LitotesError
from litotes.models.cross_encoder import PairModel, load_cross_encoder
from litotes.models.interaction import InteractionRanker, is_interaction_ranker
from litotes.models.precision import resolve_device

if TYPE_CHECKING:
    from litotes.core import Collection

__all__ = ["load_pair_ranker", "pair_model", "pair_ranker_of"]


def pair_model(
    ranker: Any,
    data: Collection,
    *,
    length: int | None = None,
    layers: int | None = None,
    device: str = "auto",
    seed: int = 0,
) -> nn.Module:
    """The ranker to train, with gradient.

    Args:
        ranker: a cross-encoder's name or folder, ``interaction`` (a new one for the words of ``data``) or the folder of
            one, a live ``CrossEncoder``, or any module called on pairs that has ``save_pretrained(folder)``; a live
            model stays where it is.
        length: most tokens of a pair, of a cross-encoder.
        layers: train only so many last layers, of a cross-encoder.
        seed: of what is new.

    Raises:
        LitotesError: it is no such model, or has no length or layers to set.
    """
    from sentence_transformers import CrossEncoder

    model = ranker
    if isinstance(ranker, str | os.PathLike):
        if os.fspath(ranker) == "interaction":
            model = InteractionRanker.of(data, seed=seed).to(resolve_device(device))
        elif is_interaction_ranker(ranker):
            model = InteractionRanker.load(ranker, device=device)
        else:
            model = load_cross_encoder(ranker, device=device, dtype="float32", seed=seed)
    if isinstance(model, CrossEncoder):
        if length is not None:
            model.max_seq_length = length
        return PairModel(model, layers=layers)
    if not isinstance(model, nn.Module) or not hasattr(model, "save_pretrained"):
        raise LitotesError(
            "The ranker must be a CrossEncoder, or a module that is called on (query, document) pairs and has "
            f"save_pretrained(folder). Got {type(model).__name__}."
        )
    given = [f"{name}={value}" for name, value in (("length", length), ("layers", layers)) if value is not None]
    if given:
        raise LitotesError(
            f"The ranker's {' and '.join(given)}: only a cross-encoder has them to set, and this one is a "
            f"{type(model).__name__}. Leave them out, or name a cross-encoder."
        )
    return model


def pair_ranker_of(model: nn.Module) -> Any:
    """What :func:`pair_model` was made of, to be saved and used: the ``CrossEncoder``, or the module itself."""
    return model.model if isinstance(model, PairModel) else model


def load_pair_ranker(folder: str | os.PathLike[str], device: str = "auto") -> Any:
    """A trained ranker from its folder: a ``CrossEncoder``, or the interaction ranker."""
    if is_interaction_ranker(folder):
        return InteractionRanker.load(folder, device=device)
    return load_cross_encoder(folder, device=device, seed=None)
