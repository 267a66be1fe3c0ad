"""The examples that an artefact gets most wrong, and what may be the reason: for a person to read, with contacts masked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stream_detector.inference.windowing import view_windows
from stream_detector.text.masking import MASK, mask
from stream_detector.text.view import Normalizer
from stream_detector.training.corpus.holdout import HELD_OUT_DISGUISES
from stream_detector.training.evaluate import Judged, worst

#: Where a text is cut into windows: offsets of its characters.
Cuts = Callable[[str], Sequence[int]]

#: How much of the text is shown on either side of the place.
_AROUND = 50

#: A share of fewer examples says nothing.
_ENOUGH = 10

_GROUPS = {
    True: {"kind": "foundByKind", "family": "foundByFamily", "disguise": "foundByDisguise", "language": "foundByLanguage"},
    False: {"family": "wrongByFamily", "language": "wrongByLanguage"},
}


@dataclass(frozen=True, slots=True)
class Explained:
    """One of the worst, without its text.

    Attributes:
        probability: as the artefact said it.
        offends: the label.
        language, families, disguises: what it was made of.
        nearest_cut: characters from the place to the nearest cut between windows, 0 where one goes through it, none where the
            text is one window.
        reason: in words.
        excerpt: the place and what is around it, masked; it is shown, not kept.
    """

    probability: float
    offends: bool
    language: str
    families: tuple[str, ...]
    disguises: tuple[str, ...]
    nearest_cut: int | None
    reason: str
    excerpt: str

    def to_row(self) -> dict[str, Any]:
        """What may be kept as JSON."""
        return {
            "probability": self.probability,
            "label": "violation" if self.offends else "harmless",
            "language": self.language,
            "families": self.families,
            "disguises": self.disguises,
            "nearestCut": self.nearest_cut,
            "reason": self.reason,
        }

    def line(self) -> str:
        """What is shown."""
        label = "violation" if self.offends else "harmless"
        return f"{self.probability:.2e} {label} {self.language}: {self.reason}\n    {self.excerpt}"


def explain_worst(judged: Sequence[Judged], figures: Mapping[str, Any], cuts: Cuts, count: int = 20) -> list[Explained]:
    """The worst examples, each with its reason.

    Args:
        judged: what they are chosen from.
        figures: what `summarize` found of them.
        cuts: where texts are cut.
        count: how many.
    """
    return [_explain(j, figures, cuts) for j in worst(judged, count)]


def window_cuts(normalizer: Normalizer, tokenizer: Any, shape: Any) -> Cuts:
    """The cuts that a detector of this shape makes."""

    def cuts(text: str) -> list[int]:
        view = normalizer.view(text)
        cut = view_windows(view, tokenizer, shape)
        return [view.to_original(*cut.offsets[window.start])[0] for window in cut.windows[1:]]

    return cuts


def _explain(j: Judged, figures: Mapping[str, Any], cuts: Cuts) -> Explained:
    sample = j.sample
    places = [(s.start, s.end) for s in sample.spans] or [(e.start, e.end) for e in j.response.score_details.evidence]
    start, end = (min(s for s, _ in places), max(e for _, e in places)) if places else (0, 0)
    found = cuts(sample.text)
    nearest = min((0 if start < cut < end else min(abs(cut - start), abs(cut - end)) for cut in found), default=None)
    reasons = [_verdict(j), *_held_out(j), *_weakest_group(j, figures)]
    if len(places) > 1 and sample.offends:
        reasons.append(f"told in {len(places)} places over {end - start} characters")
    if nearest is not None:
        inside = any(start < cut < end for cut in found)
        reasons.append(
            "a window is cut inside it" if inside else f"nearest cut {nearest} characters away" if nearest else "cut at its edge"
        )
    return Explained(
        j.probability,
        sample.offends,
        sample.language,
        sample.families,
        sample.disguises,
        nearest,
        "; ".join(reasons),
        _excerpt(sample.text, places),
    )


def _verdict(j: Judged) -> str:
    if j.sample.offends:
        kinds = ", ".join(sorted({span.kind.value for span in j.sample.spans}))
        return f"{'found, if barely' if j.flagged else 'missed'}: {kinds}"
    kinds = ", ".join(sorted({e.kind.value for e in j.response.score_details.evidence}))
    return f"flagged as {kinds or 'nothing in particular'}" if j.flagged else "let pass, if barely"


def _held_out(j: Judged) -> list[str]:
    names = sorted(HELD_OUT_DISGUISES & set(j.sample.disguises))
    return [f"{', '.join(names)} is kept from training"] if names else []


def _weakest_group(j: Judged, figures: Mapping[str, Any]) -> list[str]:
    """Of the groups that it belongs to, the one that the artefact is worst at."""
    offends = j.sample.offends
    own = {
        "kind": [span.kind.value for span in j.sample.spans[:1]],
        "family": j.sample.families or ("none",),
        "disguise": j.sample.disguises or ("none",),
        "language": [j.sample.language],
    }
    shares = [
        (share["share"], f"{group} {name}", share["n"])
        for group, key in _GROUPS[offends].items()
        for name in own[group]
        if (share := figures[key].get(name)) and share["n"] >= _ENOUGH
    ]
    if not shares:
        return []
    share, name, count = min(shares) if offends else max(shares)
    return [f"weakest group {name} ({share:.0%} of {count} {'found' if offends else 'flagged'})"]


def _excerpt(text: str, places: Sequence[tuple[int, int]]) -> str:
    """The places masked, and every digit around them."""
    start, end = (places[0][0], places[0][1]) if places else (0, 0)
    left, right = max(0, start - _AROUND), end + _AROUND
    shown = list(re.sub(r"\d", MASK, text))
    for first, last in places:
        shown[first:last] = mask(text[first:last])
    return " ".join(f"{'…' if left else ''}{''.join(shown[left:right])}{'…' if right < len(text) else ''}".split())
