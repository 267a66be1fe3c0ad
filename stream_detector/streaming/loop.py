"""The worker's loop: a state machine that makes one move a `step`.

    state        what a step does                                             goes to
    RECOVERING   has a producer, and reads from what the group has committed   WORKING; itself, after a rest, on an error
    WORKING      takes records, gives a closed batch to the scorer, publishes  itself; RECOVERING on an error;
                 and commits a scored one                                      DRAINING when asked to stop
    DRAINING     the same without taking records, for a bounded time           STOPPED; an error ends it too
    STOPPED      nothing

Three things hold at every moment, whatever happens between two steps:

- A record is in the intake (or held back in front of it, while the schema registry is away), in the one batch that is being
  scored, or in neither; it was read once since the last assignment or going back of its partition.
- Partitions come and go only within `poll`, and `poll` is never called between publishing and committing. What is in hand of a
  partition that goes is forgotten there and then.
- After an error nothing in hand counts: all of it is forgotten, and what the group has committed decides where to read on.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, Protocol

import structlog
from confluent_kafka import Message

from stream_detector.batching import BatchLimits, CloseReason, Supply
from stream_detector.contracts import Event
from stream_detector.errors import DeliveryError, FatalDeliveryError, ProducerLostError, RetryableDeliveryError
from stream_detector.observability import Readiness, State
from stream_detector.settings import Settings
from stream_detector.streaming.batch import Entry, MicroBatch
from stream_detector.streaming.clock import Clock
from stream_detector.streaming.delivery import Guarantee
from stream_detector.streaming.faults import Action, action_for, delivery_error
from stream_detector.streaming.held_back import HeldBack
from stream_detector.streaming.intake import BackPressure, Intake
from stream_detector.streaming.patience import Patience
from stream_detector.streaming.records import Outcome, OutputMessage, Partition, Record
from stream_detector.streaming.scoring_thread import Aside
from stream_detector.streaming.stopping import StopFlag
from stream_detector.streaming.subscription import Subscription

# How long a stop may go unnoticed while no event comes. An event ends the wait at once.
_WAIT_S: Final = 0.1
# How often records are taken while a batch is scored: the network begins with them at once, so this is what a core may idle.
# The end of scoring ends the wait at once.
_TURN_S: Final = 0.005
#: How long one batch may be scored. The group thinks the worker well meanwhile, so nobody else would end a model that hangs.
SCORING_S: Final = 300.0
#: How long a worker that stops goes on with what it has taken. The rest isn't committed: the next worker reads it.
DRAIN_S: Final = 10.0

_log = structlog.get_logger()


class Phase(Enum):
    """The loop's states."""

    RECOVERING = auto()
    WORKING = auto()
    DRAINING = auto()
    STOPPED = auto()


class Work(Protocol):
    """What the loop does with records: everything that has nothing to do with Kafka."""

    def read(self, message: Message) -> tuple[Record, Event | Outcome]:
        """A record, and what the codec makes of it."""
        ...

    def conclude(self, entries: Sequence[Entry]) -> list[Outcome]:
        """The outcome of every record, in order. Called beside the loop; must not touch what the loop touches."""
        ...

    def messages(self, outcomes: Sequence[Outcome]) -> list[OutputMessage]:
        """What to publish. Raises DeadLetterLimitError."""
        ...

    def enter(self, outcomes: Sequence[Outcome], reason: CloseReason) -> None:
        """Count outcomes that were committed."""
        ...

    def failed(self, error: Exception) -> None:
        """Take note that a batch was not committed, and will be done again."""
        ...

    def limits(self) -> BatchLimits:
        """What bounds a batch."""
        ...


@dataclass(slots=True)
class _Scoring:
    """The batch that is being scored."""

    batch: MicroBatch
    reason: CloseReason
    outcomes: Future[list[Outcome]]
    since: float
    #: Partitions that went to another worker meanwhile.
    gone: set[Partition] = field(default_factory=set)


