"""Rarer ways to write a number: among other things, inside words, in another language, counted, typed on a keypad.

All keep the digits in order, so that a reader can ring the number; the tests read them back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

from stream_detector.training.corpus.joints import joints
from stream_detector.training.corpus.packs import Pack, packs

HOMOPHONES: Mapping[str, Sequence[str]] = {
    "0": ("oh", "owe", "zip"), "1": ("won", "wan"), "2": ("to", "too"), "3": ("tree", "free"), "4": ("for", "fore"), "5": ("hive", "fife"),
    "6": ("sicks", "sics"), "7": ("heaven", "sevn"), "8": ("ate", "eight"), "9": ("nein", "nigh"),
}  # fmt: skip
ROMANISED: Mapping[str, Sequence[str]] = {
    "ar": ("sifr", "wahid", "ithnan", "thalatha", "arbaa", "khamsa", "sitta", "sabaa", "thamania", "tisaa"),
    "el": ("miden", "ena", "dyo", "tria", "tessera", "pente", "eksi", "efta", "okto", "ennia"),
    "ja": ("zero", "ichi", "ni", "san", "yon", "go", "roku", "nana", "hachi", "kyu"),
    "ko": ("gong", "il", "i", "sam", "sa", "o", "yuk", "chil", "pal", "gu"),
    "ru": ("nol", "odin", "dva", "tri", "chetyre", "pyat", "shest", "sem", "vosem", "devyat"),
    "zh": ("ling", "yao", "er", "san", "si", "wu", "liu", "qi", "ba", "jiu"),
}
KEYPAD: Mapping[str, str] = {"2": "ABC", "3": "DEF", "4": "GHI", "5": "JKL", "6": "MNO", "7": "PQRS", "8": "TUV", "9": "WXYZ"}
LETTERS: Mapping[str, str] = {"0": "OoО", "5": "Ss", "1": "Il", "8": "B", "2": "Zz"}
COUNTED = "🐱🌟🍋🏠🌴🐟🍓🔔"
_UNITS = ("€", "m", "$", "£", "%", "kg", "km", "°", "h", "min", "kr", "zł", "m²", "¥", "€ ", "m ")
_MARKS = ("🌟", "✦", "❤", "•", "★", "*", "🙂", "🌴", "-", "~", "☀", "♪")


def digits_of(text: str) -> str:
    """The figures of a number without what groups them."""
    return re.sub(r"[^0-9]", "", text)


def _in_groups(rng: Random, characters: str) -> str:
    groups = []
    while characters:
        size = rng.choice((2, 3, 3, 4))
        groups.append(characters[:size])
        characters = characters[size:]
    return rng.choice((" ", " ", "-", ".")).join(groups)


def interleaved(rng: Random, text: str, pack: Pack) -> str:
    """Each figure counts something: "4 stars, 7 plants, 0 stress", with or without a hint to join them."""
    words = joints(pack)
    things = words.nouns if rng.random() < 0.7 else pack.words
    joint = rng.choice((" ", ", ", " ✦ ", " · ", "\n", " - "))
    gap = "" if pack.code in {"zh", "ja"} and things is words.nouns else rng.choice((" ", " ", ""))
    every = rng.choice((1, 1, 2))
    digits = digits_of(text)
    parts = [digits[i : i + every] + gap + rng.choice(things) for i in range(0, len(digits), every)]
    return joint.join(parts) + (rng.choice(words.collect) if rng.random() < 0.4 else "")


def starred(rng: Random, text: str, _: Pack) -> str:
    """One or more signs or emoji between the figures, the same or changing, with space or without."""
    marks = [rng.choice(_MARKS) for _ in range(rng.choice((1, 1, 2, 4)))]
    pad = rng.choice(("", " "))
    digits = digits_of(text)
    return "".join(d + (pad + marks[i % len(marks)] + pad if i < len(digits) - 1 else "") for i, d in enumerate(digits))


def in_words(rng: Random, text: str, pack: Pack) -> str:
    """Figures inside or at the end of words: "ca7sa me0ro 9sol"."""
    parts = []
    for digit in digits_of(text):
        word = rng.choice(pack.words)
        at = rng.randint(0, len(word))
        parts.append(word[:at] + digit + word[at:])
    return rng.choice((" ", "", "-", " ")).join(parts)


def one_a_line(rng: Random, text: str, _: Pack) -> str:
    """A list with one figure on each line."""
    mark = rng.choice(("- ", "* ", "• ", "", "> "))
    return "\n".join(mark + digit for digit in digits_of(text))


def with_units(rng: Random, text: str, _: Pack) -> str:
    """Figures dressed as prices and measures: "0€7m7kg"."""
    return "".join(digit + rng.choice(_UNITS) for digit in digits_of(text)).strip()


def ordinals(rng: Random, text: str, pack: Pack) -> str:
    """Figures with an ordinal's dot or ending, as if they were floors or places."""
    endings = {"1": "st", "2": "nd", "3": "rd"}
    ending = (lambda d: endings.get(d, "th")) if pack.code == "en" and rng.random() < 0.4 else (lambda _d: ".")
    return rng.choice((" ", ", ", "")).join(d + ending(d) for d in digits_of(text))


