"""`stream-detector schema`: the contracts as files, and the gate that holds them to the last release."""

from __future__ import annotations

import copy
import json
from pathlib import Path

from stream_detector.cli.schema import documents
from stream_detector.settings import Settings
from tests.cli.calling import Call

BASELINE = Path(__file__).parents[2] / "docs" / "contracts" / "baseline"


def test_topics_are_those_of_the_settings(call: Call, tmp_path: Path) -> None:
    """What is exported for an installation names its own topics."""
    called = call("schema", "export", tmp_path, "--topics.bookings", "acme.bookings")
    assert called.status == 0
    written = json.loads((tmp_path / "asyncapi.json").read_text(encoding="utf-8"))
    assert written["channels"]["booking"]["address"] == "acme.bookings"
    assert written["channels"]["booking-dead-letter"]["address"] == "acme.bookings.dlq"
    assert len(called.out.splitlines()) == len([file for file in tmp_path.rglob("*") if file.is_file()])


def test_today_breaks_nobody(call: Call) -> None:
    """The gate itself: this program's schemas against those of the last release."""
    called = call("schema", "check", BASELINE)
    assert (called.status, called.out, called.err) == (0, "compatible\n", "")


def test_the_command_says_who_breaks(call: Call, tmp_path: Path) -> None:
    """A field that the baseline had and a message that it had are both missed, with status 1."""
    folder = tmp_path / "schemas"
    folder.mkdir()
    old = copy.deepcopy(documents(Settings())["schemas/violation.consumer.json"])
    old["properties"]["score"] = {"type": "number"}
    (folder / "violation.consumer.json").write_text(json.dumps(old))
    (folder / "retired.consumer.json").write_text("{}")
    called = call("schema", "check", tmp_path)
    assert (called.status, called.out) == (1, "incompatible\n")
    assert called.err.splitlines() == [
        "violation.consumer.json: score: is removed (or renamed); keep it, and add the new one beside it",
        "retired.consumer.json: the message is gone",
    ]


def test_a_wrong_folder_is_a_wrong_call(call: Call, tmp_path: Path) -> None:
    """A gate without a baseline must not pass."""
    assert call("schema", "check", tmp_path).status == 2
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "violation.consumer.json").write_text("{")
    assert call("schema", "check", tmp_path).status == 2


def test_an_unwritable_destination_is_a_wrong_call(call: Call, tmp_path: Path) -> None:
    """A file where the folder should be made is named."""
    (tmp_path / "schemas").write_text("")
    called = call("schema", "export", tmp_path)
    assert called.status == 2
    assert "schemas" in called.err
