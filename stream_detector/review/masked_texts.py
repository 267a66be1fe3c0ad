"""A violation's texts as they may be shown to anyone: of the same length, with what offends hidden."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from stream_detector.contracts import Evidence, Violation
from stream_detector.text.masking import mask

#: What may be a contact, where evidence doesn't say which part is one. Linear: each character is looked at once.
_SUSPICIOUS: Final = re.compile(r"[^\s]*[\d@./:][^\s]*")
_BEFORE: Final = 60
_EXCERPT: Final = 200


def masked_texts(violation: Violation) -> Mapping[str, str]:
    """The texts by attribute, masked; empty if the violation carries none."""
    evidence = violation.score_details.evidence
    masked = {
        name: _masked(text, [e for e in evidence if e.attribute == name]) for name, text in (violation.attributes or {}).items()
    }
    top = violation.top_contributor
    if not evidence and top in masked:
        masked[top] = _SUSPICIOUS.sub(lambda found: mask(found[0]), masked[top])
    return masked


def masked_evidence(violation: Violation) -> tuple[Evidence, ...]:
    """The evidence with its surfaces masked, whatever the worker's settings were."""
    return tuple(item.model_copy(update={"surface": mask(item.surface)}) for item in violation.score_details.evidence)


def excerpt_of(violation: Violation) -> str:
    """A line of masked text around the first evidence; empty if the violation carries no texts."""
    masked = masked_texts(violation)
    first = next((item for item in violation.score_details.evidence if item.attribute in masked), None)
    text = masked.get(first.attribute if first else violation.top_contributor, "")
    start = max(0, first.start - _BEFORE) if first else 0
    cut = " ".join(text[start : start + _EXCERPT].split())
    return f"{'…' if start else ''}{cut}{'…' if start + _EXCERPT < len(text) else ''}"[: _EXCERPT + 2]


def _masked(text: str, evidence: list[Evidence]) -> str:
    for item in evidence:
        text = text[: item.start] + mask(text[item.start : item.end]) + text[item.end :]
    return text
