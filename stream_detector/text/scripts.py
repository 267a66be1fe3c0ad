"""Which scripts' letters may be look-alikes of Latin ones.

Unicode's table calls 一 a dash and ا an l. Nobody who writes Chinese or Arabic does: letters of the scripts here are never
folded, and a word (for the question whether it mixes scripts) ends where they begin, so that 微信wx-sample is two words.
"""

from __future__ import annotations

import re
from typing import Final

#: Character ranges of Hebrew, Arabic, Syriac … the Indic scripts, Thai … Myanmar; Ethiopic to Khmer and Mongolian;
#: CJK, kana and Hangul; presentation forms; the supplementary planes' CJK.
NEVER_FOLDED_RANGES: Final = (
    r"\u0590-\u109f\u1100-\u139f\u1700-\u1cff\u2e80-\u312f\u3130-\ua4cf\ua800-\uab2f\uabc0-\ud7ff\uf900-\ufaff"
    r"\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U000108ff\U0001e800-\U0001eeff\U0001b000-\U0001b2ff\U00020000-\U0003ffff"
    r"\U00011000-\U000114ff\U00011580-\U000118ff"
)
_NEVER_FOLDED: Final = re.compile(f"[{NEVER_FOLDED_RANGES}]")

#: Letters and digits of the other scripts, in one run.
WORD: Final = re.compile(rf"[^\W_{NEVER_FOLDED_RANGES}]+")


def is_never_folded(character: str) -> bool:
    """Whether the character belongs to a script whose letters stay as they are."""
    return _NEVER_FOLDED.match(character) is not None
