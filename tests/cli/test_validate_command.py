"""`stream-detector validate`: the worker's own judgement of events, before they are sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream_detector.contracts import Event, decode
from stream_detector.contracts.registry import HEAD
from stream_detector.errors import DecodeError
from tests.cli.calling import Call, Start
from tests.contracts.registry_server import RegistryServer

EVENT = {
    "eventId": "e1",
    "eventType": "listing-update",
    "occurredAt": "2026-11-23T10:00:00.000Z",
    "transactionContext": {"transactionId": "1"},
    "partnerId": "P-77",
    "listingId": "L-9",
    "attributes": {"houseRules": "no shoes"},
}


def _file(folder: Path, *lines: str | dict[str, object]) -> Path:
    file = folder / "events.jsonl"
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return file


def test_good_events_pass(call: Call, tmp_path: Path) -> None:
    """A file without faults is status 0 and a count."""
    called = call("validate", _file(tmp_path, EVENT, "", EVENT))
    assert (called.status, called.out, called.err) == (0, "2 events: 2 valid, 0 refused\n", "")


def test_faults_are_the_workers(call: Call, tmp_path: Path) -> None:
    """Reason and message are word for word those of the dead letter that the worker would write."""
    bad = json.dumps(EVENT | {"listingId": None})
    file = _file(tmp_path, EVENT, bad)
    called = call("validate", file)
    with pytest.raises(DecodeError) as caught:
        decode(Event, bad.encode())
    assert called.err == f"{file}:2: {caught.value.reason}: {caught.value}\n"
    assert called.status == 1
    assert called.out == "2 events: 1 valid, 1 refused\n"


def test_size_limit_is_the_setting(call: Call, tmp_path: Path) -> None:
    """max_event_bytes decides here as it does in the worker."""
    file = _file(tmp_path, EVENT)
    assert call("validate", file, "--max-event-bytes", "100").status == 1
    assert "oversize" in call("validate", file, "--max-event-bytes", "100").err
    assert call("validate", file).status == 0


def test_a_message_is_one_line(call: Call, tmp_path: Path) -> None:
    """An attribute's name can't break the message apart or steer the terminal."""
    called = call("validate", _file(tmp_path, EVENT | {"attributes": {"a\n\x1b[2Jb": 5}}))
    assert called.err.count("\n") == 1
    assert "\x1b" not in called.err


def test_standard_input(start: Start) -> None:
    """- reads standard input."""
    process = start("validate", "-")
    process.stdin.write(json.dumps(EVENT).encode())
    process.stdin.close()
    assert process.wait(20) == 0
    assert process.stdout.read() == b"1 event: 1 valid, 0 refused\n"


def test_unknown_fields_are_a_warning(call: Call, tmp_path: Path) -> None:
    """The worker ignores them, so they are no refusal; but a misspelt optional field would be lost without a word."""
    file = _file(tmp_path, EVENT | {"lisstingId": "L-9"}, EVENT | {"transactionContext": {"transactionId": "1", "source": 1}})
    called = call("validate", file)
    assert called.status == 0
    assert called.out == "2 events: 2 valid, 0 refused, 2 with unknown fields\n"
    assert called.err.splitlines() == [
        f"{file}:1: warning: unknown_field: lisstingId: is not in the contract and is ignored; did you mean listingId?",
        f"{file}:2: warning: unknown_field: transactionContext.source: is not in the contract and is ignored; leave it out",
    ]


def test_strict_refuses_unknown_fields(call: Call, tmp_path: Path) -> None:
    """For a producer's own build, where a warning would not be read."""
    called = call("validate", "--strict", _file(tmp_path, EVENT, EVENT | {"extra": 1}))
    assert (called.status, called.out) == (1, "2 events: 1 valid, 1 refused, 1 with unknown fields\n")


def test_a_warning_is_one_line(call: Call, tmp_path: Path) -> None:
    """A field's name is the producer's own and may hold anything."""
    called = call("validate", _file(tmp_path, EVENT | {"a\n\x1b[2Jb" + "c" * 500: 5}))
    assert called.err.count("\n") == 1
    assert "\x1b" not in called.err
    assert "c" * 65 not in called.err


def test_one_value_in_a_registrys_format(call: Call, tmp_path: Path) -> None:
    """A producer's own bytes are checked as the worker would read them, with the schema out of the registry."""
    file = tmp_path / "value.bin"
    with RegistryServer() as server:
        number = server.file("bookings-value", {}, "JSON")
        url = ("--registry.url", server.url)
        file.write_bytes(HEAD.pack(0, number) + json.dumps(EVENT).encode())
        assert call("validate", "--value", str(file), *url).out == "1 event: valid\n"
        refused = call("validate", "--value", str(file))
        assert (refused.status, "set registry.url" in refused.err) == (1, True)
        file.write_bytes(HEAD.pack(0, number) + json.dumps(EVENT | {"partnerId": 7}).encode())
        refused = call("validate", "--value", str(file), *url)
        assert (refused.status, refused.out) == (1, "1 event: refused\n")
        assert "wrong_type: partnerId" in refused.err
        file.write_bytes(HEAD.pack(0, 99) + b"{}")
        assert "unknown_schema: schema 99 is not in the registry" in call("validate", "--value", str(file), *url).err
        server.away = True
        away = call("validate", "--value", str(file), *url)
        assert (away.status, "schema registry" in away.err) == (1, True)
