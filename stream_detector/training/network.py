"""The network: one encoder, a logit a window and a tag a token.

The window logit reads the first token and an attention pooling over all (a violation may be three tokens among a
hundred, which a mean would drown); the tags say where it stands and of which kind.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

from stream_detector.training.dataset import TAGS


class ContactNetwork(nn.Module):
    """Encoder with two heads.

    Args:
        encoder: any Hugging Face encoder with `last_hidden_state`.
        width: its hidden size.
    """

    def __init__(self, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.tagger = nn.Linear(width, len(TAGS))
        self.attention = nn.Linear(width, 1)
        self.verdict = nn.Linear(2 * width, 1)

    @classmethod
    def from_pretrained(cls, folder: Path | str) -> ContactNetwork:
        """Start from a pretrained encoder and fresh heads.

        Every sample is seen once, so nothing can be learnt by heart and dropout would only cost time.
        """
        encoder: Any = AutoModel.from_pretrained(folder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        return cls(encoder, encoder.config.hidden_size)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ContactNetwork:
        """An untrained network of the shape in a checkpoint's `config`."""
        parsed = AutoConfig.for_model(**config)
        parsed._attn_implementation = "eager"  # noqa: SLF001 - the documented way of AutoModel.from_config changed twice
        encoder: Any = AutoModel.from_config(parsed)
        return cls(encoder, encoder.config.hidden_size)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Score windows.

        Args:
            input_ids: (batch, length) token numbers.
            attention_mask: (batch, length), 1 for tokens and 0 for padding.

        Returns:
            (batch,) window logits and (batch, length, tags) tag logits.
        """
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        scores = self.attention(hidden).squeeze(-1) + (1.0 - attention_mask.to(hidden.dtype)) * -10000.0
        pooled = (torch.softmax(scores, dim=-1).unsqueeze(-1) * hidden).sum(dim=1)
        logits = self.verdict(torch.cat([hidden[:, 0], pooled], dim=-1)).squeeze(-1)
        return logits, self.tagger(hidden)
