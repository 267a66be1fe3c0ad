"""The Faust application: violations and reviews by partner, into tables, and levels out of them.

    violations, reviews -> their halves of a case -> partner-cases, by partner -> book -> repeat-offenders
                                                                              -> partner-cases-state, partner-episodes-state

At least once: a record counts as done only when Kafka has all that followed from it, and what is done twice changes nothing. The
topic of repeat offenders is a table's changelog: to publish that a level was reached and to remember it is one write, which is
acknowledged before anything else is based on it. A process that starts reads it back first.
"""

from __future__ import annotations

import asyncio
import time
from asyncio import Future
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import faust
import orjson
import structlog
from aiokafka.partitioner import DefaultPartitioner  # type: ignore[import-untyped]

from stream_detector.aggregation.book import Book, Entry
from stream_detector.aggregation.cases import Case, case_of_review, case_of_violation, decode, encode
from stream_detector.aggregation.crossings import Crossing
from stream_detector.aggregation.offenders import rung_of, tell
from stream_detector.aggregation.rules import Rules
from stream_detector.aggregation.tables import KeptTable, raw_topic
from stream_detector.contracts import RepeatOffender, Review, Violation
from stream_detector.contracts import decode as read
from stream_detector.contracts import encode as write
from stream_detector.detection.fingerprints import contacts_of
from stream_detector.errors import DecodeError, DecodeReason, RegistryAwayError
from stream_detector.observability import Metrics
from stream_detector.registry import wire_format
from stream_detector.settings import Settings
from stream_detector.streaming.dead_letter_limit import DeadLetterLimit

#: Violations carry the texts of their events, and evidence on them.
_OVERHEAD_BYTES: Final = 64 * 1024
# Between two tries to reach the schema registry.
_REST_S: Final = 2.0

_log = structlog.get_logger()