def bracketed_notes(rng: Random, text: str, pack: Pack) -> str:
    """A note in one or two places that the reader is to leave out."""
    digits, note = digits_of(text), rng.choice(joints(pack).remove)
    places = {rng.randint(0, len(digits)) for _ in range(rng.choice((1, 1, 2)))}
    pad = rng.choice(("", " "))
    return "".join((pad + note + pad if i in places else "") + digits[i : i + 1] for i in range(len(digits) + 1)).strip()


def letter_groups(rng: Random, text: str, _: Pack) -> str:
    """O for 0, S for 5 and the like all through, in groups: "2O6 SSS OI74"."""
    kept = rng.choice((0, 0, 0.3))
    digits = "".join(rng.choice(LETTERS[d]) if d in LETTERS and rng.random() >= kept else d for d in digits_of(text))
    return _in_groups(rng, digits)


def second_language(rng: Random, text: str, pack: Pack) -> str:
    """Words for the digits in another language than the text's, half of the time in English."""
    others = [code for code in packs() if code != pack.code]
    other = packs()["en" if pack.code != "en" and rng.random() < 0.5 else rng.choice(others)]
    separator = rng.choice((" ", " ", ", ", "-", ". "))
    return separator.join(rng.choice(other.digits[int(d)][:2]) for d in digits_of(text))


def romanised(rng: Random, text: str, pack: Pack) -> str:
    """A non-Latin language's words in Latin letters; languages in Latin letters borrow one."""
    words = ROMANISED.get(pack.code) or ROMANISED[rng.choice(list(ROMANISED))]
    return rng.choice((" ", " ", "-", ", ")).join(words[int(d)] for d in digits_of(text))


def homophones(rng: Random, text: str, _: Pack) -> str:
    """English words that sound like the digits: "oh won to ate"."""
    return rng.choice((" ", " ", "-", ", ")).join(rng.choice(HOMOPHONES[d]) for d in digits_of(text))


def counted(rng: Random, text: str, _: Pack) -> str:
    """Some figures as so many emoji; nought stays a nought."""
    mark, share = rng.choice(COUNTED), rng.choice((0.3, 0.5))
    return " ".join(mark * int(d) if d != "0" and rng.random() < share else d for d in digits_of(text))


def keypad(rng: Random, text: str, _: Pack) -> str:
    """The last figures as letters of a telephone's keys, as in advertisements."""
    digits = digits_of(text)
    start = max(0, len(digits) - rng.choice((4, 5, 7)))
    return digits[:start] + "-" + "".join(rng.choice(KEYPAD[d]) if d in KEYPAD else d for d in digits[start:])
