"""What the demo shows of a text: the right characters, and nothing that steers the terminal."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from rich.console import Console

from stream_detector.cli.demo.screen import Screen
from stream_detector.contracts import EventType, Evidence, Kind, Label, ScoreDetails, Source, Violation

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def _violation(attributes: dict[str, str] | None, *evidence: Evidence, partner: str = "P-7") -> Violation:
    details = ScoreDetails(label=Label.FRAUD, threshold=0.5, evidence=evidence, windows=1, backend="x", latency_ms=1)
    return Violation(
        model_code="M", model_version="1", refresh_version="v", probability_score="9.87e-01", model_segment="SUPPLY",
        top_contributor="note", score_details=details, event_id="e", event_type=EventType.BOOKING, partner_id=partner,
        listing_id="L-1", occurred_at=NOW, detected_at=NOW, source=Source(topic="bookings", partition=0, offset=0),
        attributes=attributes, violation_id="v",
    )  # fmt: skip


def _show(violation: Violation, *, color: bool = False) -> str:
    stream = io.StringIO()
    Screen(Console(file=stream, force_terminal=color, color_system="standard" if color else None, highlight=False)).show_violation(
        violation, 12.4
    )
    return stream.getvalue()


def _evidence(text: str, surface: str, kind: Kind = Kind.PHONE) -> Evidence:
    start = text.index(surface)
    return Evidence(attribute="note", start=start, end=start + len(surface), kind=kind, surface="+** ***")


def test_line_names_what_whose_and_how_fast() -> None:
    """Kinds once each, in the order found; partner, listing, probability, milliseconds."""
    text = "+44 7700 900123 or +44 7700 900124 or host@example.com"
    found = [
        _evidence(text, "+44 7700 900123"),
        _evidence(text, "+44 7700 900124"),
        _evidence(text, "host@example.com", Kind.EMAIL),
    ]
    first = _show(_violation({"note": text}, *found)).splitlines()[0]
    assert first == "Fraud phone, email  booking  partner P-7  listing L-1  p=0.9870  12 ms"


def test_exactly_the_evidence_is_highlighted() -> None:
    """Offsets count from the start of the text, and the excerpt begins later."""
    text = "x" * 500 + " ring +44 7700 900123 now " + "y" * 500
    shown = _show(_violation({"note": text}, _evidence(text, "+44 7700 900123")), color=True)
    assert "\x1b[1;37;41m+44 7700 900123\x1b[0m" in shown
    assert shown.count("…") == 2


def test_masked_surface_where_the_text_was_not_sent() -> None:
    """Without include_text there is the masked surface to show."""
    assert "note: +** ***" in _show(_violation(None, _evidence("+44 7700 900123", "+44 7700 900123")))


def test_a_text_cannot_steer_the_terminal() -> None:
    """Escape sequences, line breaks and direction overrides in a text or an identifier are shown, not obeyed."""
    text = "\x1b[2J\u202eab\ncd +44 7700 900123"
    shown = _show(_violation({"note": text}, _evidence(text, "+44 7700 900123"), partner="P\x1b[2J"))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "note: ·[2J·ab·cd +44 7700 900123\n" in shown


def test_markup_in_a_text_is_text() -> None:
    """Square brackets mean something to rich; a producer's don't."""
    text = "[red]+44 7700 900123[/red]"
    assert text in _show(_violation({"note": text}, _evidence(text, "+44 7700 900123")))
