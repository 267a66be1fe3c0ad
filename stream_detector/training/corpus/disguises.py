"""Disguises: how people write a contact so that a filter doesn't see it.

Each operator takes a random source, a text and the language pack, and returns the text disguised. Operators on numbers see
the number as it would be written plainly; those on addresses an address; those on phrases any text. The same phrase
operators are run over harmless text too, so that a disguise alone means nothing to a model.

Here are the common ones; rarer ones are in `number_disguises`, `address_disguises` and `writing`, and `repertoire` says which
are used for what.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Sequence
from random import Random

from stream_detector.training.corpus.joints import joints
from stream_detector.training.corpus.packs import Pack

_SEPARATORS = (
    " ",
    " ",
    ".",
    "-",
    " - ",
    "/",
    " / ",
    "_",
    "*",
    "•",
    " . ",
    "..",
    "~",
    "|",
    ",",
    ", ",
    " ' ",
    "--",
    "\n",
    "#",
    ":",
    "+",
)
_WORD_SEPARATORS = (" ", " ", " ", ", ", "-", " - ", ". ", " / ", "\n", "", "_", "...", " , ", " & ", "·")
_NOISE = ("🌟", "❤️", "🙂", "😀", "✨", "🏠", "🔥", "🌞", "*", "~", "^", "•", "♥", "🐬", "(!)", "#", "|")
_INVISIBLE = ("\u200b", "\u200c", "\u200d", "\u2060", "\u00ad", "\ufeff", "\u2063", "\u180e")
_LEET_DIGITS = {"0": "oOöøQ", "1": "lIi!|", "2": "zZ", "3": "E", "4": "A", "5": "sS$", "6": "bG", "7": "T", "8": "B", "9": "gq"}
_LEET_LETTERS = {"a": "4@", "e": "3€", "i": "1!", "o": "0", "s": "5$", "t": "7+", "b": "8", "g": "9", "l": "1|"}
_HOMOGLYPHS = {
    "a": "аɑ", "c": "сϲ", "e": "еҽ", "i": "іı", "j": "ј", "k": "κк", "m": "м", "n": "ո", "o": "оοօ", "p": "рρ", "s": "ѕ", "t": "т",
    "u": "υս", "v": "ν", "w": "ѡ", "x": "хⅹ", "y": "уγ", "A": "АΑ", "B": "ВΒ", "C": "С", "E": "ЕΕ", "H": "НΗ", "I": "ІΙ", "K": "КΚ",
    "M": "МΜ", "N": "Ν", "O": "ОΟ", "P": "РΡ", "T": "ТΤ", "X": "ХΧ", "Y": "ΥҮ", "Z": "Ζ",
}  # fmt: skip
_DIGIT_ALPHABETS = (
    "０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡", "⓪①②③④⑤⑥⑦⑧⑨", "⓿❶❷❸❹❺❻❼❽❾", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉",
)  # fmt: skip
_LETTER_STARTS = (0x1D400, 0x1D434, 0x1D5A0, 0x1D5D4, 0x1D670, 0xFF21, 0x24B6, 0x1F130, 0x1F170)
_SMALL_CAPITALS = dict(zip("abcdefghijklmnoprstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", strict=True))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _forms(rng: Random, pack: Pack) -> Sequence[Sequence[str]]:
    """The words for the digits: half of the time those that everybody knows, otherwise all spellings or one of each."""
    style = rng.random()
    if style < 0.5:
        return [forms[:1] for forms in pack.digits]
    return pack.digits if style < 0.75 else [(rng.choice(forms),) for forms in pack.digits]


def spelled(rng: Random, text: str, pack: Pack) -> str:
    """Every digit as a word; now and then a plus in words or figures in front."""
    separator = rng.choice(_WORD_SEPARATORS)
    forms = _forms(rng, pack)
    words = [rng.choice(forms[int(d)]) for d in _digits(text)]
    if separator == "" and pack.code not in {"zh", "ja", "ko"}:
        words = [word.capitalize() for word in words] if rng.random() < 0.5 else words
    style = rng.random()
    if style < 0.15:
        words = [word.upper() for word in words]
    prefix = rng.choice(("+", "plus ", "")) if text.startswith("+") else ""
    return prefix + separator.join(words)


def half_spelled(rng: Random, text: str, pack: Pack) -> str:
    """Some digits as words, some as figures."""
    share = rng.choice((0.2, 0.4, 0.6))
    separator = rng.choice((" ", "", "-", " ", ", "))
    forms = _forms(rng, pack)
    return separator.join(rng.choice(forms[int(d)]) if rng.random() < share else d for d in _digits(text))


def compound(rng: Random, text: str, pack: Pack) -> str:
    """Two digits at a time, as people read numbers aloud: "seventy-seven, nought nine"."""
    digits, forms = _digits(text), _forms(rng, pack)
    words: list[str] = []
    position = len(digits) % 2
    if position:
        words.append(rng.choice(forms[int(digits[0])]))
    for start in range(position, len(digits), 2):
        pair = int(digits[start : start + 2])
        words.append(pack.pairs[pair - 10] if pair >= 10 else rng.choice(forms[0]) + " " + rng.choice(forms[pair]))
    return rng.choice((" ", ", ", " - ", ". ")).join(words)


def by_hundreds(rng: Random, text: str, pack: Pack) -> str:
    """Three digits at a time: "trzysta siedemnaście, sześćset sześć"; what is left over stands in front."""
    if not pack.hundreds:
        return compound(rng, text, pack)
    digits, forms = _digits(text), _forms(rng, pack)
    cuts = [0, *range(len(digits) % 3 or 3, len(digits) + 1, 3)]
    groups = [digits[start:stop] for start, stop in itertools.pairwise(cuts)]
    return rng.choice((" ", " ", ", ", " - ", ". ", "\n")).join(_by_hundreds(rng, group, forms, pack) for group in groups)


def _by_hundreds(rng: Random, group: str, forms: Sequence[Sequence[str]], pack: Pack) -> str:
    noughts = [rng.choice(forms[0]) for _ in group[: len(group) - len(group.lstrip("0"))]]
    hundreds, rest = divmod(int(group), 100)
    small = [pack.pairs[rest - 10] if rest >= 10 else rng.choice(forms[rest])] if rest else []
    number = pack.hundreds_joiner.join([pack.hundreds[hundreds - 1], *small]) if hundreds else "".join(small)
    return " ".join([*noughts, *filter(None, [number])])


def repeated(rng: Random, text: str, pack: Pack) -> str:
    """Repeats by word: "double five", "triple zero"; single digits as words or figures."""
    if not pack.repeats:
        return spelled(rng, text, pack)
    words: list[str] = []
    as_words, forms = rng.random() < 0.7, _forms(rng, pack)
    for run in re.finditer(r"(\d)\1{0,2}", _digits(text)):
        name = rng.choice(forms[int(run[1])]) if as_words else run[1]
        fitting = [word for word, times in pack.repeats if times == len(run[0])]
        words += [f"{rng.choice(fitting)} {name}"] if fitting else [name] * len(run[0])
    return rng.choice((" ", " ", ", ", "-")).join(words)


def regrouped(rng: Random, text: str, _: Pack) -> str:
    """Unusual groups and separators."""
    digits, groups = _digits(text), []
    while digits:
        size = rng.choice((1, 2, 2, 3, 3, 4))
        groups.append(digits[:size])
        digits = digits[size:]
    prefix = rng.choice(("+", "00", "")) if text.startswith("+") else ""
    return prefix + rng.choice(_SEPARATORS).join(groups)


def one_by_one(rng: Random, text: str, _: Pack) -> str:
    """Digits one by one, apart or in brackets."""
    digits = _digits(text)
    style = rng.random()
    if style < 0.2:
        left, right = rng.choice(("()", "[]", "<>", "{}", '""'))
        return rng.choice(("", " ")).join(left + d + right for d in digits)
    return rng.choice(_SEPARATORS).join(digits)


def leet_digits(rng: Random, text: str, _: Pack) -> str:
    """Letters that look like digits."""
    share = rng.choice((0.3, 0.6, 1.0))
    return "".join(rng.choice(_LEET_DIGITS[c]) if c in _LEET_DIGITS and rng.random() < share else c for c in text)


def woven(rng: Random, text: str, pack: Pack) -> str:
    """Digits and letters in turn: a word threaded through the number, or noise between the digits."""
    digits = _digits(text)
    if rng.random() < 0.5:
        word = "".join(rng.choice(pack.words) for _ in range(3))
        return "".join(d + (word[i % len(word)] if rng.random() < 0.8 else "") for i, d in enumerate(digits))
    noise = rng.choice(_NOISE) if rng.random() < 0.6 else None
    return "".join(d + (noise or rng.choice(_NOISE)) for d in digits)


def other_digits(rng: Random, text: str, _: Pack) -> str:
    """Keycap emoji, circled, full-width, mathematical, Arabic and other digits."""
    if rng.random() < 0.35:
        return "".join(c + "\ufe0f\u20e3" if c.isdigit() else c for c in text)
    alphabet = rng.choice(_DIGIT_ALPHABETS)
    return "".join(alphabet[int(c)] if c.isascii() and c.isdigit() else c for c in text)


def in_parts(rng: Random, text: str, pack: Pack) -> str:
    """The number in two or three parts with words between."""
    digits = _digits(text)
    cut = rng.randrange(3, len(digits) - 3) if len(digits) > 7 else len(digits) // 2
    joint = rng.choice((*joints(pack).then, *joints(pack).then, " ... ", " -> ", " + ", " / "))
    return digits[:cut] + joint + digits[cut:]


def backwards(rng: Random, text: str, pack: Pack) -> str:
    """Reversed, with a hint to read it so."""
    return _digits(text)[::-1] + rng.choice(joints(pack).backwards)


def invisible(rng: Random, text: str, _: Pack) -> str:
    """Characters that can't be seen between the others."""
    mark = rng.choice(_INVISIBLE)
    return "".join(c + (mark if rng.random() < 0.5 else "") for c in text)


