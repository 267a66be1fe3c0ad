"""Values of records as bytes: plain JSON or in a schema registry's format, in an envelope or not. One place for all who read or write.

Whoever reads what the worker wrote (the console, `verify`, the aggregation) reads it by this, so that every setting is understood
everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from stream_detector.contracts.base import WireModel
from stream_detector.contracts.cloud_events import CloudEvents, envelope_of, unwrap, wrap
from stream_detector.contracts.codec import decode, encode
from stream_detector.contracts.dead_letters import Headers
from stream_detector.contracts.events import Event
from stream_detector.contracts.registry import MAGIC, RegistryDecoder
from stream_detector.contracts.registry_output import RegistryEncoder, Verdict
from stream_detector.contracts.violations import Score, Violation
from stream_detector.errors import DecodeError, DecodeReason

Model = TypeVar("Model", bound=WireModel)


@dataclass(frozen=True, slots=True)
class WireFormat:
    """How values are read and written. Without a registry: as JSON.

    Attributes:
        decoder: reads values in a registry's format; JSON too.
        encoder: writes verdicts in that format; None: as JSON.
        of_events: whether events may come in that format, too.
    """

    decoder: RegistryDecoder | None = None
    encoder: RegistryEncoder | None = None
    of_events: bool = True

    def prepare(self, topics: Mapping[str, Verdict]) -> None:
        """Ask for all that `write` needs; raises what `RegistryEncoder.prepare` does."""
        if self.encoder is not None:
            self.encoder.prepare(topics)

    def read(self, model: type[Model], payload: bytes, headers: Headers, *, max_bytes: int) -> Model:
        """Read a record's value as a model.

        Raises:
            DecodeError: it can't be read, whatever the reason.
            RegistryAwayError: the registry doesn't answer; nothing is wrong with the record.
        """
        return unwrap(model, payload, headers, max_bytes=max_bytes, decode_data=self._decode)

    def write(self, verdict: Violation | Score, topic: str, headers: Headers, mode: CloudEvents) -> tuple[bytes, Headers]:
        """Write a verdict for a topic; `headers` are those to carry over."""
        if self.encoder is None:
            return wrap(mode, encode(verdict), headers, envelope_of(verdict))
        payload = self.encoder.encode(verdict, topic)
        envelope = envelope_of(verdict, schema=f"urn:schema-registry:{self.encoder.number(topic)}")
        return wrap(mode, payload, headers, envelope, media_type=self.encoder.media_type)

    def _decode(self, model: type[Model], payload: bytes, *, max_bytes: int) -> Model:
        if self.decoder is not None and (self.of_events or model is not Event):
            return self.decoder.decode(model, payload, max_bytes=max_bytes)
        if payload.startswith(MAGIC):
            raise DecodeError(
                DecodeReason.UNKNOWN_SCHEMA,
                "is in the format of a schema registry, and none is set to read it by; send JSON, or set registry.url",
            )
        return decode(model, payload, max_bytes=max_bytes)


PLAIN: Final = WireFormat()
