"""Dashboards on a live stack: a worker with the shipped model under load on Apache Kafka, scraped by a real Prometheus."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from deploy.dashboards.__main__ import documents
from stream_detector.inference.artefact import find, load_manifest
from stream_detector.observability.drift import SIGNALS, stability_index
from stream_detector.settings import Settings
from stream_detector.streaming import create_topics
from tests.kafka.broker import ApacheKafka
from tests.kafka.conftest import unique_settings
from tests.kafka.live import Prometheus, others, player, week_before, worker
from tests.kafka.running import until
from tests.rollout.artefacts import make_artefact

pytestmark = [pytest.mark.kafka, pytest.mark.validators, pytest.mark.timeout(300)]

TARGETS = [
    pytest.param(panel, target, id=f"{name.removesuffix('.json')}: {panel['title']}, {target['refId']}")
    for name, document in documents().items()
    for panel in document["panels"]
    for target in panel["targets"]
]

#: What Grafana would fill in, for a stack that is a minute old.
FILLED = {"$__rate_interval": "15s", "$__range": "30s"}


@pytest.fixture(scope="module")
def prometheus(apache: ApacheKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """It has scraped a worker for a while; one value is from the days before."""
    settings = unique_settings(bootstrap_servers=apache.bootstrap_servers)
    create_topics(settings, partitions=2, replication_factor=1)
    shadow = make_artefact(tmp_path_factory.mktemp("models") / "next", "v20990101")
    past = week_before("stream_detector:violation_share:ratio_rate6h", 0.2)
    with ExitStack() as stack:
        targets = [stack.enter_context(worker(settings, shadow)), stack.enter_context(others())]
        scraping = Prometheus(tmp_path_factory.mktemp("prometheus"), targets, past)
        stack.enter_context(scraping.running())
        stack.enter_context(player(settings, rate=15))
        until(lambda: scraping.query("sum(stream_detector_events_total) > 150"), "events")
        yield scraping


@pytest.mark.parametrize(("panel", "target"), TARGETS)
def test_every_query_returns_data(prometheus: Prometheus, panel: dict[str, Any], target: dict[str, Any]) -> None:
    """Not only well-formed: what an operator opens under load is not "No data", and is a number."""
    query = target["expr"]
    for variable, value in FILLED.items():
        query = query.replace(variable, value)
    assert "$" not in query
    until(lambda: any(math.isfinite(series["value"]) for series in prometheus.query(query)), f"{panel['title']}: {query}")
    named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
    assert all(named <= series["labels"].keys() for series in prometheus.query(query))


def test_drift_is_what_the_definition_says(prometheus: Prometheus) -> None:
    """The rules' arithmetic over the workers' counters gives the index that the program computes of the same counts."""
    reference = load_manifest(find(Settings().model)).reference
    assert reference is not None
    until(lambda: len(prometheus.query("stream_detector:drift_psi:ratio6h")) == len(SIGNALS), "the index of every signal")
    grown = prometheus.query("stream_detector:drift_texts:increase6h")
    told = {series["labels"]["signal"]: series["value"] for series in prometheus.query("stream_detector:drift_psi:ratio6h")}
    for signal in SIGNALS:
        counts = {s["labels"]["bin"]: s["value"] for s in grown if s["labels"]["signal"] == signal}
        # Between the two queries more texts came.
        assert told[signal] == pytest.approx(stability_index(reference.shares(signal), counts), rel=0.2, abs=0.02)
