"""Carrying out a plan of faults."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.faults.cluster import Cluster
from benchmarks.faults.kinds import KINDS, Scene, no_disk, small_disk
from benchmarks.faults.load import Place, Traffic
from benchmarks.faults.workers import Workers
from benchmarks.machine import describe
from stream_detector.settings import Settings
from stream_detector.streaming import create_topics
from tests.kafka.broker import ApacheKafka

_ROOT = Path(__file__).parents[2]
_DISK_MB: Final = 600


@dataclass(frozen=True)
class Plan:
    """What to do."""

    seed: int
    events: int
    rate: float
    workers: int
    partitions: int
    counts: dict[str, int]
    protocol: str
    slots: bool
    stand_in: bool
    brokers: int = 1

    def order(self, chance: random.Random) -> list[str]:
        """Each kind alone, then all kinds mixed, half as many again."""
        alone = [kind for kind, count in self.counts.items() for _ in range(count)]
        mixed = [kind for kind, count in self.counts.items() for _ in range(count // 2)]
        chance.shuffle(mixed)
        return alone + mixed


@dataclass(frozen=True)
class Happened:
    """One fault and what came after it; `recovered_s` counts from its beginning, None if output stayed away."""

    kind: str
    at_s: float
    lasted_s: float
    recovered_s: float | None


def carry_out(plan: Plan) -> dict[str, Any]:
    """Do it; give the result."""
    chance = random.Random(plan.seed)
    folder = Path(tempfile.mkdtemp(prefix="stream-detector-faults-"))
    data = folder / "disk"
    has_disk = "disk" in plan.counts and small_disk(data, _DISK_MB)
    order = [kind for kind in plan.order(chance) if kind != "disk" or has_disk]
    try:
        with ApacheKafka(directory=data if has_disk else None) if plan.brokers == 1 else Cluster(chance) as broker:
            return _with(plan, order, chance, folder, data, broker)
    finally:
        if has_disk:
            no_disk(data)


def _with(
    plan: Plan, order: list[str], chance: random.Random, folder: Path, data: Path, broker: ApacheKafka | Cluster
) -> dict[str, Any]:  # fmt: skip
    kafka = {"group.protocol": "consumer"} if plan.protocol == "consumer" else {}
    settings = Settings(bootstrap_servers=broker.bootstrap_servers, group_id="faults", publish_scores=True, kafka=kafka)
    create_topics(settings, partitions=plan.partitions, replication_factor=plan.brokers)
    traffic = Traffic(settings, plan.partitions, rate=plan.rate, seed=plan.seed)
    workers = Workers(settings, folder, slots=plan.slots, stand_in=plan.stand_in)
    own = (settings.topics.violations, "__transaction_state", "__consumer_offsets")
    scene = Scene(workers, broker, (*settings.topics.inputs, *own), data, chance)
    began = time.monotonic()
    try:
        traffic.begin(workers, plan.workers)
        happened = []
        for kind in order:
            time.sleep(chance.uniform(0.2, 2.0))
            start = time.monotonic()
            KINDS[kind](scene)
            lasted = time.monotonic() - start
            back = traffic.recovered(start)
            happened.append(Happened(kind, start - began, lasted, back))
            sys.stderr.write(f"{len(happened)}/{len(order)} {kind}: {back and round(back, 1)} s\n")
        while len(traffic.load.sent) < plan.events:
            time.sleep(0.5)
        traffic.end()
    finally:
        workers.close()
    ledger = verify(settings)
    traffic.subscriber.stop()
    return _result(plan, happened, traffic, workers, ledger)


def verify(settings: Settings) -> dict[str, Any]:
    """What `stream-detector verify` says."""
    kafka = ["--bootstrap-servers", settings.bootstrap_servers, "--group-id", settings.group_id]
    command = [sys.executable, "-m", "stream_detector", "verify", "--json", "--to-end", "--publish-scores", *kafka]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=_ROOT, env=os.environ | {"PYTHONPATH": str(_ROOT)}
    )
    return json.loads(done.stdout) if done.stdout else {"proven": False, "examples": [done.stderr[-2000:]]}


def _result(
    plan: Plan, happened: list[Happened], traffic: Traffic, workers: Workers, ledger: dict[str, Any]
) -> dict[str, Any]:  # fmt: skip
    load, subscriber = traffic.load, traffic.subscriber
    lost: set[Place] = load.sent.keys() - subscriber.seen.keys()
    repeated = {place: count for place, count in subscriber.times.items() if count > 1}
    kinds = {}
    for kind in plan.counts:
        times = [one.recovered_s for one in happened if one.kind == kind]
        known = [seconds for seconds in times if seconds is not None]
        kinds[kind] = {
            "count": len(times),
            "recoveryMedianS": round(statistics.median(known), 2) if known else None,
            "recoveryMaxS": round(max(known), 2) if known else None,
            "neverRecovered": len(times) - len(known),
        }
    return {
        "question": "is anything lost, repeated or out of order under faults, and how long until output goes on?",
        "command": f"python -m benchmarks.faults {' '.join(sys.argv[1:])}".strip(),
        "machine": describe(),
        "plan": asdict(plan),
        "events": len(load.sent),
        "notWritten": load.failed,
        "subscriber": {"lost": len(lost), "repeated": len(repeated)},
        "proven": bool(ledger.get("proven")) and not lost and not repeated,
        "faults": kinds,
        "endings": {str(status): count for status, count in sorted(Counter(workers.endings).items())},
        "ledger": {name: value for name, value in ledger.items() if name != "spans"},
        "happened": [asdict(one) for one in happened],
    }
