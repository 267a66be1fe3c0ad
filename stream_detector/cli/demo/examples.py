"""The events that the demo plays: JSON Lines of {"topic", "key", "value"} or, for what no producer should send, {"topic", "key", "raw"}."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from stream_detector.contracts import format_timestamp
from stream_detector.errors import ConfigurationError
from stream_detector.settings import TopicSettings

_PACKAGE = Path(__file__).resolve().parents[2]
#: In the source tree, or inside the installed package.
_SHIPPED = (_PACKAGE.parent / "examples" / "events.jsonl", _PACKAGE / "_examples" / "events.jsonl")


class Example(BaseModel):
    """One event to play. `topic` is the input topic's usual name, whatever the settings call it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: Literal["bookings", "listing-updates", "client-updates"]
    key: str | None = None
    value: dict[str, Any] | None = None
    raw: str | None = None

    def topic_in(self, topics: TopicSettings) -> str:
        """The topic's name in the settings."""
        names = {"bookings": topics.bookings, "listing-updates": topics.listing_updates, "client-updates": topics.client_updates}
        return names[self.topic]

    def payload(self, now: datetime) -> bytes | None:
        """The record's value, with `now` as the event's time of occurrence."""
        if self.raw is not None:
            return self.raw.encode()
        if self.value is None:
            return None
        return orjson.dumps(self.value | {"occurredAt": format_timestamp(now.astimezone(UTC))})


def load_examples(file: Path | None) -> list[Example]:
    """Read the examples from a file, or those that are shipped.

    Raises:
        ConfigurationError: the file can't be read or a line isn't an example; it is named.
    """
    path = file or next((shipped for shipped in _SHIPPED if shipped.is_file()), _SHIPPED[0])
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; give --events a file of example events") from None
    examples = [_parse(line, f"{path}:{number}") for number, line in enumerate(lines, start=1) if line.strip()]
    if not examples:
        raise ConfigurationError(f"{path}: no example events in it; give --events another file")
    return examples


def _parse(line: bytes, where: str) -> Example:
    try:
        return Example.model_validate_json(line)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, fault["loc"]))
        raise ConfigurationError(f"{where}: {field}{': ' if field else ''}{fault['msg']}") from None
