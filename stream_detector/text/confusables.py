"""Look-alikes: letters of other scripts that pass for Latin ones.

Genuine Greek, Cyrillic or Armenian must stay what it is, so a letter is folded only where the word gives it away: it stands
among Latin letters or digits, or the word consists of nothing but look-alikes in a text that is otherwise Latin, and no genuine
word of its kind stands beside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from enum import Enum, auto
from functools import lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

from stream_detector.text.character_class import character_class
from stream_detector.text.mapping import Edit, MappedText
from stream_detector.text.scripts import WORD

_LATIN_LETTERS: Final = "A-Za-z\u00c0-\u024f\u1e00-\u1eff"
_LATIN: Final = re.compile(f"[{_LATIN_LETTERS}]+")
_OTHER: Final = re.compile(rf"[^\W\d_{_LATIN_LETTERS}]+")
#: A word on the other side of one of these signs makes a word part of an address.
_ADDRESS_BEFORE: Final = re.compile("(?<=[A-Za-z0-9][@._])")
_ADDRESS_BEHIND: Final = re.compile("[@._][A-Za-z0-9]")
#: What a look-alike stands for among digits. (A number never ends in a letter: 105б is a house.)
_DIGIT_OF: Final = {**{digit: digit for digit in "0123456789"}, "o": "0", "O": "0", "l": "1", "I": "1", "i": "1"}
#: Digits that make a word a number.
_NUMBER: Final = 3
#: Longest word whose fate is remembered, in characters.
_LONGEST_REMEMBERED: Final = 64


def _read_table() -> dict[str, str]:
    table: dict[str, str] = {}
    for line in files(__package__).joinpath("confusables.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            target, *sources = line.split()
            table.update({chr(int(code, 16)): target for code in sources})
    # Letters that are part of living Latin alphabets (þ, ı) are no disguise.
    return {source: target for source, target in table.items() if not "\u00c0" <= source <= "\u017f"}


#: Look-alike to ASCII letters or digits.
TABLE: Final = _read_table()


def _for_mixed_words() -> dict[str, str]:
    """More look-alikes, which only Latin letters beside them give away: alone they are how their language is written."""
    table = {"η": "n", "п": "n", "ω": "w", "ш": "w"}
    for capital, target in TABLE.items():  # small letters that look like their capital: т, к, м
        small = capital.lower()
        if len(small) == 1 and small not in TABLE and target.isalpha():
            table.setdefault(small, target.lower())
    table |= TABLE
    for letter in map(chr, (*range(0x370, 0x530), *range(0x1F00, 0x2000))):  # Greek and Cyrillic letters with accents
        base = unicodedata.normalize("NFD", letter)[0]
        if base in table:
            table.setdefault(letter, table[base])
    return table


_IN_MIXED_WORDS: Final = _for_mixed_words()
_SOURCE: Final = character_class(_IN_MIXED_WORDS)
_ANY: Final = re.compile(_SOURCE)
#: Where a look-alike and what it passes for meet, in a word or in an address: without such a place a text that isn't Latin
#: has nothing to fold.
_MEETING: Final = re.compile(
    f"[0-9{_LATIN_LETTERS}](?:(?=[@._]?{_SOURCE})|(?<={_SOURCE}.)|(?<={_SOURCE}[@._].))",
)


class Verdict(Enum):
    """What a word is, as far as its letters tell."""

    NUMBER = auto()  # digits alone: neither Latin nor another script
    LATIN = auto()
    DISGUISED = auto()
    MIXED = auto()  # some Latin letters among more look-alikes
    LOOKS_LATIN = auto()  # nothing but look-alikes
    GENUINE = auto()


class _Word(NamedTuple):
    start: int
    verdict: Verdict
    folded: tuple[str, ...]


def fold_look_alikes(mapped: MappedText) -> MappedText:
    """Replace look-alikes by the letters that they pass for, where a word or the words around it give them away."""
    text = mapped.text
    if not _ANY.search(text):
        return mapped
    latin_text = _is_mostly_latin(text)
    if not latin_text and not _MEETING.search(text):
        return mapped
    return mapped.rewrite(
        sorted(
            Edit(at, at + 1, new)
            for word in _disguised(text, latin_text=latin_text)
            for at, new in enumerate(word.folded, word.start)
            if new != text[at]
        )
    )


def _is_mostly_latin(text: str) -> bool:
    latin, others = (sum(map(len, letters.findall(text))) for letters in (_LATIN, _OTHER))
    return latin > others


def _disguised(text: str, *, latin_text: bool) -> Iterator[_Word]:
    """The words to fold. Those that could be genuine are, where they stand in a run with one that is: για το σπίτι."""
    run: list[_Word] = []
    for match in WORD.finditer(text):
        start, end = match.span()
        verdict, folded = judge(match[0]) if end - start <= _LONGEST_REMEMBERED else judge.__wrapped__(match[0])
        word = _Word(start, verdict, folded)
        if verdict is Verdict.LATIN or verdict is Verdict.DISGUISED:
            yield from _without_genuine(run)
            run = []
        if verdict is Verdict.DISGUISED or (folded and (_ADDRESS_BEFORE.match(text, start) or _ADDRESS_BEHIND.match(text, end))):
            yield word
        elif verdict is Verdict.LOOKS_LATIN and not latin_text:
            run.append(word._replace(verdict=Verdict.GENUINE))
        elif verdict is not Verdict.LATIN and verdict is not Verdict.NUMBER:
            run.append(word)
    yield from _without_genuine(run)


def _without_genuine(run: list[_Word]) -> list[_Word]:
    return [] if any(word.verdict is Verdict.GENUINE for word in run) else run


@lru_cache(maxsize=16_384)
def judge(word: str) -> tuple[Verdict, tuple[str, ...]]:
    """What a word of letters and digits is, and what each of its characters passes for (nothing, if it stays for sure)."""
    if word.isdecimal():
        return Verdict.NUMBER, ()
    latin = sum(map(len, _LATIN.findall(word)))
    digits = sum(map(str.isdecimal, word))
    if latin + digits == len(word):
        return Verdict.LATIN, ()
    if digits >= _NUMBER and word[-1].isdecimal():
        number = tuple(_DIGIT_OF.get(TABLE.get(character, character), "") for character in word)
        if all(number):
            return Verdict.DISGUISED, number
    table = _IN_MIXED_WORDS if latin else TABLE
    if not all(character in table or character.isdecimal() or _LATIN.match(character) for character in word):
        return Verdict.GENUINE, ()
    verdict = Verdict.LOOKS_LATIN if not latin else Verdict.DISGUISED if 2 * latin >= len(word) - digits else Verdict.MIXED
    return verdict, tuple(table.get(character, character) for character in word)
