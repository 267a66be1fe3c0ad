"""What hostile producers and clients send makes no series: /metrics stays as small as docs/metrics.md says."""

from __future__ import annotations

import urllib.request
from collections import Counter
from collections.abc import Iterable

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from stream_detector.observability import Metrics, ObservabilityServer
from stream_detector.observability.catalogue import BOUNDS, entries
from stream_detector.streaming import EmbeddedBroker
from tests.detection.stand_in import StandInBackend, detector
from tests.kafka.conftest import unique_settings
from tests.kafka.running import RunningWorker
from tests.kafka.traffic import Sent, event, send
from tests.serving.asking import Served, request

#: In everything that they send; a label that holds it would be a series a record.
MARK = "hostile"
RECORDS = 120


def hostile(topics: Iterable[str]) -> list[Sent]:
    """Records that differ wherever a producer can make them differ."""
    sent = []
    for number, topic in zip(range(RECORDS), [*topics] * RECORDS, strict=False):
        word = f"{MARK}-{number}"
        document = orjson.loads(event(number)) | {
            "eventId": word, "partnerId": word, "listingId": word, "attributes": {word: f"on whatsapp {word} \U0001f3e0" * (number + 1)}
        }  # fmt: skip
        match number % 6:
            case 0:
                document |= {"eventType": word}
            case 1:
                document |= {word: word, "occurredAt": "1970-01-01T00:00:00Z"}
            case 2:
                document |= {"attributes": {word: [word]}}
            case 3:
                document |= {"transactionContext": {word: word}}
        value = word.encode() if number % 6 == 4 else orjson.dumps(document)
        sent.append(Sent(topic, value, word.encode(), ((word, word.encode()),)))
    return sent


def check(page: str) -> None:
    """No more series a metric than its entry says, and nothing of what was sent in any of them."""
    most = {entry.name.removesuffix("_total"): entry.series for entry in entries()}
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(page):
        if family.name.startswith("stream_detector_"):
            # The time at which a counter or a histogram was made comes as a gauge of its own.
            found[family.name.removesuffix("_created")] += len(family.samples)
    assert found.keys() <= most.keys()
    assert not {name: number for name, number in found.items() if number > most[name]}
    assert MARK not in page


def test_records_make_no_series(embedded: EmbeddedBroker) -> None:
    """Types, fields, ids, keys, headers and texts that no two records share."""
    settings = embedded.settings_for(unique_settings(dead_letter_limit_ratio=1.0, dead_letter_limit_consecutive=RECORDS * 2))
    topics = settings.topics
    embedded.create_topics(*topics.inputs, *map(topics.dead_letters_of, topics.inputs), topics.violations)
    records = hostile(topics.inputs)
    send(settings, records)
    reading = Metrics()
    scorer = detector(StandInBackend(), metrics=reading)
    scorer.watch_drift()
    with RunningWorker(settings, scorer) as running:
        running.has(len(records))
        at = settings.model_copy(update={"metrics_port": 0})
        with (
            ObservabilityServer(at, running.metrics, running.readiness) as server,
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=30) as answer,
        ):
            page = answer.read().decode()
    assert 'outcome="dead_letter"' in page
    assert 'outcome="violation"' in page or 'outcome="clean"' in page
    check(page)
    assert "stream_detector_drift_texts_total{" in reading.render().decode()
    check(reading.render().decode())


def test_requests_make_no_series() -> None:
    """Paths, methods, headers and bodies that no two requests share."""
    served = Served()
    for number in range(60):
        word = f"{MARK}-{number}"
        served.client.get(f"/{word}", headers={word: word})
        served.client.request("DELETE", f"/score/{word}")
        served.client.get(f"/metrics?{word}={word}")
        served.score(request(**{word: f"on whatsapp {word}"}))
        served.score({word: word})
        served.score(word.encode())
        served.score(request(text="A quiet flat"), **{"Content-Type": f"text/{word}"})
    check(served.client.get("/metrics").text)


def test_the_check_finds_a_label_that_grows() -> None:
    """What the tests above rest on."""
    served = Served()
    for number in range(BOUNDS["path"] * BOUNDS["status"] + 1):
        served.metrics.http_requests.labels(f"/{number}", "200").inc()
    with pytest.raises(AssertionError, match="stream_detector_http_requests"):
        check(served.client.get("/metrics").text)
