"""Characters that nobody sees, and combining marks: what may stand on a character and what only hides it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Final

from stream_detector.text.character_class import character_class, in_categories
from stream_detector.text.mapping import Edit, MappedText

#: Default ignorables that aren't format characters: fillers, joiners, variation selectors, skin tones, tags.
_IGNORABLE: Final = (
    "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0",
    map(chr, range(0x180B, 0x1810)),
    map(chr, range(0x2060, 0x2070)),
    map(chr, range(0xFE00, 0xFE10)),
    map(chr, range(0xFFF0, 0xFFF9)),
    map(chr, range(0x1F3FB, 0x1F400)),
    map(chr, range(0xE0000, 0xE1000)),
)
_LINE_BREAKS: Final = frozenset("\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
_UNSEEN: Final = re.compile(
    character_class({*in_categories({"Cc", "Cf", "Cs"}), *_LINE_BREAKS, *chain(*_IGNORABLE)} - {"\n", "\t"})
)
_MARKS: Final = re.compile(character_class(in_categories({"Mn", "Mc", "Me"})) + "+")
#: A Hangul syllable in parts; half-width kana with a voicing mark, which is a letter to Unicode.
_PARTS: Final = re.compile(
    "[\u1100-\u1112\uff66-\uff9d](?:(?<=[\u1100-\u1112])[\u1161-\u1175][\u11a8-\u11c2]?|(?<=[\uff66-\uff9d])[\uff9e\uff9f])"
)
#: Combining class of marks that strike their base through.
_OVERLAY: Final = 1


def drop_unseen(mapped: MappedText) -> MappedText:
    """Remove characters that nobody sees, and make every line break a newline."""
    text = mapped.text
    edits = []
    for match in _UNSEEN.finditer(text):
        at = match.start()
        breaks = match[0] in _LINE_BREAKS and not text.startswith("\r\n", at)
        edits.append(Edit(at, at + 1, "\n" if breaks else ""))
    return mapped.rewrite(edits)


def settle_marks(mapped: MappedText) -> MappedText:
    """Compose characters with their marks, and strip marks that only hide what they stand on."""
    parts = (Edit(*match.span(), unicodedata.normalize("NFKC", match[0])) for match in _PARTS.finditer(mapped.text))
    mapped = mapped.rewrite(parts)
    return mapped.rewrite(_mark_edits(mapped.text))


def _mark_edits(text: str) -> Iterator[Edit]:
    for match in _MARKS.finditer(text):
        start, end = max(0, match.start() - 1), match.end()
        # 16 characters are enough to see a flood; what a hostile one has beyond them doesn't count.
        settled = _settle(text[start : min(end, start + 16)])
        if settled != text[start:end]:
            yield Edit(start, end, settled)


@lru_cache(maxsize=4096)
def _settle(cluster: str) -> str:
    base, marks = cluster[0], cluster[1:]
    if unicodedata.category(base)[0] not in "LM":
        return base  # digits, signs, emoji and spaces have no marks of their own
    marks = "".join(mark for mark in marks if unicodedata.category(mark) != "Me" and unicodedata.combining(mark) != _OVERLAY)
    if ord(base) < 0x0590 or 0x1E00 <= ord(base) < 0x2000:  # Latin, Greek, Cyrillic, Armenian
        return unicodedata.normalize("NFKC", base + marks if len(marks) <= 2 else base)
    return unicodedata.normalize("NFKC", base + marks[:4])
