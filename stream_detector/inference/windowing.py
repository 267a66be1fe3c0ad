"""From a normalized view to windows of token numbers: what the network reads of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from stream_detector.errors import ArtefactError
from stream_detector.inference.artefact import WindowShape
from stream_detector.text.view import NormalizedView
from stream_detector.text.windows import windows


@dataclass(frozen=True, slots=True)
class TokenizedView:
    """A view's tokens and the windows over them.

    Attributes:
        ids: token numbers, without special tokens.
        offsets: per token, the half-open span of the view's characters it was made of.
        windows: half-open ranges of tokens; together they hold every token.
    """

    ids: Sequence[int]
    offsets: Sequence[tuple[int, int]]
    windows: Sequence[range]


def special_tokens(tokenizer: Tokenizer) -> tuple[int, int]:
    """The token numbers put before and after each window.

    Raises:
        ArtefactError: the tokenizer isn't of BERT's family.
    """
    first, last = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    if first is None or last is None:
        raise ArtefactError("tokenizer.json: has no [CLS] and [SEP]; use a tokenizer of BERT's family")
    return first, last


def view_windows(view: NormalizedView, tokenizer: Tokenizer, shape: WindowShape) -> TokenizedView:
    """Tokenize a view once and cut it into windows at sentence ends."""
    encoding = tokenizer.encode(view.text, add_special_tokens=False)
    offsets: list[tuple[int, int]] = encoding.offsets
    return TokenizedView(encoding.ids, offsets, windows(view.text, offsets, budget=shape.tokens - 2, overlap=shape.overlap))
