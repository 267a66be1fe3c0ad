"""The JSON Schemas say what the codec does, and the committed ones are those that the program exports."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_detector.cli.schema import documents
from stream_detector.contracts import (
    Event,
    RepeatOffender,
    Review,
    ScoringRequest,
    ScoringResponse,
    ShadowDisagreement,
    Violation,
    WireModel,
    decode,
    encode,
)
from stream_detector.contracts.examples import EXAMPLES
from stream_detector.contracts.schemas import CONTRACTS, Contract, Direction, Side
from stream_detector.contracts.unknown import unknown_fields
from stream_detector.contracts.violations import Score
from stream_detector.errors import DecodeError, DecodeReason
from stream_detector.settings import Settings
from tests.contracts.examples import BOOKING, CLIENT_UPDATE, EVENT

CONTRACTS_FOLDER = Path(__file__).parents[2] / "docs" / "contracts"
MODELS: dict[str, type[WireModel]] = {
    "booking": Event,
    "listing-update": Event,
    "client-update": Event,
    "violation": Violation,
    "score": Score,
    "shadow-disagreement": ShadowDisagreement,
    "review": Review,
    "repeat-offender": RepeatOffender,
    "scoring-request": ScoringRequest,
    "scoring-response": ScoringResponse,
}
EVENTS = {"booking": BOOKING, "listing-update": EVENT, "client-update": CLIENT_UPDATE}
_BY_NAME = {contract.name: contract for contract in CONTRACTS}

_scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
_json = st.recursive(_scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2))
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
_moments = st.one_of(
    st.text("0123456789-:TZtz+. ", max_size=30),
    st.from_regex(
        r"\A20[0-9]{2}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]([.][0-9]{1,10})?([Zz]|[+-][0-2][0-9]:[0-6][0-9])\Z"
    ),
)
_values = {
    "occurredAt": _moments | _json,
    "transactionContext": st.fixed_dictionaries({}, optional={"transactionId": _texts | _json, "other": _json}) | _json,
    "attributes": st.dictionaries(_texts, _texts | st.none() | st.integers(), max_size=2) | _json,
    "eventType": st.sampled_from(sorted(EVENTS)) | _json,
}


@functools.cache
def _validator(name: str, side: Side) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(_BY_NAME[name].schema(side))


def _accepted(name: str, side: Side, document: object) -> bool:
    return _validator(name, side).is_valid(document)


@st.composite
def _nearly_events(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    name = draw(st.sampled_from(sorted(EVENTS)))
    event = dict(EVENTS[name])
    for _ in range(draw(st.integers(0, 2))):
        field = draw(st.sampled_from([*sorted(set(BOOKING) | set(CLIENT_UPDATE)), "other"]))
        if draw(st.booleans()):
            event.pop(field, None)
        else:
            event[field] = draw(_values.get(field, _texts | _json))
    return name, event


def _decoded(document: dict[str, Any]) -> Event | DecodeError:
    try:
        return decode(Event, json.dumps(document).encode())
    except DecodeError as error:
        return error


def _beyond_a_schema(error: DecodeError, document: dict[str, Any]) -> bool:
    """What the codec refuses and no schema can say: which days a month has."""
    return error.reason is DecodeReason.INVALID_DATE and str(document["occurredAt"])[8:10] in {"29", "30", "31"}


@given(_nearly_events())
@settings(deadline=None)
def test_the_closed_schema_is_the_strict_codec(case: tuple[str, dict[str, Any]]) -> None:
    """A producer whose build checks the schema never writes a dead letter, and is never stopped for what the worker takes."""
    name, document = case
    event = _decoded(document)
    if isinstance(event, DecodeError):
        assert _beyond_a_schema(event, document) or not _accepted(name, Side.PRODUCER, document)
        return
    strict = not list(unknown_fields(Event, document)) and event.event_type.value == name
    assert _accepted(name, Side.PRODUCER, document) == strict
    assert _accepted(name, Side.CONSUMER, document) == (event.event_type.value == name)


@pytest.mark.parametrize(
    "change",
    [
        {"eventId": ""}, {"eventId": "x" * 513}, {"eventId": 5}, {"partnerId": None}, {"listingId": None}, {"attributes": []},
        {"attributes": {"a": 1}}, {"attributes": {"a": ["x"]}}, {"occurredAt": "2026-11-23T10:00:00"}, {"occurredAt": "2026-11-23"},
        {"occurredAt": 1_700_000_000}, {"occurredAt": "2026-11-23T10:00:00Z\n"}, {"occurredAt": "٢٠٢٦-11-23T10:00:00Z"},
        {"transactionContext": {}}, {"transactionContext": "1"}, {"eventType": "booking"}, {"eventType": None},
    ],
)  # fmt: skip
def test_hostile_events_are_refused_by_both(change: dict[str, Any]) -> None:
    """Each way of breaking the contract, closed or open."""
    for side in Side:
        assert not _accepted("listing-update", side, EVENT | change)


def test_closed_and_open() -> None:
    """Unknown fields stop a producer, at any depth, and no consumer."""
    for document in (EVENT | {"new": 1}, EVENT | {"transactionContext": {"transactionId": "1", "new": 1}}):
        assert not _accepted("listing-update", Side.PRODUCER, document)
        assert _accepted("listing-update", Side.CONSUMER, document)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_schemas_and_examples_hold(contract: Contract) -> None:
    """Each schema is one, each example fits both sides, and what the program writes from it is the example itself."""
    model = MODELS[contract.name]
    for side in Side:
        schema = contract.schema(side)
        jsonschema_rs.meta.validate(schema)
        assert "$ref" not in json.dumps(schema)
        for example in EXAMPLES[contract.name]:
            assert _accepted(contract.name, side, example)
    for example in EXAMPLES[contract.name]:
        again = orjson.loads(encode(decode(model, orjson.dumps(example))))
        if contract.direction is Direction.OUT:
            assert again == example


def test_every_field_is_described() -> None:
    """Who reads only the schemas learns what a field means."""

    def undescribed(schema: dict[str, Any]) -> list[str]:
        found = []
        for name, field in schema.get("properties", {}).items():
            found += [] if field.get("description") else [name]
            found += undescribed(field) + undescribed(field.get("items", {}))
        return found

    assert [undescribed(contract.schema(Side.PRODUCER)) for contract in CONTRACTS] == [[]] * len(CONTRACTS)


def test_committed_files_are_what_the_program_exports() -> None:
    """Others build against docs/contracts; run `stream-detector schema export docs/contracts` after a change."""
    exported = documents(Settings())
    committed = {
        str(file.relative_to(CONTRACTS_FOLDER)): json.loads(file.read_text(encoding="utf-8"))
        for file in CONTRACTS_FOLDER.rglob("*.*")
        if "baseline" not in file.parts
    }
    assert committed == json.loads(json.dumps(exported))
