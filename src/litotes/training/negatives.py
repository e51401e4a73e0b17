"""Hard negatives drawn by id when the batch is made, for ``SentenceTransformerTrainer`` and for any loop.

The collator takes lines of :meth:`Collection.pairs` (``anchor``, ``positive``, ``label = [row, col]``), draws ``k``
negatives for each, looks their texts up last and tokenizes everything as sentence-transformers' own collator does.
Ids go to the loss as the batch's ``label``, int64 ``[B, 2 + k]`` = ``[row, positive, negatives]``, never tokenized.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sentence_transformers.sentence_transformer.data_collator import SentenceTransformerDataCollator

from litotes.core import Candidates, Collection
from litotes.core.errors import LitotesError
from litotes.training.draws import NegativeDraws, Short

if TYPE_CHECKING:
    import datasets
    from sentence_transformers import SentenceTransformer

__all__ = ["NegativesCollator"]


class NegativesCollator(NegativeDraws):
    """Data collator that adds negatives, and a callback of the trainer through which it learns the epoch.

    Pass it twice, ``data_collator=collator`` and ``callbacks=[collator]`` (a :class:`RefreshNegatives` over it is
    enough in the second place). A loop of one's own calls :meth:`set_epoch`. Negatives of a row change from epoch to
    epoch; each draw is a pure function of (seed, epoch, row, table number), so a resumed run draws the same.

    Args:
        model: the ``SentenceTransformer`` to tokenize for.
        data: the collection that the lines and the candidates are positions of.
        candidates: what to draw from; observed positives and their text twins among them are refused.
        k: negatives for each line.
        seed: of the draws.
        rows: positions of the rows that are trained on; None takes every row of ``data.pairs()``.
        short: what happens to a row with fewer than ``k`` candidates: ``"refuse"`` at construction, ``"drop"`` it from
            :meth:`pairs`, or ``"repeat"`` the ones it has (a row with none is refused).
        weighted: draw in proportion to the candidates' ``weight`` instead of uniformly.
        prompts: a prompt for all columns, or by ``"anchor"``, ``"positive"``, ``"negative"`` (documents share one by
            default). None takes the trainer's ``args.prompts``.
        router_mapping: the task of each of the three; None takes ``args.router_mapping`` or query and document.
        max_length: tokens, for all columns or by task; None keeps the model's own.
    """

    valid_label_columns: Sequence[str] = ("label",)  # the trainer asks its collator for them

    def __init__(
        self,
        model: SentenceTransformer,
        data: Collection,
        candidates: Candidates,
        k: int = 5,
        *,
        seed: int = 0,
        rows: np.ndarray | None = None,
        short: Short = "refuse",
        weighted: bool = False,
        prompts: str | Mapping[str, str] | None = None,
        router_mapping: Mapping[str, str] | None = None,
        max_length: int | Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(data, candidates, k, seed=seed, rows=rows, short=short, weighted=weighted)
        self.prompts, self.router_mapping, self.max_length = prompts, router_mapping, max_length
        self._preprocess = model.preprocess
        self._tokenize = self._tokenizer()

    def pairs(self) -> datasets.Dataset:
        """The lines of ``data.pairs()`` whose row is trained on; with ``short="drop"`` those of short rows are gone."""
        pairs = self.data.pairs()
        return pairs.select(np.flatnonzero(self._is_trained[np.asarray(pairs["label"])[:, 0]]))

    def __call__(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        """The batch that a sentence-transformers loss takes: tokens of each column, and ``label`` ``[B, 2 + k]``."""
        if not {"anchor", "positive", "label"} <= features[0].keys():
            raise LitotesError(
                f"NegativesCollator takes lines of collator.pairs(). Got columns {', '.join(features[0])}."
            )
        cells = np.asarray([line["label"] for line in features], dtype=np.int64)
        negatives = self.draw(cells)
        texts = self.data.col_texts
        columns = [{"anchor": line["anchor"], "positive": line["positive"]} for line in features]
        for line, cols in zip(columns, negatives, strict=True):
            line.update({f"negative_{i + 1}": texts[col] for i, col in enumerate(cols)})
        batch = self._tokenize(columns)
        batch["label"] = torch.from_numpy(np.concatenate([cells, negatives], axis=1))
        return batch

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Check the loader, and take prompts and routes from the training arguments."""
        super().on_train_begin(args, state, control, **kwargs)
        for name in ("prompts", "router_mapping"):
            ours, theirs = getattr(self, name), getattr(args, name, None) or None
            if ours is not None and theirs is not None and ours != theirs:
                raise LitotesError(
                    f"NegativesCollator and the training arguments have different {name}: {ours!r} and {theirs!r}. "
                    "Give them in one place."
                )
            setattr(self, name, theirs if ours is None else ours)
        self._tokenize = self._tokenizer()

    def _tokenizer(self) -> SentenceTransformerDataCollator:
        negatives = [f"negative_{i + 1}" for i in range(self.k)]
        prompts = self.prompts
        if isinstance(prompts, Mapping):
            shared = prompts.get("negative", prompts.get("positive", ""))
            prompts = {**dict.fromkeys(negatives, shared), **prompts}
        tasks = dict(self.router_mapping or {"anchor": "query", "positive": "document"})
        document = tasks.get("negative", tasks.get("positive"))
        if document is not None:
            tasks = {**dict.fromkeys(negatives, document), **tasks}
        return SentenceTransformerDataCollator(
            preprocess_fn=self._preprocess,
            valid_label_columns=[],
            prompts=prompts or {},
            router_mapping=tasks,
            max_length=self.max_length,
        )
