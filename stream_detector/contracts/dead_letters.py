"""Dead letters: records that can't be read, byte for byte, with headers that say why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stream_detector.contracts.base import format_timestamp
from stream_detector.contracts.violations import Source
from stream_detector.errors import DecodeError, DecodeReason

Headers = Sequence[tuple[str, bytes | None]]

_PREFIX = "dlq."


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused record.

    Attributes:
        key, value, headers: the record's own, unchanged.
        reason: one of a fixed few classes of fault.
        error: one sentence for people that names the field and the remedy and holds nothing of the payload.
        timestamp: when it was refused.
    """

    key: bytes | None
    value: bytes | None
    headers: Headers
    source: Source
    reason: DecodeReason
    error: str
    timestamp: datetime

    @classmethod
    def of(
        cls, key: bytes | None, value: bytes | None, headers: Headers, *, source: Source, error: DecodeError, timestamp: datetime
    ) -> DeadLetter:
        """The dead letter for a record that decoding refused with `error`."""
        return cls(key, value, headers, source, error.reason, str(error), timestamp)

    @classmethod
    def parse(cls, key: bytes | None, value: bytes | None, headers: Headers) -> DeadLetter:
        """Read a record of a dead-letter topic.

        Raises:
            ValueError: it wasn't put there by the worker; the message names the header.
        """
        own = [(name, text) for name, text in headers if not name.startswith(_PREFIX)]
        why = {
            name.removeprefix(_PREFIX): (text or b"").decode("utf-8", "replace")
            for name, text in headers
            if name.startswith(_PREFIX)
        }
        try:
            source = Source(topic=why["source.topic"], partition=int(why["source.partition"]), offset=int(why["source.offset"]))
            moment = datetime.fromisoformat(why["timestamp"])
            return cls(key, value, own, source, DecodeReason(why["reason"]), why["error"], moment)
        except KeyError as missing:
            raise ValueError(f"has no header {_PREFIX}{missing.args[0]}") from None
        except ValueError:
            raise ValueError(f"has a {_PREFIX}reason, {_PREFIX}source or {_PREFIX}timestamp header that can't be read") from None

    def to_headers(self) -> list[tuple[str, bytes | None]]:
        """The record's own headers and the six that say why it is here; headers of an earlier refusal are replaced."""
        own = [(name, value) for name, value in self.headers if not name.startswith(_PREFIX)]
        why = {
            "reason": self.reason.value,
            "error": self.error,
            "source.topic": self.source.topic,
            "source.partition": str(self.source.partition),
            "source.offset": str(self.source.offset),
            "timestamp": format_timestamp(self.timestamp),
        }
        return own + [(_PREFIX + name, text.encode()) for name, text in why.items()]