class Loop:
    """See the module. Everything that it touches is injected."""

    def __init__(
        self,
        settings: Settings,
        work: Work,
        subscription: Subscription,
        guarantee: Guarantee,
        *,
        aside: Aside,
        readiness: Readiness,
        stopping: StopFlag,
        clock: Clock,
    ) -> None:
        self.phase = Phase.RECOVERING
        self._work = work
        self._subscription = subscription
        self._guarantee = guarantee
        self._aside = aside
        self._readiness = readiness
        self._stopping = stopping
        self._clock = clock
        self._patience = Patience(stopping.wait, clock=clock.monotonic)
        self._most = settings.max_batch_events
        self._intake = Intake(settings.promise_ms / 1000)
        self._held = HeldBack(readiness, clock)
        self._pressure = BackPressure(settings.max_queued_bytes, settings.promise_ms / 1000)
        self._scoring: _Scoring | None = None
        self._go_back_to: dict[Partition, int] = {}
        self._drain_until = 0.0

    def step(self) -> None:
        """Make one move.

        Raises:
            FatalDeliveryError: only a person can help, or it has been failing for too long.
            DeadLetterLimitError: too many records are refused; nothing of the batch that was too much is committed.
        """
        match self.phase:
            case Phase.RECOVERING:
                self._recover()
            case Phase.WORKING:
                self._work_on()
            case Phase.DRAINING:
                self._drain()
            case Phase.STOPPED:
                pass

    def _recover(self) -> None:
        if self._stopping.is_set:
            # A stopping worker doesn't wait for Kafka: what it had in hand isn't committed, so the next one reads it.
            self.phase = Phase.STOPPED
            return
        try:
            self._guarantee.recover()
            self._subscription.rewind(self._go_back_to)
        except (RetryableDeliveryError, ProducerLostError) as error:
            self._readiness.set(State.KAFKA_UNREACHABLE)
            self._patience.failed(error)
            return
        self._go_back_to = {}
        self._subscription.start(self._forget)
        self.phase = Phase.WORKING

    def _work_on(self) -> None:
        if self._stopping.is_set:
            self._readiness.set(State.DRAINING)
            self._drain_until = self._clock.monotonic() + DRAIN_S
            self.phase = Phase.DRAINING
            return
        self._advance(self._take())

    def _drain(self) -> None:
        if self._scoring is None and not self._intake:
            self.phase = Phase.STOPPED
        elif self._clock.monotonic() > self._drain_until:
            _log.info(
                "left undone, for the next worker", records=len(self._intake) + (len(self._scoring.batch) if self._scoring else 0)
            )
            self.phase = Phase.STOPPED
        else:
            self._advance(Supply.CLOSED)

    def _take(self) -> Supply:
        """Take what is there, no more than a batch: a scored one must not wait for long."""
        self._held.release(self._put)
        self._heed_pressure()
        wait = 0.0 if self._intake or self._scoring else _WAIT_S
        supply = Supply.MORE
        for _ in range(self._most):
            message = self._subscription.consumer.poll(wait)
            wait = 0.0
            if message is None:
                supply = Supply.IDLE
                break
            self._admit(message)
            if self._heed_pressure():
                break
        self._heed_pressure()
        return supply

    def _heed_pressure(self) -> bool:
        """Pause or resume taking; say whether it is paused."""
        self._pressure.update(self._intake.payload_bytes, self._intake.age(self._clock.monotonic()))
        on = self._pressure.on or bool(self._held)
        if on is not self._subscription.paused:
            self._subscription.pause(on=on)
        return on

    def _admit(self, message: Message) -> None:
        error = message.error()
        if error is None:
            self._held.take(message, self._put)
        elif action_for(error)[0] in (Action.STOP, Action.RESTART):
            raise delivery_error(error, f"reading {message.topic() or 'from Kafka'}")
        # Anything else librdkafka logs, and goes on by itself.

    def _put(self, message: Message) -> None:
        self._intake.put(*self._work.read(message), now=self._clock.monotonic())

    def _advance(self, supply: Supply) -> None:
        """Publish a scored batch, and have the next one scored meanwhile."""
        scoring = self._scoring
        if scoring is None:
            self._start(supply)
        elif scoring.outcomes.done():
            self._scoring = None
            self._start(supply)
            try:
                self._deliver(scoring)
            except (RetryableDeliveryError, ProducerLostError) as error:
                self._fail(error, scoring)
        elif self._clock.monotonic() - scoring.since > SCORING_S:
            raise FatalDeliveryError(
                f"scoring a batch of {len(scoring.batch)} records takes longer than {SCORING_S:.0f} s; the model hangs, or"
                " max_batch_bytes is too large for this machine"
            )
        else:
            self._clock.wait(scoring.outcomes, _TURN_S)

    def _start(self, supply: Supply) -> None:
        cut = self._intake.cut(self._work.limits(), supply, now=self._clock.time())
        if cut is not None:
            batch, reason = cut
            entries = list(batch.entries)
            outcomes = self._aside.submit(lambda: self._work.conclude(entries))
            self._scoring = _Scoring(batch, reason, outcomes, self._clock.monotonic())

    def _deliver(self, scoring: _Scoring) -> None:
        batch = scoring.batch
        outcomes = [outcome for outcome in scoring.outcomes.result() if outcome.record.origin not in scoring.gone]
        batch.drop(scoring.gone)
        if not outcomes:
            return
        self._guarantee.deliver(self._work.messages(outcomes), batch.positions)
        self._patience.succeeded()
        self._readiness.set(State.READY)
        self._work.enter(outcomes, scoring.reason)

    def _fail(self, error: DeliveryError, failed: _Scoring) -> None:
        """Forget all that is in hand; see in `_recover` where to read on."""
        self._work.failed(error)
        records = len(failed.batch) + (len(self._scoring.batch) if self._scoring else 0) + len(self._intake)
        _log.warning("batch failed and is done again", reason=str(error), records=records)
        later = [self._scoring.batch.first_offsets] if self._scoring else []
        for first_offsets in (failed.batch.first_offsets, *later, self._intake.first_offsets, self._held.first_offsets):
            for partition, offset in first_offsets.items():
                self._go_back_to.setdefault(partition, offset)
        if self._scoring is not None:
            self._scoring.outcomes.cancel()
            self._scoring = None
        self._intake.clear()
        self._held.clear()
        self._heed_pressure()
        if self.phase is Phase.DRAINING:
            self.phase = Phase.STOPPED
            return
        self.phase = Phase.RECOVERING
        self._patience.failed(error)

    def _forget(self, partitions: set[Partition]) -> None:
        # Called within `poll`, so never between publishing and committing.
        self._intake.drop(partitions)
        self._held.drop(partitions)
        if self._scoring is not None:
            self._scoring.gone |= partitions
