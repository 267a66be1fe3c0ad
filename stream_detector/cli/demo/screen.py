"""What the demo shows: a violation with its evidence in the text, a dead letter in a line, the figures at the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.text import Text

from stream_detector.cli.demo.tally import Summary
from stream_detector.contracts import Evidence, Violation

#: Characters of text shown before the first and after the last piece of evidence.
_MARGIN = 60
#: Most characters shown of one attribute.
_LONGEST = 400
#: What could steer a terminal or break the line; replaced one for one, so that offsets still hold.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Screen:
    """Writes to a console; the subscriber's thread and the main one take turns by rich's own lock."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show_start(self, *, model: str, backend: str, metrics_url: str, events: int, rate: float) -> None:
        """Say what runs, where to look and how to stop."""
        self._console.print(
            Text.assemble(
                ("stream detector demo\n", "bold"),
                f"  model      {model} on {backend}\n",
                "  Kafka      an embedded broker: at least once (exactly once needs a real Kafka: stream-detector run)\n",
                f"  events     {events} examples, {rate:g} a second, from three topics\n",
                f"  metrics    {metrics_url}\n",
                "  stop       Ctrl-C\n",
                "  starting   the worker joins its group, which takes some 3 s\n",
            ),
            soft_wrap=True,
        )

    def show_console(self, url: str) -> None:
        """Say where the review console is."""
        self._console.print(
            Text.assemble(("  console    ", ""), (url, "bold"), "  decide about the violations there\n"), soft_wrap=True
        )

    def show_violation(self, violation: Violation, latency_ms: float | None) -> None:
        """Show a violation: what, whose, how sure, how fast, and the text around its evidence."""
        kinds = dict.fromkeys(evidence.kind.value for evidence in violation.score_details.evidence)
        line = Text.assemble(
            ("Fraud ", "bold red"),
            (", ".join(kinds) or "no evidence", "bold"),
            f"  {violation.event_type.value}  partner {_printable(violation.partner_id)}",
            f"  listing {_printable(violation.listing_id)}" if violation.listing_id else "",
            f"  p={float(violation.probability_score):.4f}",
            "" if latency_ms is None else f"  {latency_ms:.0f} ms",
        )
        for attribute, found in groupby(violation.score_details.evidence, key=lambda evidence: evidence.attribute):
            line.append(f"\n  {_printable(attribute)}: ", "dim")
            line.append_text(_excerpt((violation.attributes or {}).get(attribute), list(found)))
        self._console.print(line, soft_wrap=True)

    def show_dead_letter(self, topic: str, reason: str, error: str) -> None:
        """Show a dead letter in a line."""
        line = Text.assemble(("dead letter ", "bold yellow"), (reason, "bold"), f"  {topic}: {_printable(error)}")
        self._console.print(line, soft_wrap=True)

    def show_summary(self, summary: Summary) -> None:
        """Show the figures at the end."""
        rows = {
            "events": str(summary.events),
            "violations": str(summary.violations),
            "dead letters": str(summary.dead_letters),
            "clean": str(summary.clean),
        }
        if summary.within_promise is not None:
            rows["latency"] = f"p50 {summary.p50_ms} ms, p99 {summary.p99_ms} ms from occurrence to published"
            rows["within promise"] = f"{summary.within_promise:.1%} in {summary.promise_ms} ms"
        lines = [f"\n  {name:<16}{value}" for name, value in rows.items()]
        self._console.print(Text.assemble(("\nSummary", "bold"), *lines), soft_wrap=True)


def _excerpt(text: str | None, found: Sequence[Evidence]) -> Text:
    """The part of a text that holds its evidence, highlighted; the masked surfaces where the text wasn't sent along."""
    if text is None:
        return Text(" … ").join(Text(_printable(evidence.surface), "bold red") for evidence in found)
    start = max(0, min(evidence.start for evidence in found) - _MARGIN)
    end = min(len(text), max(evidence.end for evidence in found) + _MARGIN, start + _LONGEST)
    excerpt = Text(_printable(text[start:end]))
    for evidence in found:
        excerpt.stylize("bold white on red", max(0, evidence.start - start), max(0, evidence.end - start))
    return Text.assemble("…" if start else "", excerpt, "…" if end < len(text) else "")


def _printable(text: str) -> str:
    return _CONTROL.sub("\N{MIDDLE DOT}", text)
