"""``mine_hard_negatives`` with the arguments of sentence-transformers 6.2, on our search, rules and identities.

Dataset and corpus become rows and columns (:mod:`litotes.compat.training_pairs`); the exact search of
:mod:`litotes.mining.exact_search` finds the nearest columns of each row; rules and a window of ranks choose among them
(:mod:`litotes.compat.chosen_negatives`); what is chosen becomes training columns
(:mod:`litotes.compat.dataset_formats`). Where the original is deterministic and right, the result is the same.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import numpy as np

from litotes.compat.chosen_negatives import Cells, Rules, Window, pool
from litotes.compat.dataset_formats import FORMATS, Lines, lay_out
from litotes.compat.given_model import given_devices, given_encoder, given_prompt
from litotes.compat.mining_summary import summary
from litotes.compat.training_pairs import TrainingPairs
from litotes.core.checks import check_choice, check_int
from litotes.core.errors import LitotesError, require
from litotes.core.progress import say
from litotes.mining.exact_search import search
from litotes.mining.row_products import row_products

if TYPE_CHECKING:
    import datasets
    from sentence_transformers import CrossEncoder, SentenceTransformer

    from litotes.judging.pair_scorer import PairScorer
    from litotes.models.encoder import Encoder

__all__ = ["mine_hard_negatives"]


def mine_hard_negatives(
    dataset: datasets.Dataset,
    model: SentenceTransformer,
    anchor_column_name: str | None = None,
    positive_column_name: str | None = None,
    corpus: list[str] | None = None,
    cross_encoder: CrossEncoder | None = None,
    range_min: int = 0,
    range_max: int | None = None,
    max_score: float | None = None,
    min_score: float | None = None,
    absolute_margin: float | None = None,
    relative_margin: float | None = None,
    num_negatives: int = 3,
    sampling_strategy: Literal["random", "top"] = "top",
    query_prompt_name: str | None = None,
    query_prompt: str | None = None,
    corpus_prompt_name: str | None = None,
    corpus_prompt: str | None = None,
    include_positives: bool = False,
    output_format: Literal["triplet", "n-tuple", "labeled-pair", "labeled-list"] = "triplet",
    output_scores: bool = False,
    batch_size: int = 32,
    faiss_batch_size: int = 16384,
    use_faiss: bool = False,
    use_multi_process: list[str] | bool = False,
    verbose: bool = True,
    cache_folder: str | os.PathLike[str] | None = None,
    as_triplets: bool | None = None,
    margin: float | None = None,
    *,
    seed: int = 0,
) -> datasets.Dataset:
    """Hard negatives for a dataset of (anchor, positive) lines: documents that lie near an anchor and are no positive.

    Args:
        dataset: one line a pair; several positives of an anchor are several lines.
        model: a SentenceTransformer, or whatever else :func:`litotes.models.encoder.resolve_encoder` takes. Vectors are
            scaled to length 1, so scores are cosines.
        anchor_column_name, positive_column_name: the first and the second column unless named.
        corpus: documents to choose from beside the positives.
        cross_encoder: scores the candidates and positives anew, where one of the four bounds below is given.
        range_min, range_max: ranks of candidates, from 0, that may become negatives; ranks count what is left when
            positives and what the bounds drop are gone. None takes ``range_min + num_negatives`` and as many more as
            one anchor has lines, with a bound ``range_min + 10 * num_negatives`` and those.
        max_score, min_score: bounds on the score of a negative, both included.
        absolute_margin, relative_margin: how far below the lowest positive of the anchor a negative must score, in
            units of score and as a share of the size of the positive's score.
        num_negatives: at most so many for each anchor.
        sampling_strategy: ``top`` takes the best of the ranks, ``random`` draws, by ``seed``.
        query_prompt, corpus_prompt: put before every text; ``query_prompt_name``, ``corpus_prompt_name`` are names of
            the model's own prompts. None takes what the model itself prescribes.
        include_positives: rank the positives too; the format is then ``n-tuple``.
        output_format, output_scores: see :mod:`litotes.compat.dataset_formats`.
        batch_size: texts or pairs read at once; faiss_batch_size: anchors searched at once.
        use_faiss: no difference here; the search is exact and by faiss either way.
        use_multi_process: encode in several processes, on these devices, or on all GPUs, or on four CPU processes.
        verbose: whether to print numbers and bars, to stderr.
        cache_folder: where vectors are kept, by text and by everything that decides the model's numbers.
        as_triplets: before ``output_format``; margin: before ``absolute_margin``.
        seed: of ``sampling_strategy="random"``; the same seed gives the same draw.

    Raises:
        LitotesError: an argument out of its range or that cannot be honoured; a line without a text.
    """
    require("datasets", "faiss", "sentence_transformers", extra="retrieval")
    form, output_scores = _format(output_format, output_scores, as_triplets, include_positives)
    if margin is not None:
        _note(f"margin is called absolute_margin now; absolute_margin={margin} is used.")
        absolute_margin = margin
    check_int("mine_hard_negatives", "faiss_batch_size", faiss_batch_size, at_least=1)
    check_int("mine_hard_negatives", "seed", seed)
    rules = Rules.checked(
        absolute_margin=absolute_margin, relative_margin=relative_margin, max_score=max_score, min_score=min_score
    )
    if cross_encoder is not None and not rules.given:
        _note(
            "cross_encoder is not asked, as in sentence-transformers: it scores candidates where absolute_margin, "
            "relative_margin, max_score or min_score is given."
        )
        cross_encoder = None
    devices = given_devices(use_multi_process)
    encoder = given_encoder(
        model,
        query_prompt=given_prompt(model, "query_prompt", query_prompt, query_prompt_name),
        corpus_prompt=given_prompt(model, "corpus_prompt", corpus_prompt, corpus_prompt_name),
        batch_size=batch_size,
        cache_folder=cache_folder,
        devices=devices,
    )
    data = TrainingPairs.read(dataset, anchor_column_name, positive_column_name, corpus)
    thins = cross_encoder is not None or bool(set(rules.given) - {"min_score"})  # below min_score is only the far end
    window = Window.checked(range_min, range_max, num_negatives, data.most_lines, thins)

    depth = window.range_max + data.most_lines  # room for the positives
    found, pairs, n_twins = _nearest(data, encoder, depth, faiss_batch_size, verbose)
    ranked = pool(found, pairs, depth, include_positives)
    if cross_encoder is not None:
        from litotes.judging.cross_encoder import CrossEncoderScorer

        scorer = CrossEncoderScorer(cross_encoder, batch_size, raw=False, devices=devices)
        ranked, pairs = _rescored(data, ranked, pairs, scorer)
    passed, dropped = rules.passed_by(ranked, pairs, data.n_rows)
    negatives = window.choose(passed, sampling_strategy, seed)
    if include_positives and (rules.given or range_min or sampling_strategy != "top"):
        _note("with include_positives=True, bounds, range_min and sampling may leave positives out as well.")
    mined = lay_out(data, pairs, negatives, form, num_negatives, output_scores)
    if verbose:
        lines = Lines.of(pairs, negatives, data.n_rows)
        shown = lines.whole(num_negatives) if form == "n-tuple" else lines
        say(summary(data, pairs, negatives, shown, window, rules, dropped, len(ranked), n_twins))
    return mined


def _format(form: str, scores: bool, as_triplets: bool | None, include_positives: bool) -> tuple[str, bool]:
    """Format and whether it has scores, older names and what ``include_positives`` needs settled."""
    if as_triplets is not None:
        form = "triplet" if as_triplets else "n-tuple"
        _note(f"as_triplets is called output_format now; output_format={form!r} is used.")
    if form == "n-tuple-scores":
        _note("output_format='n-tuple-scores' is now 'n-tuple' with output_scores=True.")
        form, scores = "n-tuple", True
    check_choice("mine_hard_negatives", "output_format", form, FORMATS)
    if include_positives and form != "n-tuple":
        _note(f"include_positives=True needs output_format='n-tuple', which keeps the ranking; {form!r} is not used.")
        form = "n-tuple"
    return form, scores


def _nearest(data: TrainingPairs, encoder: Encoder, depth: int, block: int, verbose: bool) -> tuple[Cells, Cells, int]:
    """The ``depth`` nearest columns of each row that may be negatives, the pairs, and how many twins were left out."""
    allowed = data.allowed()
    documents = [text if usable else None for text, usable in zip(data.documents, allowed.usable, strict=True)]
    document_vectors = encoder.encode(documents, "document", progress=verbose)
    anchor_vectors = encoder.encode(data.anchors, "query", progress=verbose)
    scores, cols, keep = search(
        anchor_vectors,
        document_vectors,
        depth,
        exclude=(allowed.indptr, allowed.cols),
        usable=allowed.usable,
        block_queries=block,
        description="Searching" if verbose else None,
    )
    pairs = Cells(data.row, data.col, row_products(anchor_vectors, document_vectors, data.row, data.col))
    return Cells(np.nonzero(keep)[0], cols[keep], scores[keep]), pairs, allowed.counts["excluded_twin"]


def _rescored(data: TrainingPairs, ranked: Cells, pairs: Cells, scorer: PairScorer) -> tuple[Cells, Cells]:
    """Both with the scores of a cross-encoder."""
    both = ranked.joined(pairs)
    scores = scorer.score(
        [(data.anchors[row], data.documents[col]) for row, col in zip(both.row, both.col, strict=True)]
    )
    if not np.isfinite(scores).all():
        place = int(np.flatnonzero(~np.isfinite(scores))[0])
        anchor, document = data.anchors[both.row[place]], data.documents[both.col[place]]
        raise LitotesError(f"The cross-encoder gave no finite number for {anchor[:40]!r} and {document[:40]!r}.")
    return ranked.rescored(scores[: len(ranked)]), pairs.rescored(scores[len(ranked) :])


def _note(message: str) -> None:
    say(f"mine_hard_negatives: {message}")
