"""Do the sums by partner survive `kill -9`, and is each level told once?

    python -m benchmarks.aggregate_kills [--kills 20] [--store memory|rocksdb] [--violations 4000] [--partners 40] [--seed 1]

`stream-detector aggregate` is killed while it works, again and again, and started anew, with its tables in memory and in RocksDB
one after the other (half of the kills each; --store runs one of them, and leaves the other's result as it is). Violations and reviews come late, out of order and repeated, some in transactions that are
taken back. At the end the page's sums are compared with those of a batch over the same topics that shares no code with the
program, and messages are looked through for an episode that was told twice or not at all.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from stream_detector.settings import AggregationSettings, Settings, StateStore
from stream_detector.streaming import create_topics
from tests.kafka.broker import ApacheKafka
from tests.kafka.mortal_aggregate import MortalAggregate, differences
from tests.kafka.partners import Expected, faults_of_messages, make_traffic, send, send_aborted
from tests.kafka.traffic import received

RESULT = Path(__file__).parent / "results" / "aggregate_kills.json"
#: So long nothing may come before it counts as done.
_SETTLE_S = 20.0
_COUNTED = "stream_detector_aggregation_records_total"


def main() -> int:
    """Measure and write the result; 0 if every sum was right and each episode was told once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--violations", type=int, default=4000)
    parser.add_argument("--partners", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=[store.value for store in StateStore])
    given = parser.parse_args()
    stores = [store for store in StateStore if given.store in {None, store.value}]
    before = json.loads(RESULT.read_text(encoding="utf-8"))["runs"] if given.store and RESULT.exists() else []
    runs = [run for run in before if run["store"] not in stores]
    with ApacheKafka() as broker:
        for store in stores:
            with tempfile.TemporaryDirectory() as folder:
                settings = _settings(broker, store, Path(folder))
                create_topics(settings, partitions=4, replication_factor=1)
                runs.append(_run(settings, Path(folder), given, kills=given.kills // 2))
    result = {
        "question": "sums by partner and levels told, after kill -9",
        "machine": describe(),
        "kafka": "Apache Kafka 4.3.1, one node, loopback",
        "seed": given.seed,
        "runs": runs,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))
    return 0 if all(not run["wrongSums"] and not run["faultsOfMessages"] and not run["repeatedMessages"] for run in runs) else 1


def _settings(broker: ApacheKafka, store: StateStore, folder: Path) -> Settings:
    ours = AggregationSettings(group_id=f"aggregate-{store}", store=store, data_directory=folder / "data", web_port=0)
    names = Settings().topics
    topics = names.model_copy(
        update={name: f"{value}-{store}" for name, value in names.model_dump().items() if name != "dead_letter_suffix"}
    )
    return Settings(
        bootstrap_servers=broker.bootstrap_servers, group_id=f"kills-{store}", slot=0, metrics_port=0, aggregation=ours, topics=topics
    )  # fmt: skip


def _run(settings: Settings, folder: Path, given: argparse.Namespace, *, kills: int) -> dict[str, Any]:
    chance = random.Random(f"{given.seed}-{settings.aggregation.store}")
    traffic = make_traffic(settings, seed=given.seed, violations=given.violations, partners=given.partners)
    send_aborted(settings, 50)
    recoveries = []
    for part in traffic.parts(kills):
        send(settings, part)
        aggregate, seconds = _started(settings, folder)
        recoveries.append(seconds)
        time.sleep(chance.uniform(0, 0.6))
        aggregate.kill()
    expected = Expected(settings)
    aggregate, _ = _started(settings, folder)
    began = time.monotonic()
    _settle(aggregate)
    settled = time.monotonic() - began
    wrong = differences(aggregate, expected)
    status = aggregate.stop()
    keys = Counter(message.key() for message in received(settings, settings.topics.repeat_offenders))
    return {
        "store": settings.aggregation.store.value,
        "kills": len(recoveries),
        "records": len(traffic.records),
        "violations": len(expected.violations),
        "reviewed": len(expected.reviews),
        "partners": len(expected.partners),
        "secondsToRecover": {"median": sorted(recoveries)[len(recoveries) // 2], "longest": max(recoveries)},
        "secondsForTheRest": round(settled, 1),
        "messages": sum(keys.values()),
        "repeatedMessages": sum(count > 1 for count in keys.values()),
        "wrongSums": wrong,
        "faultsOfMessages": faults_of_messages(settings, expected),
        "exitStatus": status,
    }


def _settle(aggregate: MortalAggregate) -> None:
    """Wait until nothing is counted any more."""
    counted, since = "", time.monotonic()
    while time.monotonic() - since < _SETTLE_S:
        now = "".join(line for line in aggregate.get("/metrics")[1].splitlines() if line.startswith(_COUNTED))
        if now != counted:
            counted, since = now, time.monotonic()
        time.sleep(1)


def _started(settings: Settings, folder: Path) -> tuple[MortalAggregate, float]:
    """The next life, once it has its state, and the seconds that took."""
    began = time.monotonic()
    aggregate = MortalAggregate(settings, folder)
    aggregate.wait_for("partitions assigned")
    return aggregate, round(time.monotonic() - began, 1)


if __name__ == "__main__":
    sys.exit(main())
