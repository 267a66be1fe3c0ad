"""The real worker on the model of Kafka: one process that can be stepped, killed and started again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson

from stream_detector.errors import StreamDetectorError
from stream_detector.observability import Metrics, Readiness
from stream_detector.settings import Delivery, Settings
from stream_detector.streaming.clients import Kafka
from stream_detector.streaming.delivery import guarantee_for
from stream_detector.streaming.loop import Phase
from stream_detector.streaming.records import Partition
from stream_detector.streaming.subscription import Subscription
from stream_detector.streaming.watchdog import Watchdog
from stream_detector.streaming.worker import Worker
from tests.kafka.stand_in import FRAUD, StandInScorer
from tests.kafka.traffic import event
from tests.streaming.simulated_kafka import Beside, CrashError, Hooks, SimulatedConsumer, SimulatedKafka, SimulatedProducer

TOPIC = "listing-updates"
#: Records of each sort, and what each is due: so many scores, violations and dead letters.
KINDS: dict[str, tuple[bytes | None, dict[str, int]]] = {
    "fraud": (event(1, text=f"on {FRAUD}"), {"scores": 1, "violations": 1}),
    "clean": (event(2), {"scores": 1}),
    "broken": (b'{"eventId": ', {f"{TOPIC}.dlq": 1}),
    "poison": (event(3, text="poison"), {f"{TOPIC}.dlq": 1}),
    "gone": (None, {}),
}
DUE = dict(KINDS.values())


class SimulatedWorker:
    """One process; `alive` until it stopped, failed or crashed."""

    def __init__(self, kafka: SimulatedKafka, name: str, *, slot: int | None, delivery: Delivery = Delivery.EXACTLY_ONCE) -> None:
        self.kafka, self.hooks, self.beside, self.alive = kafka, Hooks(), Beside(), True
        self.error: StreamDetectorError | None = None
        self.producers: list[SimulatedProducer] = []
        self.consumers: list[SimulatedConsumer] = []
        settings = Settings(slot=slot, publish_scores=True, max_batch_events=3, max_queued_bytes=3000, delivery=delivery)
        self.metrics, clients = Metrics(), Kafka(consumer=self._consumer, producer=self._producer)  # type: ignore[arg-type]
        self.worker = Worker(settings, StandInScorer(), self.metrics, Readiness(), clock=kafka.clock, kafka=clients)
        self.subscription: Subscription = self.worker._subscription(name)
        self._watchdog = Watchdog(lambda call: None)
        self.guarantee = guarantee_for(settings, name, self.subscription.consumer, self._watchdog, clients)
        self.loop = self.worker.loop(self.subscription, self.guarantee, self.beside)

    @property
    def consumer(self) -> SimulatedConsumer:
        """Its consumer."""
        return self.consumers[-1]

    @property
    def producer(self) -> SimulatedProducer:
        """Its newest producer."""
        return self.producers[-1]

    def step(self, times: int = 1) -> None:
        """Go on, as long as it lives."""
        for _ in range(times):
            if not self.alive:
                return
            try:
                self.loop.step()
                if self.loop.phase is Phase.STOPPED:
                    self._leave()
            except CrashError:
                self.alive, self.consumer.died = False, self.kafka.clock.now
            except StreamDetectorError as error:
                self.error = error
                self._leave()

    def _leave(self) -> None:
        self.alive = False
        self.hooks.before.clear()
        self.hooks.after.clear()
        self.guarantee.close()
        self.consumer.close()

    def _consumer(self, config: dict[str, Any]) -> SimulatedConsumer:
        self.consumers.append(SimulatedConsumer(self.kafka, self.hooks, config.get("group.instance.id")))
        return self.consumers[-1]

    def _producer(self, config: dict[str, Any]) -> SimulatedProducer:
        self.producers.append(SimulatedProducer(self.kafka, self.hooks, config))
        return self.producers[-1]


def visible(kafka: SimulatedKafka) -> dict[tuple[Partition, int], Counter[str]]:
    """What a subscriber has seen of each input record: how many messages, by topic."""
    seen: dict[tuple[Partition, int], Counter[str]] = {}
    for output in kafka.outputs:
        if output.topic.endswith(".dlq"):
            why = {name: text.decode() for name, text in output.headers.items()}
            source = ((why["dlq.source.topic"], int(why["dlq.source.partition"])), int(why["dlq.source.offset"]))
        else:
            told = orjson.loads(output.value)["source"]
            source = ((told["topic"], told["partition"]), told["offset"])
        seen.setdefault(source, Counter())[output.topic] += 1
    return seen


def wrong(kafka: SimulatedKafka, *, repeats_allowed: bool = False) -> list[str]:
    """The records that are not in exactly one of: committed output, dead letter, uncommitted."""
    seen, faults = visible(kafka), []
    for partition, log in kafka.inputs.items():
        for offset, (_, value) in enumerate(log):
            done = offset < kafka.committed.get(partition, 0)
            due, found = Counter(DUE[value]) if done else Counter(), seen.get((partition, offset), Counter())
            if (due - found) if repeats_allowed else (due != found):
                faults.append(f"{partition}@{offset} {'done' if done else 'not done'}: due {dict(due)}, seen {dict(found)}")
    return faults


def out_of_order(kafka: SimulatedKafka) -> bool:
    """Whether any partition's scores were seen in another order than its records."""
    last: dict[Partition, int] = {}
    for output in kafka.outputs:
        if output.topic == "scores":
            told = orjson.loads(output.value)["source"]
            partition = (told["topic"], told["partition"])
            if told["offset"] <= last.get(partition, -1):
                return True
            last[partition] = told["offset"]
    return False
