"""The platform's own names and domains, which become one neutral word: a model must not be tied to one platform."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from stream_detector.text.mapping import Edit, MappedText

NEUTRAL_WORD: Final = "Platform"

#: What is written for a letter to slip past the platform's own filter.
_SHAPES: Final = {
    "a": "a@4",
    "b": "b8",
    "e": "e3",
    "g": "g9",
    "i": "i1!|l",
    "l": "l1!|i",
    "n": "n&",
    "o": "o0",
    "s": "s5$",
    "t": "t7",
}
#: Every shape to one letter, i to l: two words that could be each other's disguise have the same skeleton.
_SKELETON: Final = {
    shape: "l" if letter == "i" else letter
    for letter, shapes in _SHAPES.items()
    for shape in shapes
    if shape != letter or letter == "i"
}
_GAP: Final = re.compile(r"[\s\-]+")
#: Longest host name, in characters: how far to the left of a domain its subdomains are looked for.
_LONGEST_HOST: Final = 253
_SUBDOMAINS: Final = re.compile(r"(?<![0-9a-z_.-])(?:https?://)?(?:[0-9a-z_-]++\.)*+\Z")
_NOT_AFTER_WORD: Final = "(?<![0-9a-z_\u00df-\u024f])"
#: Behind a name stands no more of the word, or only an s.
_NAME_END: Final = "(?=s?(?![0-9a-z_\u00df-\u024f]))"
#: Behind a domain stands neither more of the host name nor the sign that makes it a user name ("airbnb.com@evil.example").
_DOMAIN_END: Final = r"(?![0-9a-z_\-]|\.[0-9a-z_]|:?[0-9]{0,5}+@)"
#: The rest of somebody's host name ("airbnb.com.evil.example", "airbnb-sunny.example"), not the next sentence ("Airbnb.We are").
_HOST_GOES_ON: Final = re.compile("[0-9A-Za-z-]{0,63}+\\.(?![A-Z][a-z]{0,20}+(?![.0-9A-Za-z]))[0-9A-Za-z]")


class PlatformWords:
    """Finds a platform's names and domains.

    Args:
        names: whole words, in any case, with or without the spaces and hyphens that they hold ("Air BnB").
        domains: found with whatever scheme and subdomain; the path stays.
    """

    def __init__(self, names: Sequence[str], domains: Sequence[str]) -> None:
        names = [name.strip().lower() for name in names if name.strip()]
        domains = [domain.strip().lower() for domain in domains if domain.strip()]
        self._names = re.compile(f"{_NOT_AFTER_WORD}{_trie([_units(name) for name in names])}{_NAME_END}") if names else None
        self._domains = (
            re.compile(rf"(?<![0-9a-z_\-]){_trie([list(map(re.escape, domain)) for domain in domains])}{_DOMAIN_END}")
            if domains
            else None
        )
        # The longest part of each name or domain. Looking for these fixed strings takes a third of the pattern's time.
        self._stems = sorted({_skeleton(max(re.split(r"[\s\-.]+", word), key=len)) for word in (*names, *domains)})

    def replace(self, mapped: MappedText) -> MappedText:
        """Put the neutral word in place of each name and domain."""
        # Lower-casing keeps the length of all characters but one.
        lower = mapped.text.replace("İ", "I").lower()
        skeleton = _skeleton(lower)
        for stem in self._stems:
            if stem in skeleton:
                return mapped.rewrite(self._edits(mapped.text, lower))
        return mapped

    def _edits(self, text: str, lower: str) -> list[Edit]:
        found: list[tuple[int, int]] = []
        if self._domains:
            found += ((_host_start(lower, match.start()), match.end()) for match in self._domains.finditer(lower))
        if self._names:
            found += (
                match.span()
                for match in self._names.finditer(lower)
                if _is_word(match[0]) and not _HOST_GOES_ON.match(text, match.end())
            )
        return [Edit(start, end, NEUTRAL_WORD) for start, end in _without_overlaps(found)]


def _skeleton(lower: str) -> str:
    for shape, letter in _SKELETON.items():  # most are absent, which is found faster than translate looks at each character
        lower = lower.replace(shape, letter)
    return lower


def _units(name: str) -> list[str]:
    """The pattern of each character of a name."""
    return [
        r"[\s\-]?" if _GAP.fullmatch(letter) else f"[{re.escape(_SHAPES[letter])}]" if letter in _SHAPES else re.escape(letter)
        for letter in _GAP.sub(" ", name)
    ]


class _Trie(dict[str, "_Trie"]):
    """Patterns of characters to what may follow them; the empty pattern ends a word."""

    def pattern(self) -> str:
        branches = [unit + follow.pattern() for unit, follow in self.items() if unit]
        if not branches:
            return ""
        joined = branches[0] if len(branches) == 1 and "" not in self else f"(?:{'|'.join(branches)})"
        return joined + "?" if "" in self else joined


def _trie(words: Sequence[Sequence[str]]) -> str:
    """One pattern for all words that reads a text's character once, however many words share it."""
    root = _Trie()
    for word in words:
        node = root
        for unit in word:
            node = node.setdefault(unit, _Trie())
        node[""] = _Trie()
    return f"(?:{root.pattern()})"


def _is_word(surface: str) -> bool:
    """Whether a match is more word than number."""
    return 2 * sum(map(str.isalpha, surface)) > len(surface)


def _host_start(lower: str, at: int) -> int:
    """Where the host name that ends in a domain begins, scheme included."""
    match = _SUBDOMAINS.search(lower, max(0, at - _LONGEST_HOST), at)
    return match.start() if match else at


def _without_overlaps(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The first of each group that overlaps, the longer if two start together; in order."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept
