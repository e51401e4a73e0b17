"""Shapes in signatures are checked while tests run: a wrong one is refused, so that the annotations cannot lie."""

import jaxtyping
import pytest
import torch

from litotes.losses.info_nce import info_nce


def test_a_call_with_shapes_that_disagree_is_refused() -> None:
    scores = torch.zeros(2, 3)
    with pytest.raises(jaxtyping.TypeCheckError, match="positives"):
        info_nce(scores, torch.zeros(2, 4, dtype=torch.bool))
    assert info_nce(scores, torch.eye(2, 3, dtype=torch.bool)).isfinite()
