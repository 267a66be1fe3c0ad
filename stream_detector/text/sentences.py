"""Sentence ends, by punctuation: good enough to cut windows in any language, and linear in the length of the text."""

from __future__ import annotations

import re
from typing import Final

# Each alternative starts at a character that no other match can start inside, and every repetition is possessive, so a
# megabyte of dots is read once.
_END: Final = re.compile(
    r"""
    \n\s*+                                              # lines
    | (?<![.!?…؟])[.!?…؟]++["')\]]*+(?:\s++|\Z|(?<=[!?])(?=[^\x00-\x7f]))
    | [。！？｡।۔]++["')\]」』]*+\s*+                      # no space follows these
    | (?P<bullet>[•▪●◦‣■]++)                            # a bullet ends what stands before it
    """,
    re.VERBOSE,
)
_LAST_WORD: Final = re.compile(r"[\w.]*\Z")
#: Words whose dot ends no sentence unless a capital follows.
_ABBREVIATIONS: Final = frozenset(
    """
    approx apt ave av avda bldg blvd bzw ca co dept dr e.g eg etc ext fig fl ft hrs i.e ie inc incl jr km ltd max min mins mr
    mrs ms mt no nr nos num p.ej prof rd resp sq sr st sta ste str tel tlf tél usw vs z.b d.h u.a a.m p.m
    """.split()  # noqa: SIM905 - a list would be a screen long
)
#: Words whose dot ends no sentence even before a capital: "St. Peter", "Dr. Grün".
_TITLES: Final = frozenset("dr mr mrs ms mt prof st sta ste tel tlf tél nr".split())  # noqa: SIM905 - as above


def sentence_ends(text: str) -> list[int]:
    """Positions just behind each sentence, white space included: the next sentence starts there.

    Args:
        text: any text; may be empty.

    Returns:
        Rising character positions; the last is `len(text)`, unless the text is empty.
    """
    ends: list[int] = []
    for match in _END.finditer(text):
        position = match.start() if match["bullet"] else match.end()
        if text[match.start()] == "." and _is_abbreviation(text, match):
            continue
        begin = ends[-1] if ends else 0
        if position == begin:
            continue
        if text[begin:position].isspace() and ends:
            ends[-1] = position
        else:
            ends.append(position)
    if text and (not ends or ends[-1] < len(text)):
        ends.append(len(text))
    return ends


def _is_abbreviation(text: str, match: re.Match[str]) -> bool:
    """Whether a dot belongs to the word before it ("approx. 5 km", "J. Doe", "1. Kitchen")."""
    start, end = match.span()
    if end == len(text) or text[start + 1 : start + 2] == "." or "\n" in match[0]:
        return False
    word = _LAST_WORD.search(text[max(0, start - 16) : start])
    last = word[0] if word else ""
    if len(last) == 1 and last.isalpha() and last.isupper():
        return True
    if last.isdecimal() and len(last) <= 2 and text[max(0, start - 3) : start - len(last)][-1:] in {"", "\n"}:
        return True
    last = last.lower()
    return last in _TITLES or (last in _ABBREVIATIONS and not text[end].isupper())
