"""What do the caches save? The same streams with and without them, in the same run.

    python benchmarks/repeated_texts.py LISTINGS_FOLDER [--listings 100] [--rounds 3]

Three streams of real listing texts, through the detector without Kafka, eight events at a time (a call reads equal texts once
even without caches, so repetitions are kept apart by as many events as there are listings):

- bookings: every listing comes with ten bookings.
- edits: every listing, and ten edits of it, each of which replaces one sentence of its longest text. Most listings' longest text
  is a single window, so an edit leaves little that could be saved.
- longEdits: the same for texts that five listings' texts were joined to: as long as a whole page.

Each is run with both caches, with that of verdicts alone, and without any. The share of windows that the network ran is exact;
events a second are this machine's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from corpus import Texts, edits, listings, split
from machine import describe

from stream_detector.detection import Detector
from stream_detector.observability import Metrics
from stream_detector.settings import Settings

RESULT = Path(__file__).parent / "results" / "repeated_texts.json"
AT_A_TIME = 8
PLENTY = 64 * 1024 * 1024
CACHES = {
    "none": {"verdict_cache_bytes": 0, "window_cache_bytes": 0},
    "verdicts": {"verdict_cache_bytes": PLENTY, "window_cache_bytes": 0},
    "both": {"verdict_cache_bytes": PLENTY, "window_cache_bytes": PLENTY},
}


def bookings(texts: Sequence[Texts], rng: Random) -> list[Texts]:
    """Ten of each: ten turns of all of them, each in an order of its own."""
    return [listing for _ in range(10) for listing in rng.sample(texts, len(texts))]


def edited(texts: Sequence[Texts], rng: Random) -> list[Texts]:
    """Each and ten edits of it, in order for each listing and mixed between them."""
    others = [sentence for listing in texts for text in listing.values() for sentence in split(text)]
    versions = [[listing, *edits(listing, others, 10, rng)] for listing in texts]
    return [versions[listing][step] for step in range(11) for listing in rng.sample(range(len(versions)), len(versions))]


def joined(texts: Sequence[Texts]) -> list[Texts]:
    """Long texts: all texts of five listings as one description."""
    pages = [texts[start : start + 5] for start in range(0, len(texts) - 4, 5)]
    return [{"description": "\n".join(text for listing in page for text in listing.values())} for page in pages]


def run(stream: Sequence[Texts], caches: dict[str, int]) -> dict[str, float]:
    """One pass of a stream through a fresh detector."""
    metrics = Metrics()
    with Detector.load(Settings.model_validate(caches), metrics) as detector:
        before = windows_run(metrics)
        start = time.perf_counter()
        windows = 0
        for at in range(0, len(stream), AT_A_TIME):
            windows += sum(response.score_details.windows for response in detector.score(stream[at : at + AT_A_TIME]))
        seconds = time.perf_counter() - start
        ran = windows_run(metrics) - before
    return {"eventsPerSecond": len(stream) / seconds, "windows": windows, "windowsRun": ran}


def windows_run(metrics: Metrics) -> float:
    """Windows that the network has run: those that nothing knew."""
    return metrics.registry.get_sample_value("stream_detector_window_cache_requests_total", {"result": "miss"}) or 0.0


def compare(stream: Sequence[Texts], rounds: int) -> dict[str, object]:
    """All caches in turn, so that a slow minute hits each of them."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CACHES}
    for _ in range(rounds):
        for name, caches in CACHES.items():
            found[name].append(run(stream, caches))
    ratios = {
        name: [mine["eventsPerSecond"] / none["eventsPerSecond"] for mine, none in zip(runs, found["none"], strict=True)]
        for name, runs in found.items()
    }
    return {
        "events": len(stream),
        "windowsAnEvent": round(found["none"][0]["windows"] / len(stream), 2),
        "shareOfWindowsRun": {name: round(runs[0]["windowsRun"] / runs[0]["windows"], 4) for name, runs in found.items()},
        "eventsPerSecond": {
            name: round(statistics.median(one["eventsPerSecond"] for one in runs), 1) for name, runs in found.items()
        },
        "timesAsFast": {name: round(statistics.median(ratio), 2) for name, ratio in ratios.items()},
    }


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("listings", type=Path)
    parser.add_argument("--listings", dest="count", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    texts, rng = listings(given.listings, given.count), Random(11)
    streams: dict[str, Callable[[], list[Texts]]] = {
        "bookings": lambda: bookings(texts, rng),
        "edits": lambda: edited(texts, rng),
        "longEdits": lambda: edited(joined(texts), rng),
    }
    result = {
        "question": "events a second with the caches against without, on streams that repeat texts",
        "machine": describe(),
        "rounds": given.rounds,
        "streams": {name: compare(stream(), given.rounds) for name, stream in streams.items()},
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
