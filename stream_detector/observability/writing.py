"""Which writing a text is in: as near to its language as one gets by looking at characters."""

from __future__ import annotations

import re
from typing import Final

#: The head of a text says what the rest is written in.
_HEAD: Final = 400
#: From this share of accented letters on a text is hardly English, Dutch or Italian.
_ACCENTED_SHARE: Final = 0.01

_LATIN: Final = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏḀ-ỹ]")
_ACCENTED: Final = re.compile(r"[À-ÖØ-öø-ɏḀ-ỹ]")
_OTHERS: Final = {
    "greek": re.compile(r"[Ͱ-Ͽἀ-῿]"),
    "cyrillic": re.compile(r"[Ѐ-ԯ]"),
    "hebrew": re.compile(r"[֐-׿]"),
    "arabic": re.compile(r"[؀-ۿݐ-ݿࢠ-ࣿﭐ-﷿ﹰ-﻾]"),
    "indic": re.compile(r"[ऀ-෿]"),
    "thai": re.compile(r"[฀-๿]"),
    "hangul": re.compile(r"[ᄀ-ᇿ㄰-㆏가-힯]"),
    "kana": re.compile(r"[぀-ヿㇰ-ㇿｦ-ﾟ]"),
    "han": re.compile(r"[㐀-鿿豈-﫿𠀀-𿿽]"),
}
_LETTER: Final = re.compile(r"[^\W\d_]")

#: What `writing_of` answers with: ASCII letters, accented Latin ones, other scripts, none of these, no letters at all.
WRITINGS: Final = ("latin", "accented", *_OTHERS, "other", "none")


def writing_of(text: str) -> str:
    """The writing of most letters in a text's head, one of `WRITINGS`."""
    head = text[:_HEAD]
    if head.isascii():
        return "latin" if _LATIN.search(head) else "none"
    counts = {name: len(pattern.findall(head)) for name, pattern in _OTHERS.items()}
    counts["latin"] = latin = len(_LATIN.findall(head))
    most = max(counts, key=lambda name: counts[name])
    if counts[most] == 0:
        return "other" if _LETTER.search(head) else "none"
    if most == "latin" and len(_ACCENTED.findall(head)) >= _ACCENTED_SHARE * latin:
        return "accented"
    return most
