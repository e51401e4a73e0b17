"""Texts in a table of examples: the options of the encoder that makes them features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from litotes.core import Config
from litotes.core.config import NameOrPlace

if TYPE_CHECKING:
    from litotes.models import TextEncoder

__all__ = ["TextOptions"]


class TextOptions(Config):
    """Which encoder, and how it reads; of no use where the table holds numbers. It stays as it is."""

    encoder: Annotated[str, NameOrPlace()] = Field(
        "builtin:minilm", description="What makes texts features: a sentence-transformers name or folder."
    )
    prompt: str | None = Field(None, description="Put before every text; by default the encoder's own.")
    max_length: int | None = Field(None, ge=1, description="Most tokens of a text; by default the encoder's own.")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field("auto", description="What it computes in.")
    batch_size: int = Field(32, ge=1, description="Texts embedded at a time.")

    def text_encoder(self, device: str = "auto") -> TextEncoder:
        """The encoder as a transformer of scikit-learn."""
        from litotes.models import TextEncoder

        return TextEncoder(
            self.encoder,
            prompt=self.prompt,
            max_length=self.max_length,
            dtype=self.dtype,
            batch_size=self.batch_size,
            device=device,
        )
