"""Violations to put into a store. Contacts are fictional."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from stream_detector.contracts import EventType, Evidence, Kind, Violation, format_probability
from stream_detector.review.cases import CaseFilter
from stream_detector.review.intake import Taken
from stream_detector.review.store import Store

OPEN = CaseFilter()
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SURFACES = {
    Kind.PHONE: "+1 202 555 0143",
    Kind.EMAIL: "host@sunny-loft.example",
    Kind.URL: "www.sunny-loft.example",
    Kind.HANDLE: "@sunny_loft_host",
    Kind.MESSENGER: "whatsapp",
    Kind.PAYMENT: "pay in cash",
    Kind.SOLICITATION: "book with us directly",
}


def violation(number: int, *, kinds: tuple[Kind, ...] = (Kind.EMAIL,), **values: Any) -> Violation:
    """A violation; by default each is a listing's own, and so a case's own."""
    surfaces = values.pop("surfaces", [SURFACES[kind] for kind in kinds])
    text, evidence = "A quiet flat.", []
    for kind, surface in zip(kinds, surfaces, strict=True):
        start = len(text) + 1
        text = f"{text} {surface}."
        evidence.append(Evidence(attribute="description", start=start, end=start + len(surface), kind=kind, surface=surface))
    score = values.pop("score", 0.9)
    at = NOON - timedelta(seconds=values.pop("age_s", number))
    document: dict[str, Any] = {
        "model_code": "CONTACT-MINILM-L6",
        "model_version": "1.1",
        "refresh_version": "v20261124",
        "probability_score": format_probability(score),
        "model_segment": "SUPPLY",
        "top_contributor": "description",
        "score_details": {
            "label": "Fraud", "threshold": 0.05, "evidence": evidence, "windows": 1, "backend": "onnx", "latency_ms": 1.0,
        },
        "event_id": f"E-{number}",
        "event_type": EventType.LISTING_UPDATE,
        "partner_id": f"P-{number}",
        "listing_id": f"L-{number}",
        "occurred_at": at,
        "detected_at": at,
        "source": {"topic": "listing-updates", "partition": 0, "offset": number},
        "attributes": {"description": text, "houseRules": "No smoking."},
        "violation_id": f"V-{number}",
    }  # fmt: skip
    return Violation.model_validate(document | values)


def put(store: Store, *violations: Violation) -> Taken:
    """Store violations."""
    with store.database.write() as connection:
        return store.take(connection, violations)


def only_case(store: Store) -> int:
    """The id of the one open case."""
    (case,) = store.queue.page(OPEN, viewer="nobody").cases
    return case.case_id


def cases(store: Store, viewer: str = "nobody") -> list[int]:
    """The ids of the open cases, in the queue's order."""
    return [case.case_id for case in store.queue.page(OPEN, viewer=viewer, size=1000).cases]