def entities(rng: Random, text: str, _: Pack) -> str:
    """HTML entities, or tags between the characters."""
    if rng.random() < 0.4:
        tag = rng.choice(("b", "i", "span", "u"))
        cut = rng.randrange(1, max(2, len(text)))
        return f"{html.escape(text[:cut])}<{tag}>{html.escape(text[cut:])}</{tag}>"
    return "".join(f"&#{ord(c)};" if rng.random() < 0.4 else html.escape(c) for c in text)


def other_letters(rng: Random, text: str, _: Pack) -> str:
    """Mathematical, full-width, circled or squared letters, or small capitals."""
    if rng.random() < 0.3:
        return "".join(_SMALL_CAPITALS.get(c, c) for c in text.lower())
    start = rng.choice(_LETTER_STARTS)
    has_lower = start not in (0x1F130, 0x1F170)
    gap = 32 if start == 0xFF21 else 26

    def change(char: str) -> str:
        if not (char.isascii() and char.isalpha()):
            return char
        index = ord(char.lower()) - ord("a")
        return chr(start + index + (gap if has_lower and char.islower() else 0))

    changed = "".join(map(change, text))
    return changed.replace("\U0001d455", "ℎ")  # a hole in the mathematical alphabet: italic h was encoded earlier


def homoglyphs(rng: Random, text: str, _: Pack) -> str:
    """Letters of other alphabets that look the same."""
    return "".join(rng.choice(_HOMOGLYPHS[c]) if c in _HOMOGLYPHS and rng.random() < 0.4 else c for c in text)


def leet_letters(rng: Random, text: str, _: Pack) -> str:
    """Digits and signs for letters: "b00k d1rect", here and there or nearly all through."""
    share = rng.choice((0.2, 0.35, 0.35, 0.6, 0.95))
    return "".join(rng.choice(_LEET_LETTERS[c.lower()]) if c.lower() in _LEET_LETTERS and rng.random() < share else c for c in text)


def letter_spaced(rng: Random, text: str, _: Pack) -> str:
    """Letters apart: "w h a t s a p p", "b.o.o.k". Words stay apart by more."""
    gap = rng.choice((" ", " ", ".", "-", "_", "*"))
    return (rng.choice(("   ", "  ", " / ")) if gap == " " else " ").join(gap.join(word) for word in text.split())


def stretched(rng: Random, text: str, _: Pack) -> str:
    """One letter held on to: "whaaatsapp"."""
    places = [i for i, c in enumerate(text) if c.isalpha()]
    if not places:
        return text
    place = rng.choice(places)
    return text[:place] + text[place] * rng.randrange(2, 5) + text[place + 1 :]


def misspelt(rng: Random, text: str, _: Pack) -> str:
    """A letter lost, doubled or swapped with its neighbour, once or twice."""
    for _attempt in range(rng.choice((1, 1, 2))):
        places = [i for i in range(1, len(text) - 2) if text[i].isalpha() and text[i + 1].isalpha()]
        if not places:
            return text
        i = rng.choice(places)
        text = rng.choice(
            (text[:i] + text[i + 1 :], text[:i] + text[i] + text[i:], text[:i] + text[i + 1] + text[i] + text[i + 2 :])
        )
    return text


