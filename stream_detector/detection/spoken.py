"""Numbers and addresses as they are spoken: words for digits, for @ and for dots, in the sixteen languages of the model.

Only the words that people use most, without misspellings: a word that is missed costs a link between two listings, one that is
wrong would make a link between two strangers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

#: For each language the words of 0 to 9; a slash parts synonyms.
_DIGITS: Final = (
    "صفر/sifr واحد/wahid اثنين/اثنان/ithnan ثلاثة/تلاتة/thalatha اربعة/أربعة/arbaa خمسة/khamsa ستة/sitta سبعة/sabaa ثمانية/تمانية/thamania تسعة/tisaa",
    "null eins/ein zwei/zwo drei vier fünf/fuenf sechs sieben acht neun",
    "μηδέν/miden ένα/ena δύο/dyo/dio τρία/tria τέσσερα/tessera πέντε/pente έξι/eksi/exi επτά/εφτά/efta οκτώ/οχτώ/okto εννιά/εννέα/ennia",
    "zero/oh/nought/naught one two three four five six seven eight nine/niner",
    "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "zéro un/une deux trois quatre cinq six sept huit neuf",
    "zero uno due tre quattro cinque sei sette otto nove",
    "zero ichi ni san yon go roku nana hachi kyu",
    "gong/yeong il/hana dul sam sa daseot yuk chil pal gu",
    "nul een/één twee drie vier vijf zes zeven acht negen",
    "zero jeden/jedynka dwa/dwójka trzy/trójka cztery/czwórka pięć/piątka sześć/szóstka siedem/siódemka osiem/ósemka dziewięć/dziewiątka",
    "zero um/uma dois/duas três quatro cinco seis/meia sete oito nove",
    "ноль/нуль/nol один/odin два/dva три/tri четыре/chetyre пять/pyat шесть/shest семь/sem восемь/vosem девять/devyat",
    "noll/nolla ett/etta två/tvåa tre/trea fyra/fyran fem/femma sex/sexa sju/sjua åtta nio/nia",
    "sıfır bir iki üç dört beş altı yedi sekiz dokuz",
    "ling yi/yao er san si wu liu qi ba jiu",
)
#: Those that are also other words, and often: they count between figures only.
_WEAK: Final = frozenset("um uma un une ein een ett one uno tri tre il er si san go ni oh ba exi ena dio sa".split())
#: The same in scripts that part no words.
_UNPARTED: Final = (
    "零/〇/洞 一/幺/壹 二/两/兩/贰 三/叁 四/肆 五/伍 六/陆 七/柒/拐 八/捌 九/玖",
    "ゼロ/れい/レイ/まる/マル いち/イチ に/ニ さん/サン よん/ヨン ご/ゴ ろく/ロク なな/ナナ/しち/シチ はち/ハチ きゅう/キュー",
    "공/영/제로 일/하나 이/둘 삼/셋 사/넷 오/다섯 육/륙/여섯 칠/일곱 팔/여덟 구/아홉",
)
_REPEATS: Final = {
    2: "double doble doppel doppelt doppio dubbel duplo",
    3: "triple treble triplo trippel",
}
_PLUS: Final = "plus mas piu mais плюс συν زائد 加 プラス 플러스"
_AT: Final = (
    "at arroba arobase arobas chiocciola klammeraffe apenstaartje apestaartje małpa malpa собака эт παπάκι papaki آت ات 골뱅이 앳"
    " アットマーク アット 艾特 snabel-a snabela kanelbulle aet ät"
)
_DOT: Final = "dot punkt punto point ponto punt kropka точка τελεία teleia نقطة دوت ドット 点 點 점 닷 nokta period"

#: Marks that make another letter of a Japanese one.
_KANA_MARKS: Final = "\u3099\u309a"
_LETTERS: Final = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "ة": "ه", "ى": "ي"})
_LONGEST_TOKEN: Final = 120
_LONGEST_TEXT: Final = 400


def plain(text: str) -> str:
    """A text without case and accents, for comparing words; its length may change."""
    bare = (c for c in unicodedata.normalize("NFD", text.casefold()) if c in _KANA_MARKS or unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFC", "".join(bare)).translate(_LETTERS)


def _words(lists: Iterable[str]) -> dict[str, str]:
    return {plain(form): str(digit) for words in lists for digit, forms in enumerate(words.split()) for form in forms.split("/")}


def _any_of(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_DIGIT_OF: Final = _words(_DIGITS)
_UNPARTED_DIGIT_OF: Final = _words(_UNPARTED)
_TIMES: Final = {word: times for times, words in _REPEATS.items() for word in words.split()}
_PLUSES: Final = frozenset(plain(_PLUS).split()) | {"+"}
# Possessive and longest first: a token is read once, however it is made up.
_RUN: Final = re.compile(f"(?:{_any_of(_DIGIT_OF)})++")
_EACH: Final = re.compile(_any_of(_DIGIT_OF))
_UNPARTED_WORD: Final = re.compile(_any_of(_UNPARTED_DIGIT_OF))
_TOKEN: Final = re.compile(r"\d+|\+|[^\W\d_]+")
#: Letters that stand in for figures, in a run that holds figures too.
_SHAPED: Final = re.compile(r"(?<![^\W_])(?=[^\W_]*\d)[\doOIlSsBZ]{2,}(?![^\W_])")
_FIGURE_OF: Final = str.maketrans("oOIlSsBZ", "00115582")
_SPOKEN_AT: Final = re.compile(rf"(?<![^\W\d_])(?:{_any_of(plain(_AT).split())})(?![^\W\d_])")
_SPOKEN_DOT: Final = re.compile(rf"(?<![^\W\d_])(?:{_any_of(plain(_DOT).split())})(?![^\W\d_])|…|[·•]")
#: A sign with the dashes, or the brackets and blanks, that set off the word it was. Texts are short here, so that trying each blank
#: anew costs nothing; possessive quantifiers would spare it, and go on for ever in the `re` of Python 3.11.2.
_DASHED: Final = re.compile(r"-([@.])-")
_SET_OFF: Final = re.compile(r"[\s()\[\]{}<>*]*([@.])[\s()\[\]{}<>*]*")


@dataclass(frozen=True, slots=True)
class _Part:
    """A token and the figures it stands for, if any."""

    figures: str
    word: bool
    weak: bool
    times: int = 1
    plus: bool = False


def figures(text: str) -> str:
    """The figures of a number that is written in figures, words or both, in order; a plus in front is kept.

    Args:
        text: one number as it stands in the normalized view. It is cut at 400 characters.

    >>> figures("plus four four (seven seven zero zero) 9OO one 2 three")
    '+447700900123'
    """
    text = _SHAPED.sub(lambda run: run[0].translate(_FIGURE_OF), text[:_LONGEST_TEXT])
    text = _figures_for_signs(plain(text))
    parts = [_part(token[0]) for token in _TOKEN.finditer(text)]
    found: list[str] = []
    plus, times = "", 1
    for at, part in enumerate(parts):
        if part.plus and not found:
            plus = "+"
        elif part.times > 1:
            times = part.times
            continue
        elif part.figures and (not part.word or _counts(parts, at)):
            found.append(part.figures[0] * (times - 1) + part.figures)
        times = 1
    return plus + "".join(found) if found else ""


def address(text: str) -> str:
    """An address with its words for @ and dot put back to signs and its blanks around them gone; without case and accents.

    >>> address("Anna.Sample (at) example punkt com")
    'anna.sample@example.com'
    """
    text = plain(text[:_LONGEST_TEXT])
    signs = _SPOKEN_DOT.sub(".", _SPOKEN_AT.sub("@", text))
    return _SET_OFF.sub(r"\1", _DASHED.sub(r"\1", signs))


def _figures_for_signs(text: str) -> str:
    """Numerals of Chinese, Japanese and Korean where two or more stand together, or one beside figures."""
    pieces: list[str] = []
    at = 0
    for run in re.finditer(rf"(?:(?:{_UNPARTED_WORD.pattern})[\s\-.,、・]{{0,2}})++", text):
        words = _UNPARTED_WORD.findall(run[0])
        beside = text[: run.start()].rstrip(" -.")[-1:].isdecimal() or text[run.end() :].lstrip(" -.")[:1].isdecimal()
        if len(words) > 1 or beside:
            pieces += [text[at : run.start()], "".join(map(_UNPARTED_DIGIT_OF.__getitem__, words)), " "]
            at = run.end()
    return "".join((*pieces, text[at:]))


def _part(token: str) -> _Part:
    if token.isdecimal():
        return _Part(token, word=False, weak=False)
    if token in _PLUSES:
        return _Part("", word=True, weak=False, plus=True)
    if token in _TIMES:
        return _Part("", word=True, weak=False, times=_TIMES[token])
    if len(token) <= _LONGEST_TOKEN and _RUN.fullmatch(token):
        return _Part("".join(_DIGIT_OF[word] for word in _EACH.findall(token)), word=True, weak=token in _WEAK)
    return _Part("", word=True, weak=False)


def _counts(parts: Sequence[_Part], at: int) -> bool:
    """Whether a number word is meant as one: it stands beside another number or is made of several; one that is also another word, between two."""
    before = parts[at - 1] if at else None
    after = parts[at + 1] if at + 1 < len(parts) else None
    beside = [part for part in (before, after) if part is not None]
    valued = [part for part in beside if part.figures or part.times > 1 or part.plus]
    if not parts[at].weak:
        return bool(valued) or len(parts[at].figures) > 1
    return len(valued) == 2 or (len(beside) == len(valued) == 1 and valued[0].word)
