"""What the queue and a case's page show, as values: nothing here knows a database.

A case is what a reviewer decides in one go: all violations of one event type, partner and listing with the same offending
texts. Bookings that repeat their listing's description thousands of times are one case with thousands of violations.

Moments are aware datetimes in UTC. Texts are masked where evidence stands; the clear ones come from `CaseFile.unmask` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from stream_detector.contracts import Decision, EventType, Evidence, Kind, Reason, ReviewedSpan, Source


class State(StrEnum):
    """Where a case is on its way."""

    OPEN = "open"
    #: Decided, and still to be undone: published when the time for that is over.
    PENDING = "pending"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class Order(StrEnum):
    """What comes first in the queue."""

    #: The newest hour first, within it the most certain.
    PRIORITY = "priority"
    NEWEST = "newest"
    OLDEST = "oldest"
    CERTAINTY = "certainty"


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are wanted; each part narrows, empty ones don't.

    Attributes:
        states: in any of these states.
        kinds: with evidence of any of these kinds.
        event_types: of any of these event types.
        partner_id: of this partner, exactly.
        listing_id: of this listing, exactly.
        model_version: found by this version of the model, exactly.
        min_score, max_score: probability, both ends included.
        newer_than: detected at most so long ago.
        older_than: detected at least so long ago.
        claimed: True: under a live claim of anyone; False: free to take.
        claimed_by: under a live claim of this reviewer.
        search: words of the masked text, or an id (partner, listing, event, violation), or a contact, which is
            looked up by its fingerprint; a contact is never stored by searching for it.
    """

    states: tuple[State, ...] = (State.OPEN,)
    kinds: tuple[Kind, ...] = ()
    event_types: tuple[EventType, ...] = ()
    partner_id: str | None = None
    listing_id: str | None = None
    model_version: str | None = None
    min_score: float | None = None
    max_score: float | None = None
    newer_than: timedelta | None = None
    older_than: timedelta | None = None
    claimed: bool | None = None
    claimed_by: str | None = None
    search: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ends: the next one begins behind it. Opaque to pages; `str` and `parse` take it through an address."""

    position: int
    case_id: int

    def __str__(self) -> str:
        """As it stands in an address."""
        return f"{self.position}.{self.case_id}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what `str` wrote. Raises ValueError for anything else."""
        position, _, case_id = text.partition(".")
        return cls(int(position), int(case_id))


@dataclass(frozen=True, slots=True)
class Claim:
    """Who has a case, and until when. While it lasts nobody else can decide the case."""

    case_id: int
    reviewer: str
    until: datetime


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """A case as a line of the queue.

    Attributes:
        score: the highest calibrated probability of its violations.
        excerpt: masked text around the first evidence, at most 200 characters.
        violations: how many there are in it.
        claim: the live claim, if there is one.
    """

    case_id: int
    state: State
    event_type: EventType
    partner_id: str
    listing_id: str | None
    kinds: tuple[Kind, ...]
    score: float
    top_contributor: str
    excerpt: str
    violations: int
    model_code: str
    model_version: str
    first_detected_at: datetime
    last_detected_at: datetime
    claim: Claim | None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the queue, and where the next begins; None: there is no more."""

    cases: tuple[CaseSummary, ...]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are; where `exact` is False, at least so many."""

    number: int
    exact: bool

    def __str__(self) -> str:
        """As a page shows it: 10,000+ where nobody counted on."""
        return f"{self.number:,}{'' if self.exact else '+'}"


@dataclass(frozen=True, slots=True)
class Pulse:
    """What changes whenever pages should look again; cheap to ask every second."""

    newest_case: int
    audit_sequence: int
    open: int


@dataclass(frozen=True, slots=True)
class CaseViolation:
    """One violation of a case.

    Attributes:
        texts: by attribute, masked where evidence stands, of the same length as the clear ones, so that the evidence's offsets
            hold; empty if the worker publishes no texts (include_text).
        evidence: where it stands; its surfaces are masked.
    """

    violation_id: str
    event_id: str
    source: Source
    score: float
    threshold: float
    top_contributor: str
    model_code: str
    model_version: str
    refresh_version: str
    occurred_at: datetime
    detected_at: datetime
    evidence: tuple[Evidence, ...]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as pages show it.

    Attributes:
        decision_id: what `Decisions.undo` takes.
        undo_until: until when it can be undone; None once it can't.
        revision: 1, and one more each time that the case was opened again.
    """

    decision_id: int
    case_id: int
    revision: int
    decision: Decision
    reason: Reason | None
    spans: tuple[ReviewedSpan, ...] | None
    note: str
    reviewer: str
    decided_at: datetime
    undo_until: datetime | None


@dataclass(frozen=True, slots=True)
class Case:
    """A case whole: what its line shows, its violations (newest first, the first 50), and what was decided, newest first."""

    summary: CaseSummary
    violations: tuple[CaseViolation, ...]
    decisions: tuple[Decided, ...]


@dataclass(frozen=True, slots=True)
class PartnerHistory:
    """What is known of a partner. Numbers count cases, not violations.

    Attributes:
        listings: distinct listings among the cases.
        offender: the level that the aggregation reported last, by the length of its window ("7d": "warning").
        recent: the newest cases, the one that is looked at left out.
    """

    partner_id: str
    open: int
    confirmed: int
    dismissed: int
    listings: int
    first_seen: datetime | None
    offender: Mapping[str, str]
    recent: tuple[CaseSummary, ...]


@dataclass(frozen=True, slots=True)
class Linked:
    """Another case with the same contact.

    Attributes:
        kinds: of the contacts that both have.
        same_partner: whether it is the same partner's.
    """

    case: CaseSummary
    kinds: tuple[Kind, ...]
    same_partner: bool
