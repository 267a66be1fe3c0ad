"""How somebody writes a whole text: without accents, without punctuation, in one case or in any.

Applied to finished samples of either label, with the spans carried along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate
from random import Random

from stream_detector.training.corpus.render import Piece, Span
from stream_detector.training.corpus.writing import bare_letter

_PUNCTUATION = frozenset(".,!?;:…¡¿。，！？、؟،")
_HABITS: Mapping[str, Callable[[str], str]] = {
    "unaccented": bare_letter,
    "flattened": str.lower,
    "shouted": str.upper,
}


def with_habit(piece: Piece, rng: Random) -> Piece:
    """The text as a person of one habit writes it; what offends keeps its punctuation, which may be part of an address."""
    name = rng.choice(("unaccented", "unaccented", "unpunctuated", "flattened", "flattened", "shouted", "mixed_case"))
    if name == "unpunctuated":
        return _changed(piece, _without_punctuation(piece), name)
    if name == "mixed_case":
        share = rng.choice((0.1, 0.5))
        return _changed(piece, [c.upper() if rng.random() < share else c.lower() for c in piece.text], name)
    return _changed(piece, [_HABITS[name](c) for c in piece.text], name)


def _without_punctuation(piece: Piece) -> list[str]:
    text = piece.text
    inside = {at for span in piece.spans for at in range(span.start, span.end)}
    return [
        "" if c in _PUNCTUATION and at not in inside and (at + 1 == len(text) or text[at + 1].isspace()) else c
        for at, c in enumerate(text)
    ]


def _changed(piece: Piece, characters: list[str], name: str) -> Piece:
    """Put the changed characters together and carry the spans along; a text that would lose a span stays as it was."""
    places = [0, *accumulate(map(len, characters))]
    spans = tuple(Span(places[span.start], places[span.end], span.kind) for span in piece.spans)
    if any(span.start == span.end for span in spans):
        return piece
    return Piece("".join(characters), spans, piece.families, (*piece.disguises, name))
