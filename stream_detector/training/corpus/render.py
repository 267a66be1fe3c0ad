"""From a template to a piece of text: slots filled, some disguised, with exact spans of what offends."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from stream_detector.contracts import Kind
from stream_detector.training.corpus import disguises, repertoire
from stream_detector.training.corpus.fillers import Fillers
from stream_detector.training.corpus.holdout import Part
from stream_detector.training.corpus.number_disguises import starred
from stream_detector.training.corpus.packs import Template
from stream_detector.training.corpus.repertoire import Operator
from stream_detector.training.corpus.writing import mixed_case, unaccented

_SLOT = re.compile(r"\{([a-z_]+)\}")

#: Which operators disguise which slot, and how often where the slot offends and where it is harmless. Harmless text is
#: disguised too, by the same hands, or a disguise by itself would come to mean a violation.
_SLOT_OPERATORS: Mapping[str, tuple[Mapping[Operator, float], float, float]] = {
    "phone": (repertoire.NUMBER_OPERATORS, 0.55, 0.0),
    "phone_start": (repertoire.PART_OPERATORS, 0.4, 0.0),
    "phone_end": (repertoire.PART_OPERATORS, 0.4, 0.0),
    "email": (repertoire.ADDRESS_OPERATORS, 0.5, 0.0),
    "url": (repertoire.ADDRESS_OPERATORS, 0.42, 0.0),
    "handle": (repertoire.NAME_OPERATORS, 0.3, 0.1),
    "words": (repertoire.NAME_OPERATORS, 0.12, 0.06),
    "id": (repertoire.NAME_OPERATORS, 0.25, 0.08),
    "account": (repertoire.NAME_OPERATORS, 0.15, 0.0),
    "messenger": (repertoire.BRAND_OPERATORS, 0.3, 0.15),
    "social": (repertoire.BRAND_OPERATORS, 0.25, 0.15),
    "transfer": (repertoire.BRAND_OPERATORS, 0.2, 0.15),
    "app": (repertoire.BRAND_OPERATORS, 0.2, 0.12),
    "company": (repertoire.BRAND_OPERATORS, 0.2, 0.2),
    "platform": (repertoire.BRAND_OPERATORS, 0.1, 0.1),
    "third_phone": (repertoire.HARMLESS_NUMBER_OPERATORS, 0.0, 0.22),
    "third_url": (repertoire.ADDRESS_OPERATORS, 0.0, 0.2),
    "third_email": (repertoire.ADDRESS_OPERATORS, 0.0, 0.18),
    "registration": (repertoire.HARMLESS_NUMBER_OPERATORS, 0.0, 0.14),
    "price": ({disguises.other_digits: 2, disguises.spelled: 0.5, disguises.leet_digits: 0.5}, 0.0, 0.05),
    "time": ({disguises.other_digits: 2, disguises.spelled: 0.5}, 0.0, 0.05),
    "number": (repertoire.HARMLESS_NUMBER_OPERATORS, 0.0, 0.12),
    "doorcode": (repertoire.HARMLESS_NUMBER_OPERATORS, 0.0, 0.2),
    "bus": ({disguises.other_digits: 1, disguises.half_spelled: 1, starred: 0.5}, 0.0, 0.05),
    "password": (repertoire.NAME_OPERATORS, 0.0, 0.08),
    "wifi": (repertoire.NAME_OPERATORS, 0.0, 0.07),
    "platform_url": ({disguises.spaced_address: 1, disguises.shouted: 1, disguises.no_ending: 1}, 0.0, 0.06),
    "emergency": (repertoire.HARMLESS_NUMBER_OPERATORS, 0.0, 0.08),
}

_PHRASE_SHARE = 0.14
#: What a person does to all that they type goes for the slots too.
_WHOLE_TEXT_OPERATORS = (disguises.flattened, disguises.shouted, unaccented, mixed_case)


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` up to but not including `end` that offend."""

    start: int
    end: int
    kind: Kind

    def shifted(self, by: int) -> Span:
        """The span in a text that this one's text was put into."""
        return Span(self.start + by, self.end + by, self.kind)


