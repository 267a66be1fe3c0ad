"""Texts without what made them Fraud: evidence is taken out until the detector has nothing to say against them.

What is taken out is found by scoring: first the evidence; what is left is scored again, since it may still say enough
("WhatsApp me on […]"); where evidence alone doesn't do, its sentence goes. Whether it did is said, never assumed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from stream_detector.contracts import Kind, Label, ScoringResponse
from stream_detector.text.mapping import Edit, MappedText
from stream_detector.text.sentences import sentence_ends

#: What stands for a piece that was taken out; of no language, and no text about contacts reads like it.
PLACEHOLDER: Final = "[…]"

#: Times that a group of texts is scored at most. Evidence of evidence ends after two or three; the rest is for sentences.
_ROUNDS: Final = 8
#: Of those, how many take out evidence alone.
_FINE_ROUNDS: Final = 3
#: Characters between two pieces that make one of them: blanks and signs.
_JOINED: Final = 3


class Scorer(Protocol):
    """What scores: a `Detector`, or what stands in for one."""

    def score(self, texts: Sequence[Mapping[str, str]], *, deadline: float | None = None) -> list[ScoringResponse]:
        """One response for each group of texts."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A piece that was taken out.

    Attributes:
        attribute: in whose text.
        start, end: half-open span of the text as sent, in code points.
        kind: what it was.
        at: where its placeholder begins in the redacted text.
    """

    attribute: str
    start: int
    end: int
    kind: Kind
    at: int


@dataclass(frozen=True, slots=True)
class Redaction:
    """Texts as they could be published.

    Attributes:
        texts: by attribute, in the order in which they were given; those that nothing was taken from are as they were.
        removals: what was taken out, by attribute and place; empty if the texts were NonFraud to begin with.
        clean: `texts` are NonFraud. False: no bounded number of removals did it, and a person must rewrite them.
        rounds: how often the detector was asked.
    """

    texts: dict[str, str]
    removals: tuple[Removal, ...]
    clean: bool
    rounds: int


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    kind: Kind


def redact(detector: Scorer, texts: Mapping[str, str], *, deadline: float | None = None) -> Redaction:
    """Take out of texts what makes them Fraud.

    Args:
        detector: what scores; at most eight times.
        texts: by attribute name.
        deadline: as `Detector.score` takes it; held by every round.
    """
    pieces: dict[str, list[_Piece]] = {attribute: [] for attribute in texts}
    mapped = {attribute: MappedText.identity(text) for attribute, text in texts.items()}
    for asked in range(1, _ROUNDS + 1):
        (response,) = detector.score([{attribute: text.text for attribute, text in mapped.items()}], deadline=deadline)
        clean = response.score_details.label is Label.NON_FRAUD
        if clean or asked == _ROUNDS or not _take_out(response, texts, pieces, mapped, sentences=asked > _FINE_ROUNDS):
            break
        mapped = {attribute: _rewritten(text, pieces[attribute]) for attribute, text in texts.items()}
    removals = [
        Removal(attribute, piece.start, piece.end, piece.kind, mapped[attribute].starts.index(piece.start))
        for attribute, found in pieces.items()
        for piece in found
    ]
    return Redaction({attribute: text.text for attribute, text in mapped.items()}, tuple(removals), clean, asked)


def _take_out(
    response: ScoringResponse,
    texts: Mapping[str, str],
    pieces: dict[str, list[_Piece]],
    mapped: Mapping[str, MappedText],
    *,
    sentences: bool,
) -> bool:
    """Add to the pieces what the response found; whether that was anything new."""
    before = {attribute: list(found) for attribute, found in pieces.items()}
    for item in response.score_details.evidence:
        text, view = texts[item.attribute], mapped[item.attribute]
        piece = _Piece(view.starts[item.start], view.ends[item.end - 1], item.kind)
        piece = _sentence(text, piece) if sentences else _whole_words(text, piece)
        known = pieces[item.attribute]
        if not sentences and any(other.start <= piece.start and piece.end <= other.end for other in known):
            # It is taken out already, so what is left around it offends.
            piece = _sentence(text, piece)
        pieces[item.attribute] = _joined(text, [*known, piece])
    return pieces != before


def _rewritten(text: str, pieces: Sequence[_Piece]) -> MappedText:
    return MappedText.identity(text).rewrite(Edit(piece.start, piece.end, PLACEHOLDER) for piece in pieces)


def _whole_words(text: str, piece: _Piece) -> _Piece:
    """Half a word is no word; in scripts that part none, a piece ends where its evidence does."""
    start, end = piece.start, piece.end
    while start > 0 and _of_one_word(text[start - 1], text[start]):
        start -= 1
    while end < len(text) and _of_one_word(text[end - 1], text[end]):
        end += 1
    return _Piece(start, end, piece.kind)


def _of_one_word(left: str, right: str) -> bool:
    return left.isalnum() and right.isalnum() and (left + right).isascii()


def _sentence(text: str, piece: _Piece) -> _Piece:
    """The sentences that a piece stands in, without the blanks behind; if it is all of them, their neighbours too."""
    bounds = [0, *sentence_ends(text)]
    first = bisect_right(bounds, piece.start) - 1
    last = bisect_right(bounds, max(piece.start, piece.end - 1)) - 1
    start, end = _trimmed(text, bounds[first], bounds[min(last + 1, len(bounds) - 1)])
    if (start, end) == (piece.start, piece.end):
        start, end = _trimmed(text, bounds[max(0, first - 1)], bounds[min(last + 2, len(bounds) - 1)])
    return _Piece(min(start, piece.start), max(end, piece.end), piece.kind)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    inside = text[start:end]
    return start + len(inside) - len(inside.lstrip()), start + len(inside.rstrip())


def _joined(text: str, pieces: Sequence[_Piece]) -> list[_Piece]:
    """Pieces in order, those that overlap or have but blanks and signs between them as one; the longer names the kind."""
    joined: list[_Piece] = []
    for piece in sorted(pieces, key=lambda piece: (piece.start, piece.end)):
        last = joined[-1] if joined else None
        if last is None or not _touch(text[last.end : piece.start], piece.start - last.end):
            joined.append(piece)
            continue
        longer = max(last, piece, key=lambda piece: piece.end - piece.start)
        joined[-1] = _Piece(last.start, max(last.end, piece.end), longer.kind)
    return joined


def _touch(between: str, distance: int) -> bool:
    return distance <= _JOINED and not any(map(str.isalnum, between)) and "\n" not in between
