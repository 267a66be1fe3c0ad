"""`stream-detector demo`: from example to summary, through the embedded broker and the real worker."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stream_detector.cli.demo.examples import Example, load_examples
from stream_detector.cli.demo.player import paced
from stream_detector.cli.demo.tally import Tally, percentile
from stream_detector.contracts import Event, decode
from stream_detector.errors import ConfigurationError
from stream_detector.settings import TopicSettings
from stream_detector.streaming import Outcome, OutcomeKind, Record
from tests.cli.calling import Call, Start


def _line(number: int, text: str) -> str:
    event = {
        "eventId": f"e{number}",
        "eventType": "listing-update",
        "transactionContext": {"transactionId": str(number)},
        "partnerId": "P-7",
        "listingId": f"L-{number}",
        "attributes": {"houseRules": text},
    }
    return json.dumps({"topic": "listing-updates", "key": f"L-{number}", "value": event})


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Six clean events, three violations, one dead letter."""
    lines = [_line(number, "no shoes") for number in range(6)]
    lines += [_line(number, "before +44 7700 900123 after") for number in range(6, 9)]
    lines.append(json.dumps({"topic": "bookings", "key": "B-1", "raw": "{broken"}))
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.mark.usefixtures("stand_in")
def test_once_shows_what_lands(call: Call, events: Path) -> None:
    """Every violation with its evidence, every dead letter with its reason, and figures that add up."""
    called = call("demo", "--once", "--rate", "100", "--events", events, "--metrics-port", "0")
    assert called.status == 0
    assert called.out.startswith("stream detector demo\n")
    assert "exactly once needs a real Kafka" in called.out
    assert "/metrics" in called.out
    assert called.out.count("Fraud phone") == 3
    assert "listing L-8" in called.out
    assert "houseRules: before +44 7700 900123 after" in called.out
    assert "dead letter invalid_json  bookings: not JSON" in called.out
    assert "events          10\n" in called.out
    assert "within promise" in called.out


@pytest.mark.usefixtures("stand_in")
def test_json_is_the_summary_only(call: Call, events: Path) -> None:
    """A script reads one JSON object on standard output and nothing else."""
    called = call("demo", "--once", "--json", "--rate", "100", "--events", events, "--metrics-port", "0")
    assert called.status == 0
    summary = json.loads(called.out)
    assert {key: summary[key] for key in ("events", "violations", "deadLetters", "clean")} == {
        "events": 10, "violations": 3, "deadLetters": 1, "clean": 6,
    }  # fmt: skip
    assert summary["promiseMs"] == 250
    assert 0 <= summary["latencyMs"]["p50"] <= summary["latencyMs"]["p99"]


def test_interrupt_ends_in_a_summary(start: Start, events: Path) -> None:
    """Without --once the examples go round until Ctrl-C, which is the ordinary end: status 0 and the figures."""
    process = start("demo", "--rate", "100", "--events", events, "--metrics-port", "0")
    seen = b""
    while seen.count(b"Fraud phone") < 5:
        seen += process.stdout.readline()
        assert seen
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out = process.stdout.read()
    assert process.wait(30) == 0
    assert b"Summary" in out


def test_the_console_is_filled_by_what_lands(start: Start, events: Path) -> None:
    """The demo shows the review console's address, and the violations that it shows are cases there."""
    process = start("demo", "--rate", "100", "--events", events, "--metrics-port", "0")
    address = ""
    while not address:
        line = process.stdout.readline().decode()
        assert line
        address = line.split()[1] if line.split()[:1] == ["console"] else ""
    assert address.startswith("http://127.0.0.1:")
    end = time.monotonic() + 60
    page = ""
    while "Case 3" not in page:
        assert time.monotonic() < end
        with urllib.request.urlopen(address + "queue", timeout=60) as answer:
            page = answer.read().decode()
        time.sleep(0.1)
    assert "7700 900123" not in page
    process.send_signal(signal.SIGINT)
    assert b"Summary" in process.stdout.read()
    assert process.wait(60) == 0


def test_shipped_examples_can_be_played() -> None:
    """Each example is an event that the worker takes, but for those that say they are malformed."""
    now = datetime(2026, 11, 23, 10, tzinfo=UTC)
    examples = load_examples(None)
    assert {example.topic for example in examples} == {"bookings", "listing-updates", "client-updates"}
    for example in examples:
        if example.raw is None and (payload := example.payload(now)) is not None:
            assert decode(Event, payload).occurred_at == now


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"topic": "nonsense", "key": "k", "value": {}}', ":2: topic: "),
        ('{"topic": "bookings", "extra": 1}', ":2: extra: "),
        ("{", ":2: Invalid JSON"),
    ],
)
def test_a_wrong_example_is_named(tmp_path: Path, line: str, message: str) -> None:
    """Whoever writes examples learns the file, the line and the field."""
    file = tmp_path / "events.jsonl"
    file.write_text(_line(1, "x") + "\n" + line + "\n")
    with pytest.raises(ConfigurationError, match=message):
        load_examples(file)


@pytest.mark.parametrize("content", [None, "", "\n\n"])
def test_no_examples_is_an_error(tmp_path: Path, content: str | None) -> None:
    """An empty or missing file isn't a demo without violations."""
    file = tmp_path / "events.jsonl"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match="--events"):
        load_examples(file)


def test_topics_follow_the_settings() -> None:
    """Examples name topics by their usual names; they go where the settings say."""
    topics = TopicSettings(bookings="eu.bookings")
    assert Example(topic="bookings", key="k", raw="x").topic_in(topics) == "eu.bookings"


def test_pace_is_steady() -> None:
    """A late event doesn't shift those after it, so the rate holds over time."""
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        now[0] += seconds

    for number, _ in enumerate(paced(range(5), rate=10, clock=lambda: now[0], sleep=sleep)):
        if number == 1:
            now[0] += 0.15
    assert slept == [0.1, 0.05, 0.1]


@pytest.mark.parametrize(("count", "p50", "p99"), [(1, 1.0, 1.0), (2, 1.0, 2.0), (100, 50.0, 99.0), (1000, 500.0, 990.0)])
def test_percentiles_are_nearest_rank(count: int, p50: float, p99: float) -> None:
    """A percentile is a value that was measured."""
    values = [float(value) for value in range(1, count + 1)]
    assert (percentile(values, 50), percentile(values, 99)) == (p50, p99)


def test_summary_without_latencies() -> None:
    """Only dead letters: there is nothing to say about latency, and nothing to divide by."""
    tally = Tally()
    tally.add(Outcome(Record("bookings", 0, 0, None, b"x"), OutcomeKind.DEAD_LETTER))
    summary = tally.summarize(250)
    assert (summary.events, summary.dead_letters, summary.p50_ms, summary.within_promise) == (1, 1, None, None)


def test_promise_is_kept_at_its_edge() -> None:
    """Exactly the promise is within it."""
    tally = Tally()
    for latency_s in (0.25, 0.2501):
        tally.add(Outcome(Record("bookings", 0, 0, None, b"x"), OutcomeKind.CLEAN, latency_s=latency_s))
    assert tally.summarize(250).within_promise == 0.5