@dataclass(frozen=True, slots=True)
class Piece:
    """Rendered text with the spans that offend and how it was made."""

    text: str
    spans: tuple[Span, ...] = ()
    families: tuple[str, ...] = ()
    disguises: tuple[str, ...] = ()


@dataclass(slots=True)
class _Builder:
    parts: list[str] = field(default_factory=list)
    length: int = 0

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)


def render(template: Template, fillers: Fillers, part: Part = "train") -> Piece:
    """Fill a template once, by the disguises of a part of the data."""
    rng = fillers.rng
    phrase = repertoire.pick(rng, repertoire.PHRASE_OPERATORS, part) if rng.random() < _PHRASE_SHARE else None
    built, spans, used = _Builder(), [], [phrase.__name__] if phrase is not None else []
    for segment in template.segments:
        start = built.length
        for index, stretch in enumerate(_SLOT.split(segment.template)):
            if index % 2:
                text, operator = _fill(stretch, fillers, part, offends=segment.kind is not None)
                if operator:
                    used.append(operator)
                elif phrase is not None and phrase in _WHOLE_TEXT_OPERATORS:
                    text = phrase(rng, text, fillers.pack)
            else:
                text = _apply_phrase(phrase, stretch, fillers)
            built.add(text)
        if segment.kind:
            body = "".join(built.parts)[start:]
            left, right = len(body) - len(body.lstrip()), len(body) - len(body.rstrip())
            spans.append(Span(start + left, built.length - right, segment.kind))
    return Piece("".join(built.parts), tuple(spans), (template.family,), tuple(used))


def join(pieces: Sequence[Piece], separators: Sequence[str]) -> Piece:
    """Put pieces one after the other; `separators` has one entry fewer."""
    built, spans = _Builder(), []
    for index, piece in enumerate(pieces):
        if index:
            built.add(separators[index - 1])
        spans += [span.shifted(built.length) for span in piece.spans]
        built.add(piece.text)
    return Piece(
        "".join(built.parts),
        tuple(spans),
        tuple(family for piece in pieces for family in piece.families),
        tuple(name for piece in pieces for name in piece.disguises),
    )


def _fill(slot: str, fillers: Fillers, part: Part, *, offends: bool) -> tuple[str, str | None]:
    value = fillers.fill(slot)
    if slot not in _SLOT_OPERATORS:
        return value, None
    operators, where_it_offends, elsewhere = _SLOT_OPERATORS[slot]
    if fillers.rng.random() >= (where_it_offends if offends else elsewhere):
        return value, None
    operator = repertoire.pick(fillers.rng, operators, part)
    disguised = operator(fillers.rng, value, fillers.pack)
    return (disguised, operator.__name__) if disguised.strip() else (value, None)


def _apply_phrase(phrase: Operator | None, literal: str, fillers: Fillers) -> str:
    """Disguise a literal part; the space at its ends, which joins it to a slot, stays."""
    core = literal.strip()
    if phrase is None or not core:
        return literal
    left, right = literal[: len(literal) - len(literal.lstrip())], literal[len(literal.rstrip()) :]
    return left + phrase(fillers.rng, core, fillers.pack) + right


def harmless(text: str, rng: Random, fillers: Fillers, part: Part = "train") -> Piece:
    """A clean text, now and then written in the ways that disguises are."""
    if rng.random() >= 0.07 or len(text) > 400:
        return Piece(text, families=("clean",))
    operator = repertoire.pick(rng, repertoire.PHRASE_OPERATORS, part)
    return Piece(operator(rng, text, fillers.pack), families=("clean",), disguises=(operator.__name__,))


def cut(piece: Piece) -> list[Piece]:
    """Cut a piece that offends in two places at the end of a sentence between them, if there is one."""
    for left, right in zip(piece.spans, piece.spans[1:], strict=False):
        between = re.search(r"(?<=[.!?])\s+|\n+|(?<=[。！？])", piece.text[left.end : right.start])
        if between:
            start, end = left.end + between.start(), left.end + between.end()
            return [
                Piece(piece.text[:start], tuple(s for s in piece.spans if s.end <= start), piece.families, piece.disguises),
                Piece(piece.text[end:], tuple(s.shifted(-end) for s in piece.spans if s.start >= end)),
            ]
    return [piece]
