"""What single characters are folded to: digits, letters, spaces and signs of every shape to the plain ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from stream_detector.text.emoji import NEUTRAL, SIGN_OF, WORD_OF, is_flag_letter, is_pictograph
from stream_detector.text.mapping import Edit, MappedText

_PLAIN_OF: Final = {
    character: plain
    for plain, characters in {
        "'": "‘’‚‛′‵ʹʻʼʽˈˊˋ´ꞌ‹›",
        '"': "“”„‟″‶〝〞〟«»˝ʺ",
        "-": "‐‑‒–—―−⁃➖⸺⸻",
        "/": "⁄∕",
        "+": "➕﬩",
        "*": "∗✱",
        ":": "∶꞉ː˸",
        "~": "∼〜",
        "|": "∣",
        "!": "❗❕",
        "?": "❓❔",
        "x": "✕✖⨯",
        "e": "℮",
        " ": "\u2800",
        "": "™℠",
    }.items()
    for character in characters
}
_NUMBER_NAME: Final = re.compile("CIRCLED|PARENTHESIZED|FULL STOP|COMMA|COUNTING ROD")
_LETTER_NAME: Final = re.compile(
    r"""(?:(?:NEGATIVE\ |CROSSED\ NEGATIVE\ )?(?:CIRCLED|SQUARED)|PARENTHESIZED|REGIONAL\ INDICATOR\ SYMBOL|TORTOISE\ SHELL\ BRACKETED)
        (?:\ LATIN)?(?:\ (?:CAPITAL|(?P<small>SMALL)))?(?:\ LETTER)?\ (?P<framed>[A-Z])\Z
    |   LATIN\ (?:LETTER\ SMALL\ CAPITAL|SMALL\ LETTER)(?:\ (?:TURNED|REVERSED|INVERTED|SIDEWAYS|OPEN|SCRIPT))*\ (?P<shaped>[A-Z])\Z
    |   LATIN\ CAPITAL\ LETTER\ (?:TURNED|REVERSED|INVERTED|SIDEWAYS)\ (?P<capital>[A-Z])\Z""",
    re.VERBOSE,
)


#: Letters that NFKC takes apart or exchanges although they are how their language is written: Armenian EW, Thai and Lao AM,
#: Lao HO, Tibetan, the Korean letters that stand alone (ㅋㅋ).
_WHOLE: Final = "\u0587\u0e33\u0eb3\u0edc\u0edd\u0f77\u0f79" + "".join(map(chr, range(0x3131, 0x318F)))
_FIXED: Final = {**_PLAIN_OF, **WORD_OF, **SIGN_OF, **dict(zip(_WHOLE, _WHOLE, strict=True))}
#: Longest expansion of a single character: an Arabic ligature of 18 would let a megabyte of text become many.
_LONGEST_EXPANSION: Final = 8


def fold_characters(mapped: MappedText) -> MappedText:
    """Replace digits, letters, spaces and signs of any shape by the plain ones, and emoji by words."""
    changes = {character: change for character in set(mapped.text) if (change := fold(character)) != character}
    if not changes:
        return mapped
    swaps = {old: new for old, new in changes.items() if len(new) == 1 and new != NEUTRAL and not is_flag_letter(old)}
    mapped = mapped.swap(swaps)
    if len(swaps) == len(changes):
        return mapped
    return mapped.rewrite(_edits(mapped.text, {old: new for old, new in changes.items() if old not in swaps}))


def _edits(text: str, changes: Mapping[str, str]) -> list[Edit]:
    edits: list[Edit] = []
    for at, character in enumerate(text):
        if character not in changes:
            continue
        replacement = changes[character]
        if replacement == NEUTRAL and edits and edits[-1].replacement == NEUTRAL and edits[-1].end == at:
            edits[-1] = Edit(edits[-1].start, at + 1, NEUTRAL)  # a run of pictures is one sign
        elif character in WORD_OF or is_flag_letter(character):
            edits.append(Edit(at, at + 1, _set_off(text, at, replacement)))
        else:
            edits.append(Edit(at, at + 1, replacement))
    return edits


def _set_off(text: str, at: int, word: str) -> str:
    """A word with the spaces that part it from its neighbours; a run of flag letters may be a word and stays together."""
    flag = is_flag_letter(text[at])
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if before and not before.isspace() and before not in WORD_OF and not (flag and is_flag_letter(before)):
        word = f" {word}"
    if after and not after.isspace() and not (flag and is_flag_letter(after)):
        word = f"{word} "
    return word


@lru_cache(maxsize=16_384)
def fold(character: str) -> str:
    """The plain form of one character, or the character itself."""
    if character in _FIXED:
        return _FIXED[character]
    category = unicodedata.category(character)
    if character.isascii() or category[0] == "M":
        return character
    if category == "Zs":
        return " "
    return _digits(character) or _letter(character) or _compatible(character)


def _digits(character: str) -> str:
    """A digit of any script or shape, or a number in a frame, in ASCII."""
    number: float = unicodedata.digit(character, -1)
    if number < 0 and _NUMBER_NAME.search(unicodedata.name(character, "")):
        number = unicodedata.numeric(character, -1)
    return str(int(number)) if number >= 0 and number == int(number) else ""


def _letter(character: str) -> str:
    """A Latin letter in a frame or of a special shape, as the plain letter."""
    match = _LETTER_NAME.match(unicodedata.name(character, ""))
    if not match:
        return ""
    if match["framed"]:
        return match["framed"].lower() if match["small"] else match["framed"]
    return match["capital"] or match["shaped"].lower()


def _compatible(character: str) -> str:
    """The neutral sign for a picture; for anything else what Unicode calls compatible, folded in turn."""
    if is_pictograph(character):
        return NEUTRAL
    plain = unicodedata.normalize("NFKC", character)
    if plain == character or plain[0] == " " or len(plain) > _LONGEST_EXPANSION:
        return character  # (a spacing accent is no space with an accent)
    return "".join(part if part == character else fold(part) for part in plain)
