"""The smallest method on the classifier of arrays, and small data: for tests of what every method gets from it."""

from typing import Any

import numpy as np
from torch.nn.functional import cross_entropy

from litotes.training.array_classifier import ArrayClassifier


class PlainClassifier(ArrayClassifier):
    """Cross entropy."""

    def __init__(
        self,
        *,
        module: Any = None,
        hidden: Any = (16,),
        standardize: bool = True,
        learning_rate: float = 0.05,
        momentum: float = 0.9,
        batch_size: int = 16,
        num_train_epochs: int = 4,
        validation_fraction: float = 0.1,
        select: str = "final",
        device: str = "cpu",
        random_state: Any = None,
    ) -> None:
        self.module = module
        self.hidden = hidden
        self.standardize = standardize
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.batch_size = batch_size
        self.num_train_epochs = num_train_epochs
        self.validation_fraction = validation_fraction
        self.select = select
        self.device = device
        self.random_state = random_state

    def _train(self, task):
        network = task.network()

        def step(batch):
            return {"network": cross_entropy(network(batch.inputs), batch.labels)}

        return {"network": network}, task.run({"network": network}, step)


def three_blobs(n: int = 90, spread: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows around three corners of a triangle, and which corner: texts."""
    draw = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    corners = np.array([[0.0, 4.0], [4.0, -2.0], [-4.0, -2.0]])
    return corners[labels] + spread * draw.normal(size=(n, 2)), np.array(["ash", "birch", "cedar"])[labels]
