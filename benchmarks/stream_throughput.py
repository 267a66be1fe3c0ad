"""How near does the worker come to the raw engine, on Apache Kafka, exactly once?

    python benchmarks/stream_throughput.py LISTINGS_FOLDER [--listings 400] [--rounds 3]

Each round: a worker (`stream-detector run`) is started, handles a few events, then gets distinct listings as fast as Kafka takes
them, and the time is taken from the first being sent to the last being committed. Before and after it, in a process of its own,
ONNX Runtime runs the same windows, cut beforehand and each once (the worker's cache would not run a repeated one again either),
one window at a time on each core, the fastest way there is here. The ratio compares the worker with the mean of the two. The
broker runs on the same cores, so its work counts against the worker.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
from corpus import Texts, listings, windows
from machine import describe
from stream import ApacheKafka, RunningWorker, event, producer, topics

from stream_detector.inference.artefact import GRAPH, find
from stream_detector.settings import Settings

RESULT = Path(__file__).parent / "results" / "stream_throughput.json"
WARM_UP = 16


def raw_seconds(given: Sequence[Sequence[int]]) -> float:
    """The raw engine: one window at a time on each core."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = ort.InferenceSession(str(find(Settings().model) / GRAPH), options, providers=["CPUExecutionProvider"])
    arrays = [np.array([window], dtype=np.int64) for window in given]

    def run(ids: np.ndarray) -> None:
        session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(run, arrays[:WARM_UP]))
        start = time.perf_counter()
        list(pool.map(run, arrays))
        return time.perf_counter() - start


def raw_apart(folder: Path, count: int) -> float:
    """The same in a process of its own."""
    command = [sys.executable, __file__, str(folder), "--listings", str(count), "--raw"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def stream(bootstrap_servers: str, groups: Sequence[Texts], partitions: int) -> dict[str, float]:
    """One worker, from the first event sent to the last committed."""
    settings = topics(bootstrap_servers, partitions)
    with RunningWorker(settings) as worker:
        sender = producer(settings)
        for number in range(WARM_UP):
            sender.produce(settings.topics.listing_updates, event(number, {"title": f"Flat {number}"}, time.time()), str(number))
        sender.flush()
        worker.done(WARM_UP, at_most_s=60)
        before = worker.metric("window_cache_requests_total", result="miss")
        start = time.perf_counter()
        for number, texts in enumerate(groups):
            sender.produce(settings.topics.listing_updates, event(number, texts, time.time()), str(number))
        sender.flush()
        worker.done(WARM_UP + len(groups), at_most_s=1800)
        seconds = time.perf_counter() - start
        ran = worker.metric("window_cache_requests_total", result="miss") - before
        batches = worker.metric("batch_closed_total")
        return {"seconds": seconds, "windowsRun": ran, "peakMiB": worker.peak_mib, "batches": batches}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("listings", type=Path)
    parser.add_argument("--listings", dest="count", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--raw", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    groups = listings(given.listings, given.count)
    distinct = [list(window) for window in dict.fromkeys(map(tuple, windows(groups)))]
    if given.raw:
        print(raw_seconds(distinct))
        return
    rounds = []
    with ApacheKafka() as kafka:
        for _ in range(given.rounds):
            before = raw_apart(given.listings, given.count)
            streamed = stream(kafka.bootstrap_servers, groups, given.partitions)
            after = raw_apart(given.listings, given.count)
            # A seam of two attributes is a window more that the raw engine isn't given: compare windows a second.
            raw, own = 2 * len(distinct) / (before + after), streamed["windowsRun"] / streamed["seconds"]
            rounds.append(streamed | {"rawSecondsBefore": before, "rawSecondsAfter": after, "ratio": own / raw})
    result = {
        "question": "windows a second of the worker on Apache Kafka, exactly once, against the raw engine's",
        "machine": describe(),
        "events": len(groups),
        "windows": len(distinct),
        "tokens": sum(map(len, distinct)),
        "rounds": [{name: round(value, 3) for name, value in one.items()} for one in rounds],
        "eventsPerSecond": round(statistics.median(len(groups) / one["seconds"] for one in rounds), 1),
        "ratioMedian": round(statistics.median(one["ratio"] for one in rounds), 3),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
