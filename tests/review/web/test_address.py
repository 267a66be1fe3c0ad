"""Filters in addresses: what is written is read again, and what can't be read does no harm."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from stream_detector.contracts import EventType, Kind
from stream_detector.review.cases import CaseFilter, Cursor, Order, State
from stream_detector.review.web.address import QueueAddress

NAMES = st.sampled_from(
    ["state", "kind", "type", "partner", "listing", "model", "min", "max", "newer", "older", "who", "q", "order", "after"]
)
VALUES = st.text(max_size=12) | st.sampled_from(
    [
        "open",
        "phone",
        "booking",
        "0.5",
        "1",
        "nan",
        "inf",
        "24h",
        "9999d",
        "mine",
        "newest",
        "5.7",
        "9" * 30 + ".1",
        "\0",
        "x" * 600,
    ]
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_any_address_reads_and_its_own_spelling_reads_the_same(pairs: list[tuple[str, str]]) -> None:
    """A saved filter means tomorrow what it means today."""
    read = QueueAddress.read(QueryParams(pairs), viewer="anna")
    again = QueueAddress.read(QueryParams(read.query(after=read.after)), viewer="anna")
    assert (again.wanted, again.order, again.after) == (read.wanted, read.order, read.after)
    assert not again.faults


def test_all_parts() -> None:
    """Each name narrows what it says."""
    query = QueryParams(
        "state=open&state=confirmed&kind=phone&kind=email&type=booking&partner=P-1&listing=L-2&model=1.1&min=0.5&max=0.9"
        "&newer=24h&older=5m&who=mine&q=attic&order=certainty&after=12.7"
    )
    read = QueueAddress.read(query, viewer="anna")
    assert read.wanted == CaseFilter(
        states=(State.OPEN, State.CONFIRMED),
        kinds=(Kind.PHONE, Kind.EMAIL),
        event_types=(EventType.BOOKING,),
        partner_id="P-1",
        listing_id="L-2",
        model_version="1.1",
        min_score=0.5,
        max_score=0.9,
        newer_than=timedelta(hours=24),
        older_than=timedelta(minutes=5),
        claimed_by="anna",
        search="attic",
    )
    assert (read.order, read.after, read.faults) == (Order.CERTAINTY, Cursor(12, 7), ())


@pytest.mark.parametrize("query", ["", "state=open", "order=priority", "after=1.2"])
def test_the_whole_queue_is_not_narrowed(query: str) -> None:
    """A bulk decision about it warns that no filter is set."""
    assert not QueueAddress.read(QueryParams(query), viewer="anna").is_narrowed
