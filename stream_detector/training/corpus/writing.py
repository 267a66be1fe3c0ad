"""Habits of writing that any text can have, offending or not: no accents, odd capitals, signs between words."""

from __future__ import annotations

import re
import unicodedata
from random import Random

from stream_detector.training.corpus.packs import Pack

_LATIN_TWINS = {
    "а": "a", "с": "c", "е": "e", "о": "o", "р": "p", "х": "x", "у": "y", "к": "k", "м": "m", "т": "t", "і": "i", "А": "A", "В": "B", "С": "C",
    "Е": "E", "Н": "H", "К": "K", "М": "M", "О": "O", "Р": "P", "Т": "T", "Х": "X", "ο": "o", "ν": "v", "α": "a", "ι": "i", "κ": "k", "ρ": "p",
    "τ": "t", "υ": "u", "χ": "x", "ω": "w", "η": "n", "Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M", "Ν": "N",
    "Ο": "O", "Ρ": "P", "Τ": "T", "Υ": "Y", "Χ": "X",
}  # fmt: skip
_CYRILLIC_TWINS = {
    "a": "а", "c": "с", "e": "е", "o": "о", "p": "р", "x": "х", "y": "у", "k": "к", "m": "м", "t": "т", "A": "А", "B": "В", "C": "С", "E": "Е",
    "H": "Н", "K": "К", "M": "М", "O": "О", "P": "Р", "T": "Т", "X": "Х",
}  # fmt: skip
_KEPT = frozenset("йЙ")  # a letter of its own, which nobody writes without its mark


def bare_letter(char: str) -> str:
    """A letter without its accents: "é" to "e"; empty for an accent that stands by itself."""
    if char in _KEPT or (char.isascii()):
        return char
    return (
        "".join(part for part in unicodedata.normalize("NFD", char) if not "\u0300" <= part <= "\u036f")
        if _accented(char)
        else char
    )


def _accented(char: str) -> bool:
    return any("\u0300" <= part <= "\u036f" for part in unicodedata.normalize("NFD", char))


def unaccented(_: Random, text: str, __: Pack) -> str:
    """No accents, as on a foreign keyboard."""
    return "".join(map(bare_letter, text))


def unpunctuated(_: Random, text: str, __: Pack) -> str:
    """No full stops, commas and the like between words."""
    return re.sub(r"[.,!?;:…¡¿。，！？、؟،]+(?=\s|$)", "", text)


def mixed_case(rng: Random, text: str, _: Pack) -> str:
    """Capitals anywhere, or on each word."""
    if rng.random() < 0.4:
        return " ".join(word[:1].upper() + word[1:] for word in text.split(" "))
    share = rng.choice((0.15, 0.5))
    return "".join(c.upper() if rng.random() < share else c.lower() for c in text)


def other_script(rng: Random, text: str, _: Pack) -> str:
    """Latin letters inside Cyrillic or Greek words, Cyrillic ones inside Latin words."""
    share = rng.choice((0.3, 0.6, 1.0))
    twins = _LATIN_TWINS if any(c in _LATIN_TWINS for c in text) else _CYRILLIC_TWINS
    return "".join(twins[c] if c in twins and rng.random() < share else c for c in text)


def word_signs(rng: Random, text: str, _: Pack) -> str:
    """Signs in the spaces' place: "book*direct*and*save"."""
    return rng.choice(("*", "_", "~", "+", "=", "|", "•", "/", "#")).join(text.split())


def cut_in_two(rng: Random, text: str, _: Pack) -> str:
    """A dot, a space, an emoji or a sign inside a word: "whats.app", "tele 🙂 gram"."""
    if len(text) < 3:
        return text
    at = rng.randrange(1, len(text) - 1)
    return text[:at] + rng.choice((".", " ", "-", "/", "*", " 🙂 ", "✨", "'", "_", "(", " . ")) + text[at:]


def vowelless(rng: Random, text: str, _: Pack) -> str:
    """Some or all vowels after the first letter left out: "whtspp"."""
    share = rng.choice((0.5, 1.0))
    return text[:1] + "".join(c for c in text[1:] if c.lower() not in "aeiouаеиоуыэюяαεηιουω" or rng.random() >= share)