def run_together(rng: Random, text: str, _: Pack) -> str:
    """No spaces, or capitals instead of them, or a hyphen."""
    words = text.split()
    if len(words) > 6:
        return text
    return rng.choice(("".join(words), "".join(w.capitalize() for w in words), "-".join(words), "_".join(words)))


def flattened(_: Random, text: str, __: Pack) -> str:
    """All in lower case, without punctuation."""
    return re.sub(r"[.,!?;:]+(?=\s|$)", "", text.lower())


def shouted(_: Random, text: str, __: Pack) -> str:
    """All in capitals."""
    return text.upper()


def worded_address(rng: Random, text: str, pack: Pack) -> str:
    """The signs "at" and "dot" in words, brackets or signs."""
    pad = rng.choice((" ", " ", ""))
    dot = rng.choice(pack.dot) if rng.random() < 0.7 else rng.choice(("(.)", "[.]", "(dot)", "DOT", "{dot}", "d0t"))
    at = (
        rng.choice(pack.at) if rng.random() < 0.7 else rng.choice(("(at)", "[at]", "{at}", "(@)", "AT", "(a)", "ät", "_at_", "a.t"))
    )
    if pad == "" and dot[:1].isalpha():
        pad = " "
    text = text.replace("://", rng.choice(("://", " ")))
    text = re.sub(r"\.", lambda _: f"{pad}{dot}{pad}", text)
    text = text.replace("@", f"{pad or ' '}{at}{pad or ' '}" if at[:1].isalpha() else f"{pad}{at}{pad}")
    if rng.random() < 0.3:
        text = text.replace("_", f" {rng.choice(pack.underscore)} ").replace("-", f" {rng.choice(pack.dash)} ")
    return text


def spaced_address(rng: Random, text: str, _: Pack) -> str:
    """Spaces or a line's end around the signs, or a comma or a space in a dot's place."""
    dot = rng.choice((" . ", " .", ". ", ",", " , ", " ", "·", " · ", "。", "-dot-", "…", "•"))
    at = rng.choice((" @ ", "@ ", " @", "＠", " ＠ ", "@", "\n@"))
    return text.replace("@", at).replace(".", dot)


def no_ending(rng: Random, text: str, _: Pack) -> str:
    """The dot left out ("casasol com"), or an @ left out ("anna gmail com")."""
    text = text.replace(".", rng.choice((" ", "")) if "@" in text else " ")
    return text.replace("@", rng.choice(("@", " at ", " ", " @ ")))


def spelled_letters(rng: Random, text: str, pack: Pack) -> str:
    """Letter by letter, the signs in words."""
    gap = rng.choice(("-", " ", ". ", "."))
    parts = re.split(r"([.@])", text)
    spoken = {".": rng.choice(pack.dot), "@": rng.choice(pack.at)}
    return " ".join(spoken.get(part) or gap.join(part) for part in parts if part)
