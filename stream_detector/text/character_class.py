"""Character classes for whole categories of Unicode, in a form that `re` searches for quickly."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Container, Iterable
from typing import Final

#: Beyond the first two planes lie ideographs, private use, tags and variation selectors: nothing to ask categories about.
_SCANNED: Final = 0x20000


def in_categories(categories: Container[str]) -> list[str]:
    """All characters of the first two planes that have one of these general categories."""
    return [character for character in map(chr, range(_SCANNED)) if unicodedata.category(character) in categories]


def character_class(characters: Iterable[str]) -> str:
    """A bracket expression for these characters.

    It is written as the negation of all others: `re` has a bitmap for the first plane and behind it a list of ranges for
    the rest, so a class of many ranges is slow for the characters that aren't in it, which are nearly all. Negated, those
    are the ones that the bitmap answers. This is 10 to 40 times faster.
    """
    others: list[str] = []
    begin = 0
    for code in sorted({ord(character) for character in characters}):
        if code > begin:
            others.append(f"\\U{begin:08x}-\\U{code - 1:08x}")
        begin = code + 1
    if begin <= sys.maxunicode:
        others.append(f"\\U{begin:08x}-\\U{sys.maxunicode:08x}")
    return f"[^{''.join(others)}]"
