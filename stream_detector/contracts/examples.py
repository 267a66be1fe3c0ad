"""One example of each message, for the documents that describe them. Contacts are fictional."""

from __future__ import annotations

from typing import Any, Final

_TEXT: Final = "Sunny loft by the harbour. For a better price write to host@sunny-loft.example."
_COMMON: Final[dict[str, Any]] = {
    "eventId": "E-2",
    "occurredAt": "2026-11-24T10:00:00.000Z",
    "transactionContext": {"transactionId": "T-2"},
    "partnerId": "P-77",
}
_LISTING: Final = _COMMON | {"listingId": "L-9", "attributes": {"listingDescription": _TEXT, "houseRules": None}}
_REQUEST: Final = {"transactionContext": {"transactionId": "T-2"}, "attributes": {"listingDescription": _TEXT}}
_RESPONSE: Final[dict[str, Any]] = {
    "modelCode": "CONTACT-MINILM-L6",
    "modelVersion": "1.0",
    "refreshVersion": "v20261124",
    "probabilityScore": "9.35e-01",
    "modelSegment": "SUPPLY",
    "topContributor": "listingDescription",
    "scoreDetails": {
        "label": "Fraud",
        "threshold": 0.0427,
        "evidence": [
            {"attribute": "listingDescription", "start": 55, "end": 78, "kind": "email", "surface": "h•••@•••••-••••.••••••e"}
        ],
        "windows": 1,
        "backend": "onnx-cpu-2",
        "latencyMs": 11.337,
    },
}
_VERDICT: Final = _RESPONSE | {
    "eventId": "E-2",
    "eventType": "listing-update",
    "partnerId": "P-77",
    "listingId": "L-9",
    "occurredAt": "2026-11-24T10:00:00.000Z",
    "detectedAt": "2026-11-24T10:00:00.083Z",
    "source": {"topic": "listing-updates", "partition": 3, "offset": 1043},
    "attributes": {"listingDescription": _TEXT},
}
_SHADOW: Final = _RESPONSE | {
    "modelVersion": "1.1",
    "refreshVersion": "v20261130",
    "probabilityScore": "2.17e-02",
    "scoreDetails": _RESPONSE["scoreDetails"] | {"label": "NonFraud", "evidence": [], "latencyMs": 12.04},
}
_VERDICT_ID: Final = "49892a87-7b9e-55b9-a405-4f7834fee631"

_REPEAT_OFFENDER: Final[dict[str, Any]] = {
    "crossingId": "ebef17b2-ce72-5aaf-a98e-26a1fa45d97a",
    "partnerId": "P-77",
    "level": "warning",
    "levelPoints": 8.0,
    "windowLength": "7d",
    "windowStart": "2026-11-17T18:00:00.000Z",
    "windowEnd": "2026-11-24T18:00:00.000Z",
    "points": 8.415,
    "offences": 9,
    "violations": 14,
    "confirmed": 2,
    "listings": 4,
    "contacts": 2,
    "kinds": {"email": 9, "phone": 5},
    "firstOccurredAt": "2026-11-18T07:12:44.120Z",
    "lastOccurredAt": "2026-11-24T10:00:00.000Z",
    "violationIds": [_VERDICT_ID],
    "reportedAt": "2026-11-24T10:00:00.412Z",
}

_REVIEW: Final[dict[str, Any]] = {
    "violationId": _VERDICT_ID,
    "partnerId": "P-77",
    "listingId": "L-9",
    "eventType": "listing-update",
    "occurredAt": "2026-11-24T10:00:00.000Z",
    "reviewer": "reviewer@marketplace.example",
    "decidedAt": "2026-11-24T10:12:31.000Z",
}

#: Documents by the name of their contract.
EXAMPLES: Final[dict[str, list[dict[str, Any]]]] = {
    "booking": [_LISTING | {"eventType": "booking", "bookingId": "B-3"}],
    "listing-update": [_LISTING | {"eventType": "listing-update"}],
    "client-update": [
        _COMMON | {"eventType": "client-update", "clientId": "C-5", "attributes": {"profile": "I like long walks and old houses."}}
    ],
    "violation": [_VERDICT | {"violationId": _VERDICT_ID}],
    "score": [_VERDICT | {"verdictId": _VERDICT_ID}],
    "shadow-disagreement": [
        {name: value for name, value in _VERDICT.items() if name not in _RESPONSE and name != "detectedAt"}
        | {"comparedAt": "2026-11-24T10:00:00.412Z", "decided": _RESPONSE, "shadow": _SHADOW}
        | {"disagreementId": "1bb1e507-4994-51b6-b680-e5d8959eaacd"}
    ],
    "review": [
        _REVIEW
        | {"reviewId": "fad7a87c-e208-5e74-8a5d-f154a3836ee8", "revision": 1, "decision": "confirmed"}
        | {"spans": [{"attribute": "listingDescription", "start": 46, "end": 78, "kind": "email"}]},
        _REVIEW
        | {"reviewId": "f8f108f7-60fb-5b39-95d1-a49a5f6e129c", "revision": 2, "decision": "dismissed", "reason": "third_party"},
    ],
    "repeat-offender": [_REPEAT_OFFENDER],
    "scoring-request": [_REQUEST],
    "scoring-response": [_RESPONSE],
}
