"""Labelled texts: real or made-up backgrounds with violations and look-alikes put in.

The method is that of insertion corpora: the label is known because we wrote the offending part, and the background is real
because people wrote it. What keeps a model from learning the seams is that harmless pieces are inserted in just the same
way, in the same languages, by the same disguises.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from stream_detector.text.windows import sentence_ends
from stream_detector.training.corpus.fillers import Fillers
from stream_detector.training.corpus.habits import with_habit
from stream_detector.training.corpus.holdout import Part, of_part
from stream_detector.training.corpus.listings import ListingText, is_clean
from stream_detector.training.corpus.packs import Template, packs, world
from stream_detector.training.corpus.render import Piece, Span, cut, harmless, join, render

_JOINTS = (
    *(" ",) * 22, *("\n",) * 7, *("\n\n",) * 4, " - ", " - ", "  ", "  ", ". ", ". ", " ★ ", "!! ", " • ", "\n* ", " ** ", " ✨ ", " | ", "", "", "", "✨", "🏡🌞",
    " ❤️ ", "//", "\t", " ... ", "; ", "\n---\n", "<br>", "<br />\n",
)  # fmt: skip

#: How often each kind of violation is made; solicitations and messengers have the widest ways of saying.
_FAMILY_WEIGHTS = {"phone": 5, "email": 3, "url": 4, "handle": 3.5, "messenger": 4, "payment": 3, "solicitation": 5}
_LOOKALIKE_WEIGHTS = {
    "numbers": 4, "transport": 1.5, "platform": 3, "third_party": 4, "brands": 4, "policy": 1.5, "spelled": 2,
}  # fmt: skip

_ENGLISH_SHARE = 0.28
_HABIT_SHARE = 0.06
_SECOND_VIOLATION_SHARE = 0.06
_CUT_SHARE = 0.35  # of violations told in two places, so many are told in two places of the text

#: A language with fewer real texts than this would show the same ones over and over.
_ENOUGH_TEXTS = 100

#: Of made-up backgrounds' sentences and of plain samples, so many are prose where there is some.
_PROSE_SHARE = 0.5
_PLAIN_PROSE_SHARE = 0.3

#: A whole window of a network, in characters, and less.
_PLAIN_LENGTHS = (80, 160, 300, 450, 600, 600)


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
        plain: real texts as they are, without anything inserted; fewer where violations leave no room for them.
        real_background: of the rest, backgrounds that are real listing texts; others are made of pack sentences.
        bare: of the rest, pieces without any background.
    """

    violation: float = 0.45
    plain: float = 0.12
    real_background: float = 0.5
    bare: float = 0.17


