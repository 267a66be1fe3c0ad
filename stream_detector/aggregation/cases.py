"""A case: all that is kept of one violation and its review. Two halves that may come in any order, and more than once.

`merge` is associative, commutative and idempotent, so what is known after a crash, a repetition or a late record is the same as
if each record had come once and in order. Nothing of a text is in a case: listings and contacts are there as fingerprints.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from stream_detector.aggregation.rules import DAY_MS, POINT, Rules
from stream_detector.contracts import Decision, Review, Violation

_LISTING_BYTES: Final = 8
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A violation.

    Attributes:
        moment_ms: when it occurred, in milliseconds since the epoch.
        kinds: of its evidence, sorted.
        certainty: its probability in thousandths.
        listing: a fingerprint of its listing's id; empty if it has none.
        contacts: keyed fingerprints of whom it leads to, sorted.
    """

    moment_ms: int
    kinds: tuple[str, ...]
    certainty: int
    listing: str
    contacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a reviewer decided; `kinds` are those that the reviewer left, or None if nobody corrected them."""

    revision: int
    dismissed: bool
    moment_ms: int
    kinds: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of one violation: that it was seen, or what was decided, or both."""

    violation_id: str
    sighting: Sighting | None = None
    ruling: Ruling | None = None

    @property
    def moment_ms(self) -> int:
        """When it occurred."""
        if self.sighting is not None:
            return self.sighting.moment_ms
        return self.ruling.moment_ms if self.ruling is not None else 0

    @property
    def counts(self) -> bool:
        """Whether it is held against the partner: it was seen, and not dismissed."""
        return self.sighting is not None and not (self.ruling is not None and self.ruling.dismissed)

    @property
    def confirmed(self) -> bool:
        """Whether a person said that it is a violation."""
        return self.counts and self.ruling is not None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its evidence, as corrected by the reviewer."""
        if self.ruling is not None and self.ruling.kinds is not None:
            return self.ruling.kinds
        return self.sighting.kinds if self.sighting is not None else ()

    @property
    def offence(self) -> tuple[int, str, tuple[str, ...]]:
        """What it is one with: the same listing, on the same day (UTC), with the same contacts, or kinds where none are known.

        A listing's text comes again with every booking and with every change of a price: that is not done again by the partner.
        """
        seen = self.sighting
        if seen is None:
            return 0, "", ()
        return seen.moment_ms // DAY_MS, seen.listing or self.violation_id, seen.contacts or self.kinds

    def points(self, rules: Rules) -> int:
        """Its weight in thousandths: that of its heaviest kind, times its probability; what is confirmed is certain."""
        if not self.counts or self.sighting is None:
            return 0
        certainty = POINT if self.ruling is not None else self.sighting.certainty
        return (rules.weight(self.kinds) * certainty + POINT // 2) // POINT


def merge(one: Case, other: Case) -> Case:
    """What both know together, of the same violation."""
    sightings = [case.sighting for case in (one, other) if case.sighting is not None]
    rulings = [case.ruling for case in (one, other) if case.ruling is not None]
    return replace(
        one,
        # Repetitions agree, unless the detector was changed in between; then any fixed choice will do. The latest moment: what is
        # dropped because it lies too far back can then not have been the one that counts.
        sighting=max(sightings, key=_order_of_sighting, default=None),
        ruling=max(rulings, key=_order_of_ruling, default=None),
    )


def case_of_violation(violation: Violation, contacts: Sequence[str]) -> Case:
    """The half that a violation tells; `contacts` are keyed fingerprints.

    Nothing occurs after it was detected: a producer's clock that runs ahead would close the windows of the present.
    """
    kinds = {evidence.kind.value for evidence in violation.score_details.evidence}
    sighting = Sighting(
        moment_ms=min(_ms(violation.occurred_at), _ms(violation.detected_at)),
        kinds=tuple(sorted(kinds)),
        certainty=min(POINT, max(0, round(float(violation.probability_score) * POINT))),
        listing=_fingerprint(violation.listing_id) if violation.listing_id else "",
        contacts=tuple(sorted(set(contacts))),
    )
    return Case(violation.violation_id, sighting=sighting)


def case_of_review(review: Review) -> Case:
    """The half that a review tells."""
    ruling = Ruling(
        revision=review.revision,
        dismissed=review.decision is Decision.DISMISSED,
        moment_ms=min(_ms(review.occurred_at), _ms(review.decided_at)),
        kinds=None if review.spans is None else tuple(sorted({span.kind.value for span in review.spans})),
    )
    return Case(review.violation_id, ruling=ruling)


def encode(case: Case) -> bytes:
    """A case as JSON, for the program's own topics."""
    document: dict[str, Any] = {"v": case.violation_id}
    if case.sighting is not None:
        seen = case.sighting
        document["s"] = [seen.moment_ms, seen.kinds, seen.certainty, seen.listing, seen.contacts]
    if case.ruling is not None:
        ruled = case.ruling
        document["r"] = [ruled.revision, ruled.dismissed, ruled.moment_ms, ruled.kinds]
    return orjson.dumps(document)


def decode(value: bytes) -> Case:
    """A case that `encode` wrote.

    Raises:
        ValueError: it isn't one.
    """
    try:
        document = orjson.loads(value)
        sighting = ruling = None
        if "s" in document:
            moment, kinds, certainty, listing, contacts = document["s"]
            sighting = Sighting(int(moment), tuple(kinds), int(certainty), str(listing), tuple(contacts))
        if "r" in document:
            revision, dismissed, moment, left = document["r"]
            ruling = Ruling(int(revision), bool(dismissed), int(moment), None if left is None else tuple(left))
        return Case(str(document["v"]), sighting, ruling)
    except (KeyError, TypeError, ValueError):
        raise ValueError("is no case of this program") from None


def _order_of_sighting(seen: Sighting) -> tuple[object, ...]:
    return seen.moment_ms, seen.certainty, seen.kinds, seen.listing, seen.contacts


def _order_of_ruling(ruled: Ruling) -> tuple[object, ...]:
    return ruled.revision, ruled.dismissed, ruled.moment_ms, ruled.kinds is not None, ruled.kinds or ()


def _fingerprint(text: str) -> str:
    # An id is a producer's own word, and may hold what isn't to be stored; only sameness matters here.
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_LISTING_BYTES).hexdigest()


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
