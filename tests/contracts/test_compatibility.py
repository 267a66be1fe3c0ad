"""The gate: a schema that would break a producer or a subscriber doesn't get in."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from stream_detector.contracts.compatibility import incompatibilities
from stream_detector.contracts.schemas import CONTRACTS, Direction, Side

SCHEMA = next(contract for contract in CONTRACTS if contract.name == "violation").schema(Side.PRODUCER)
EVENT = next(contract for contract in CONTRACTS if contract.name == "booking").schema(Side.PRODUCER)
Change = Callable[[dict[str, Any]], object]


def _faults(change: Change, schema: dict[str, Any], direction: Direction) -> list[str]:
    new = copy.deepcopy(schema)
    change(new)
    return list(incompatibilities(schema, new, direction))


def _rename(schema: dict[str, Any]) -> None:
    schema["properties"]["partner"] = schema["properties"].pop("partnerId")
    schema["required"] = ["partner" if name == "partnerId" else name for name in schema["required"]]


def _add(schema: dict[str, Any]) -> None:
    schema["properties"]["new"] = {"type": "string"}


def _add_required(schema: dict[str, Any]) -> None:
    _add(schema)
    schema["required"].append("new")


BOTH_WAYS = {
    "removed": lambda schema: schema["properties"].pop("partnerId"),
    "optional removed": lambda schema: schema["properties"].pop("listingId"),
    "renamed": _rename,
    "retyped": lambda schema: schema["properties"]["partnerId"].update(type="integer"),
    "nullable": lambda schema: schema["properties"]["partnerId"].update(type=["string", "null"]),
    "new and required": _add_required,
    "no longer required": lambda schema: schema["required"].remove("partnerId"),
    "now required": lambda schema: schema["required"].append("bookingId" if "bookingId" not in schema["required"] else "clientId"),
}


@pytest.mark.parametrize(("schema", "direction"), [(EVENT, Direction.IN), (SCHEMA, Direction.OUT)])
def test_an_optional_field_may_come(schema: dict[str, Any], direction: Direction) -> None:
    """This is how contracts grow; a changed description breaks nobody either."""
    assert not _faults(_add, schema, direction)
    assert not _faults(lambda new: new.update(description="other words"), schema, direction)


@pytest.mark.parametrize("name", sorted(BOTH_WAYS.keys() - {"now required"}))
@pytest.mark.parametrize(("schema", "direction"), [(EVENT, Direction.IN), (SCHEMA, Direction.OUT)])
def test_what_breaks_others_fails(name: str, schema: dict[str, Any], direction: Direction) -> None:
    """Each with a sentence that names the field."""
    faults = _faults(BOTH_WAYS[name], schema, direction)
    assert faults
    assert any(word in " ".join(faults) for word in ("partner", "listingId", "new"))


def test_an_optional_field_may_not_become_required() -> None:
    """Producers that leave it out would be refused from one day to the next."""
    assert _faults(BOTH_WAYS["now required"], EVENT, Direction.IN)


def test_a_change_deep_inside_fails() -> None:
    """Evidence is where subscribers look."""
    faults = _faults(
        lambda schema: schema["properties"]["scoreDetails"]["properties"]["evidence"]["items"]["properties"].pop("start"),
        SCHEMA,
        Direction.OUT,
    )
    assert faults == ["scoreDetails.evidence[].start: is removed (or renamed); keep it, and add the new one beside it"]


def _constrain(**limits: object) -> Change:
    return lambda schema: schema["properties"]["partnerId"].update(limits)


@pytest.mark.parametrize("tighter", [{"minLength": 2}, {"maxLength": 100}, {"pattern": "^P"}, {"enum": ["P-1"]}])
def test_constraints_move_one_way_only(tighter: dict[str, object]) -> None:
    """What comes in may be constrained less, what goes out more; never the other way round."""
    assert _faults(_constrain(**tighter), EVENT, Direction.IN)
    assert not _faults(_constrain(**tighter), EVENT, Direction.OUT)
    constrained = copy.deepcopy(EVENT)
    _constrain(**tighter)(constrained)
    assert not list(incompatibilities(constrained, EVENT, Direction.IN))
    assert list(incompatibilities(constrained, EVENT, Direction.OUT))


def test_a_new_kind_of_evidence_is_a_change_for_subscribers() -> None:
    """A program that switches over the kinds doesn't know it."""

    def widen(schema: dict[str, Any]) -> None:
        schema["properties"]["scoreDetails"]["properties"]["evidence"]["items"]["properties"]["kind"]["enum"].append("fax")

    assert _faults(widen, SCHEMA, Direction.OUT)
