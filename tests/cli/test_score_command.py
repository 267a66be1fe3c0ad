"""`stream-detector score`: in order, all that can be scored, with honest errors for the rest."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.cli.calling import Call, Start
from tests.cli.stand_in import StandIn


def _request(text: str, **more: object) -> str:
    return json.dumps({"transactionContext": {"transactionId": "1"}, "attributes": {"note": text}} | more, ensure_ascii=False)


def _file(folder: Path, *lines: str) -> Path:
    file = folder / "requests.jsonl"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


@pytest.mark.usefixtures("stand_in")
def test_responses_come_in_order(call: Call, tmp_path: Path) -> None:
    """One response a request, in the requests' order, over many batches."""
    fraud = [number % 3 == 0 for number in range(500)]
    file = _file(tmp_path, *(_request("ring +44 7700 900123" if bad else f"quiet flat {n}") for n, bad in enumerate(fraud)))
    called = call("score", file)
    assert called.status == 0
    assert called.err == ""
    labels = [json.loads(line)["scoreDetails"]["label"] for line in called.out.splitlines()]
    assert labels == ["Fraud" if bad else "NonFraud" for bad in fraud]


@pytest.mark.usefixtures("stand_in")
def test_responses_are_the_contract(call: Call, tmp_path: Path) -> None:
    """Keys in camelCase, the probability as a string, offsets into the text as sent."""
    out = json.loads(call("score", _file(tmp_path, _request("ünïcode: +44 7700 900123"))).out)
    assert out["probabilityScore"] == "9.00e-01"
    assert out["topContributor"] == "note"
    assert out["scoreDetails"]["evidence"][0] | {"surface": ""} == {
        "attribute": "note", "start": 9, "end": 24, "kind": "phone", "surface": "",
    }  # fmt: skip


@pytest.mark.usefixtures("stand_in")
def test_bad_lines_are_named_and_the_rest_scored(call: Call, tmp_path: Path) -> None:
    """Each refused line is FILE:LINE: reason: message; the others get their responses; status 1."""
    file = _file(tmp_path, _request("a"), "{bad", "", _request("b", transactionContext={}), _request("c"))
    called = call("score", file)
    assert called.status == 1
    assert len(called.out.splitlines()) == 2
    assert called.err.splitlines() == [
        f"{file}:2: invalid_json: not JSON at line 1, column 2; send one JSON object",
        f"{file}:4: missing_field: transactionContext.transactionId: is required; add it",
        f"stream-detector: 2 lines of {file} refused",
    ]


@pytest.mark.usefixtures("stand_in")
def test_a_file_of_bad_lines_only(call: Call, tmp_path: Path) -> None:
    """Nothing to score is no reason to fail in another way."""
    called = call("score", _file(tmp_path, "1", "2"))
    assert called.status == 1
    assert called.out == ""


@pytest.mark.usefixtures("stand_in")
def test_an_empty_file_is_done(call: Call, tmp_path: Path) -> None:
    """No requests, no responses, status 0."""
    called = call("score", _file(tmp_path))
    assert (called.status, called.out, called.err) == (0, "", "")


@pytest.mark.usefixtures("stand_in")
def test_text_gives_one_response(call: Call) -> None:
    """--text scores one text under the attribute "text"; into a pipe it is one line."""
    called = call("score", "--text", "ring +44 7700 900123")
    assert called.status == 0
    assert called.out.count("\n") == 1
    assert json.loads(called.out)["topContributor"] == "text"


@pytest.mark.parametrize("arguments", [(), ("-", "--text", "x")])
def test_file_or_text_but_not_both(call: Call, arguments: tuple[str, ...]) -> None:
    """Nothing to score, or two things, is a wrong call."""
    assert call("score", *arguments).status == 2


def test_missing_file_is_a_wrong_call(call: Call, tmp_path: Path) -> None:
    """A file that isn't there is status 2 with its name."""
    called = call("score", tmp_path / "none.jsonl")
    assert called.status == 2
    assert "none.jsonl" in called.err


def test_missing_model_says_what_there_is(call: Call, tmp_path: Path) -> None:
    """A model that isn't there is status 2, one line, with the setting to change."""
    called = call("score", "--text", "x", "--model", "no-such-model")
    assert called.status == 2
    assert called.err.startswith("stream-detector: model 'no-such-model': ")


@pytest.mark.usefixtures("stand_in")
def test_a_text_that_the_model_fails_on_costs_only_itself(call: Call, tmp_path: Path) -> None:
    """One poisonous request is refused under its line, without the error's message, which could quote the text."""
    file = _file(tmp_path, _request("a"), _request("explode"), _request("b"))
    called = call("score", file)
    assert called.status == 1
    assert len(called.out.splitlines()) == 2
    assert called.err.startswith(f"{file}:2: scoring_failed: scoring raised ZeroDivisionError")
    assert "nobody may see" not in called.err


@pytest.mark.usefixtures("stand_in")
def test_settings_reach_the_detector(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """--unmasked, --threshold and --model are settings like any other."""
    seen = []
    monkeypatch.setattr(StandIn, "load", classmethod(lambda cls, settings: seen.append(settings) or cls()))
    call("score", "--text", "x", "--unmasked", "--threshold", "0.25", "--model", "other")
    assert (seen[0].unmasked_evidence, seen[0].threshold, seen[0].model) == (True, 0.25, "other")


def test_standard_input_is_answered_line_by_line(start: Start) -> None:
    """A program at the other end of the pipe gets each answer before it sends the next request."""
    process = start("score", "-")
    for number in range(3):
        process.stdin.write(_request(f"flat {number}").encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["modelCode"] == "STAND-IN"
    process.stdin.close()
    assert process.wait(20) == 0


def test_errors_in_standard_input_are_named(start: Start) -> None:
    """Standard input is called - in messages, as it is in the call."""
    process = start("score", "-")
    process.stdin.write(b"{bad\n")
    process.stdin.close()
    assert process.wait(20) == 1
    assert process.stderr.read().startswith(b"-:1: invalid_json: ")


def test_closed_output_is_quiet(start: Start, tmp_path: Path) -> None:
    """`| head -1` ends the program without a word."""
    process = start("score", _file(tmp_path, *[_request("a flat " * 50)] * 5000))
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(20) == 141
    assert process.stderr.read() == b""


def test_interrupt_while_waiting_for_input(start: Start) -> None:
    """Ctrl-C leaves at once and without a trace, even while a thread waits for standard input."""
    process = start("score", "-")
    process.stdin.write(_request("flat").encode() + b"\n")
    process.stdin.flush()
    process.stdout.readline()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(20) == 130
    assert process.stderr.read().strip() == b""
