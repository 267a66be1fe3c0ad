"""The normalized view: a text as a reader sees it, with the way back to the text as it was sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stream_detector.text.characters import fold_characters
from stream_detector.text.confusables import fold_look_alikes
from stream_detector.text.dots import straighten_dots
from stream_detector.text.mapping import MappedText
from stream_detector.text.marks import drop_unseen, settle_marks
from stream_detector.text.markup import strip_markup
from stream_detector.text.platform_words import PlatformWords

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class NormalizedView:
    """What the tokenizer reads.

    Attributes:
        original: the text as the producer sent it.
        text: the text without its disguises; case is kept.
        starts: for each character of `text`, where the characters of `original` that it stands for begin.
        ends: where they end (exclusive).
    """

    original: str
    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """The half-open span of the original that produced a half-open span of the view; code points.

        An empty span maps to the point before its character.
        """
        if not 0 <= start <= end <= len(self.text):
            raise IndexError(f"span {start}:{end} is outside the view of {len(self.text)} characters")
        if start == end:
            point = self.starts[start] if start < len(self.starts) else len(self.original)
            return point, point
        return self.starts[start], self.ends[end - 1]


class Normalizer:
    """Makes normalized views.

    Args:
        platform_names: what hosts and guests call the platform.
        platform_domains: the platform's domains, without "www.".
    """

    def __init__(self, platform_names: Sequence[str], platform_domains: Sequence[str]) -> None:
        self._platform = PlatformWords(platform_names, platform_domains)

    def view(self, text: str) -> NormalizedView:
        """Normalize a text; the time it takes grows with its length and nothing else."""
        mapped = strip_markup(MappedText.identity(text))
        if _CONTROL.search(mapped.text) or not mapped.text.isascii():
            mapped = settle_marks(drop_unseen(mapped))
            mapped = straighten_dots(fold_look_alikes(fold_characters(mapped)))
        mapped = self._platform.replace(mapped)
        return NormalizedView(text, mapped.text, mapped.starts, mapped.ends)
