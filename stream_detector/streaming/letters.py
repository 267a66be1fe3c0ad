"""Dead letters as they lie on their topics: finding them, and saying what each is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from stream_detector.contracts import DeadLetter, Event
from stream_detector.contracts.wire import PLAIN, WireFormat
from stream_detector.errors import ConfigurationError, DecodeError, DecodeReason
from stream_detector.settings import Settings
from stream_detector.streaming.reading import Read, Reader, Span

#: What each reason means, and who mends what.
EXPLANATIONS: Final[Mapping[DecodeReason, str]] = {
    DecodeReason.OVERSIZE: "the value is larger than max_event_bytes; send a smaller text, or raise the setting and replay",
    DecodeReason.INVALID_UTF8: "the value is not UTF-8; let the producer encode it so (a wrong encoding is seldom one event's alone)",
    DecodeReason.INVALID_JSON: "the value is not JSON; let the producer use a JSON library, and look for truncation on its way",
    DecodeReason.TOO_DEEP: "objects or lists are nested deeper than any event needs; send flat attributes",
    DecodeReason.DUPLICATE_KEY: "a key stands twice in one object, which two readers would read differently; send it once",
    DecodeReason.NOT_A_NUMBER: "NaN or Infinity stands in the value, which is no JSON; send null or leave the field out",
    DecodeReason.NOT_AN_OBJECT: "the value is JSON, but no object; send the event itself, not a list or a string of it",
    DecodeReason.EMPTY_VALUE: "the value is empty; to say that a thing is gone, send a null value (a tombstone)",
    DecodeReason.MISSING_FIELD: "a field that the contract requires isn't there; add it at the producer",
    DecodeReason.WRONG_TYPE: "a field has another type than the contract's; mend it at the producer",
    DecodeReason.INVALID_DATE: "a time can't be read or has no offset from UTC; write it as 2026-11-23T10:00:00.000Z",
    DecodeReason.INVALID_VALUE: "a field's value is outside of what the contract allows; mend it at the producer",
    DecodeReason.UNKNOWN_SCHEMA: "the schema that the value names isn't in the registry, or no registry is set; register it, or send JSON,"
    " and replay",
    DecodeReason.SCHEMA_MISMATCH: "the value isn't what the schema that it names describes, or that is neither Avro nor JSON Schema; let the"
    " producer use its registry's serializer",
    DecodeReason.SCORING_FAILED: "the model failed on it; nothing is wrong with the event: replay it once the worker is mended",
}
#: Reasons whose error begins with the field that is at fault.
_OF_A_FIELD: Final = (
    DecodeReason.MISSING_FIELD,
    DecodeReason.WRONG_TYPE,
    DecodeReason.INVALID_DATE,
    DecodeReason.INVALID_VALUE,
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a dead letter lies. Written as topic:partition:offset."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """As people and the replays topic write it."""
        return f"{self.topic}:{self.partition}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read what `str` writes; ValueError if it is something else."""
        topic, partition, offset = text.rsplit(":", 2)
        return cls(topic, int(partition), int(offset))


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter and where it lies."""

    address: Address
    content: DeadLetter

    @property
    def field(self) -> str | None:
        """The field at fault, if it is one."""
        field, separator, _ = self.content.error.partition(": ")
        return field if separator and self.content.reason in _OF_A_FIELD else None

    def today(self, settings: Settings, wire: WireFormat = PLAIN) -> DecodeError | None:
        """Why it would be refused if it were read now; None: it would be taken."""
        try:
            wire.read(Event, self.content.value or b"", self.content.headers, max_bytes=settings.max_event_bytes)
        except DecodeError as error:
            return error
        return None


@dataclass(frozen=True, slots=True)
class Foreign:
    """A record on a dead-letter topic that no worker put there."""

    address: Address
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters; what is left empty selects all.

    Attributes:
        topics: names of input topics, or of their dead-letter topics.
        since_ms: put there then or later, in milliseconds since the epoch.
        until_ms: put there before.
    """

    topics: tuple[str, ...] = ()
    reasons: tuple[DecodeReason, ...] = ()
    addresses: tuple[Address, ...] = ()
    since_ms: int | None = None
    until_ms: int | None = None

    def topics_in(self, settings: Settings) -> list[str]:
        """The dead-letter topics to read.

        Raises:
            ConfigurationError: one that is asked for is none.
        """
        names = {topic: settings.topics.dead_letters_of(topic) for topic in settings.topics.inputs}
        wanted = {names.get(name, name) for name in (*self.topics, *(address.topic for address in self.addresses))}
        if unknown := sorted(wanted - set(names.values())):
            raise ConfigurationError(
                f"{unknown[0]}: no dead-letter topic; there are {', '.join(names.values())}. Correct the name, or the [topics] table"
            )
        return [name for name in names.values() if not wanted or name in wanted]

    def takes(self, letter: Letter) -> bool:
        """Whether a letter of these topics is selected."""
        moment = letter.content.timestamp.timestamp() * 1000
        return (
            (not self.reasons or letter.content.reason in self.reasons)
            and (not self.addresses or letter.address in self.addresses)
            and (self.since_ms is None or moment >= self.since_ms)
            and (self.until_ms is None or moment < self.until_ms)
        )


def find(reader: Reader, settings: Settings, selection: Selection) -> Iterator[Letter | Foreign]:
    """The selected dead letters, topic by topic, and what is there without being one."""
    for topic in selection.topics_in(settings):
        spans = reader.whole(topic)
        if selection.addresses:
            spans = [_narrowed(span, selection.addresses) for span in spans]
        for item in reader.read(spans):
            letter = _letter(item)
            if isinstance(letter, Foreign) or selection.takes(letter):
                yield letter


def _narrowed(span: Span, addresses: tuple[Address, ...]) -> Span:
    offsets = [address.offset for address in addresses if (address.topic, address.partition) == span.key]
    if not offsets:
        return Span(*span.key, span.end, span.end)
    return Span(*span.key, max(span.start, min(offsets)), min(span.end, max(offsets) + 1))


def _letter(item: Read) -> Letter | Foreign:
    record = item.record
    address = Address(record.topic, record.partition, record.offset)
    try:
        return Letter(address, DeadLetter.parse(record.key, record.value, record.headers))
    except ValueError as error:
        return Foreign(address, str(error))
