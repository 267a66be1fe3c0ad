"""Text under rewriting, with the way back to the text it came from.

Every stage of the normalizer is a list of edits. Applying them composes the index map, so no stage has to know what the
stages before it did. Where nothing was changed the map is a pair of `range` objects: no memory, no work.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self


class Edit(NamedTuple):
    """Characters `start` up to but not including `end` become `replacement` (which may be empty)."""

    start: int
    end: int
    replacement: str


@dataclass(frozen=True, slots=True)
class MappedText:
    """A text whose character i came from characters `starts[i]` up to but not including `ends[i]` of another text.

    Both sequences are as long as `text` and never fall. Positions count Unicode code points.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    @classmethod
    def identity(cls, text: str) -> Self:
        """The text itself, before any edit."""
        return cls(text, range(len(text)), range(1, len(text) + 1))

    def rewrite(self, edits: Iterable[Edit]) -> MappedText:
        """Apply edits that are in order and don't overlap; each character put in maps to all of the span it replaces."""
        edits = list(edits)
        if not edits:
            return self
        pieces: list[str] = []
        starts, ends = array("I"), array("I")
        at = 0
        for start, end, replacement in edits:
            if at < start:
                pieces.append(self.text[at:start])
                starts.extend(self.starts[at:start])
                ends.extend(self.ends[at:start])
            if replacement:
                pieces.append(replacement)
                starts.extend([self.starts[start]] * len(replacement))
                ends.extend([self.ends[end - 1]] * len(replacement))
            at = end
        pieces.append(self.text[at:])
        starts.extend(self.starts[at:])
        ends.extend(self.ends[at:])
        return MappedText("".join(pieces), starts, ends)

    def swap(self, swaps: Mapping[str, str]) -> MappedText:
        """Replace characters by others, one for one: the map stays."""
        text = self.text
        if len(swaps) > 16:
            text = text.translate({ord(old): new for old, new in swaps.items()})
        else:  # several times faster than translate for text outside ASCII
            for old, new in swaps.items():
                text = text.replace(old, new)
        return MappedText(text, self.starts, self.ends)
