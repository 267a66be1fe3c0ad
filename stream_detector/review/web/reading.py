"""A text as the model read it: the normalized view, with what it folded and what it dropped."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from stream_detector.review.web.marking import Gap, Marked, Piece, is_unseen, mark_excerpt, name_of
from stream_detector.settings import Settings
from stream_detector.text.view import NormalizedView, Normalizer


@dataclass(frozen=True, slots=True)
class Dropped:
    """A character that the model never saw, and how often it stands in the text; without a code point, any of markup."""

    code_point: str
    name: str
    times: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model read of one text.

    Attributes:
        pieces: the view, cut at its evidence.
        folded: how many characters of the view differ from those that were sent.
        dropped: what isn't in the view at all.
    """

    pieces: tuple[Piece | Gap, ...]
    folded: int
    dropped: tuple[Dropped, ...]

    @property
    def changed(self) -> bool:
        """Whether the model read anything but the text as it was sent."""
        return bool(self.folded or self.dropped)


class Reader:
    """Reads texts with the worker's own normalizer."""

    def __init__(self, settings: Settings) -> None:
        self._normalizer = Normalizer(settings.policy.platform_names, settings.policy.platform_domains)

    def read(self, text: str, marks: Sequence[Marked]) -> Reading:
        """The view of a text, with the evidence that stands in the text as it was sent."""
        view = self._normalizer.view(text)
        here = tuple(moved for one in marks if (moved := _in_view(view, one)).start < moved.end)
        return Reading(mark_excerpt(view.text, here), _folded(view), _dropped(view))


def _in_view(view: NormalizedView, one: Marked) -> Marked:
    """Evidence in the view: from its first character that came out of the span to behind the last one."""
    return Marked(bisect_right(view.ends, one.start), bisect_left(view.starts, one.end), one.kind)


def _folded(view: NormalizedView) -> int:
    if view.text == view.original:
        return 0
    return sum(
        view.original[start:end] != character for character, start, end in zip(view.text, view.starts, view.ends, strict=True)
    )


def _dropped(view: NormalizedView) -> tuple[Dropped, ...]:
    if len(view.text) == len(view.original):
        return ()
    kept = bytearray(len(view.original))
    for start, end in zip(view.starts, view.ends, strict=True):
        kept[start:end] = b"\1" * (end - start)
    left_out = Counter(character for character, stays in zip(view.original, kept, strict=True) if not stays)
    unseen = {character: times for character, times in left_out.items() if is_unseen(character)}
    found = [Dropped(f"U+{ord(character):04X}", name_of(character), times) for character, times in unseen.items()]
    if seen := left_out.total() - sum(unseen.values()):
        found.append(Dropped("", "character of markup", seen))
    return tuple(found)
