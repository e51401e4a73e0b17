"""A classification head of two hidden layers with Nested Dropout after each, as VGG networks have it in Chen et al."""

from jaxtyping import Float
from torch import Tensor, nn

from litotes.models.nested_dropout import NestedDropout, draw_kept, keeping, nested_layers

__all__ = ["DoubleNestedHead"]


class DoubleNestedHead(nn.Module):
    """linear, ReLU, Nested Dropout, twice, then a linear layer without bias.

    In training both masks are drawn for each call, or, ``alternating``, one of them by a fair coin while the other
    layer keeps all its channels. In evaluation the first layer passes all channels, and the second those chosen.

    Args:
        in_features: what the head takes.
        n_classes: what it gives.
        hidden: widths of the two layers.
        std: widths of their priors.
        mu: peak of the priors.
        alternating: mask one layer at a time.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        hidden: tuple[int, int] = (4096, 4096),
        std: tuple[float, float] = (100.0, 100.0),
        mu: float = 0.0,
        *,
        alternating: bool = True,
    ) -> None:

        super().__init__()
        first, second = hidden
        self.alternating = alternating
        self.features = nn.Sequential(
            nn.Linear(in_features, first),
            nn.ReLU(),
            NestedDropout(first, std[0], mu),
            nn.Linear(first, second),
            nn.ReLU(),
            NestedDropout(second, std[1], mu),
        )
        self.head = nn.Linear(second, n_classes, bias=False)

    def forward(self, inputs: Float[Tensor, "batch features"]) -> Float[Tensor, "batch classes"]:
        """Logits."""
        layers = nested_layers(self.features)
        if self.training and self.alternating and all(layer._forced is None for layer in layers):
            with keeping(draw_kept(layers, alternating=True), self.features):
                return self.head(self.features(inputs))
        return self.head(self.features(inputs))
