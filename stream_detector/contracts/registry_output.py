"""Violations and scores in the wire format of schema registries. `registry.py` reads what is written here."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol

import orjson

from stream_detector.contracts.avro import NAMESPACE, datum_of, event_schema, schema_of
from stream_detector.contracts.codec import encode
from stream_detector.contracts.registry import HEAD, RegistryOutput, SubjectStrategy, away, status_of
from stream_detector.contracts.schemas import CONTRACTS, Side
from stream_detector.contracts.violations import Score, Violation
from stream_detector.errors import ConfigurationError, MissingExtraError

Verdict = type[Violation | Score]

_REFUSED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)


class SchemaFiling(Protocol):
    """What is needed of the registry's client to write. Both give a schema's number."""

    def find(self, subject: str, text: str, kind: str) -> int:
        """The number of a schema that is filed under a subject."""
        ...

    def file(self, subject: str, text: str, kind: str) -> int:
        """File a schema under a subject, unless it is there."""
        ...


@dataclass(frozen=True, slots=True)
class _Written:
    """How the values of a topic are written."""

    number: int
    body: Callable[[Violation | Score], bytes]


class RegistryEncoder:
    """Writes verdicts with the registry's head in front of them.

    A topic's schema is asked for once. It is the closed one: with it an optional field may be added under the registry's default
    rule of compatibility.

    Args:
        registry: where schemas are filed.
        output: JSON or Avro.
        strategy: what they are filed under.
        auto_register: file those that aren't there.
    """

    def __init__(
        self, registry: SchemaFiling, output: RegistryOutput, *, strategy: SubjectStrategy, auto_register: bool = False
    ) -> None:
        self._registry = registry
        self._output = output
        self._strategy = strategy
        self._auto_register = auto_register
        self._topics: dict[str, _Written] = {}

    @property
    def media_type(self) -> str:
        """What a CloudEvent says of its data."""
        return "application/avro" if self._output is RegistryOutput.AVRO else "application/json"

    def prepare(self, topics: Mapping[str, Verdict]) -> None:
        """Ask for the schemas of some topics.

        Raises:
            ConfigurationError: one isn't filed, or the registry refuses us or the schema.
            RegistryAwayError: the registry doesn't answer.
            MissingExtraError: Avro is to be written, and the extra `registry` isn't installed.
        """
        for topic, verdict in topics.items():
            self._written(topic, verdict)

    def register(self, topic: str, verdict: Verdict) -> tuple[str, int]:
        """File a topic's schema, whatever `auto_register` says; return its subject and its number.

        Raises:
            ConfigurationError, RegistryAwayError: as `prepare`.
        """
        subject = self._subject(topic, verdict.__name__)
        return subject, self._number(subject, self._schema(verdict), register=True)

    def register_event(self, topic: str, name: str) -> tuple[str, int]:
        """The same for a topic of events, by the name of their contract."""
        avro = self._output is RegistryOutput.AVRO
        subject = self._subject(topic, "Event" if avro else name)
        return subject, self._number(subject, event_schema() if avro else _contract(name), register=True)

    def encode(self, verdict: Violation | Score, topic: str) -> bytes:
        """Write a verdict for a topic; raises what `prepare` raises if that wasn't called for the topic."""
        written = self._written(topic, type(verdict))
        return HEAD.pack(0, written.number) + written.body(verdict)

    def number(self, topic: str) -> int:
        """The number of the schema of a topic that something was written for."""
        return self._topics[topic].number

    def _written(self, topic: str, verdict: Verdict) -> _Written:
        written = self._topics.get(topic)
        if written is None:
            body = _avro_writer(verdict) if self._output is RegistryOutput.AVRO else encode
            subject = self._subject(topic, verdict.__name__)
            number = self._number(subject, self._schema(verdict), register=self._auto_register)
            written = self._topics[topic] = _Written(number, body)
        return written

    def _subject(self, topic: str, name: str) -> str:
        """What the schema of a topic is filed under, as registries' own serializers name it."""
        record = f"{NAMESPACE}.{name}" if self._output is RegistryOutput.AVRO else name
        match self._strategy:
            case SubjectStrategy.TOPIC:
                return f"{topic}-value"
            case SubjectStrategy.RECORD:
                return record
            case SubjectStrategy.TOPIC_RECORD:
                return f"{topic}-{record}"

    def _number(self, subject: str, schema: dict[str, Any], *, register: bool) -> int:
        text, kind = orjson.dumps(schema).decode(), self._output.value.upper()
        try:
            return (self._registry.file if register else self._registry.find)(subject, text, kind)
        except Exception as error:  # noqa: BLE001 - clients raise errors of their own and of whatever they speak HTTP with
            status = status_of(error)
            if status == HTTPStatus.NOT_FOUND:
                raise ConfigurationError(
                    f"registry: subject {subject} doesn't hold this version's schema of {schema.get('title') or schema['name']};"
                    " run stream-detector schema register with these settings, or set registry.auto_register"
                ) from None
            if status in _REFUSED:
                raise ConfigurationError(f"registry: subject {subject}: refused (HTTP {status}); {_remedy(status)}") from None
            raise away(error, f"doesn't tell the schema of {subject}") from None

    def _schema(self, verdict: Verdict) -> dict[str, Any]:
        if self._output is RegistryOutput.AVRO:
            return schema_of(verdict)
        return _contract(verdict.__name__.lower())


def _contract(name: str) -> dict[str, Any]:
    return next(contract for contract in CONTRACTS if contract.name == name).schema(Side.PRODUCER)


def _remedy(status: int | None) -> str:
    if status in (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY):
        return "the schema there isn't compatible with this version's; change the subject's rule of compatibility, or the topic"
    return "check registry.username and its password, and that this user may read and, to register, write the subject"


def _avro_writer(verdict: Verdict) -> Callable[[Violation | Score], bytes]:
    try:
        from fastavro import parse_schema, schemaless_writer  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError("writing Avro", "registry") from None
    parsed = parse_schema(schema_of(verdict))

    def write(value: Violation | Score) -> bytes:
        stream = io.BytesIO()
        schemaless_writer(stream, parsed, datum_of(value))
        return stream.getvalue()

    return write
