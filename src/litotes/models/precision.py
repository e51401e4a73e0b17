"""Which device and which number format to encode with."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

import torch

from litotes.core.errors import LitotesError

__all__ = ["DTYPES", "autocast", "best_device", "best_dtype", "resolve_device"]

#: ``auto`` is float32 on a CPU and the checkpoint's own format elsewhere.
DTYPES = ("auto", "float32", "bfloat16", "float16")


def best_device() -> str:
    """``cuda`` or ``mps`` where torch can use it, else ``cpu``."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def resolve_device(device: str) -> str:
    """``device`` as torch knows it; ``auto`` is the best there is.

    Raises:
        LitotesError: torch has no such device, or this machine has not.
    """
    if device == "auto":
        return best_device()
    allowed = f"Choose auto (here {best_device()}), cpu, cuda or mps."
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise LitotesError(f"device={device!r} is no device that torch knows. {allowed}") from None
    if (kind == "cuda" and not torch.cuda.is_available()) or (kind == "mps" and not torch.backends.mps.is_available()):
        raise LitotesError(f"device={device!r} is not on this machine. {allowed}")
    return device


def best_dtype(device: str = "cpu") -> str:
    """``bfloat16`` where the hardware multiplies it natively, else ``float32``.

    Decided by the processor's flags, never by timing, so that two runs on one machine agree. On CPUs without these
    flags bfloat16 is emulated and slower than float32.
    """
    if device.startswith("cuda"):
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    if device != "cpu":
        return "float32"
    flags = torch.cpu.get_capabilities()
    return "bfloat16" if any(flags.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16")) else "float32"


def autocast(device: str, dtype: str) -> AbstractContextManager[object]:
    """The context in which a model computes in ``dtype``, whatever surrounds it.

    Autocast rather than a cast of the weights: a live model stays as it is, and normalisation and pooling stay in
    float32 (on all-MiniLM-L6-v2 the cosine to the float32 vector is above .9999, against .996 with cast weights).
    """
    kind = torch.device(device).type
    if dtype in ("bfloat16", "float16"):
        return torch.autocast(kind, dtype=getattr(torch, dtype))
    if not torch.amp.is_autocast_available(kind):
        return contextlib.nullcontext()
    return torch.autocast(kind, enabled=False)


def check_weights(model: torch.nn.Module, dtype: str) -> None:
    """Refuse ``float32`` for a live model whose weights are something narrower."""
    narrow = {str(p.dtype).removeprefix("torch.") for p in model.parameters() if p.dtype != torch.float32}
    if dtype == "float32" and narrow:
        raise LitotesError(
            f"dtype='float32' was asked for, but the live model's weights are {', '.join(sorted(narrow))}. "
            "Use model.float() first, or dtype='auto'."
        )
