"""A queue's filter as it stands in an address: a saved filter is a link."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self, TypeVar
from urllib.parse import urlencode

from starlette.datastructures import FormData, QueryParams

from stream_detector.contracts import EventType, Kind
from stream_detector.review.cases import CaseFilter, Cursor, Order, State

Choice = TypeVar("Choice", State, Kind, EventType, Order)
Parsed = TypeVar("Parsed")

_SPAN: Final = re.compile(r"([1-9]\d{0,3})([mhd])", re.ASCII)
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
#: Longest value that is looked at: ids have at most 512 characters.
_LONGEST: Final = 512


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """Filter, order and place of a queue.

    Attributes:
        newer, older: the ages as they were written, such as "24h".
        who: "", "free" or "mine".
        faults: what in the address could not be read, and so doesn't narrow anything.
    """

    wanted: CaseFilter
    order: Order
    after: Cursor | None
    newer: str
    older: str
    who: str
    faults: tuple[str, ...]

    @classmethod
    def read(cls, query: QueryParams | FormData, *, viewer: str) -> Self:
        """Read an address's query; what can't be read is left out and named in `faults`."""
        reader = _Reader(query)
        states = reader.choices("state", State)
        who = reader.text("who")
        if who not in {"", "free", "mine"}:
            reader.faults.append("who")
            who = ""
        newer, newer_than = reader.age("newer")
        older, older_than = reader.age("older")
        orders = reader.choices("order", Order)
        wanted = CaseFilter(
            states=states or (State.OPEN,),
            kinds=reader.choices("kind", Kind),
            event_types=reader.choices("type", EventType),
            partner_id=reader.text("partner") or None,
            listing_id=reader.text("listing") or None,
            model_version=reader.text("model") or None,
            min_score=reader.share("min"),
            max_score=reader.share("max"),
            newer_than=newer_than,
            older_than=older_than,
            claimed=False if who == "free" else None,
            claimed_by=viewer if who == "mine" else None,
            search=reader.text("q"),
        )
        after = reader.parsed("after", _cursor)
        return cls(wanted, orders[0] if orders else Order.PRIORITY, after, newer, older, who, tuple(reader.faults))

    def query(self, *, after: Cursor | None = None, **changes: str | None) -> str:
        """The address's query, in one spelling, from behind a cursor; `changes` replace values by name."""
        wanted = self.wanted
        pairs: list[tuple[str, str]] = [
            *(("state", state.value) for state in wanted.states if wanted.states != (State.OPEN,)),
            *(("kind", kind.value) for kind in wanted.kinds),
            *(("type", event_type.value) for event_type in wanted.event_types),
            ("partner", wanted.partner_id or ""),
            ("listing", wanted.listing_id or ""),
            ("model", wanted.model_version or ""),
            ("min", "" if wanted.min_score is None else f"{wanted.min_score:g}"),
            ("max", "" if wanted.max_score is None else f"{wanted.max_score:g}"),
            ("newer", self.newer),
            ("older", self.older),
            ("who", self.who),
            ("q", wanted.search),
            ("order", "" if self.order is Order.PRIORITY else self.order.value),
            ("after", "" if after is None else str(after)),
        ]
        pairs = [pair for pair in pairs if pair[0] not in changes]
        pairs += [(name, value) for name, value in changes.items() if value]
        return urlencode([pair for pair in pairs if pair[1]])

    @property
    def is_narrowed(self) -> bool:
        """Whether it asks for less than all that is open."""
        return bool(self.query(order=None))


def _cursor(text: str) -> Cursor:
    cursor = Cursor.parse(text)
    if max(abs(cursor.position), abs(cursor.case_id)) >= 2**63:
        raise ValueError("no database has such a number")
    return cursor


class _Reader:
    def __init__(self, query: QueryParams | FormData) -> None:
        self._query = query
        self.faults: list[str] = []

    def values(self, name: str) -> Iterable[str]:
        return (value for value in self._query.getlist(name) if isinstance(value, str) and value)

    def text(self, name: str) -> str:
        value = next(iter(self.values(name)), "").strip()
        if len(value) > _LONGEST or "\0" in value:
            self.faults.append(name)
            return ""
        return value

    def choices(self, name: str, among: type[Choice]) -> tuple[Choice, ...]:
        known: Mapping[str, Choice] = {choice.value: choice for choice in among}
        wanted = set(self.values(name))
        if wanted - set(known):
            self.faults.append(name)
        return tuple(choice for value, choice in known.items() if value in wanted)

    def share(self, name: str) -> float | None:
        value = self.parsed(name, float)
        if value is None or 0 <= value <= 1:
            return value
        self.faults.append(name)
        return None

    def age(self, name: str) -> tuple[str, timedelta | None]:
        text = self.text(name)
        if not text:
            return "", None
        if not (match := _SPAN.fullmatch(text)):
            self.faults.append(name)
            return "", None
        return text, int(match[1]) * _UNITS[match[2]]

    def parsed(self, name: str, parse: Callable[[str], Parsed]) -> Parsed | None:
        text = self.text(name)
        if not text:
            return None
        try:
            return parse(text)
        except (ValueError, OverflowError):
            self.faults.append(name)
            return None
