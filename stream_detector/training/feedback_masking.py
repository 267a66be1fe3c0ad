"""Reviewed texts without their contacts: other figures and letters of the same shape stand in their place.

A network that learned from masked text would learn the mask, and one that learned from the text itself could give a contact away.
So each figure becomes another figure and each letter of an address another letter: what is learned is how contacts are written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from random import Random
from typing import Final

from stream_detector.contracts import Kind
from stream_detector.training.corpus.render import Span

#: In addresses these say what kind of address it is, not whose.
_KEPT: Final = frozenset(
    "http https www com net org info eu uk de fr es it nl pt se gr io me co app mail gmail googlemail hotmail outlook yahoo icloud gmx"
    " web live instagram facebook whatsapp wa t m telegram twitter tiktok youtube linkedin line viber wechat".split()
)
_ADDRESS_KINDS: Final = frozenset({Kind.EMAIL, Kind.URL, Kind.HANDLE})
_TOKEN: Final = re.compile(r"\S+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
#: What looks like a contact where nobody marked one: numbers of five figures and more, addresses.
_UNMARKED: Final = re.compile(r"\S*@\S+|\b(?:https?:\S+|www\.\S+)|(?:\d[\s./()–-]{0,2}){4,}\d")
_FEWEST_FIGURES: Final = 5
#: Figures that Unicode doesn't count among any script's.
_SHAPED: Final = ("⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉", "⓪①②③④⑤⑥⑦⑧⑨", "⑴⑵⑶⑷⑸⑹⑺⑻⑼", "⒈⒉⒊⒋⒌⒍⒎⒏⒐", "❶❷❸❹❺❻❼❽❾", "➀➁➂➃➄➅➆➇➈", "➊➋➌➍➎➏➐➑➒")
_VOWELS, _CONSONANTS = "aeiou", "bcdfghklmnprstvz"


class SpelledOutError(ValueError):
    """A contact is told in words, which can't be told from other words: the text can't be masked."""


def masked(text: str, spans: Iterable[Span], rng: Random) -> str:
    """A text of the same length whose contacts are nobody's.

    Args:
        text: as it was sent.
        spans: where contacts are known to stand, whether they offend or not.
        rng: what is put in their place.

    Raises:
        SpelledOutError: a number or an address within a span is told in words.
    """
    characters = list(text)
    for span in spans:
        _check(text[span.start : span.end], span.kind)
        for token in _TOKEN.finditer(text, span.start, span.end):
            _replace(characters, text, token.start(), min(token.end(), span.end), span.kind in _ADDRESS_KINDS, rng)
    for found in _UNMARKED.finditer(text):
        _replace(characters, text, found.start(), found.end(), "@" in found[0] or "w" in found[0].lower()[:4], rng)
    return "".join(characters)


def _check(surface: str, kind: Kind) -> None:
    figures = sum(character.isdigit() for character in surface)
    if kind is Kind.PHONE and figures < _FEWEST_FIGURES:
        raise SpelledOutError("a number that is told in words")
    if kind in (Kind.EMAIL, Kind.URL) and not re.search(r"[@.＠．。]\S|:", surface):
        raise SpelledOutError("an address that is told in words")


def _replace(characters: list[str], text: str, start: int, end: int, address: bool, rng: Random) -> None:  # noqa: FBT001 - a fact
    token = text[start:end]
    # An account number or a wallet is letters and figures in one.
    letters_too = address or "@" in token or (any(map(str.isdigit, token)) and any(map(str.isalpha, token)))
    for place in range(start, end):
        if text[place].isdigit():
            characters[place] = _figure(text[place], rng)
    if not letters_too:
        return
    for word in _LETTERS.finditer(token):
        if word[0].casefold() not in _KEPT:
            for place in range(start + word.start(), start + word.end()):
                characters[place] = _letter(text[place], text, rng)


def _figure(character: str, rng: Random) -> str:
    """Another figure of the same script or shape."""
    if not character.isdecimal():
        return rng.choice(next((family for family in _SHAPED if character in family), "0123456789"))
    zero = ord(character) - unicodedata.decimal(character)
    return chr(zero + rng.randrange(10))


def _letter(character: str, text: str, rng: Random) -> str:
    """Another letter that may stand there: a vowel for a vowel in Latin, in other scripts one of the text's own letters."""
    if not character.isalpha():
        return character
    low = character.lower()
    if low in _VOWELS or (low.isascii() and low.isalpha()):
        other = rng.choice(_VOWELS if low in _VOWELS else _CONSONANTS)
        return other.upper() if character.isupper() else other
    same = [other for other in text if other.isalpha() and ord(other) >> 7 == ord(character) >> 7 and len(other.encode()) > 1]
    return rng.choice(same)
