"""Rarer ways to write an address: told in steps, its signs described, its provider in brackets, its ending in words.

All keep the names between the signs in order, so that a reader can still write to them.
"""

from __future__ import annotations

import re
from random import Random

from stream_detector.training.corpus.joints import joints
from stream_detector.training.corpus.packs import Pack

_ENDING = re.compile(r"(.+?)\.([^\W\d]{2,}(?:\.[^\W\d]{2,})?)")
_PROTOCOL = re.compile(r"^(?:https?://)?(?:www\.)?", re.IGNORECASE)


def _without_protocol(text: str) -> str:
    return _PROTOCOL.sub("", text, count=1)


def told_in_parts(rng: Random, text: str, pack: Pack) -> str:
    """Piece after piece over a sentence or several: "first lucinda, then the at sign, then example, and finally org"."""
    words = joints(pack)
    spoken = {"@": rng.choice(words.signs), ".": rng.choice(pack.dot), "_": pack.underscore[0], "-": pack.dash[0], "/": "slash"}
    pieces = [spoken.get(part, part) for part in re.split(r"([@._/-])", _without_protocol(text)) if part]
    first, middle, last = words.steps
    told = [
        (first if i == 0 else last if i == len(pieces) - 1 else middle if rng.random() < 0.5 else "{}").format(piece.strip())
        for i, piece in enumerate(pieces)
    ]
    return rng.choice((", ", ", ", ". ", " ", "\n")).join(told)


def described_signs(rng: Random, text: str, pack: Pack) -> str:
    """The sign @ described by its looks, the dot in a word; an address without @ keeps its dots in words."""
    sign, dot = rng.choice(joints(pack).signs), rng.choice(pack.dot)
    left, right = rng.choice(((" ", " "), (" (", ") "), (", ", ", "), (" [", "] "), (" *", "* ")))
    return text.replace(".", f" {dot} ").replace("@", left + sign + right)


def provider_apart(rng: Random, text: str, pack: Pack) -> str:
    """The mail's provider beside the name, without its ending: "halvorquint (g mail)", "name bei gmx"."""
    if "@" not in text:
        return ending_in_words(rng, text, pack)
    user, domain = text.split("@", 1)
    name = domain.split(".")[0]
    style = rng.random()
    if style < 0.25:
        name = name[:1] + rng.choice((" ", "-", ".", "'")) + name[1:]
    elif style < 0.35:
        name = name.capitalize()
    elif style < 0.4:
        name = name.upper()
    return user + rng.choice((*joints(pack).provider, " / {}", " [{}]", " -> {}")).format(name)


def ending_in_words(rng: Random, text: str, pack: Pack) -> str:
    """The last dot left out and the ending named: "casasol, ending in com"; with a path behind it, only the sign is changed."""
    address = _ENDING.fullmatch(_without_protocol(text).rstrip("/"))
    if address is None:
        return slashed(rng, text, pack)
    head, ending = address.groups()
    ending = ending if rng.random() < 0.6 else rng.choice((ending.upper(), " ".join(ending), f'"{ending}"'))
    left, right = rng.choice(((", ", ""), (" (", ")"), (" ", ""), (" - ", "")))
    return head + left + rng.choice(joints(pack).ends).format(ending) + right


def spaced_protocol(rng: Random, text: str, _: Pack) -> str:
    """Protocol and www letter by letter: "h t t p : / / w w w casasol com"; an address that has neither gets one."""
    gap = rng.choice((" ", " ", ".", "-"))
    start = rng.choice(("www", "www", "http", "https"))
    lead = gap.join(start) + ("" if start == "www" else rng.choice((" : / / ", ":// ", " slash slash ", " ")))
    return lead + " " + _without_protocol(text).replace(".", rng.choice((" . ", ".", " dot ", " ")))


def cut_address(rng: Random, text: str, _: Pack) -> str:
    """Spaces or line ends inside the names, where no name has them."""
    cut = rng.choice((" ", " ", "\n", " - "))
    share = rng.choice((0.1, 0.2))
    return "".join(c + (cut if c.isalnum() and i < len(text) - 1 and rng.random() < share else "") for i, c in enumerate(text))


def slashed(rng: Random, text: str, _: Pack) -> str:
    """Slashes, bars or other signs in the dot's place: "casasol/com"."""
    sign = rng.choice(("/", "\\", " / ", "|", ">", "~", ";", ":", "°", " o "))
    return _without_protocol(text).replace(".", sign).replace("@", rng.choice(("@", " @ ", "(a)", "//")))
