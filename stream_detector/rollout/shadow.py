"""The shadow: a model that looks on. It scores a sample of the events in spare time, and tells where it would decide otherwise.

What it says has no consequence, so it must have no cost either: an event is offered after it was committed, dropped if the worker
is behind or the queue is full, and read only while no network that decides has anything to do. Its disagreements go to Kafka by a
producer of their own, outside the transactions of the worker: at most once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from queue import Full, Queue
from threading import Event as Flag
from threading import Thread
from typing import Final

import structlog
from confluent_kafka import KafkaError, KafkaException, Message

from stream_detector.contracts import Event, Label, ScoringResponse, carried, disagreement_of, encode
from stream_detector.detection import Detector
from stream_detector.observability import Metrics
from stream_detector.rollout.share import in_share, key_of
from stream_detector.rollout.slot import Slot
from stream_detector.rollout.versions import ShownVersions, Version
from stream_detector.settings import Settings
from stream_detector.streaming import Outcome, Record
from stream_detector.streaming.clients import KAFKA, ClientErrors, Kafka, identity, shadow_config

_SALT: Final = b"shadow"
#: Events that wait for a quiet moment. With the bound on each, some 4 MB at most.
_WAITING: Final = 256
#: A longer event would keep a core for longer than a pause lasts.
_LARGEST_BYTES: Final = 16 * 1024
#: How often it looks whether the deciding networks are idle.
_LOOK_S: Final = 0.005
#: How long an event waits for them before it is dropped.
_PATIENCE_S: Final = 1.0
_LEAVE_S: Final = 2.0
_RESULTS: Final = ("agreed", "only_model", "only_shadow", "failed")

_log = structlog.get_logger()

_Seen = tuple[Record, Event, ScoringResponse]


class Shadow:
    """Takes what was decided, and compares.

    Args:
        settings: shadow_share, promise_ms, include_text and topics.shadow are read, and what reaches Kafka.
        slot: the model that looks on.
        busy: whether the networks that decide have anything to do.
        metrics: where comparisons are counted.
        kafka: makes the producer.
    """

    def __init__(self, settings: Settings, slot: Slot, busy: Callable[[], bool], metrics: Metrics, kafka: Kafka = KAFKA) -> None:
        self._settings = settings
        self._slot = slot
        self._busy = busy
        self._metrics = metrics
        self._promise_s = settings.promise_ms / 1000
        self._versions = ShownVersions(self._forget)
        self._waiting: Queue[_Seen | None] = Queue(_WAITING)
        self._leaving = Flag()
        self._producer = kafka.producer(shadow_config(settings, identity(settings)) | {"error_cb": ClientErrors()})
        self._thread = Thread(target=self._run, name="shadow", daemon=True)
        self._thread.start()

    def offer(self, outcome: Outcome) -> None:
        """Take note of an outcome that was committed; return at once."""
        event, decided, record = outcome.event, outcome.response, outcome.record
        if event is None or decided is None or not in_share(key_of(record.key, event), self._settings.shadow_share, _SALT):
            return
        if outcome.latency_s is not None and outcome.latency_s > self._promise_s:
            self._dropped("late")
        elif len(record.value or b"") > _LARGEST_BYTES:
            self._dropped("large")
        else:
            try:
                self._waiting.put_nowait((record, event, decided))
            except Full:
                self._dropped("busy")

    def close(self) -> None:
        """Leave what waits, and give what was found a moment to reach Kafka."""
        self._leaving.set()
        with self._waiting.mutex:
            self._waiting.queue.clear()
        self._waiting.put(None)
        self._thread.join(_LEAVE_S)
        self._producer.flush(_LEAVE_S)

    def _run(self) -> None:
        while (seen := self._waiting.get()) is not None:
            record, event, decided = seen
            with self._slot.hold() as detector:
                if _same_model(detector, decided):
                    continue
                version = self._versions.show(detector.manifest)
                try:
                    shadow = self._score(detector, event)
                except Exception as error:  # noqa: BLE001 - whatever a model raises, this one decides nothing
                    _log.warning("shadow model can't score an event", error=type(error).__name__, event_id=event.event_id)
                    self._metrics.shadow_events.labels(*version, "failed").inc()
                    continue
            if shadow is None:
                self._dropped("busy")
            else:
                self._compare(record, event, decided, shadow, version)

    def _score(self, detector: Detector, event: Event) -> ScoringResponse | None:
        """Its verdict; None if there was no pause to give it in."""
        until = time.monotonic() + _PATIENCE_S
        for text in event.texts.values():
            while self._busy():
                if time.monotonic() > until or self._leaving.wait(_LOOK_S):
                    return None
            # Into its cache, one by one: so nothing longer than a text comes between an event and its verdict.
            detector.verdicts([text])
        return detector.score([event.texts])[0]

    def _compare(self, record: Record, event: Event, decided: ScoringResponse, shadow: ScoringResponse, version: Version) -> None:
        labels = decided.score_details.label, shadow.score_details.label
        result = "agreed" if labels[0] is labels[1] else "only_model" if labels[0] is Label.FRAUD else "only_shadow"
        self._metrics.shadow_events.labels(*version, result).inc()
        self._metrics.shadow_shift.observe(abs(float(shadow.probability_score) - float(decided.probability_score)))
        if result != "agreed":
            self._publish(record, event, decided, shadow)
        self._producer.poll(0)

    def _publish(self, record: Record, event: Event, decided: ScoringResponse, shadow: ScoringResponse) -> None:
        found = disagreement_of(
            event, record.source, decided, shadow,
            compared_at=datetime.fromtimestamp(time.time(), UTC), include_text=self._settings.include_text,
        )  # fmt: skip
        try:
            self._producer.produce(
                self._settings.topics.shadow,
                encode(found),
                record.key,
                headers=list(carried(record.headers)),
                on_delivery=self._report,
            )
        except (BufferError, KafkaException):
            self._dropped("unpublished")

    def _report(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._dropped("unpublished")

    def _dropped(self, reason: str) -> None:
        self._metrics.shadow_dropped.labels(reason).inc()

    def _forget(self, version: Version) -> None:
        for result in _RESULTS:
            self._metrics.shadow_events.remove(*version, result)


def _same_model(detector: Detector, decided: ScoringResponse) -> bool:
    """Whether the shadow itself decided, as it does once it was swapped in or is the canary as well: it would agree with itself."""
    manifest = detector.manifest
    return (manifest.model_code, manifest.model_version, manifest.refresh_version) == (
        decided.model_code, decided.model_version, decided.refresh_version,
    )  # fmt: skip
