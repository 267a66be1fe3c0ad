"""The network: one encoder, a logit a window and a tag a token.

The window logit reads the first token and an attention pooling over all (a violation may be three tokens among a
hundred, which a mean would drown); the tags say where it stands and of which kind.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

from stream_detector.training.dataset import TAGS
from stream_detector.training.vocabulary import extended_embeddings, transplanted_embeddings

#: What the families of encoders call it.
_DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")


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
        config = AutoConfig.from_pretrained(folder)
        for name in _DROPOUTS:
            if hasattr(config, name):
                setattr(config, name, 0.0)
        encoder: Any = AutoModel.from_pretrained(folder, config=config)
        return cls(encoder, encoder.config.hidden_size)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ContactNetwork:
        """An untrained network of the shape in a checkpoint's `config`."""
        parsed = AutoConfig.for_model(**config)
        parsed._attn_implementation = "eager"  # noqa: SLF001 - the documented way of AutoModel.from_config changed twice
        encoder: Any = AutoModel.from_config(parsed)
        return cls(encoder, encoder.config.hidden_size)

    def read_more(self, before: Tokenizer, after: Tokenizer) -> None:
        """Grow the word embeddings for a tokenizer whose vocabulary `extend_vocabulary` made larger."""
        self._read_with(extended_embeddings(self._words().weight.detach(), before, after))

    def read_as(self, before: Tokenizer, after: Tokenizer) -> None:
        """Read with another tokenizer than the encoder was made with.

        What a family of encoders takes from a token's number besides its row stays right: MPNet and RoBERTa count positions
        from a padding number of 1, which in BERT's numbers is a piece that no text holds, and padding stands at the end.
        """
        self._read_with(transplanted_embeddings(self._words().weight.detach(), before, after))

    def _words(self) -> nn.Embedding:
        encoder: Any = self.encoder
        words: nn.Embedding = encoder.get_input_embeddings()
        return words

    def _read_with(self, rows: Tensor) -> None:
        encoder: Any = self.encoder
        words = nn.Embedding(*rows.shape, padding_idx=self._words().padding_idx)
        words.weight.data.copy_(rows)
        encoder.set_input_embeddings(words)
        encoder.config.vocab_size = len(rows)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Score windows.

        Args:
            input_ids: (batch, length) token numbers.
            attention_mask: (batch, length), 1 for tokens and 0 for padding.

        Returns:
            (batch,) window logits and (batch, length, tags) tag logits.
        """
        return self.heads(self.hidden(input_ids, attention_mask), attention_mask)

    def hidden(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The last layer's states, (batch, length, width)."""
        states: Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return states

    def heads(self, hidden: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """What both heads say of the last layer's states."""
        scores = self.attention(hidden).squeeze(-1) + (1.0 - attention_mask.to(hidden.dtype)) * -10000.0
        pooled = (torch.softmax(scores, dim=-1).unsqueeze(-1) * hidden).sum(dim=1)
        logits = self.verdict(torch.cat([hidden[:, 0], pooled], dim=-1)).squeeze(-1)
        return logits, self.tagger(hidden)
