"""Shadow disagreement: an event on which the model that decided and one that only looks on don't agree."""

from __future__ import annotations

import uuid
from datetime import datetime

from pydantic import Field

from stream_detector.contracts.base import Timestamp, WireModel
from stream_detector.contracts.events import Event, EventType
from stream_detector.contracts.scoring import ScoringResponse
from stream_detector.contracts.violations import Source, verdict_id

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:stream-detector:shadow-disagreement")


class ShadowDisagreement(WireModel):
    """An event whose label is another one under the shadow model. Sampled, and delivered at most once: a sample, not a ledger."""

    disagreement_id: str = Field(description="The same for the same record under the same two models.")
    event_id: str = Field(description="The event's id.")
    event_type: EventType = Field(description="The event's type.")
    partner_id: str = Field(description="The event's partner.")
    listing_id: str | None = Field(default=None, description="The event's listing; absent if it has none.")
    occurred_at: Timestamp = Field(description="When the change was made, in UTC.")
    compared_at: Timestamp = Field(description="When the shadow model reached its verdict, in UTC.")
    source: Source = Field(description="The record that the event was read from.")
    decided: ScoringResponse = Field(description="The verdict that holds.")
    shadow: ScoringResponse = Field(description="The verdict of the shadow model, which has no consequence.")
    attributes: dict[str, str] | None = Field(
        default=None, description="The texts as they were sent; absent where include_text is off."
    )


def disagreement_of(
    event: Event,
    source: Source,
    decided: ScoringResponse,
    shadow: ScoringResponse,
    *,
    compared_at: datetime,
    include_text: bool,
) -> ShadowDisagreement:
    """The disagreement to publish for an event that two models gave different labels."""
    name = f"{verdict_id(source, decided)}\n{verdict_id(source, shadow)}"
    return ShadowDisagreement(
        disagreement_id=str(uuid.uuid5(_NAMESPACE, name)),
        event_id=event.event_id,
        event_type=event.event_type,
        partner_id=event.partner_id,
        listing_id=event.listing_id,
        occurred_at=event.occurred_at,
        compared_at=compared_at,
        source=source,
        decided=decided,
        shadow=shadow,
        attributes=event.texts if include_text else None,
    )
