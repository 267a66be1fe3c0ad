"""Records that can't be read for now because the schema registry doesn't answer. Nothing is wrong with them, so they wait.

They keep their order, and nothing behind them is read meanwhile: partitions are paused, the group is kept, what was in hand is published.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import structlog
from confluent_kafka import Message

from stream_detector.errors import RegistryAwayError
from stream_detector.observability import Readiness, State
from stream_detector.streaming.clock import Clock
from stream_detector.streaming.records import Partition, record_of

# Between two tries: the registry is asked in the loop, and may take as long as its time-out to answer.
_REST_S: Final = 2.0

_log = structlog.get_logger()


class HeldBack:
    """What waits, in the order in which it came.

    Args:
        readiness: says that the registry is away while anything waits.
        clock: tells when to try again.
    """

    def __init__(self, readiness: Readiness, clock: Clock) -> None:
        self._messages: deque[Message] = deque()
        self._readiness = readiness
        self._clock = clock
        self._again_at = 0.0

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._messages)

    def take(self, message: Message, read: Callable[[Message], None]) -> None:
        """Read a message, or let it wait: because something before it does, or because the registry is away."""
        if self._messages:
            self._messages.append(message)
            return
        try:
            read(message)
        except RegistryAwayError as error:
            self._messages.append(message)
            self._again_at = self._clock.monotonic() + _REST_S
            self._readiness.block(State.REGISTRY_UNREACHABLE)
            _log.warning("schema registry unreachable, trying again", cause=str(error))

    def release(self, read: Callable[[Message], None]) -> None:
        """Read what waits, if it is time to try again, as far as the registry answers."""
        if not self._messages or self._clock.monotonic() < self._again_at:
            return
        while self._messages:
            try:
                read(self._messages[0])
            except RegistryAwayError:
                self._again_at = self._clock.monotonic() + _REST_S
                return
            self._messages.popleft()
        self._readiness.block(None)
        _log.info("schema registry reachable")

    def drop(self, partitions: set[Partition]) -> None:
        """Forget the records of partitions that go to another worker, who will read them too."""
        self._messages = deque(message for message in self._messages if record_of(message).origin not in partitions)
        if not self._messages:
            self._readiness.block(None)

    def clear(self) -> None:
        """Forget all: they will be read again."""
        self._messages.clear()
        self._readiness.block(None)

    @property
    def first_offsets(self) -> dict[Partition, int]:
        """Where it begins in each partition."""
        first: dict[Partition, int] = {}
        for record in map(record_of, self._messages):
            first.setdefault(record.origin, record.offset)
        return first
