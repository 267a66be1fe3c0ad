"""A batch is read as its items are, and a fault says in which item it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.contracts import Event, ScoringRequest, decode_batch
from stream_detector.errors import DecodeError, DecodeReason
from tests.contracts.examples import BOOKING

REQUEST = {"transactionContext": {"transactionId": "T"}, "attributes": {"title": "A flat"}}


def _batch(*items: object) -> bytes:
    return json.dumps(items).encode()


def test_one_stays_one_and_a_list_stays_a_list() -> None:
    """Who sends a batch of one gets a batch of one back, so both shapes must be told apart."""
    single = decode_batch(ScoringRequest, json.dumps(REQUEST).encode(), max_items=2)
    assert decode_batch(ScoringRequest, _batch(REQUEST), max_items=2) == (single,)
    assert decode_batch(ScoringRequest, _batch(), max_items=2) == ()


@pytest.mark.parametrize(
    ("item", "reason", "field"),
    [
        ({}, DecodeReason.MISSING_FIELD, "1.transactionContext"),
        (REQUEST | {"attributes": {"title": 5}}, DecodeReason.WRONG_TYPE, "1.attributes.title"),
        ([REQUEST], DecodeReason.NOT_AN_OBJECT, "1"),
        (None, DecodeReason.NOT_AN_OBJECT, "1"),
    ],
)
def test_a_fault_names_its_item(item: object, reason: DecodeReason, field: str) -> None:
    """The sender of sixty requests learns which one to mend."""
    with pytest.raises(DecodeError) as caught:
        decode_batch(ScoringRequest, _batch(REQUEST, item), max_items=2)
    assert (caught.value.reason, caught.value.field) == (reason, field)


def test_a_fault_of_a_whole_item_names_it_too() -> None:
    """What an event of one type must have is checked after the fields, and is found in its item all the same."""
    booking = {key: value for key, value in BOOKING.items() if key != "bookingId"}
    with pytest.raises(DecodeError) as caught:
        decode_batch(Event, _batch(booking), max_items=2)
    assert caught.value.field == "0.bookingId"


def test_a_batch_that_is_too_long_is_refused() -> None:
    """Whatever is in it."""
    with pytest.raises(DecodeError) as caught:
        decode_batch(ScoringRequest, _batch(*[None] * 3), max_items=2)
    assert caught.value.reason is DecodeReason.OVERSIZE


def _fault(payload: bytes) -> DecodeError | None:
    try:
        decode_batch(ScoringRequest, payload, max_items=2)
    except DecodeError as error:
        return error
    return None


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:0123456789.eE-nulNaIfity\\ud8', max_size=60).map(str.encode))
def test_bytes_of_any_kind_are_read_or_refused(payload: bytes) -> None:
    """Nothing but the documented error comes out, and it always has a remedy."""
    fault = _fault(payload)
    assert fault is None or "; " in str(fault)