class Composer:
    """Makes samples from real clean texts and the language packs, seeded, for training or for the test.

    Args:
        listings: real texts; those that are clean become backgrounds.
        seed: of every choice.
        mixture: shares of what is composed.
        part: which templates and disguises belong to it.
        prose: other people's sentences by language, as `read_prose` gives them.
    """

    def __init__(
        self,
        listings: Sequence[ListingText],
        *,
        seed: int,
        mixture: Mixture | None = None,
        part: Part = "train",
        prose: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._rng = Random(seed)
        self._mixture = mixture or Mixture()
        self._part = part
        self._prose = prose or {}
        self._packs = packs()
        self._world = world()
        self._others = [code for code in self._packs if code != "en"]
        self._violations = {code: self._families(pack.violations) for code, pack in self._packs.items()}
        self._lookalikes = {code: self._families(pack.lookalikes) for code, pack in self._packs.items()}
        self._sentences = {code: of_part(pack.clean, part) for code, pack in self._packs.items()}
        self._clean = [listing for listing in listings if is_clean(listing)]
        self._clean_in: dict[str, list[ListingText]] = defaultdict(list)
        for listing in self._clean:
            self._clean_in[listing.language].append(listing)

    def samples(self, count: int) -> Iterator[Sample]:
        """Compose `count` samples."""
        for _ in range(count):
            yield self._sample()

    def _families(self, families: Mapping[str, Sequence[Template]]) -> dict[str, tuple[Template, ...]]:
        kept = {family: of_part(templates, self._part) for family, templates in families.items()}
        return {family: templates for family, templates in kept.items() if templates}

    def _sample(self) -> Sample:
        rng, mixture = self._rng, self._mixture
        plain = min(mixture.plain, 1 - mixture.violation) if self._clean else 0.0
        if rng.random() < plain:
            return self._plain()
        language = self._any_language()
        background, source = self._background(language)
        violations = []
        if rng.random() < mixture.violation / (1 - plain):
            violations.append(self._violation(language))
            if rng.random() < _SECOND_VIOLATION_SHARE:
                violations.append(self._violation(language))
        count = rng.choice((0, 0, 0, 1, 1, 2)) if violations else rng.choice((0, 1, 1, 1, 1, 2, 2, 3))
        lookalikes = [self._lookalike(language if rng.random() < 0.9 else self._any_language()) for _ in range(count)]
        pieces = self._spread(background, violations, lookalikes) or [self._sentence(language)]
        whole = join(pieces, [rng.choice(_JOINTS) for _ in pieces[1:]])
        if rng.random() < _HABIT_SHARE:
            whole = with_habit(whole, rng)
        return Sample(whole.text, whole.spans, language, whole.families, whole.disguises, source)

    def _plain(self) -> Sample:
        """Some sentences of a real text, exactly as they stand there, or of prose."""
        if self._prose and self._rng.random() < _PLAIN_PROSE_SHARE:
            language = self._rng.choice(list(self._prose))
            sentences = self._rng.choices(self._prose[language], k=self._rng.choice((1, 1, 2, 3, 5)))
            return Sample(" ".join(sentences), (), language, ("plain",), (), "prose")
        listing = self._rng.choice(self._clean)
        ends = sentence_ends(listing.text)
        starts = [0, *ends[:-1]]
        first = self._rng.randrange(len(ends))
        length = self._rng.choice(_PLAIN_LENGTHS)
        last = next((i for i in range(first, len(ends)) if ends[i] - starts[first] >= length), len(ends) - 1)
        text = listing.text[starts[first] : ends[last]].strip() or listing.text
        return Sample(text, (), listing.language, ("plain",), (), listing.key)

    def _background(self, language: str) -> tuple[list[Piece], str]:
        """Sentences, and where they come from. Hosts add lines in their own or their guests' language to any text."""
        rng = self._rng
        if rng.random() < self._mixture.bare:
            return ([] if rng.random() < 0.7 else [self._made_up(language)]), "bare"
        if self._clean and rng.random() < self._mixture.real_background:
            own = self._clean_in.get(language, ())
            listing = rng.choice(own if len(own) >= _ENOUGH_TEXTS and rng.random() < 0.85 else self._clean)
            written = listing.language if listing.language in self._packs else "en"
            parts = _excerpt(listing.text, rng)
            return [harmless(text, rng, self._fillers(written), self._part) for text in parts], listing.key
        return [self._made_up(language) for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5)))], "pack"

    def _any_language(self) -> str:
        return "en" if self._rng.random() < _ENGLISH_SHARE else self._rng.choice(self._others)

    def _fillers(self, language: str) -> Fillers:
        return Fillers(self._rng, self._packs[language], self._world)

    def _violation(self, language: str) -> Piece:
        return self._of_family(self._violations[language], _FAMILY_WEIGHTS, language)

    def _lookalike(self, language: str) -> Piece:
        return self._of_family(self._lookalikes[language], _LOOKALIKE_WEIGHTS, language)

    def _of_family(self, families: Mapping[str, Sequence[Template]], weights: Mapping[str, float], language: str) -> Piece:
        names = [name for name in weights if name in families]
        family = self._rng.choices(names, weights=[weights[name] for name in names])[0]
        return render(self._rng.choice(families[family]), self._fillers(language), self._part)

    def _made_up(self, language: str) -> Piece:
        """A sentence of a background: of the pack, or of prose, which hardly ever comes twice."""
        prose = self._prose.get(language)
        if prose and self._rng.random() < _PROSE_SHARE:
            return harmless(self._rng.choice(prose), self._rng, self._fillers(language), self._part)
        return self._sentence(language)

    def _sentence(self, language: str) -> Piece:
        return render(self._rng.choice(self._sentences[language]), self._fillers(language), self._part)

    def _spread(self, background: list[Piece], violations: list[Piece], lookalikes: list[Piece]) -> list[Piece]:
        """Put each insert at the end, the start or between two sentences; what is told in two places may be torn apart."""
        pieces = list(background)
        inserts = [*violations, *lookalikes]
        self._rng.shuffle(inserts)
        torn = [insert for insert in inserts if len(insert.spans) > 1 and self._rng.random() < _CUT_SHARE]
        for insert in inserts:
            if insert not in torn:
                roll = self._rng.random()
                place = len(pieces) if roll < 0.4 else 0 if roll < 0.5 else self._rng.randint(0, len(pieces))
                pieces.insert(place, insert)
        for insert in torn:  # last, so that both halves have all the rest between them to be put around
            halves = cut(insert)
            places = sorted((self._rng.randint(0, len(pieces)) for _ in halves), reverse=True)
            for place, half in zip(places, reversed(halves), strict=True):
                pieces.insert(place, half)
        return pieces


def _excerpt(text: str, rng: Random) -> list[str]:
    """Some sentences of a text in a row, seldom many, between which pieces can go."""
    ends = sentence_ends(text)
    starts = [0, *ends[:-1]]
    count = min(len(ends), rng.choice((5, 7, 10)) if rng.random() < 0.15 else rng.choice((1, 1, 2, 2, 3, 4)))
    first = rng.randrange(len(ends) - count + 1)
    sentences = [text[starts[i] : ends[i]].strip() for i in range(first, first + count)]
    return [sentence for sentence in sentences if sentence]