class Aggregator:
    """Agents and tables of one process.

    Args:
        app: Faust's application.
        settings: names of topics, limits.
        rules: windows, levels, weights.
        key: what fingerprints of contacts depend on.
        partitions: of the topic of cases, and so of all tables.
        metrics: where it is counted.
    """

    def __init__(self, app: faust.App, settings: Settings, rules: Rules, *, key: bytes, partitions: int, metrics: Metrics) -> None:
        topics = settings.topics
        self.app = app
        self.book = Book(rules)
        self._settings = settings
        self._wire = wire_format(settings)
        self._key = key
        self._numbers = list(range(partitions))
        self._metrics = metrics
        self._limit = DeadLetterLimit.of(settings)
        self._by_partner = raw_topic(app, topics.partner_cases)
        self._cases = KeptTable(app, "cases", topics.partner_cases_state, partitions)
        self._episodes = KeptTable(app, "episodes", topics.partner_episodes_state, partitions)
        # In memory whatever the others are: a local database could hold what never reached the topic, and nobody would be told.
        self._told = KeptTable(app, "told", topics.repeat_offenders, partitions, store="memory://")
        app.agent(raw_topic(app, topics.violations), name="violations")(self._take_violations)
        app.agent(raw_topic(app, topics.reviews), name="reviews")(self._take_reviews)
        app.agent(self._by_partner, name="cases")(self._take_cases)
        app.on_rebalance_complete.connect(self._open_book)
        self.inputs: Final = (topics.violations, topics.reviews, topics.partner_cases)
        #: Where this process is: the offset behind the last record that it took, by topic and partition.
        self.taken: dict[tuple[str, int], int] = {}
        metrics.aggregation_partners.set_function(lambda: float(self.book.partners))
        metrics.aggregation_cases.set_function(lambda: float(self.book.cases))

    def partition_of(self, partner_id: str) -> int:
        """The partition that all about a partner is in."""
        partitioner = DefaultPartitioner()
        number: int = partitioner(partner_id.encode("utf-8", "surrogatepass"), self._numbers, self._numbers)
        return number

    async def _take_violations(self, stream: Any) -> None:
        async for event in stream.noack().events():
            self._taken(event)
            try:
                violation = await self._violation(event)
            except DecodeError as error:
                self._refuse(event, "violation", error)
                continue
            contacts = [contact.value for contact in contacts_of(violation, self._key)]
            await self._forward(event, violation.partner_id, case_of_violation(violation, contacts))
            self._count("violation", "taken")

    async def _take_reviews(self, stream: Any) -> None:
        async for event in stream.noack().events():
            self._taken(event)
            try:
                review = read(Review, event.value or b"", max_bytes=self._most_bytes)
            except DecodeError as error:
                self._refuse(event, "review", error)
                continue
            await self._forward(event, review.partner_id, case_of_review(review))
            self._count("review", "taken")

    async def _take_cases(self, stream: Any) -> None:
        async for event in stream.noack().events():
            self._taken(event)
            try:
                partner_id, case = _partner_and_case(event)
            except DecodeError as error:
                self._refuse(event, "case", error)
                continue
            partition = event.message.partition
            entry = self.book.enter(partition, partner_id, case)
            for crossing in entry.crossings:
                await self._tell(partition, partner_id, crossing)
            self._done(event, self._keep(partition, partner_id, case, entry))
            self._count("case", _outcome(entry))
            for window, repeat in entry.repeats.items():
                self._metrics.partner_violations.labels(window, "repeat" if repeat else "first").inc()
            self._metrics.aggregation_age.observe(max(0.0, time.time() - event.message.timestamp))

    async def _violation(self, event: faust.EventT[bytes]) -> Violation:
        while True:
            try:
                return self._wire.read(Violation, event.value or b"", _headers(event), max_bytes=self._most_bytes)
            except RegistryAwayError as error:
                _log.warning("schema registry unreachable, trying again", cause=str(error))
                await asyncio.sleep(_REST_S)

    async def _forward(self, event: faust.EventT[bytes], partner_id: str, case: Case) -> None:
        sent = await self._by_partner.send(
            key=partner_id.encode("utf-8", "surrogatepass"),
            value=encode(case),
            partition=self.partition_of(partner_id),
            # The record's own: how old it is when it is counted is the delay that a subscriber sees.
            timestamp=event.message.timestamp,
        )
        self._done(event, [sent])

    def _keep(self, partition: int, partner_id: str, case: Case, entry: Entry) -> list[Future[Any]]:
        change = entry.change
        written = [self._cases.remove(partition, _key(partner_id, gone)) for gone in change.forgotten]
        if change.case is not None and change.is_news:
            written.append(self._cases.put(partition, _key(partner_id, case.violation_id), encode(change.case)))
        if entry.episodes is not None:
            written.append(self._episodes.put(partition, _key(partner_id), entry.episodes))
        return written

    async def _tell(self, partition: int, partner_id: str, crossing: Crossing) -> None:
        found = tell(self.book, partition, partner_id, crossing, now=datetime.now(UTC))
        await self._told.put_first(partition, found.crossing_id.encode(), write(found))
        self._metrics.repeat_offenders.labels(crossing.window.name, crossing.level.name).inc()
        _log.info("a partner reached a level", level=crossing.level.name, window=crossing.window.name, crossing=found.crossing_id)

    async def _open_book(self, *_: object, **__: object) -> None:
        """Read what was kept of the partitions that are this process's now."""
        assigned = self.app.consumer.assignment()
        mine = {tp.partition for tp in assigned if tp.topic == self._settings.topics.partner_cases}
        self.book.clear()
        await self._load(mine)
        _log.info("partitions assigned", partitions=sorted(mine), partners=self.book.partners, cases=self.book.cases)

    async def _load(self, mine: Collection[int]) -> None:
        for number, (key, value) in enumerate(self._cases.items()):
            partner_id, _ = orjson.loads(key)
            if (partition := self.partition_of(partner_id)) in mine:
                self.book.load_case(partition, partner_id, decode(value))
            if number % 1000 == 0:
                # Heartbeats come from another thread; pages and probes don't.
                await asyncio.sleep(0)
        for key, value in self._episodes.items():
            (partner_id,) = orjson.loads(key)
            if (partition := self.partition_of(partner_id)) in mine:
                self.book.load_episodes(partition, partner_id, value)
        for value in self._told.values():
            found = read(RepeatOffender, value)
            if (partition := self.partition_of(found.partner_id)) in mine:
                self.book.load_told(partition, found.partner_id, *rung_of(found))

    def _refuse(self, event: faust.EventT[bytes], what: str, error: DecodeError) -> None:
        """Count a record that can't be read, say where it is, and go on; too many of them end the process."""
        message = event.message
        self._metrics.aggregation_refused.labels(what, error.reason.value).inc()
        self._count(what, "refused")
        _log.warning(
            "a record can't be read, and is passed over",
            topic=message.topic, partition=message.partition, offset=message.offset, reason=error.reason.value, error=str(error),
        )  # fmt: skip
        self._limit = self._limit.after([True])
        event.ack()

    def _done(self, event: faust.EventT[bytes], written: Sequence[Future[Any]]) -> None:
        """Acknowledge a record when Kafka has all that followed from it; what can't be written ends the process."""
        self._limit = self._limit.after([False])
        if not written:
            event.ack()
            return
        all_written = asyncio.gather(*written)

        def settle(outcome: Future[list[Any]]) -> None:
            if outcome.cancelled():
                return
            error = outcome.exception()
            if error is None:
                event.ack()
            else:
                self.app.loop.create_task(self.app.crash(error))

        all_written.add_done_callback(settle)

    def _taken(self, event: faust.EventT[bytes]) -> None:
        self.taken[event.message.topic, event.message.partition] = event.message.offset + 1

    def _count(self, what: str, outcome: str) -> None:
        self._metrics.aggregation_records.labels(what, outcome).inc()

    @property
    def _most_bytes(self) -> int:
        return 2 * self._settings.max_event_bytes + _OVERHEAD_BYTES


def _partner_and_case(event: faust.EventT[bytes]) -> tuple[str, Case]:
    try:
        return bytes(event.key or b"").decode("utf-8", "surrogatepass"), decode(event.value or b"")
    except ValueError:
        raise DecodeError(
            DecodeReason.INVALID_VALUE, "is no case that aggregate wrote; let nothing else write to topics.partner_cases"
        ) from None


def _outcome(entry: Entry) -> str:
    if entry.change.case is None:
        return "too_old"
    return "counted" if entry.change.is_news else "repeated"


def _headers(event: faust.EventT[bytes]) -> list[tuple[str, bytes | None]]:
    headers = event.message.headers or ()
    return [*(headers.items() if isinstance(headers, Mapping) else headers)]


def _key(*parts: str) -> bytes:
    return orjson.dumps(parts)
