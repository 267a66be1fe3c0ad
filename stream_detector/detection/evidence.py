"""Where in a text the violation stands: from tags a token to spans of the text as sent.

The tags are the network's; rules over the normalized view only mend a span's ends and kind (a phone number is read to its
last digit, an address to its last label). They never decide whether there is a violation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream_detector.contracts import Kind
from stream_detector.text.view import NormalizedView

#: Unmarked tokens that may stand inside one span: "0770 (then) 0900".
_BRIDGE = 2

# ASCII, because Chinese and Japanese words touch an address without being part of it.
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}", re.ASCII)
# Not behind an @: there it is the rest of an address, or a handle.
_URL = re.compile(
    r"(?<![\w@.-])(?:https?://)?(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24}(?![\w@])(?:/[^\s<>()\"']{0,200})?", re.ASCII | re.IGNORECASE
)
_PHONE = re.compile(r"(?<![\w.])\+?\(?\d(?:[ ./()-]{0,2}\d){6,14}(?!\d)", re.ASCII)
_EDGE = " \t\n.,;:!?*•|-–—'\"»«·"


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence in the view: half-open character span, kind and the tags' confidence (0 to 1)."""

    start: int
    end: int
    kind: Kind
    confidence: float


def find_evidence(
    view: NormalizedView, offsets: Sequence[tuple[int, int]], tags: NDArray[np.float32], kinds: Sequence[Kind | None]
) -> list[Finding]:
    """Read the spans out of a window that was found to offend.

    Args:
        view: the text that was read.
        offsets: the window's tokens' spans in the view.
        tags: (tokens, classes) logits.
        kinds: the classes; the first is "outside".

    Returns:
        At least one finding where there is at least one token, in order, not overlapping.
    """
    if not len(offsets):
        return []
    probabilities = np.exp(tags - tags.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    inside = 1 - probabilities[:, 0]
    # The verdict came first: if no tag is sure, the least unsure ones are still the best answer to "where?".
    floor = min(0.5, float(inside.max()) * 0.5)
    runs = list(_runs(inside >= floor, probabilities[:, 1:].argmax(axis=1)))
    findings = []
    for first, last in runs:
        weights = probabilities[first:last, 1:].sum(axis=0)
        kind = kinds[1 + int(weights.argmax())]
        if kind is not None:
            findings.append(Finding(offsets[first][0], offsets[last - 1][1], kind, float(inside[first:last].mean())))
    return _merge([_refine(view.text, finding) for finding in findings])


def _runs(marked: NDArray[np.bool_], kinds: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """Half-open runs of marked tokens; short gaps are bridged between tokens of one kind: "write to … or call …" are two."""
    positions = np.flatnonzero(marked)
    if not positions.size:
        return
    gaps = np.diff(positions) - 1
    breaks = np.flatnonzero((gaps > _BRIDGE) | ((gaps > 0) & (np.diff(kinds[positions]) != 0)))
    starts = np.concatenate(([0], breaks + 1))
    stops = np.concatenate((breaks, [positions.size - 1]))
    for start, stop in zip(starts, stops, strict=True):
        yield int(positions[start]), int(positions[stop]) + 1


def _refine(text: str, finding: Finding) -> Finding:
    """Mend the ends and, where the syntax leaves no doubt, the kind."""
    start, end, kind = finding.start, finding.end, finding.kind
    around = max(0, start - 80), min(len(text), end + 80)
    for pattern, found in ((_EMAIL, Kind.EMAIL), (_URL, Kind.URL), (_PHONE, Kind.PHONE)):
        if kind is Kind.SOLICITATION or (kind is Kind.PAYMENT and found is not Kind.PHONE):
            continue
        for match in pattern.finditer(text, *around):
            covered = min(end, match.end()) - max(start, match.start())
            if covered > 0.5 * (match.end() - match.start()):
                start, end = min(start, match.start()), max(end, match.end())
                if (
                    covered > 0.6 * (end - start)
                    and kind is not Kind.PAYMENT
                    and not (kind is Kind.MESSENGER and found is Kind.PHONE)
                ):
                    kind = found
                break
    while start < end and text[start] in _EDGE:
        start += 1
    while end > start and text[end - 1] in _EDGE:
        end -= 1
    return Finding(start, end, kind, finding.confidence) if start < end else finding


def _merge(findings: Sequence[Finding]) -> list[Finding]:
    """Join findings that came to overlap; the surer one names the kind."""
    merged: list[Finding] = []
    for finding in sorted(findings, key=lambda f: f.start):
        if merged and finding.start < merged[-1].end:
            last = merged.pop()
            surer = max(last, finding, key=lambda f: f.confidence)
            merged.append(Finding(last.start, max(last.end, finding.end), surer.kind, surer.confidence))
        else:
            merged.append(finding)
    return merged
