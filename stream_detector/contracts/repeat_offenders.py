"""Repeat offender: a partner who crossed a level, as trust-and-safety teams read it. It names cases, and holds no contact."""

from __future__ import annotations

import uuid
from datetime import datetime

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from stream_detector.contracts.base import Timestamp, WireModel, format_timestamp

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:stream-detector:repeat-offender")

#: So many violations are named at most.
MOST_NAMED = 50


class RepeatOffender(WireModel):
    """A partner whose violations in one window reached a level. Sent once for each episode; its key is its `crossing_id`.

    An episode is a run of overlapping windows of one length in which the partner reaches the level. Windows of two messages about
    the same partner, length and level never overlap. Records of one partner are in one partition, in order.
    """

    crossing_id: str = Field(description="The same for the same partner, length, level and window: drop repetitions by it.")
    partner_id: str = Field(description="The partner.")
    level: str = Field(description="The level that was reached, by its name in the settings.")
    level_points: PositiveFloat = Field(description="From how many points on it is reached.")
    window_length: str = Field(description="How long the window is: hours (h) or days (d), such as 7d.")
    window_start: Timestamp = Field(description="The window's beginning, in UTC, by when the changes were made.")
    window_end: Timestamp = Field(description="Its end, not included.")
    points: PositiveFloat = Field(description="The window's points: each offence counts its kind's weight times its probability.")
    offences: PositiveInt = Field(
        description="Distinct offences: the same contacts in the same listing count once a day (UTC), as bookings repeat a text."
    )
    violations: PositiveInt = Field(description="Violations in the window that were not dismissed, repetitions included.")
    confirmed: NonNegativeInt = Field(description="Those among them that a reviewer confirmed.")
    listings: NonNegativeInt = Field(description="Distinct listings among them.")
    contacts: NonNegativeInt = Field(description="Distinct contacts among them; 0 where violations carry no texts.")
    kinds: dict[str, NonNegativeInt] = Field(description="Violations by kind of evidence; none: without evidence.")
    first_occurred_at: Timestamp = Field(description="When the earliest of them occurred, in UTC.")
    last_occurred_at: Timestamp = Field(description="When the latest of them occurred, in UTC.")
    violation_ids: tuple[str, ...] = Field(description=f"The latest of them, {MOST_NAMED} at most, the latest first.")
    reported_at: Timestamp = Field(description="When this was found, in UTC.")


def crossing_id(partner_id: str, level: str, window_length: str, window_start: datetime) -> str:
    """A name for (partner, level, window) that is the same at every try, so that a subscriber can drop repetitions."""
    return str(uuid.uuid5(_NAMESPACE, f"{partner_id}\n{level}\n{window_length}\n{format_timestamp(window_start)}"))
