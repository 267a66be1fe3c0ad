"""Fictional violations: texts with their evidence written into them, as [[kind:what stands there]]."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from stream_detector.contracts import (
    EventType,
    Evidence,
    Kind,
    Label,
    ScoreDetails,
    Source,
    Violation,
    format_probability,
)
from stream_detector.text.masking import mask

_MARK = re.compile(r"\[\[(\w+):(.*?)\]\]", re.DOTALL)


def marked(attribute: str, text: str) -> tuple[str, list[Evidence]]:
    """A text and its evidence, from one that has it written in."""
    plain, evidence, at = "", [], 0
    for found in _MARK.finditer(text):
        plain += text[at : found.start()]
        surface = found[2]
        evidence.append(
            Evidence(
                attribute=attribute, start=len(plain), end=len(plain) + len(surface), kind=Kind(found[1]), surface=mask(surface)
            )
        )
        plain += surface
        at = found.end()
    return plain + text[at:], evidence


def violation(
    number: int,
    texts: Mapping[str, str],
    *,
    score: float = 0.97,
    partner: str = "P-7",
    listing: str | None = "L-9",
    event_type: EventType = EventType.LISTING_UPDATE,
    detected_at: datetime | None = None,
    model_version: str = "1.1",
    threshold: float = 0.5,
) -> Violation:
    """A violation whose texts have their evidence written in; without texts it carries none."""
    moment = detected_at or datetime.now(UTC)
    read = {attribute: marked(attribute, text) for attribute, text in texts.items()}
    evidence = tuple(item for _, found in read.values() for item in found)
    return Violation(
        violation_id=f"V-{number}",
        event_id=f"E-{number}",
        event_type=event_type,
        partner_id=partner,
        listing_id=listing,
        occurred_at=moment,
        detected_at=moment,
        source=Source(topic="listing-updates", partition=number % 4, offset=number),
        attributes={attribute: text for attribute, (text, _) in read.items()} or None,
        model_code="CONTACT",
        model_version=model_version,
        refresh_version="v20261124",
        probability_score=format_probability(score),
        model_segment="SUPPLY",
        top_contributor=evidence[0].attribute if evidence else next(iter(texts), ""),
        score_details=ScoreDetails(
            label=Label.FRAUD, threshold=threshold, evidence=evidence, windows=1, backend="onnx", latency_ms=12.0
        ),
    )
