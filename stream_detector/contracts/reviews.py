"""Review: what a person decided about one violation, as the aggregation and training read it.

What a reviewer wrote beside the decision stays in the console's store: a note may quote the contact it is about.
"""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from stream_detector.contracts.base import Identifier, Timestamp, WireModel
from stream_detector.contracts.events import EventType
from stream_detector.contracts.scoring import Kind

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:stream-detector:review")


class Decision(StrEnum):
    """What a reviewer found the violation to be."""

    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class Reason(StrEnum):
    """Why a violation was dismissed."""

    THIRD_PARTY = "third_party"
    REGISTRATION_NUMBER = "registration_number"
    PLATFORMS_OWN = "platforms_own"
    OTHER = "other"


class ReviewedSpan(WireModel):
    """Where the violation stands, as the reviewer corrected it: characters `start` up to but not including `end`."""

    attribute: str = Field(description="The attribute in whose text it stands.")
    start: NonNegativeInt = Field(description="Its first character, counted from 0 in Unicode code points.")
    end: PositiveInt = Field(description="The character behind its last one.")
    kind: Kind = Field(description="What it is.")


class Review(WireModel):
    """A decision about a violation. Of several about the same one, the highest `revision` counts.

    The key is the partner's id, so that all reviews of a partner, and so of a violation, keep their order.
    """

    review_id: str = Field(description="The same for the same violation and revision: drop repetitions by it.")
    violation_id: Identifier = Field(description="The violation that was looked at.")
    revision: PositiveInt = Field(description="1, and one more each time that the decision was taken back after it was published.")
    decision: Decision = Field(description="What it was found to be.")
    reason: Reason | None = Field(default=None, description="Why it was dismissed; absent if it was confirmed.")
    spans: tuple[ReviewedSpan, ...] | None = Field(
        default=None, description="All that offends in it, if the reviewer corrected the evidence; absent if it was right."
    )
    partner_id: Identifier = Field(description="The violation's partner.")
    listing_id: Identifier | None = Field(default=None, description="The violation's listing; absent if it has none.")
    event_type: EventType = Field(description="The violation's event type.")
    occurred_at: Timestamp = Field(description="When the change that the violation is about was made, in UTC.")
    reviewer: Identifier = Field(description="Who decided.")
    decided_at: Timestamp = Field(description="When, in UTC.")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.decision is Decision.DISMISSED) is not (self.reason is not None):
            raise PydanticCustomError("reason", "a dismissed violation has a reason, a confirmed one has none")
        return self


def review_id(violation_id: str, revision: int) -> str:
    """A name for (violation, revision) that is the same at every try, so that a subscriber can drop repetitions."""
    return str(uuid.uuid5(_NAMESPACE, f"{violation_id}\n{revision}"))
