"""Violation and score: the verdict on one event, as subscribers read it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from pydantic import Field, NonNegativeInt

from stream_detector.contracts.base import Timestamp, WireModel
from stream_detector.contracts.events import Event, EventType
from stream_detector.contracts.scoring import ScoringResponse

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:stream-detector:verdict")


class Source(WireModel):
    """The record that an event was read from."""

    topic: str = Field(description="Its topic.")
    partition: NonNegativeInt = Field(description="Its partition.")
    offset: NonNegativeInt = Field(description="Its offset.")


class _EventVerdict(ScoringResponse):
    event_id: str = Field(description="The event's id.")
    event_type: EventType = Field(description="The event's type.")
    partner_id: str = Field(description="The event's partner.")
    listing_id: str | None = Field(default=None, description="The event's listing; absent if it has none.")
    occurred_at: Timestamp = Field(description="When the change was made, in UTC.")
    detected_at: Timestamp = Field(description="When the verdict was reached, in UTC.")
    source: Source = Field(description="The record that the event was read from.")
    attributes: dict[str, str] | None = Field(
        default=None, description="The texts as they were sent; absent where include_text is off."
    )


class Violation(_EventVerdict):
    """An event whose text is Fraud. The same record under the same model always has the same `violation_id`."""

    violation_id: str = Field(description="The same for the same record under the same model: drop repetitions by it.")


class Score(_EventVerdict):
    """The verdict on an event, Fraud or not."""

    verdict_id: str = Field(description="The same for the same record under the same model: drop repetitions by it.")


def verdict_id(source: Source, response: ScoringResponse) -> str:
    """A name for (record, model) that is the same at every try, so that a subscriber can drop repetitions."""
    name = f"{source.topic}\n{source.partition}\n{source.offset}\n{response.model_code}\n{response.model_version}\n{response.refresh_version}"
    return str(uuid.uuid5(_NAMESPACE, name))


def _verdict_fields(
    event: Event, response: ScoringResponse, source: Source, detected_at: datetime, texts: Mapping[str, str] | None
) -> dict[str, object]:
    return {name: getattr(response, name) for name in ScoringResponse.model_fields} | {
        "event_id": event.event_id,
        "event_type": event.event_type,
        "partner_id": event.partner_id,
        "listing_id": event.listing_id,
        "occurred_at": event.occurred_at,
        "detected_at": detected_at,
        "source": source,
        "attributes": None if texts is None else dict(texts),
    }


def violation_of(
    event: Event, response: ScoringResponse, source: Source, *, detected_at: datetime, include_text: bool
) -> Violation:
    """The violation to publish for an event that was found to be Fraud."""
    fields = _verdict_fields(event, response, source, detected_at, event.texts if include_text else None)
    return Violation.model_validate(fields | {"violation_id": verdict_id(source, response)})


def score_of(event: Event, response: ScoringResponse, source: Source, *, detected_at: datetime, include_text: bool) -> Score:
    """The score to publish for an event, whatever its label."""
    fields = _verdict_fields(event, response, source, detected_at, event.texts if include_text else None)
    return Score.model_validate(fields | {"verdict_id": verdict_id(source, response)})
