"""Change events: what the three input topics carry."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from stream_detector.contracts.base import Identifier, Timestamp, WireModel


class EventType(StrEnum):
    """The kinds of change."""

    BOOKING = "booking"
    LISTING_UPDATE = "listing-update"
    CLIENT_UPDATE = "client-update"


#: Fields that an event of a type must have beside those that all have.
_REQUIRED = {
    EventType.BOOKING: ("booking_id", "listing_id"),
    EventType.LISTING_UPDATE: ("listing_id",),
    EventType.CLIENT_UPDATE: ("client_id",),
}


class TransactionContext(WireModel):
    """The business transaction that a change or a scoring request belongs to."""

    transaction_id: Identifier


class Event(WireModel):
    """A booking was made, a listing or a client changed.

    `attributes` holds the free texts by name; each is scored. A null attribute is a text that was taken out.
    """

    event_id: Identifier
    event_type: EventType
    occurred_at: Timestamp
    transaction_context: TransactionContext
    partner_id: Identifier
    listing_id: Identifier | None = None
    booking_id: Identifier | None = None
    client_id: Identifier | None = None
    attributes: dict[str, str | None]

    @model_validator(mode="after")
    def _has_the_ids_of_its_type(self) -> Self:
        for name in _REQUIRED[self.event_type]:
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
