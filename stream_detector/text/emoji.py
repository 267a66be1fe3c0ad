"""What emoji say about contact, and one neutral sign for all that say nothing."""

from __future__ import annotations

import unicodedata
from typing import Final

#: Stands for any pictograph without a meaning for contact.
NEUTRAL: Final = "•"

_WORDS: Final = {
    "bank": "🏦🏧",
    "bird": "🐦🐤",
    "blue": "🔵",
    "book": "📕📖📗📘📙",
    "camera": "📷📸📹📽🎥",
    "chat": "💬🗨🗪🗫🗩",
    "computer": "💻🖥",
    "fax": "📠🖷",
    "ghost": "👻",
    "green": "🟢",
    "ID": "🆔",
    "link": "🔗",
    "mail": "✉📧📩📨💌📫📪📬📭📮🖂🖃🖄🖅🖆",
    "money": "💵💶💷💴💰💸💳🤑🪙💲",
    "music": "🎵🎶",
    "phone": "📞☎☏📱📲✆🕿🕾🖁🕻📟",
    "plane": "✈🛩🛪🛫🛬",
    "search": "🔍🔎",
    "web": "🌐🕸",
}
_SIGNS: Final = {"->": "👉☞☛➡⮕➔➙➛➜➝➞➟➠➤➥➦➨⇨⇒", "<-": "👈☜☚⬅⇦⇐", "P": "🅿", "10": "🔟", "18": "🔞", "100": "💯"}

#: Contact emoji to the word that they stand for; it is set off by spaces.
WORD_OF: Final = {emoji: word for word, all_emoji in _WORDS.items() for emoji in all_emoji}
#: Emoji to the sign or digits that they stand for, which join their neighbours.
SIGN_OF: Final = {emoji: sign for sign, all_emoji in _SIGNS.items() for emoji in all_emoji}

_PICTURE_BLOCKS: Final = (range(0x2300, 0x2400), range(0x2600, 0x27C0), range(0x2B00, 0x2C00), range(0x1F000, 0x1FB00))
#: Unassigned: an emoji younger than Python's Unicode.
_PICTURE_CATEGORIES: Final = frozenset({"So", "Cn"})


def is_pictograph(character: str) -> bool:
    """Whether the character is a picture, an emoji or a dingbat (letters and digits in frames are among them)."""
    code = ord(character)
    return any(code in block for block in _PICTURE_BLOCKS) and unicodedata.category(character) in _PICTURE_CATEGORIES


def is_flag_letter(character: str) -> bool:
    """Whether the character is a regional indicator: one alone is a letter, two make a flag."""
    return "\U0001f1e6" <= character <= "\U0001f1ff"
