"""`stream-detector verify`: proves that each input record of a group was accounted for, once."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from datetime import UTC, datetime

import click

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.cli.moments import milliseconds, moment_option
from stream_detector.settings import Settings
from stream_detector.streaming.ledger import Report
from stream_detector.streaming.proof import choose_spans, prove
from stream_detector.streaming.reading import Reader, Span

_SPAN = re.compile(r"(?P<topic>[A-Za-z0-9._-]+):(?P<partition>\d+):(?P<start>\d*)-(?P<end>\d*)")


def _read_spans(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> tuple[Span, ...]:
    spans = []
    for text in texts:
        found = _SPAN.fullmatch(text)
        if found is None:
            raise click.BadParameter(f"{text!r} is no span; write it as bookings:0:100-200, or bookings:0:100- for all from 100 on")
        spans.append(Span(found["topic"], int(found["partition"]), int(found["start"] or -1), int(found["end"] or -1)))
    return tuple(spans)


@click.command(
    cls=SettingsCommand,
    epilog="Exit status: 0 every record is accounted for once, 1 the ledger has faults (they are named), 2 wrong call or Kafka can't"
    " be read. Of a group that is running at least once, the batch in hand may show as ahead.",
)
@click.option(
    "--span", "spans", metavar="TOPIC:PARTITION:FROM-TO", multiple=True, callback=_read_spans,
    help="Only these offsets, TO excluded; may be repeated.",
)  # fmt: skip
@moment_option("--since", "Only inputs written since then.")
@moment_option("--until", "Only inputs written before then.")
@click.option("--to-end", is_flag=True, help="Up to the end of the topics: what the group hasn't done counts as a fault.")
@click.option("--rescore", is_flag=True, help="Score the inputs once more: proves absent violations where no scores are published.")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object.")
@with_settings(
    "bootstrap_servers", "group_id", "topics", "policy", "publish_scores", "max_event_bytes", "model", "threshold", "registry", "kafka"
)  # fmt: skip
@click.pass_context
def verify(
    context: click.Context,
    *,
    spans: tuple[Span, ...],
    since: datetime | None,
    until: datetime | None,
    to_end: bool,
    rescore: bool,
    as_json: bool,
    settings: Settings,
) -> None:
    """Read a group's inputs and outputs (read committed) and prove the ledger: each input accounted for once, ids unique.

    Without --span, --since or --until: all that the group has committed and the broker still holds.
    """
    since_ms, until_ms = milliseconds(since), milliseconds(until)
    with ExitStack() as stack:
        judge = None
        if rescore:
            from stream_detector.detection import Detector  # noqa: PLC0415 - loads the model's libraries; only for this flag

            judge = stack.enter_context(Detector.load(settings))
        reader = stack.enter_context(Reader(settings))
        latest = stack.enter_context(Reader(settings, isolation="read_uncommitted"))
        chosen = choose_spans(reader, settings, spans=spans, since_ms=since_ms, until_ms=until_ms, whole=to_end)
        report = prove(reader, latest, settings, chosen, judge=judge, since_ms=since_ms)
    click.echo(json.dumps(_document(report, chosen, settings), indent=2) if as_json else _text(report, chosen, settings))
    if not report.proven:
        context.exit(1)


def _document(report: Report, spans: list[Span], settings: Settings) -> dict[str, object]:
    return {
        "proven": report.proven,
        "group": settings.group_id,
        "verifiedAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "spans": [{"topic": s.topic, "partition": s.partition, "from": s.start, "to": s.end} for s in spans],
        "records": report.records,
        "due": dict(report.due),
        "outputs": dict(report.outputs),
        "presumedClean": report.presumed_clean,
        "faults": dict(report.faults),
        "examples": report.examples,
    }


def _text(report: Report, spans: list[Span], settings: Settings) -> str:
    lines = [f"group {settings.group_id}: {report.records} records"]
    lines += [f"  {s.topic}[{s.partition}]  {s.start} to {s.end}" for s in spans if s.start < s.end]
    lines += [f"due {what}: {count}" for what, count in sorted(report.due.items())]
    lines += [f"found: {count} of {what}" for what, count in sorted(report.outputs.items())]
    if report.presumed_clean:
        lines.append(
            f"{report.presumed_clean} events have no violation, and nothing here says whether they should:"
            " publish_scores or --rescore would"
        )
    lines += report.examples
    faults = ", ".join(f"{count} {what}" for what, count in report.faults.items())
    lines.append(f"NOT proven: {faults}" if faults else "proven: each record is accounted for once")
    return "\n".join(lines)
