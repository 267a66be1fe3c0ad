"""Change events: what the three input topics carry."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from stream_detector.contracts.base import Identifier, Timestamp, WireModel


class EventType(StrEnum):
    """The kinds of change."""

    BOOKING = "booking"
    LISTING_UPDATE = "listing-update"
    CLIENT_UPDATE = "client-update"


#: Fields that an event of a type must have beside those that all have.
REQUIRED_IDS: Final = {
    EventType.BOOKING: ("booking_id", "listing_id"),
    EventType.LISTING_UPDATE: ("listing_id",),
    EventType.CLIENT_UPDATE: ("client_id",),
}


class TransactionContext(WireModel):
    """The business transaction that a change or a scoring request belongs to."""

    transaction_id: Identifier = Field(description="The transaction's id; verdicts don't depend on it.")


class Event(WireModel):
    """A booking was made, a listing or a client changed.

    `attributes` holds the free texts by name; each is scored. A null attribute is a text that was taken out.
    """

    event_id: Identifier = Field(description="The event's id, one for each change; violations repeat it.")
    event_type: EventType = Field(description="What changed.")
    occurred_at: Timestamp = Field(
        description="When it changed: RFC 3339 with an offset from UTC. The promise of 250 ms counts from here."
    )
    transaction_context: TransactionContext = Field(description="The business transaction that the change belongs to.")
    partner_id: Identifier = Field(description="The partner whose text it is.")
    listing_id: Identifier | None = Field(default=None, description="The listing that was booked or changed.")
    booking_id: Identifier | None = Field(default=None, description="The booking.")
    client_id: Identifier | None = Field(default=None, description="The client.")
    attributes: dict[str, str | None] = Field(
        description="The free texts by name, each of which is scored; null where a text was taken out."
    )

    @model_validator(mode="after")
    def _has_the_ids_of_its_type(self) -> Self:
        for name in REQUIRED_IDS[self.event_type]:
            if getattr(self, name) is None:
                camel = name.replace("_id", "Id")
                raise PydanticCustomError(
                    "missing_for_type", "{field} is required in a {type} event", {"field": camel, "type": self.event_type.value}
                )
        return self

    @property
    def texts(self) -> dict[str, str]:
        """The texts to score, by attribute name."""
        return {name: text for name, text in self.attributes.items() if text is not None}
