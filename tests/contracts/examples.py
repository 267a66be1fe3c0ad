"""Documents that tests start from."""

from __future__ import annotations

from typing import Any

from stream_detector.contracts import Label, ScoreDetails, ScoringResponse

EVENT: dict[str, Any] = {
    "eventId": "e-1",
    "eventType": "listing-update",
    "occurredAt": "2026-11-23T10:00:00.000Z",
    "transactionContext": {"transactionId": "123456"},
    "partnerId": "P-77",
    "listingId": "L-9",
    "attributes": {"listingDescription": "A flat by the sea.", "houseRules": None},
}

BOOKING = EVENT | {"eventType": "booking", "bookingId": "B-1"}
CLIENT_UPDATE = {key: value for key, value in EVENT.items() if key != "listingId"} | {
    "eventType": "client-update",
    "clientId": "C-1",
}


def response(**changes: Any) -> ScoringResponse:
    """A verdict."""
    fields = {
        "model_code": "CODE",
        "model_version": "1.0",
        "refresh_version": "v20261124",
        "probability_score": "9.87e-01",
        "model_segment": "SUPPLY",
        "top_contributor": "listingDescription",
        "score_details": ScoreDetails(label=Label.FRAUD, threshold=0.5, windows=1, backend="test", latency_ms=1.5),
    }
    return ScoringResponse(**(fields | changes))
