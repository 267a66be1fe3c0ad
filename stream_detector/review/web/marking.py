"""A text as a page shows it: cut into runs with the evidence that each belongs to, and nothing in it that acts.

What could steer the page or the reader's eye becomes a visible name: control characters, characters that turn the direction
of text, characters that nobody sees. Letters are left to the template's escaping, so a run is plain text and no markup.
Runs carry their offsets in code points, so that a selection in the page can be told in the contract's terms.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from stream_detector.contracts import Kind

#: Names that the Unicode character database doesn't give.
_CONTROL_NAMES: Final = {
    0x00: "NULL", 0x07: "BELL", 0x08: "BACKSPACE", 0x0B: "LINE TABULATION", 0x0C: "FORM FEED", 0x0D: "CARRIAGE RETURN",
    0x1B: "ESCAPE", 0x7F: "DELETE", 0x85: "NEXT LINE",
}  # fmt: skip
#: Joiners and variation selectors: unseen and at home in Persian, Indic scripts and emoji. Behind a letter of ASCII they only hide.
_JOINERS: Final = frozenset("\u200c\u200d\ufe0e\ufe0f\u034f")
#: Characters that nobody sees and Unicode doesn't count among format characters.
_FILLERS: Final = frozenset("\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2028\u2029\u3164\uffa0")
_KEPT: Final = frozenset("\n\t")

#: A text longer than this is shown around its evidence.
LONG: Final = 6_000
_AROUND: Final = 400


@dataclass(frozen=True, slots=True)
class Marked:
    """A piece of evidence, or of whatever else is to be marked: characters `start` up to but not including `end`."""

    start: int
    end: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Run:
    """Characters that are shown alike.

    Attributes:
        at: offset of the first one.
        text: what is shown; for an unseen character its code point.
        unseen: the name of the character that is shown by its code point; "" for ordinary text.
    """

    at: int
    text: str
    unseen: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """Runs with the same marks.

    Attributes:
        kinds: of the marks; none for plain text.
        labels: of the marks that begin here.
    """

    runs: tuple[Run, ...]
    kinds: tuple[Kind, ...]
    labels: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Characters of a long text that are left out."""

    characters: int


def mark(text: str, marks: Sequence[Marked]) -> tuple[Piece, ...]:
    """Cut a text at its marks; marks may overlap, and what of them lies outside the text is left away."""
    return tuple(_pieces(text, marks, 0, len(text)))


def mark_excerpt(text: str, marks: Sequence[Marked]) -> tuple[Piece | Gap, ...]:
    """The same of a text that is too long to be shown whole: its beginning, and what is around its marks."""
    if len(text) <= LONG:
        return mark(text, marks)
    shown: list[tuple[int, int]] = [(0, _AROUND)]
    for start, end in sorted((max(0, one.start - _AROUND), min(len(text), one.end + _AROUND)) for one in marks):
        if start <= shown[-1][1]:
            shown[-1] = (shown[-1][0], max(shown[-1][1], end))
        else:
            shown.append((start, end))
    found: list[Piece | Gap] = []
    at = 0
    for start, end in shown:
        if at < start:
            found.append(Gap(start - at))
        found += _pieces(text, marks, start, end)
        at = end
    if at < len(text):
        found.append(Gap(len(text) - at))
    return tuple(found)


def _pieces(text: str, marks: Sequence[Marked], start: int, end: int) -> Iterator[Piece]:
    inside = [one for one in marks if one.start < end and start < one.end and one.start < one.end]
    edges = sorted({start, end, *(at for one in inside for at in (one.start, one.end) if start < at < end)})
    for first, last in pairwise(edges):
        kinds = dict.fromkeys(one.kind for one in inside if one.start <= first and last <= one.end)
        labels = dict.fromkeys(one.kind for one in inside if max(one.start, start) == first)
        yield Piece(tuple(_runs(text, first, last)), tuple(kinds), tuple(labels))


def _runs(text: str, start: int, end: int) -> Iterator[Run]:
    begun = start
    for at in range(start, end):
        if text[at].isalnum() or text[at] == " " or not _is_shown_by_name(text, at):
            continue
        if begun < at:
            yield Run(begun, text[begun:at])
        yield Run(at, f"U+{ord(text[at]):04X}", name_of(text[at]))
        begun = at + 1
    if begun < end:
        yield Run(begun, text[begun:end])


def _is_shown_by_name(text: str, at: int) -> bool:
    if text[at] in _JOINERS:
        return at == 0 or text[at - 1].isascii()
    return is_unseen(text[at])


def is_unseen(character: str) -> bool:
    """Whether nobody sees a character, or it does something instead of standing there."""
    if character in _KEPT:
        return False
    return character in _FILLERS or character in _JOINERS or unicodedata.category(character) in {"Cc", "Cf", "Cs"}


def name_of(character: str) -> str:
    """A character's name, for a tool tip and for screen readers."""
    name = unicodedata.name(character, "") or _CONTROL_NAMES.get(ord(character), "")
    return name.lower() or ("lone surrogate" if 0xD800 <= ord(character) < 0xE000 else "control character")


def plain(text: str) -> str:
    """A text without marks, such as an id, with unseen characters by their code points."""
    return "".join(f"⟨{run.text}⟩" if run.unseen else run.text for run in _runs(text, 0, len(text)))
