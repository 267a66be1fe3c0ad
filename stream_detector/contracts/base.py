"""What all wire models share: camelCase on the wire, unknown fields ignored."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError


class WireModel(BaseModel):
    """Base of the models that cross a wire. Construct with snake_case names, read and write camelCase JSON."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True, protected_namespaces=())


Identifier = Annotated[str, StringConstraints(min_length=1, max_length=512)]

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _parse_timestamp(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "must be a string such as 2026-11-23T10:00:00.000Z")
    if _RFC3339.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise PydanticCustomError("invalid_date", "is no date and time with an offset from UTC; write it as 2026-11-23T10:00:00.000Z")


def format_timestamp(moment: datetime) -> str:
    """A moment in UTC, to the millisecond, as the contracts write it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


#: A moment: RFC 3339 with an offset on the wire, an aware datetime in UTC in Python.
Timestamp = Annotated[datetime, BeforeValidator(_parse_timestamp), PlainSerializer(format_timestamp, return_type=str)]
