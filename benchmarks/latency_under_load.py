"""How late are verdicts under load? From the intended occurrence of an event to its verdict being read by a subscriber.

    python benchmarks/latency_under_load.py LISTINGS_FOLDER [--seconds 60] [--shares 50 80 95] [--capacity EVENTS_A_SECOND]

Apache Kafka, exactly once, a worker in a process of its own. First its capacity is measured: distinct listings as fast as Kafka
takes them. Then, for each share of it, events arrive at random moments (Poisson) that were drawn beforehand. The generator is
open-loop: an event is dated and counted from the moment that was drawn, whether or not the worker, Kafka or the generator was
ready for it, so a stall is paid by every event that should have happened meanwhile. Every verdict is published (publish_scores)
and read by a subscriber that reads committed messages only; the time at which it has it ends the latency. No text comes twice,
so no verdict comes from the cache, and lengths are those of real listings.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import numpy as np
import orjson
from confluent_kafka import Consumer
from corpus import Texts, listings
from machine import describe
from stream import ApacheKafka, RunningWorker, event, producer, topics

from stream_detector.settings import Settings

RESULT = Path(__file__).parent / "results" / "latency_under_load.json"
PERCENTILES = (50, 90, 99, 99.9)
PARTITIONS = 8
# How long events may still come in after the last was sent.
PATIENCE_S = 120.0
# The first seconds of a load fill caches and queues, and count as little as those of any start.
LEAD_IN = 0.1


@dataclass(frozen=True)
class Load:
    """Events, and the moments at which they are meant to occur, in seconds from the start."""

    groups: Sequence[Texts]
    moments: Sequence[float]


def poisson(groups: Sequence[Texts], rate: float, rng: Random) -> Load:
    """Random arrivals."""
    now, moments = 0.0, []
    for _ in groups:
        now += rng.expovariate(rate)
        moments.append(now)
    return Load(groups, moments)


def generate(settings: Settings, load: Load, control: Connection) -> None:
    """Send every event at its moment or as soon after it as can be, dated by the moment. Runs in a process of its own.

    Says when it is ready, is told the start, and says at the end how late it was with each event: its own share of the latency.
    """
    sender = producer(settings)
    sender.list_topics(timeout=30)
    control.send("ready")
    start, lags = control.recv(), []
    for number, (texts, moment) in enumerate(zip(load.groups, load.moments, strict=True)):
        while (left := start + moment - time.time()) > 0:
            sender.poll(0)
            time.sleep(min(left, 0.005))
        sender.produce(settings.topics.listing_updates, event(number, texts, start + moment), str(number))
        lags.append(time.time() - start - moment)
    sender.flush()
    control.send(lags)


def subscribe(settings: Settings) -> Consumer:
    """A subscriber to all verdicts that reads committed ones only, and soon."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            "group.id": f"{settings.group_id}-subscriber",
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 5,
        }
    )
    consumer.subscribe([settings.topics.scores])
    return consumer


def receive(consumer: Consumer, count: int, until: float) -> dict[str, list[float]]:
    """For each event its latencies in seconds: one if all is well, none if it was lost, several if it was repeated."""
    latencies: dict[str, list[float]] = {}
    while len(latencies) < count and time.time() < until:
        for message in consumer.consume(100, 0.01):
            if message.error() is None:
                now, verdict = time.time(), orjson.loads(message.value() or b"")
                occurred = datetime.fromisoformat(verdict["occurredAt"]).timestamp()
                latencies.setdefault(verdict["eventId"], []).append(now - occurred)
    return latencies


def play(settings: Settings, load: Load) -> dict[str, object]:
    """One load against one worker."""
    with RunningWorker(settings) as worker:
        consumer = subscribe(settings)
        # Joined before the clock starts: the group's first assignment takes seconds.
        while not consumer.assignment():
            consumer.poll(0.1)
        control, its_end = multiprocessing.Pipe()
        generator = multiprocessing.get_context("spawn").Process(target=generate, args=(settings, load, its_end))
        generator.start()
        control.recv()
        start = time.time() + 0.5
        control.send(start)
        found = receive(consumer, len(load.groups), start + load.moments[-1] + PATIENCE_S)
        lags = control.recv()
        generator.join()
        consumer.close()
        late = [latency for number, (latency, *_) in found.items() if int(number) >= LEAD_IN * len(load.groups)]
        return {
            "events": len(load.groups),
            "lost": len(load.groups) - len(found),
            "repeated": sum(len(times) - 1 for times in found.values()),
            "percentilesMs": {f"p{p}": round(1000 * float(np.percentile(late, p)), 1) for p in PERCENTILES},
            "maxMs": round(1000 * max(late), 1),
            "generatorLateP99Ms": round(1000 * float(np.percentile(lags, 99)), 1),
            "withinPromise": round(float(np.mean([latency * 1000 <= settings.promise_ms for latency in late])), 4),
            "closedBy": {
                reason: worker.metric("batch_closed_total", reason=reason)
                for reason in ("idle", "full", "deadline", "backlog")
            },
            "peakMiB": round(worker.peak_mib, 1),
        }  # fmt: skip


def capacity(bootstrap_servers: str, groups: Sequence[Texts]) -> float:
    """Events a second when there are always more."""
    settings = topics(bootstrap_servers, PARTITIONS, publish_scores=True)
    with RunningWorker(settings) as worker:
        sender, start = producer(settings), time.perf_counter()
        for number, texts in enumerate(groups):
            sender.produce(settings.topics.listing_updates, event(number, texts, time.time()), str(number))
        sender.flush()
        worker.done(len(groups), at_most_s=1800)
        return len(groups) / (time.perf_counter() - start)


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("listings", type=Path)
    parser.add_argument("--seconds", type=float, default=60, help="of each load")
    parser.add_argument("--shares", type=int, nargs="+", default=[50, 80, 95], help="percent of the capacity")
    parser.add_argument("--capacity", type=float, help="events a second, instead of measuring it")
    given = parser.parse_args()
    result: dict[str, object] = {
        "question": "latency from intended occurrence to the subscriber under an open-loop load, exactly once",
        "machine": describe(),
    }
    with ApacheKafka() as kafka:
        measured = given.capacity or capacity(kafka.bootstrap_servers, listings(given.listings, round(8 * given.seconds), seed=1))
        loads = {}
        for share in given.shares:
            rate = measured * share / 100
            groups = listings(given.listings, max(20, round(rate * given.seconds)), seed=share)
            settings = topics(kafka.bootstrap_servers, PARTITIONS, publish_scores=True)
            loads[f"{share} %"] = {"eventsPerSecond": round(rate, 1)} | play(settings, poisson(groups, rate, Random(share)))
        result |= {"capacityEventsPerSecond": round(measured, 1), "loads": loads}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
