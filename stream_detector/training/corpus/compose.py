"""Labelled texts: real or made-up backgrounds with violations and look-alikes put in.

The method is that of insertion corpora: the label is known because we wrote the offending part, and the background is real
because people wrote it. What keeps a model from learning the seams is that harmless pieces are inserted in just the same
way, in the same languages, by the same disguises.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from stream_detector.text.windows import sentence_ends
from stream_detector.training.corpus.fillers import Fillers
from stream_detector.training.corpus.listings import ListingText, is_suspicious
from stream_detector.training.corpus.packs import Pack, Template, packs, world
from stream_detector.training.corpus.render import Piece, Span, harmless, join, render

_JOINTS = (*(" ",) * 12, *("\n",) * 4, "\n\n", "\n\n", " - ", "  ", ". ", " ★ ", "!! ", " • ", "\n* ", " ** ", " ✨ ", " | ")

#: How often each kind of violation is made; solicitations and messengers have the widest ways of saying.
_FAMILY_WEIGHTS = {"phone": 5, "email": 3, "url": 4, "handle": 3.5, "messenger": 4, "payment": 3, "solicitation": 5}
_LOOKALIKE_WEIGHTS = {
    "numbers": 4, "transport": 1.5, "platform": 3, "third_party": 4, "brands": 4, "policy": 1.5, "spelled": 2,
}  # fmt: skip

_ENGLISH_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled text. `spans` are offsets into `text`; none means NonFraud."""

    text: str
    spans: tuple[Span, ...]
    language: str
    families: tuple[str, ...]
    disguises: tuple[str, ...]
    source: str

    @property
    def offends(self) -> bool:
        """The label."""
        return bool(self.spans)

    def to_row(self) -> dict[str, Any]:
        """The sample as a JSON object."""
        return asdict(self) | {"spans": [(span.start, span.end, span.kind.value) for span in self.spans]}


@dataclass(frozen=True, slots=True)
class Mixture:
    """Shares of what is composed.

    Attributes:
        violation: texts with an inserted violation.
        real_background: backgrounds that are real listing texts; the rest are made of pack sentences.
        bare: pieces without any background.
    """

    violation: float = 0.45
    real_background: float = 0.6
    bare: float = 0.1


class Composer:
    """Makes samples from real clean texts and the language packs, seeded."""

    def __init__(self, listings: Sequence[ListingText], *, seed: int, mixture: Mixture | None = None) -> None:
        self._rng = Random(seed)
        self._mixture = mixture or Mixture()
        self._packs = packs()
        self._world = world()
        self._clean = [listing for listing in listings if not is_suspicious(listing.text)]

    def samples(self, count: int) -> Iterator[Sample]:
        """Compose `count` samples."""
        for _ in range(count):
            yield self._sample()

    def _sample(self) -> Sample:
        rng, mixture = self._rng, self._mixture
        background, language, source = self._background()
        inserts: list[Piece] = []
        if rng.random() < mixture.violation:
            inserts.append(self._violation(self._insert_language(language)))
        lookalikes = rng.choice((0, 0, 1, 1, 2)) if inserts else rng.choice((0, 0, 1, 1, 1, 2, 2, 3))
        inserts += [self._lookalike(self._insert_language(language)) for _ in range(lookalikes)]
        rng.shuffle(inserts)
        pieces = self._spread(background, inserts)
        whole = join(pieces, [rng.choice(_JOINTS) for _ in pieces[1:]])
        return Sample(whole.text, whole.spans, language, whole.families, whole.disguises, source)

    def _background(self) -> tuple[list[Piece], str, str]:
        """Sentences, their language and where they come from."""
        rng = self._rng
        if rng.random() < self._mixture.bare:
            language = self._any_language()
            return ([] if rng.random() < 0.7 else [self._sentence(self._packs[language])]), language, "bare"
        if self._clean and rng.random() < self._mixture.real_background:
            listing = rng.choice(self._clean)
            language = listing.language if listing.language in self._packs else "en"
            text = _excerpt(listing.text, rng)
            return [harmless(part, rng, self._fillers(language)) for part in text], language, listing.key
        language = self._any_language()
        count = rng.choice((1, 1, 2, 2, 3, 4, 6))
        return [self._sentence(self._packs[language]) for _ in range(count)], language, "pack"

    def _any_language(self) -> str:
        return "en" if self._rng.random() < _ENGLISH_SHARE else self._rng.choice(list(self._packs))

    def _insert_language(self, background: str) -> str:
        roll = self._rng.random()
        return background if roll < 0.72 else "en" if roll < 0.85 else self._rng.choice(list(self._packs))

    def _fillers(self, language: str) -> Fillers:
        return Fillers(self._rng, self._packs[language], self._world)

    def _violation(self, language: str) -> Piece:
        return self._of_family(self._packs[language].violations, _FAMILY_WEIGHTS, language)

    def _lookalike(self, language: str) -> Piece:
        return self._of_family(self._packs[language].lookalikes, _LOOKALIKE_WEIGHTS, language)

    def _of_family(self, families: Any, weights: dict[str, float], language: str) -> Piece:
        names = [name for name in weights if families.get(name)]
        family = self._rng.choices(names, weights=[weights[name] for name in names])[0]
        template: Template = self._rng.choice(families[family])
        return render(template, self._fillers(language))

    def _sentence(self, pack: Pack) -> Piece:
        return render(self._rng.choice(pack.clean), self._fillers(pack.code))

    def _spread(self, background: list[Piece], inserts: list[Piece]) -> list[Piece]:
        """Put each insert at the end, the start or between two sentences."""
        pieces = list(background)
        for insert in inserts:
            roll = self._rng.random()
            place = len(pieces) if roll < 0.4 else 0 if roll < 0.5 else self._rng.randint(0, len(pieces))
            pieces.insert(place, insert)
        return pieces or [self._sentence(self._packs["en"])]


def _excerpt(text: str, rng: Random) -> list[str]:
    """Some sentences of a text in a row, cut into two or three runs between which pieces can go."""
    ends = sentence_ends(text)
    starts = [0, *ends[:-1]]
    count = min(len(ends), rng.choice((1, 1, 2, 2, 3, 3, 4, 5, 7)))
    first = rng.randrange(len(ends) - count + 1)
    sentences = [text[starts[i] : ends[i]].strip() for i in range(first, first + count)]
    return [sentence for sentence in sentences if sentence]
