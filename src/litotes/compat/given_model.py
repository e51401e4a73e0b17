"""The model, prompts, processes and cache folder that a caller gives to ``mine_hard_negatives``, as one encoder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from litotes.core.checks import nearest
from litotes.core.errors import LitotesError
from litotes.models.encoder import Encoder, resolve_encoder

__all__ = ["given_devices", "given_encoder", "given_prompt"]


def given_encoder(
    model: Any,
    *,
    query_prompt: str | None,
    corpus_prompt: str | None,
    batch_size: int,
    cache_folder: str | os.PathLike[str] | None,
    devices: Sequence[str] | None,
) -> Encoder:
    """What embeds; a model's vectors are scaled to length 1, so that their product is the cosine.

    Raises:
        LitotesError: a model that compares by a distance, or an option that this kind of model cannot follow.
    """
    from litotes.models.vector_store import VectorStore

    is_ready = isinstance(model, Encoder)
    encoder = resolve_encoder(
        model,
        query_prompt=query_prompt,
        corpus_prompt=corpus_prompt,
        similarity=None if is_ready else "cosine",
        batch_size=batch_size,
        store=False if cache_folder is None else VectorStore(cache_folder),
        devices=devices,
    )
    own = getattr(getattr(encoder, "model", None), "similarity_fn_name", "cosine")
    if own not in ("cosine", "dot"):
        raise LitotesError(
            f"The model compares by {own!r}; mine_hard_negatives searches by the cosine of two vectors. "
            "Set model.similarity_fn_name = 'cosine' to mine by that."
        )
    if cache_folder is not None and (is_ready or not encoder.fingerprint("document")):
        raise LitotesError(
            f"cache_folder={os.fspath(cache_folder)!r}: nothing tells the vectors of this {type(model).__name__} from "
            "another's, so they cannot be kept. Pass a SentenceTransformer, or leave cache_folder out."
        )
    return encoder


def given_prompt(model: Any, option: str, prompt: str | None, name: str | None) -> str | None:
    """The prompt itself where it is given, else the model's own of this name; None where neither is.

    Raises:
        LitotesError: the model has no prompt of this name.
    """
    if prompt is not None or name is None:
        return prompt
    prompts = getattr(model, "prompts", None)
    if prompts is None:
        raise LitotesError(f"{option}_name={name!r}: a {type(model).__name__} has no named prompts. Pass {option}=...")
    if name not in prompts:
        near = nearest(name, prompts)
        hint = f" Did you mean {near!r}?" if near else ""
        there = ", ".join(map(repr, prompts)) or "none"
        raise LitotesError(f"{option}_name={name!r} is not among the model's prompts: {there}.{hint}")
    return prompts[name]


def given_devices(use_multi_process: bool | Sequence[str]) -> list[str] | None:
    """One device a process; None for this process alone. True takes every GPU, or four processes on the CPU."""
    if isinstance(use_multi_process, str):
        raise LitotesError(
            f"The 'use_multi_process' parameter of mine_hard_negatives must be True, False or a list of devices. "
            f"Got {use_multi_process!r} instead."
        )
    if not isinstance(use_multi_process, bool):
        return list(use_multi_process) or None
    if not use_multi_process:
        return None
    import torch

    return [f"cuda:{number}" for number in range(torch.cuda.device_count())] or ["cpu"] * 4
