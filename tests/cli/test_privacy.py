"""No contact that stands in an event ever reaches logs, metrics or dead-letter headers, even at the level DEBUG."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from stream_detector.settings import Settings
from stream_detector.streaming import EmbeddedBroker
from tests.cli.calling import Start
from tests.kafka.traffic import event, received

#: What must not be found anywhere but in the topics' values; the digits also without what stands between them.
CONTACTS = ("+44 7700 900142", "447700900142", "host@sunny-loft.example", "sunny-loft", "secret-handle", "Traceback")
TEXT = "Write to host@sunny-loft.example or @secret-handle, or call +44 7700 900142."

EVENTS = [
    event(0, text=TEXT),
    event(1, text=TEXT).replace(b'"P-1"', b"5"),
    event(2, text=TEXT)[:-20],
    event(3, text=TEXT).replace(b"listing-update", b"call +44 7700 900142"),
    event(4, text="explode").replace(b'"gone":null', b'"note":"host@sunny-loft.example"'),
    event(5).replace(b'"gone":null', b'"+44 7700 900142":7'),
    event(6).replace(b'"gone":null', b'"host@sunny-loft.example":[]'),
    event(7).replace(b'"gone":null', b'"call447700900142now":{}'),
    event(8).replace(b'"occurredAt":"', b'"occurredAt":"host@sunny-loft.example'),
    event(9, text=TEXT).replace(b"A", b"\xff"),
    event(10, text=TEXT).replace(b'"attributes":{', b'"attributes":{"x":"secret-handle","x":"secret-handle",'),
    TEXT.encode(),
    json.dumps(TEXT).encode(),
]


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """A broker in this process."""
    with EmbeddedBroker() as broker:
        yield broker


def test_contacts_stay_in_their_topics(start: Start, broker: EmbeddedBroker) -> None:
    """Each way of being scored and refused is taken, with contacts wherever a producer can put them."""
    settings = Settings(bootstrap_servers=broker.bootstrap_servers)
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    for value in EVENTS:
        headers: dict[str, str | bytes | None] = {"x-contact": b"an own header, carried over"}
        producer.produce(settings.topics.listing_updates, value, b"key of host@sunny-loft.example", headers=headers)
    assert producer.flush(20) == 0
    process = start(
        "run", "--bootstrap-servers", broker.bootstrap_servers, "--delivery", "at_least_once", "--metrics-port", "0",
        "--log-level", "DEBUG", "--dead-letter-limit-consecutive", "0",
    )  # fmt: skip
    lines = []
    for line in process.stderr:
        lines.append(line)
        if json.loads(line)["event"] == "serving metrics":
            break
    url = json.loads(lines[-1])["url"]
    end = time.monotonic() + 60
    while _done(metrics := _get(url)) < len(EVENTS):
        assert time.monotonic() < end, metrics
        time.sleep(0.1)
    ready = _get(url.replace("/metrics", "/readyz"))
    process.send_signal(signal.SIGTERM)
    rest = process.stderr.read()
    assert process.wait(30) == 0

    letters = received(settings, settings.topics.dead_letters_of(settings.topics.listing_updates), "read_uncommitted")
    assert len(letters) == len(EVENTS) - 1
    told = json.dumps([[(name, repr(value)) for name, value in letter.headers() or ()] for letter in letters])
    everything = b"".join(lines).decode() + rest.decode() + metrics + ready + told
    assert "dlq.error" in told
    for contact in CONTACTS:
        assert contact not in everything


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


def _done(metrics: str) -> float:
    return sum(float(line.split()[-1]) for line in metrics.splitlines() if line.startswith("stream_detector_events_total{"))
