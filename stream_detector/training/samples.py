"""Labelled texts of each split: composed ones, real ones that were read, plain ones, and those written by hand."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from stream_detector.contracts import Kind
from stream_detector.training.corpus.compose import Composer, Mixture, Sample
from stream_detector.training.corpus.holdout import Part
from stream_detector.training.corpus.listings import HELD_BACK_CITIES, ListingText, is_clean, read_listings, reviews
from stream_detector.training.corpus.prose import read_prose
from stream_detector.training.corpus.render import Span

#: The family of real texts that were read.
REVIEWED = ("reviewed",)

_DEVELOPMENT_SHARE = 8  # one listing in so many

#: How often a reviewed real text is shown: there are few, and they are the only ones nobody made up.
_REVIEWED_COPIES = {True: 8, False: 3}


@dataclass(frozen=True, slots=True)
class Split:
    """Which listings belong to a part of the data."""

    name: str

    def holds(self, listing: ListingText) -> bool:
        """Whether a listing text belongs here; all texts of one listing go together."""
        if listing.city in HELD_BACK_CITIES:
            return self.name == "test"
        listing_id = listing.key.split("/")[0]
        development = zlib.crc32(listing_id.encode()) % _DEVELOPMENT_SHARE == 0
        return self.name == ("dev" if development else "train")


def compose_corpus(
    listings: Path, *, split: str, size: int, seed: int, mixture: Mixture | None = None, prose: Path | None = None
) -> list[Sample]:
    """Composed samples of a split; the reviewed real texts of the split are added where it is trained on.

    Args:
        listings: folder of real listing texts.
        split: train, dev or test.
        size: how many samples are composed.
        seed: of every choice.
        mixture: shares of what is composed.
        prose: folder that `train prose` left.
    """
    texts = [listing for listing in read_listings(listings) if Split(split).holds(listing)]
    part: Part = "test" if split == "test" else "train"
    samples = list(Composer(texts, seed=seed, mixture=mixture, part=part, prose=read_prose(prose) if prose else None).samples(size))
    if split == "train":
        for sample in reviewed_samples(texts):
            samples += [sample] * _REVIEWED_COPIES[sample.offends]
        Random(seed).shuffle(samples)
    return samples


def reviewed_samples(listings: Sequence[ListingText]) -> list[Sample]:
    """The real texts that were read and labelled."""
    labels = reviews()
    return [
        Sample(listing.text, tuple(Span(*span) for span in review.spans), listing.language, REVIEWED, (), listing.key)
        for listing in listings
        if (review := labels.get(listing.key)) and review.settled
    ]


def plain_samples(listings: Sequence[ListingText], count: int, seed: int) -> list[Sample]:
    """Real texts as they are, without those that nobody has read but somebody should."""
    clean = [listing for listing in listings if is_clean(listing)]
    chosen = Random(seed).sample(clean, min(count, len(clean)))
    return [Sample(listing.text, (), listing.language, ("plain",), (), listing.key) for listing in chosen]


def challenge_samples(file: Path) -> list[Sample]:
    """Texts that somebody who didn't know the language packs wrote by hand, with the offending part where it is noted."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [
        Sample(
            text=row["text"],
            spans=(_noted_span(row),) if row["label"] == "Fraud" else (),
            language=row["language"],
            families=(row["family"],),
            disguises=(row["family"],),
            source=row["id"],
        )
        for row in rows
    ]


def _noted_span(row: dict[str, str]) -> Span:
    part = row.get("span", row["text"])
    start = row["text"].index(part)
    return Span(start, start + len(part), Kind(row["kind"]))


def measured_samples(listings: Path, challenge: Sequence[Path], *, size: int, seed: int) -> dict[str, list[Sample]]:
    """What every figure is measured on: texts of held-back cities, with templates and disguises kept from training.

    Returns:
        `size` composed samples, three times as many plain ones, the reviewed ones, and those written by hand.
    """
    texts = [listing for listing in read_listings(listings) if Split("test").holds(listing)]
    return {
        "composed": list(Composer(texts, seed=seed + 2, part="test").samples(size)),
        "plain": plain_samples(texts, 3 * size, seed),
        "reviewed": reviewed_samples(texts),
        "challenge": [sample for file in challenge for sample in challenge_samples(file)],
    }


def write_corpus(samples: Sequence[Sample], file: Path) -> None:
    """Write samples as gzipped JSON Lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(file, "wt", encoding="utf-8", compresslevel=3) as stream:
        stream.writelines(json.dumps(sample.to_row(), ensure_ascii=False) + "\n" for sample in samples)


def read_corpus(file: Path) -> list[Sample]:
    """Read what `write_corpus` wrote."""
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    return [
        Sample(
            text=row["text"],
            spans=tuple(Span(start, end, Kind(kind)) for start, end, kind in row["spans"]),
            language=row["language"],
            families=tuple(row["families"]),
            disguises=tuple(row["disguises"]),
            source=row["source"],
        )
        for row in rows
    ]
