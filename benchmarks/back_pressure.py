"""Does memory stay bounded when events come ten times as fast as they can be scored?

    python benchmarks/back_pressure.py [--minutes 10] [--times 10]

Apache Kafka, exactly once, a worker in a process of its own. Its capacity is measured with distinct texts; then a producer sends
so many times that, without a pause. Every five seconds the worker's resident memory, its paused partitions and the events done
are noted. Flat means: the median of the last third is at most a tenth above that of the second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import threading
import time
from pathlib import Path
from random import Random

from machine import describe
from stream import ApacheKafka, RunningWorker, event, producer, topics

from stream_detector.settings import Settings

RESULT = Path(__file__).parent / "results" / "back_pressure.json"
PARTITIONS = 4
SAMPLE_S = 5.0
CAPACITY_EVENTS = 600
_WORDS = [
    "sunny",
    "quiet",
    "flat",
    "garden",
    "kitchen",
    "balcony",
    "station",
    "harbour",
    "market",
    "museum",
    "bright",
    "cosy",
    "lift",
    "washing",
    "machine",
    "towels",
    "beds",
    "family",
    "street",
    "corner",
    "bakery",
    "tram",
    "minutes",
    "walk",
    "view",
    "river",
    "bridge",
    "old",
    "town",
    "square",
    "floor",
    "window",
    "parking",
    "bicycle",
]


def text(rng: Random) -> str:
    """Some sentences that nobody wrote before: no cache knows them."""
    return " ".join(" ".join(rng.choices(_WORDS, k=rng.randint(6, 14))).capitalize() + "." for _ in range(rng.randint(3, 9)))


class Flood(threading.Thread):
    """Sends at a rate until told to stop."""

    def __init__(self, settings: Settings, rate: float) -> None:
        super().__init__(daemon=True)
        self._settings, self._rate, self._told = settings, rate, threading.Event()
        self.sent = 0

    def run(self) -> None:
        """Send; what the producer can't hold yet waits, so nothing is lost."""
        sender, rng, began = producer(self._settings), Random(2), time.monotonic()
        while not self._told.is_set():
            while self.sent < (time.monotonic() - began) * self._rate and not self._told.is_set():
                try:
                    body = event(self.sent, {"description": text(rng)}, time.time())
                    sender.produce(self._settings.topics.listing_updates, body, str(self.sent))
                    self.sent += 1
                except BufferError:
                    sender.poll(0.1)
            sender.poll(0.01)
        sender.flush(30)

    def stop(self) -> None:
        """Send no more."""
        self._told.set()
        self.join()


def capacity(settings: Settings, worker: RunningWorker) -> float:
    """Events a second, and by that the caches are warm."""
    sender, rng, start = producer(settings), Random(1), time.perf_counter()
    for number in range(CAPACITY_EVENTS):
        sender.produce(settings.topics.bookings, event(number, {"description": text(rng)}, time.time()), str(number))
    sender.flush()
    worker.done(CAPACITY_EVENTS, at_most_s=600)
    return CAPACITY_EVENTS / (time.perf_counter() - start)


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--times", type=float, default=10.0, help="as fast as the worker")
    given = parser.parse_args()
    samples: list[dict[str, float]] = []
    with ApacheKafka() as kafka:
        settings = topics(kafka.bootstrap_servers, PARTITIONS)
        with RunningWorker(settings) as worker:
            able = capacity(settings, worker)
            flood = Flood(settings, given.times * able)
            flood.start()
            began = time.monotonic()
            while (at := time.monotonic() - began) < 60 * given.minutes:
                samples.append(
                    {
                        "atS": round(at, 1),
                        "residentMiB": round(worker.resident_mib, 1),
                        "paused": worker.metric("paused_partitions"),
                        "done": worker.metric("events_total"),
                        "sent": float(flood.sent),
                    }
                )
                time.sleep(SAMPLE_S)
            flood.stop()
    third = len(samples) // 3
    second, last = (
        statistics.median(sample["residentMiB"] for sample in part) for part in (samples[third : 2 * third], samples[2 * third :])
    )
    result = {
        "question": "is memory bounded while events come many times as fast as they can be scored?",
        "machine": describe(),
        "minutes": given.minutes,
        "capacityEventsPerSecond": round(able, 1),
        "sent": flood.sent,
        "timesTheCapacity": round(flood.sent / (60 * given.minutes) / able, 1),
        "residentMiB": {"secondThird": second, "lastThird": last, "most": max(sample["residentMiB"] for sample in samples)},
        "pausedShare": round(statistics.fmean(sample["paused"] > 0 for sample in samples), 3),
        "flat": last <= 1.1 * second,
        "samples": samples,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({name: value for name, value in result.items() if name != "samples"}, indent=2))


if __name__ == "__main__":
    main()
