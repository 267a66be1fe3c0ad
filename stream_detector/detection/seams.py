"""Where one attribute ends and the next begins: a number that is begun in one and ended in the other.

Each text alone may hold too little to be a violation, so the end of one and the beginning of the next are read once more as
one text, but only where both sides carry something that could belong together: few events do, and the others cost nothing.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from stream_detector.detection.evidence import Finding

#: How much of each side is read, in characters; and how near to the seam a trace must stand.
_READ = 160
_NEAR = 32

#: What could be half of a contact: some digits in a row (whatever parts them), an @, a name before a dot, a colon or a dash
#: at the very end. Number words are left to the sides' own verdicts.
_TRACE = re.compile(r"\d\D{0,3}\d|@|\w\s?[.:=\-–>]+\s*$")


@dataclass(frozen=True, slots=True)
class Seam:
    """The end of `left`'s text and the beginning of `right`'s, read as one.

    Attributes:
        left, right: the attributes.
        text: what is read.
        cut: where in `text` the right side begins.
        offset: where in the left text the part that is read begins.
    """

    left: str
    right: str
    text: str
    cut: int
    offset: int

    def divide(self, finding: Finding) -> Iterator[tuple[str, Finding]]:
        """Give a finding in `text` back to the attributes it touches, in their own offsets."""
        # The joint itself, one space, belongs to neither.
        if finding.start < self.cut - 1:
            yield self.left, replace(finding, start=finding.start + self.offset, end=min(finding.end, self.cut - 1) + self.offset)
        if finding.end > self.cut:
            yield self.right, replace(finding, start=max(finding.start, self.cut) - self.cut, end=finding.end - self.cut)


def seams(texts: Mapping[str, str]) -> Iterator[Seam]:
    """The seams of a group that are worth reading, in order."""
    filled = [(attribute, text) for attribute, text in texts.items() if text.strip()]
    for (left, before), (right, after) in itertools.pairwise(filled):
        head = after[:_READ]
        start = max(0, len(before.rstrip()) - _READ)
        tail = before[start:].rstrip()
        if _TRACE.search(tail[-_NEAR:]) and _TRACE.search(head[:_NEAR]):
            yield Seam(left, right, f"{tail} {head}", len(tail) + 1, start)
