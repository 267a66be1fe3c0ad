"""`plan`: a table for people, a document for programs, and errors that say what to change."""

from __future__ import annotations

import builtins
import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from stream_detector.batching.planning import Demand
from stream_detector.cli.plan import measure, read_texts
from stream_detector.errors import ConfigurationError
from stream_detector.inference.artefact import find
from stream_detector.settings import Settings
from tests.cli.calling import Call

LISTING = {"listing_id": "sample-1", "title": "A bright flat", "description": "Near the park. Quiet from 22:00.", "host": ""}


@pytest.fixture
def lengths(tmp_path: Path) -> Path:
    """A file of one text."""
    file = tmp_path / "listings.jsonl"
    file.write_bytes(orjson.dumps(LISTING) + b"\n")
    return file


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events of two windows, ten milliseconds each."""
    monkeypatch.setattr("stream_detector.cli.plan.measure", lambda *_: Demand.of([[0.01, 0.01]] * 9, 0.01))


@pytest.mark.usefixtures("measured")
def test_a_plan_as_json(call: Call, lengths: Path) -> None:
    """The plan and its neighbourhood: what has fewer replicas breaks the promise or is too busy."""
    arguments = ("--events-per-second", "2000", "--lengths", lengths, "--promise", "250ms", "--inference-threads", "2", "--json")
    called = call("plan", *arguments)
    assert called.status == 0, called.err
    document = orjson.loads(called.out)
    plan = document["plan"]
    assert (document["eventsPerSecond"], document["promiseMs"]) == (2000, 250)
    assert 20 < plan["replicas"] < 40
    assert (plan["partitions"], plan["cores"]) == (2 * plan["replicas"], 2 * plan["replicas"])
    assert plan["p99Ms"] <= 250
    assert plan in document["around"]
    assert all(
        row["p99Ms"] is None or row["p99Ms"] > 250 or row["utilisation"] > 0.95
        for row in document["around"]
        if row["replicas"] < plan["replicas"]
    )


@pytest.mark.usefixtures("measured")
def test_a_plan_as_a_table(call: Call, lengths: Path) -> None:
    """For people: a line for each number of replicas."""
    called = call("plan", "--events-per-second", "50", "--lengths", lengths, "--inference-threads", "2")
    assert called.status == 0
    for heading in ("replicas", "partitions", "cores", "utilisation", "p99"):
        assert heading in called.out


@pytest.mark.usefixtures("measured")
def test_known_texts_ask_for_nothing(call: Call, lengths: Path) -> None:
    """Nine bookings in ten repeat a text that was seen: a tenth of the load is left."""

    def replicas(*arguments: str) -> int:
        called = call("plan", "--lengths", lengths, "--inference-threads", "2", "--json", *arguments)
        found: int = orjson.loads(called.out)["plan"]["replicas"]
        return found

    assert replicas("--events-per-second", "20000", "--known", "0.9") == replicas("--events-per-second", "2000")


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--promise", "20ms"), "can't be kept by any number of replicas"),
        (("--promise", "soon"), "'soon' is no duration; write it as 250ms or 0.25s"),
        (("--promise", "0"), "no duration"),
        (("--known", "1"), "not in the range"),
    ],
)
def test_what_can_not_be_planned(call: Call, lengths: Path, arguments: tuple[str, ...], complaint: str) -> None:
    """Status 2 and a line that says what to change."""
    called = call("plan", "--events-per-second", "2000", "--lengths", lengths, *arguments)
    assert called.status == 2
    assert complaint in " ".join(called.err.split())


@pytest.mark.usefixtures("measured")
def test_a_plot(call: Call, lengths: Path, tmp_path: Path) -> None:
    """A picture beside the table."""
    file = tmp_path / "plan.svg"
    called = call("plan", "--events-per-second", "2000", "--lengths", lengths, "--plot", file)
    assert called.status == 0, called.err
    assert file.read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.usefixtures("measured")
def test_a_plot_without_the_library(call: Call, lengths: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra to install."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    called = call("plan", "--events-per-second", "2000", "--lengths", lengths, "--plot", tmp_path / "plan.png")
    assert called.status == 2
    assert 'pip install "stream-detector[plot]"' in called.err


def test_texts_are_read_from_listings_events_and_archives(tmp_path: Path, lengths: Path) -> None:
    """Listings without their identifiers, and whatever has attributes; blank lines are skipped."""
    texts = {"title": LISTING["title"], "description": LISTING["description"]}
    assert list(read_texts(lengths)) == [texts]
    archive = tmp_path / "events.jsonl.gz"
    archive.write_bytes(gzip.compress(b'\n{"eventId": "E-1", "attributes": {"note": "A flat", "gone": null}}\n'))
    assert list(read_texts(archive)) == [{"note": "A flat"}]


def test_what_is_no_json_is_named(tmp_path: Path) -> None:
    """File and line."""
    file = tmp_path / "texts.jsonl"
    file.write_text('{"a": "b"}\nno\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"texts\.jsonl:2: not a JSON object"):
        list(read_texts(file))


def test_this_machine_is_measured(lengths: Path) -> None:
    """With the shipped model: a time for each window, the longest no longer than all of them."""
    settings = Settings(model=str(find(Settings().model)), inference_threads=1)
    demand = measure(settings, lengths, 0.01, 0.01)
    assert demand.work.shape == demand.longest.shape == (1,)
    assert 0 < demand.longest[0] < demand.work[0]
    assert demand.publish_s == 0.01


def test_a_file_without_texts_is_named(tmp_path: Path) -> None:
    """Nothing can be planned from nothing."""
    file = tmp_path / "texts.jsonl"
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no texts in it"):
        measure(Settings(), file, 0.01, 0.01)
