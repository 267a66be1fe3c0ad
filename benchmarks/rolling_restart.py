"""Does a rolling restart under load lose or repeat anything, and does it keep the promise?

    python -m benchmarks.rolling_restart [--workers 3] [--rate 50] [--rounds 2] [--stand-in]

Workers are stopped (SIGTERM) and started one after the other while events come at a steady rate, as an orchestrator does it: the
next one when output flows from every partition again. Latency counts from the event's being written to its outcome's being seen
by a subscriber that reads committed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.faults.load import Traffic
from benchmarks.faults.run import verify
from benchmarks.faults.workers import Workers
from benchmarks.machine import describe
from stream_detector.settings import Settings
from stream_detector.streaming import create_topics
from tests.kafka.broker import ApacheKafka

RESULT = Path(__file__).parent / "results" / "rolling_restart.json"


def main() -> int:
    """Measure and write the result; 0 if nothing was lost or repeated."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument(
        "--quiet-s", type=float, default=20.0, help="undisturbed before the first restart: the figure to compare with"
    )
    parser.add_argument("--stand-in", action="store_true")
    given = parser.parse_args()
    with ApacheKafka() as broker, tempfile.TemporaryDirectory() as folder:
        settings = Settings(bootstrap_servers=broker.bootstrap_servers, group_id="rolling", publish_scores=True)
        create_topics(settings, partitions=4, replication_factor=1)
        traffic = Traffic(settings, 4, rate=given.rate, seed=1)
        workers = Workers(settings, Path(folder), slots=True, stand_in=given.stand_in)
        try:
            traffic.begin(workers, given.workers)
            time.sleep(given.quiet_s)
            restarts = time.monotonic()
            for _ in range(given.rounds):
                for number in range(given.workers):
                    moment = time.monotonic()
                    workers.remove(number)
                    workers.start(number)
                    traffic.recovered(moment)
            ended = time.monotonic()
            traffic.end()
        finally:
            workers.close()
        ledger = verify(settings)
        traffic.subscriber.stop()
    load, subscriber = traffic.load, traffic.subscriber
    quiet = [
        seen - load.sent[at] for at, seen in subscriber.seen.items() if restarts - given.quiet_s < load.sent.get(at, 0) < restarts
    ]
    during = [seen - load.sent[at] for at, seen in subscriber.seen.items() if restarts <= load.sent.get(at, 0) < ended]
    result = {
        "question": "rolling restart under load: lost, repeated, latency",
        "machine": describe(),
        "workers": given.workers,
        "rate": given.rate,
        "restarts": given.rounds * given.workers,
        "events": len(load.sent),
        "lost": len(load.sent.keys() - subscriber.seen.keys()),
        "repeated": sum(count > 1 for count in subscriber.times.values()),
        "ledger": ledger.get("faults"),
        "latencyMs": {"undisturbed": _latency(quiet), "duringRestarts": _latency(during)},
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))
    return 0 if ledger.get("proven") and not result["lost"] and not result["repeated"] else 1


def _latency(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds) or [float("nan")]
    return {f"p{share}": round(1000 * ordered[min(len(ordered) - 1, len(ordered) * share // 100)], 1) for share in (50, 90, 99)}


if __name__ == "__main__":
    sys.exit(main())
