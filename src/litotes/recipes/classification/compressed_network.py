"""Putting what compresses features before the head of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from litotes.core.errors import LitotesError
from litotes.models.mlp import MLP
from litotes.models.nested_dropout import NestedDropout, add_nested_dropout, nested_layers

if TYPE_CHECKING:
    from litotes.recipes.classification.co_teaching_options import NestedCoTeachingConfig

__all__ = ["compress"]


def compress(network: nn.Module, options: NestedCoTeachingConfig) -> nn.Module:
    """Nested Dropout or Dropout before the last linear layer, which under the former loses its bias; in place.

    A network that has Nested Dropout already is left as it is, and so is every one where nothing is compressed.

    Raises:
        LitotesError: a network without a linear layer; one with Nested Dropout where Dropout is asked for; ``double``
            for a network of your own.
    """
    nested = bool(nested_layers(network))
    if nested and options.compression == "dropout":
        raise LitotesError(
            f"compression='dropout', and {type(network).__name__} has Nested Dropout. Take compression='nested', or "
            "take it out of the module."
        )
    if options.double and not isinstance(network, MLP):
        raise LitotesError(
            f"double=True puts two nested layers into our own MLP. Put them into {type(network).__name__} yourself "
            "(DoubleNestedHead) and leave double out."
        )
    if options.compression == "plain" or nested:
        return network
    if isinstance(network, nn.Linear):
        network = nn.Sequential(network)
    heads = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not heads:
        raise LitotesError(
            f"Features are compressed before the last linear layer. {type(network).__name__} has none; put "
            "NestedDropout into it where it belongs, or take compression='plain'."
        )
    if options.compression == "dropout":
        owner, _, name = heads[-1].rpartition(".")
        parent = network.get_submodule(owner)
        setattr(parent, name, nn.Sequential(nn.Dropout(options.feature_dropout), getattr(parent, name)))
        return network
    if options.double:
        assert isinstance(network, MLP)
        place = [number for number, layer in enumerate(network.body) if isinstance(layer, nn.ReLU)][-2]
        first = NestedDropout(options.hidden[-2], options.nested_std, options.nested_mu)
        network.body[place] = nn.Sequential(network.body[place], first)
    add_nested_dropout(network, options.nested_std, options.nested_mu, head=heads[-1])
    return network
